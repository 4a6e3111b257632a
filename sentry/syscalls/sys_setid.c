/*
 * Changing ids: setuid(2), setreuid(2), setresuid(2), setfsuid(2), the same for groups, and
 * setgroups(2). As in the kernel a call changes the calling task alone; the C library makes it
 * process-wide.
 */
#include "sentry/abi/lx_cred.h"
#include "sentry/base/limits.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>
#include <stdlib.h>

/* An id argument: -1 leaves it, others must be mapped. */
#define KEEP ID_INVALID

static int arg_uid(const struct cred *c, u64 arg, u32 *kuid)
{
    *kuid = (u32)arg == KEEP ? KEEP : uid_to_kuid(c->user_ns, (u32)arg);
    return (u32)arg != KEEP && *kuid == ID_INVALID ? -EINVAL : 0;
}

static int arg_gid(const struct cred *c, u64 arg, u32 *kgid)
{
    *kgid = (u32)arg == KEEP ? KEEP : gid_to_kgid(c->user_ns, (u32)arg);
    return (u32)arg != KEEP && *kgid == ID_INVALID ? -EINVAL : 0;
}

/* commit_uid() - make `fresh` (taken) the task's, with what a change of uids brings. */
static s64 commit_uid(struct task *t, struct cred *fresh)
{
    cred_fix_setuid(fresh, t->cred);
    task_set_cred(t, fresh);
    return 0;
}

static s64 commit_gid(struct task *t, struct cred *fresh)
{
    task_set_cred(t, fresh);
    return 0;
}

s64 sys_setuid(struct task *t, const u64 a[6])
{
    struct cred *c = cred_dup(t->cred);
    u32 uid;

    if (!c)
        return -ENOMEM;
    if (arg_uid(c, a[0], &uid) < 0 || uid == KEEP) {
        cred_put(c);
        return -EINVAL;
    }
    if (cred_ns_capable(c, LX_CAP_SETUID)) {
        c->uid = c->suid = uid;
    } else if (uid != c->uid && uid != c->suid) {
        cred_put(c);
        return -EPERM;
    }
    c->euid = c->fsuid = uid;
    return commit_uid(t, c);
}

s64 sys_setgid(struct task *t, const u64 a[6])
{
    struct cred *c = cred_dup(t->cred);
    u32 gid;

    if (!c)
        return -ENOMEM;
    if (arg_gid(c, a[0], &gid) < 0 || gid == KEEP) {
        cred_put(c);
        return -EINVAL;
    }
    if (cred_ns_capable(c, LX_CAP_SETGID)) {
        c->gid = c->sgid = gid;
    } else if (gid != c->gid && gid != c->sgid) {
        cred_put(c);
        return -EPERM;
    }
    c->egid = c->fsgid = gid;
    return commit_gid(t, c);
}

/* set_re() - the rules of setreuid(2) over one kind of id. Return: 0, -EPERM. */
static int set_re(bool capable, u32 real, u32 effective, u32 *id, u32 *eid, u32 *sid, u32 *fsid)
{
    u32 old_real = *id;

    if (real != KEEP) {
        if (real != *id && real != *eid && !capable)
            return -EPERM;
        *id = real;
    }
    if (effective != KEEP) {
        if (effective != old_real && effective != *eid && effective != *sid && !capable)
            return -EPERM;
        *eid = effective;
    }
    if (real != KEEP || (effective != KEEP && effective != old_real))
        *sid = *eid;
    *fsid = *eid;
    return 0;
}

s64 sys_setreuid(struct task *t, const u64 a[6])
{
    struct cred *c = cred_dup(t->cred);
    u32 r, e;
    int err;

    if (!c)
        return -ENOMEM;
    err = arg_uid(c, a[0], &r) < 0 || arg_uid(c, a[1], &e) < 0 ? -EINVAL : 0;
    if (!err)
        err = set_re(cred_ns_capable(c, LX_CAP_SETUID), r, e, &c->uid, &c->euid, &c->suid,
                     &c->fsuid);
    if (!err)
        return commit_uid(t, c);
    cred_put(c);
    return err;
}

s64 sys_setregid(struct task *t, const u64 a[6])
{
    struct cred *c = cred_dup(t->cred);
    u32 r, e;
    int err;

    if (!c)
        return -ENOMEM;
    err = arg_gid(c, a[0], &r) < 0 || arg_gid(c, a[1], &e) < 0 ? -EINVAL : 0;
    if (!err)
        err = set_re(cred_ns_capable(c, LX_CAP_SETGID), r, e, &c->gid, &c->egid, &c->sgid,
                     &c->fsgid);
    if (!err)
        return commit_gid(t, c);
    cred_put(c);
    return err;
}

/* set_res() - the rules of setresuid(2). */
static int set_res(bool capable, const u32 want[3], u32 *id, u32 *eid, u32 *sid, u32 *fsid)
{
    u32 old[3] = {*id, *eid, *sid};

    for (int i = 0; i < 3; i++)
        if (want[i] != KEEP && want[i] != old[0] && want[i] != old[1] && want[i] != old[2] &&
            !capable)
            return -EPERM;
    if (want[0] != KEEP)
        *id = want[0];
    if (want[1] != KEEP)
        *eid = want[1];
    if (want[2] != KEEP)
        *sid = want[2];
    *fsid = *eid;
    return 0;
}

s64 sys_setresuid(struct task *t, const u64 a[6])
{
    struct cred *c = cred_dup(t->cred);
    u32 want[3];
    int err = 0;

    if (!c)
        return -ENOMEM;
    for (int i = 0; i < 3 && !err; i++)
        err = arg_uid(c, a[i], &want[i]);
    if (!err)
        err = set_res(cred_ns_capable(c, LX_CAP_SETUID), want, &c->uid, &c->euid, &c->suid,
                      &c->fsuid);
    if (!err)
        return commit_uid(t, c);
    cred_put(c);
    return err;
}

s64 sys_setresgid(struct task *t, const u64 a[6])
{
    struct cred *c = cred_dup(t->cred);
    u32 want[3];
    int err = 0;

    if (!c)
        return -ENOMEM;
    for (int i = 0; i < 3 && !err; i++)
        err = arg_gid(c, a[i], &want[i]);
    if (!err)
        err = set_res(cred_ns_capable(c, LX_CAP_SETGID), want, &c->gid, &c->egid, &c->sgid,
                      &c->fsgid);
    if (!err)
        return commit_gid(t, c);
    cred_put(c);
    return err;
}

/* setfsuid(2) and setfsgid(2) return the old id, whatever happens. */
s64 sys_setfsuid(struct task *t, const u64 a[6])
{
    u32 old = uid_from_kuid(t->cred->user_ns, t->cred->fsuid), uid;
    struct cred *c = cred_dup(t->cred);

    if (c && arg_uid(c, a[0], &uid) == 0 && uid != KEEP &&
        (uid == c->uid || uid == c->euid || uid == c->suid || uid == c->fsuid ||
         cred_ns_capable(c, LX_CAP_SETUID))) {
        c->fsuid = uid;
        cred_fix_setfsuid(c, t->cred);
        task_set_cred(t, c);
        c = NULL;
    }
    cred_put(c);
    return old;
}

s64 sys_setfsgid(struct task *t, const u64 a[6])
{
    u32 old = gid_from_kgid(t->cred->user_ns, t->cred->fsgid), gid;
    struct cred *c = cred_dup(t->cred);

    if (c && arg_gid(c, a[0], &gid) == 0 && gid != KEEP &&
        (gid == c->gid || gid == c->egid || gid == c->sgid || gid == c->fsgid ||
         cred_ns_capable(c, LX_CAP_SETGID))) {
        c->fsgid = gid;
        task_set_cred(t, c);
        c = NULL;
    }
    cred_put(c);
    return old;
}

/* read_groups() - the caller's list as kgids. Return: 0, -EFAULT, -EINVAL (not mapped). */
static int read_groups(struct task *t, u64 ulist, u32 n, u32 *groups)
{
    if (usermem_in(t->mm, groups, ulist, n * sizeof(*groups)) < 0)
        return -EFAULT;
    for (u32 i = 0; i < n; i++) {
        groups[i] = gid_to_kgid(t->cred->user_ns, groups[i]);
        if (groups[i] == ID_INVALID)
            return -EINVAL;
    }
    return 0;
}

s64 sys_setgroups(struct task *t, const u64 a[6])
{
    u32 n = (u32)a[0], *groups;
    struct cred *c;
    int err;

    if (!cred_ns_capable(t->cred, LX_CAP_SETGID) || t->cred->user_ns->setgroups_denied ||
        !t->cred->user_ns->gid_map.n)
        return -EPERM;
    if (n > LIMIT_GROUPS)
        return -EINVAL;
    groups = calloc(n + 1, sizeof(*groups));
    c = cred_dup(t->cred);
    err = groups && c ? read_groups(t, a[1], n, groups) : -ENOMEM;
    if (!err)
        err = cred_set_groups(c, groups, n);
    if (!err)
        task_set_cred(t, c);
    else
        cred_put(c);
    free(groups);
    return err;
}
