/*
 * What all kinds of namespaces have in common (namespaces(7)): names, numbers, who owns them; and
 * the calls that change which ones a task is in: clone(2), unshare(2), setns(2).
 *
 * A task's namespaces are its nsproxy (mount, uts, net, ipc, cgroup, and the pid namespace of its
 * future children), its struct pid (the pid namespace it is in) and its credentials (user). An nsproxy
 * is never changed: a task gets another one.
 */
#pragma once

#include "sentry/base/obj.h"

struct clone_args;
struct cred;
struct fs_context;
struct nsproxy;
struct task;
struct user_ns;

enum ns_kind { NS_CGROUP, NS_IPC, NS_MNT, NS_NET, NS_PID, NS_USER, NS_UTS, NS_KINDS };

/* ns_name() - "mnt". ns_flag(): its LX_CLONE_NEW*. */
const char *ns_name(enum ns_kind kind);
u64 ns_flag(enum ns_kind kind);
/* ns_of() - the one that a task is in, as a new reference; NULL: it has exited. `children`: for
 * NS_PID, that of its future children. */
struct obj *ns_of(struct task *t, enum ns_kind kind, bool children);
/* ns_owner() - the user namespace that owns it (for one of users: its parent), borrowed; NULL: none.
 * ns_parent(): of a pid or user namespace the one above it, borrowed. */
struct user_ns *ns_owner(enum ns_kind kind, struct obj *ns);
struct obj *ns_parent(enum ns_kind kind, struct obj *ns);
/* ns_ino() - the number that /proc/PID/ns shows. */
u64 ns_ino(enum ns_kind kind, const struct obj *ns);

/* ns_make() - `old` with fresh namespaces for those of `flags`, made by `cred`. `fs` is nobody
 * else's: with LX_CLONE_NEWNS its paths move to the copies. Return: 0 and *out, or clone(2)'s errno. */
int ns_make(struct task *t, u64 flags, const struct cred *cred, struct fs_context *fs,
            struct nsproxy **out);
/* ns_clone_cred() - a child's credentials: the caller's, or in a user namespace of its own. */
int ns_clone_cred(struct task *t, u64 flags, struct cred **out);
/* ns_unshare() - unshare(2). ns_enter() - setns(2) for one namespace. */
int ns_unshare(struct task *t, u64 flags);
int ns_enter(struct task *t, enum ns_kind kind, struct obj *ns);
