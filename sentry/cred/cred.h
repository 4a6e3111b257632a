/*
 * Credentials and user namespaces. A struct cred is immutable once a task has it: a change makes a
 * copy (cred_dup), edits it and replaces the task's pointer. Ids inside are kuids: ids of the
 * sandbox's first user namespace; the guest sees them mapped through its own.
 */
#pragma once

#include "sentry/base/lock.h"
#include "sentry/base/obj.h"

#define CAP_FULL    ((1ull << 41) - 1)
#define ID_OVERFLOW 65534u
#define ID_INVALID  UINT32_MAX

struct id_extent {
    u32 inside, outside, count; /* outside: in the parent namespace */
};

struct id_map {
    _Atomic(u32) n;            /* 0: not written yet; set once, after extents */
    struct id_extent *extents; /* owned */
};

struct user_ns {
    struct obj obj;
    struct user_ns *parent; /* a reference; NULL for the first */
    u32 level;
    u32 owner_uid, owner_gid; /* kuids of the creator */
    struct id_map uid_map, gid_map;
    _Atomic(bool) setgroups_denied;
    bool owner_could_setfcap; /* its maker had CAP_SETFCAP: it may map its parent's root */
    struct mutex lock;        /* one write of a map at a time */
};
OBJ_REFS(user_ns)

struct cred {
    struct obj obj;
    struct user_ns *user_ns; /* a reference */
    u32 uid, euid, suid, fsuid;
    u32 gid, egid, sgid, fsgid;
    u64 cap_permitted, cap_effective, cap_inheritable, cap_bounding, cap_ambient;
    u32 securebits;
    bool no_new_privs;
    u32 ngroups;
    u32 *groups; /* owned, sorted kgids */
};
OBJ_REFS(cred)

/* user_ns_init() - the sandbox's first namespace (identity map). Return: a new reference or NULL. */
struct user_ns *user_ns_first(void);
/* user_ns_new() - a namespace below that of `c`, which owns it. Return: 0, -ENOSPC (nested too
 * deeply, too many), -EPERM (its owner has no ids where it is), -ENOMEM. */
int user_ns_new(const struct cred *c, struct user_ns **out);
/* user_ns_set_map() - uid_map, gid_map: `extents` is taken if 0 is returned. Rights are those of who
 * opened the file; a set-user-id program that was given it to write to adds none of its own.
 * Return: 0, -EPERM, -EINVAL (user_namespaces(7)). */
int user_ns_set_map(struct user_ns *ns, bool gid, struct id_extent *extents, u32 n,
                    const struct cred *opener, const struct cred *writer);
/* user_ns_deny_setgroups() - Return: 0, -EPERM: the gid map is written already. */
int user_ns_deny_setgroups(struct user_ns *ns);
/* user_ns_below() - is `ns` that or below it? */
bool user_ns_below(const struct user_ns *ns, const struct user_ns *top);
/* cred_enter() - a private copy gets every capability in `ns`, and nothing elsewhere. */
void cred_enter(struct cred *c, struct user_ns *ns);

/* cred_root() - uid 0 with every capability in `ns`. Return: a new reference or NULL. */
struct cred *cred_root(struct user_ns *ns);
/* cred_dup() - a private copy to edit. Return: a new reference, NULL if out of memory. */
struct cred *cred_dup(const struct cred *c);
/* cred_set_groups() - replace the groups of a private copy. Return: 0, -ENOMEM. */
int cred_set_groups(struct cred *c, const u32 *groups, u32 n);

/* cred_has_cap() - does `c` hold `cap` over objects of `ns`? (user_namespaces(7)) */
bool cred_has_cap(const struct cred *c, const struct user_ns *ns, int cap);
/* cred_ns_capable() - over its own user namespace. cred_capable() - over the first: what belongs to
 * the whole sandbox, which who made a namespace of its own has no say in. */
bool cred_ns_capable(const struct cred *c, int cap);
bool cred_capable(const struct cred *c, int cap);
bool cred_in_group(const struct cred *c, u32 kgid);

/* *_to_kid(): from the namespace's view, ID_INVALID if unmapped; *_from_kid(): to it, ID_OVERFLOW. */
u32 uid_to_kuid(const struct user_ns *ns, u32 uid);
u32 gid_to_kgid(const struct user_ns *ns, u32 gid);
u32 uid_from_kuid(const struct user_ns *ns, u32 kuid);
u32 gid_from_kgid(const struct user_ns *ns, u32 kgid);
/* *_try_from_kid(): to it, ID_INVALID if it has no such id. */
u32 uid_try_from_kuid(const struct user_ns *ns, u32 kuid);
u32 gid_try_from_kgid(const struct user_ns *ns, u32 kgid);

/* cred_fix_setuid() - capability changes when uids go from or to 0 (capabilities(7)). */
void cred_fix_setuid(struct cred *fresh, const struct cred *old);
/* cred_fix_setfsuid() - the same for the file system uid: the capabilities over files. */
void cred_fix_setfsuid(struct cred *fresh, const struct cred *old);
