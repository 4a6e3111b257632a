/*
 * Credentials at exec: set-user-ID and set-group-ID bits, file capabilities, and how a program's
 * capability sets follow from its caller's (execve(2), capabilities(7), credentials(7)).
 *
 * The program is what runs in the end: for a script its interpreter, so a script's own bits never
 * count. Nothing here changes the calling task; it builds the credentials that exec installs.
 */
#include "fs/vfs/mount.h"
#include "fs/vfs/namei.h"
#include "sentry/abi/lx_cred.h"
#include "sentry/abi/lx_process.h"
#include "sentry/kernel/ptrace.h"
#include "sentry/kernel/task_priv.h"

#include <errno.h>

/* Where the new credentials are being worked out. */
struct derive {
    struct exec_cred *x;
    const struct cred *old;
    struct cred *fresh;
    struct file *program;
    bool may_gain;  /* bits and file capabilities count on this mount, for this task */
    bool file_caps; /* the file has capabilities */
    bool effective; /* they, or being root, make the permitted set effective */
};

/* may_suid() - nosuid mounts, a container that forbids it, and file systems of a user namespace
 * that is not the caller's or above it, have no such bits. */
static bool may_suid(const struct task *t, const struct file *program)
{
    const struct user_ns *of = program->path.mount->super->user_ns, *ns = t->cred->user_ns;

    if (!t->tg->container->allow_suid || (program->path.mount->flags & LX_MS_NOSUID))
        return false;
    while (ns && ns != of)
        ns = ns->parent;
    return ns;
}

/* take_bits() - euid and egid from the file's mode. */
static int take_bits(struct derive *d)
{
    const struct user_ns *ns = d->fresh->user_ns;
    struct attr attr;
    int err;

    if (!d->may_gain || d->old->no_new_privs)
        return 0;
    err = vfs_getattr(&d->program->path, &attr);
    if (err)
        return err;
    /* Ids that have no name in the namespace can't be taken. */
    if (uid_to_kuid(ns, uid_from_kuid(ns, attr.uid)) != attr.uid ||
        gid_to_kgid(ns, gid_from_kgid(ns, attr.gid)) != attr.gid)
        return 0;
    if (attr.mode & LX_S_ISUID) {
        d->fresh->euid = attr.uid;
        d->x->clear_personality = true;
    }
    if ((attr.mode & (LX_S_ISGID | LX_S_IXGRP)) == (LX_S_ISGID | LX_S_IXGRP)) {
        d->fresh->egid = attr.gid;
        d->x->clear_personality = true;
    }
    return 0;
}

/* owns_ns() - is kuid the root of `ns` or of a namespace above it? */
static bool owns_ns(const struct user_ns *ns, u32 kuid)
{
    for (; ns; ns = ns->parent)
        if (uid_from_kuid(ns, kuid) == 0)
            return true;
    return false;
}

/* read_file_caps() - Return: 1 and the sets, 0 if there are none that count here, -EINVAL. */
static int read_file_caps(const struct derive *d, u64 *permitted, u64 *inheritable, bool *effective)
{
    const struct xattr_ops *xattr = d->program->inode->ops->xattr;
    struct lx_vfs_cap_data v = {0};
    ssize_t n;
    u32 rev;

    if (!d->may_gain || !xattr || !xattr->get)
        return 0;
    n = xattr->get(d->program->inode, LX_XATTR_CAPS, &v, sizeof(v));
    if (n < 0)
        return 0;
    rev = n >= 4 ? v.magic & LX_VFS_CAP_REVISION : 0;
    if (!(rev == LX_VFS_CAP_REVISION_1 && n == 12) && !(rev == LX_VFS_CAP_REVISION_2 && n == 20) &&
        !(rev == LX_VFS_CAP_REVISION_3 && n == 24))
        return -EINVAL;
    if (rev == LX_VFS_CAP_REVISION_3 &&
        !owns_ns(d->fresh->user_ns, uid_to_kuid(d->program->path.mount->super->user_ns, v.rootid)))
        return 0;
    *permitted = (v.data[0].permitted | (u64)v.data[1].permitted << 32) & CAP_FULL;
    *inheritable = (v.data[0].inheritable | (u64)v.data[1].inheritable << 32) & CAP_FULL;
    *effective = v.magic & LX_VFS_CAP_EFFECTIVE;
    return 1;
}

/* take_file_caps() - P'(permitted) from the file. -EPERM: it needs more than it can have. */
static int take_file_caps(struct derive *d)
{
    u64 permitted, inheritable;
    int found;

    d->fresh->cap_permitted = 0;
    found = read_file_caps(d, &permitted, &inheritable, &d->effective);
    if (found <= 0)
        return found;
    d->file_caps = true;
    d->fresh->cap_permitted =
        (permitted & d->old->cap_bounding) | (inheritable & d->old->cap_inheritable);
    return d->effective && (permitted & ~d->fresh->cap_permitted) ? -EPERM : 0;
}

/* take_root_caps() - root's programs behave as if they had all capabilities. */
static void take_root_caps(struct derive *d)
{
    u32 root = uid_to_kuid(d->fresh->user_ns, 0);
    const struct cred *c = d->fresh;

    if (c->securebits & LX_SECBIT_NOROOT)
        return;
    /* A set-user-ID-root program that has capabilities gets those alone. */
    if (d->file_caps && c->uid != root && c->euid == root)
        return;
    if (c->euid == root || c->uid == root)
        d->fresh->cap_permitted = d->old->cap_bounding | d->old->cap_inheritable;
    if (c->euid == root)
        d->effective = true;
}

/* shares_fs() - does another process share the caller's root and working directory? It could move
 * them under a privileged program. */
static bool shares_fs(const struct task *t)
{
    struct pid_ns *ns = t->pid->ns;
    struct hash_node *n;
    bool shared = false;
    u32 i;

    pid_lock();
    hash_for_each(&ns->by_number, i, n) {
        const struct task *other = container_of(n, struct pid_number, node)->pid->task;

        if (other && other->tg != t->tg && __atomic_load_n(&other->fs, __ATOMIC_RELAXED) == t->fs)
            shared = true;
    }
    pid_unlock();
    return shared;
}

/* settle() - what of the gains stands; ambient and effective sets; is it a secure exec? */
static void settle(struct derive *d)
{
    struct cred *c = d->fresh;
    const struct cred *old = d->old;
    u32 root = uid_to_kuid(c->user_ns, 0);
    bool set_id = c->euid != old->uid || c->egid != old->gid;
    bool caps_gained = c->cap_permitted & ~old->cap_permitted;

    if (caps_gained)
        d->x->clear_personality = true;
    if ((set_id || caps_gained) && (c->no_new_privs || trace_incapable(d->x->task, c->user_ns) ||
                                    shares_fs(d->x->task))) {
        if (!cred_ns_capable(old, LX_CAP_SETUID) || c->no_new_privs) {
            c->euid = c->uid;
            c->egid = c->gid;
        }
        c->cap_permitted &= old->cap_permitted;
    }
    c->suid = c->fsuid = c->euid;
    c->sgid = c->fsgid = c->egid;
    if (d->file_caps || set_id)
        c->cap_ambient = 0;
    c->cap_permitted |= c->cap_ambient;
    c->cap_effective = d->effective ? c->cap_permitted : c->cap_ambient;
    c->securebits &= ~LX_SECBIT_KEEP_CAPS;
    d->x->secure =
        set_id || (c->uid != root && (d->effective || (c->cap_permitted & ~c->cap_ambient)));
}

int exec_cred_set_ids(struct loader_args *args, struct file *program)
{
    struct exec_cred *x = args->context;
    struct task *t = x->task;
    struct derive d = {.x = x, .old = t->cred, .fresh = cred_dup(t->cred), .program = program};
    const struct user_ns *ns = t->cred->user_ns;
    int err;

    if (!d.fresh)
        return -ENOMEM;
    d.may_gain = may_suid(t, program);
    err = take_bits(&d);
    if (!err)
        err = take_file_caps(&d);
    if (err) {
        cred_put(d.fresh);
        return err;
    }
    take_root_caps(&d);
    settle(&d);
    x->fresh = d.fresh;
    x->gained = cred_gained(t->cred, d.fresh);
    x->unreadable = vfs_permission(&program->path, t->cred, MAY_READ) < 0;
    args->uid = uid_from_kuid(ns, d.fresh->uid);
    args->euid = uid_from_kuid(ns, d.fresh->euid);
    args->gid = gid_from_kgid(ns, d.fresh->gid);
    args->egid = gid_from_kgid(ns, d.fresh->egid);
    args->secure = x->secure;
    return 0;
}
