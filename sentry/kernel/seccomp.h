/*
 * The guest's own seccomp(2): strict mode and filters. This is a matter between guest programs; what
 * the Sentry and its guests may ask of the host is decided elsewhere.
 *
 * A filter holds the one that was there before it. Chains are shared between the tasks that inherit
 * them and only grow at a task's own end, so another task's change (TSYNC) replaces a chain by one
 * that holds it: what a task has read stays alive while it uses it.
 */
#pragma once

#include "sentry/abi/lx_seccomp.h"
#include "sentry/base/obj.h"

struct task;

struct seccomp_filter {
    struct obj obj;
    struct seccomp_filter *prev; /* a reference: was installed before; NULL: the first */
    u32 depth;                   /* filters of the chain */
    u32 path;                    /* its instructions, and 4 for each filter but the newest */
    u32 n;
    bool log;
    struct lx_sock_filter insns[];
};
OBJ_REFS(seccomp_filter)

/* seccomp_filter_new() - a checked filter that isn't installed yet; `insns` is copied. */
int seccomp_filter_new(const struct lx_sock_filter *insns, u32 n, bool log,
                       struct seccomp_filter **out);
/* seccomp_install() - make it the calling task's newest, and with LX_SECCOMP_FILTER_TSYNC that of
 * its whole group. Taken. Return: 0; with TSYNC the tid of a task that can't follow, or -ESRCH if
 * so asked; -EINVAL, -ENOMEM. */
int seccomp_install(struct task *t, struct seccomp_filter *f, u32 flags);
/* seccomp_set_strict() - Return: 0, -EINVAL: it has filters. */
int seccomp_set_strict(struct task *t);
/* seccomp_inherit_locked() - at clone, with the parent group's lock held. */
void seccomp_inherit_locked(struct task *parent, struct task *child);

/* seccomp_allows() - ask strict mode or the filters about a call, which a tracer that is asked may
 * change. Return: true: it may be made; false: *result is its result, or the task leaves, or gets
 * SIGSYS. */
bool seccomp_allows(struct task *t, s64 *nr, u64 args[6], s64 *result);

static inline u32 seccomp_mode(const u32 *mode)
{
    return __atomic_load_n(mode, __ATOMIC_ACQUIRE);
}
