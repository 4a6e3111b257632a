/*
 * Which namespaces a task is in: made at clone(2) and unshare(2), entered by setns(2); see ns.h.
 * Everything is prepared first and installed together, which can't fail.
 */
#include "fs/vfs/mount.h"
#include "sentry/abi/lx_cred.h"
#include "sentry/abi/lx_process.h"
#include "sentry/base/clean.h"
#include "sentry/base/limits.h"
#include "sentry/ipc/sem.h"
#include "sentry/kernel/fdtable.h"
#include "sentry/kernel/fs_context.h"
#include "sentry/kernel/net_ns.h"
#include "sentry/kernel/ns.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/task.h"

#include <errno.h>

#define PROXY_FLAGS                                                                           \
    (LX_CLONE_NEWNS | LX_CLONE_NEWUTS | LX_CLONE_NEWIPC | LX_CLONE_NEWPID | LX_CLONE_NEWNET | \
     LX_CLONE_NEWCGROUP)

/* --- making --- */

/* check_room() - no kind of namespace grows without bound. */
static int check_room(const struct nsproxy *old, u64 flags)
{
    const struct {
        u64 flag;
        const struct obj *one;
    } row[] = {
        {LX_CLONE_NEWNS, &old->mount->obj}, {LX_CLONE_NEWUTS, &old->uts->obj},
        {LX_CLONE_NEWIPC, &old->ipc->obj},  {LX_CLONE_NEWPID, &old->pid_for_children->obj},
        {LX_CLONE_NEWNET, &old->net->obj},  {LX_CLONE_NEWCGROUP, &old->cgroup->obj},
    };

    for (size_t i = 0; i < ARRAY_SIZE(row); i++)
        if ((flags & row[i].flag) && atomic_load(&row[i].one->type->live) >= LIMIT_NAMESPACES)
            return -ENOSPC;
    return 0;
}

static int make_mount_ns(struct mount_ns *old, const struct cred *cred, struct fs_context *fs,
                         struct mount_ns **out)
{
    struct path *const paths[] = {&fs->root, &fs->cwd};

    return mount_ns_copy(old, cred->user_ns, paths, ARRAY_SIZE(paths), out);
}

static int make_uts_ns(struct uts_ns *old, const struct cred *cred, struct uts_ns **out)
{
    char node[UTS_LEN], domain[UTS_LEN];

    mutex_lock(&old->lock);
    memcpy(node, old->nodename, sizeof(node));
    memcpy(domain, old->domainname, sizeof(domain));
    mutex_unlock(&old->lock);
    *out = uts_ns_new(cred->user_ns, node, domain);
    return *out ? 0 : -ENOMEM;
}

static int make_pid_ns(struct task *t, struct pid_ns *old, const struct cred *cred,
                       struct pid_ns **out)
{
    if (old != t->pid->ns || !user_ns_below(cred->user_ns, old->user_ns))
        return -EINVAL;
    if (old->level >= PIDNS_MAX_LEVEL)
        return -ENOSPC;
    *out = pid_ns_new(old, cred->user_ns);
    return *out ? 0 : -ENOMEM;
}

/* members_of() - the namespaces of a bundle, borrowed; its count is others' too and not copied. */
static struct nsproxy members_of(const struct nsproxy *from)
{
    return (struct nsproxy){
        .mount = from->mount,
        .uts = from->uts,
        .net = from->net,
        .ipc = from->ipc,
        .cgroup = from->cgroup,
        .pid_for_children = from->pid_for_children,
    };
}

/* make_each() - replace in `ns`, whose members are borrowed, what flags say; what is made is also in
 * `made`, as references. */
static int make_each(struct task *t, u64 flags, const struct cred *cred, struct fs_context *fs,
                     struct nsproxy *ns, struct nsproxy *made)
{
    int err = 0;

    if (flags & LX_CLONE_NEWUTS)
        err = make_uts_ns(ns->uts, cred, &made->uts);
    if (!err && (flags & LX_CLONE_NEWIPC))
        err = (made->ipc = ipc_ns_new(cred->user_ns)) ? 0 : -ENOMEM;
    if (!err && (flags & LX_CLONE_NEWPID))
        err = make_pid_ns(t, ns->pid_for_children, cred, &made->pid_for_children);
    if (!err && (flags & LX_CLONE_NEWCGROUP))
        err = (made->cgroup = cgroup_ns_new(cred->user_ns)) ? 0 : -ENOMEM;
    if (!err && (flags & LX_CLONE_NEWNET))
        err = (made->net = net_ns_new(cred->user_ns)) ? 0 : -ENOMEM;
    /* Last: it changes fs. */
    if (!err && (flags & LX_CLONE_NEWNS))
        err = make_mount_ns(ns->mount, cred, fs, &made->mount);
    ns->uts = made->uts ? made->uts : ns->uts;
    ns->ipc = made->ipc ? made->ipc : ns->ipc;
    ns->pid_for_children = made->pid_for_children ? made->pid_for_children : ns->pid_for_children;
    ns->cgroup = made->cgroup ? made->cgroup : ns->cgroup;
    ns->net = made->net ? made->net : ns->net;
    ns->mount = made->mount ? made->mount : ns->mount;
    return err;
}

int ns_make(struct task *t, u64 flags, const struct cred *cred, struct fs_context *fs,
            struct nsproxy **out)
{
    struct nsproxy ns, made = {0};
    int err;

    if (!(flags & PROXY_FLAGS)) {
        *out = nsproxy_get(t->ns);
        return 0;
    }
    ns = members_of(t->ns);
    if (!cred_has_cap(cred, cred->user_ns, LX_CAP_SYS_ADMIN))
        return -EPERM;
    err = check_room(t->ns, flags);
    if (!err)
        err = make_each(t, flags, cred, fs, &ns, &made);
    if (!err) {
        *out = nsproxy_new(&ns);
        err = *out ? 0 : -ENOMEM;
    }
    uts_ns_put(made.uts);
    ipc_ns_put(made.ipc);
    pid_ns_put(made.pid_for_children);
    cgroup_ns_put(made.cgroup);
    net_ns_put(made.net);
    mount_ns_put(made.mount);
    return err;
}

/* --- changing the calling task --- */

/* What a task gets; NULL: it keeps what it has. References. */
struct ns_change {
    struct cred *cred;
    struct fs_context *fs;
    struct fdtable *files;
    struct nsproxy *ns;
};

static void change_drop(struct ns_change *c)
{
    cred_put(c->cred);
    fs_context_put(c->fs);
    fdtable_put(c->files);
    nsproxy_put(c->ns);
}

#define SWAP(a, b)                 \
    ({                             \
        __typeof__(a) swap_ = (a); \
        if (b) {                   \
            (a) = (b);             \
            (b) = swap_;           \
        }                          \
    })

/* change_commit() - what the task had is in *c afterwards. */
static void change_commit(struct task *t, struct ns_change *c)
{
    mutex_lock(&t->lock);
    SWAP(t->fs, c->fs);
    SWAP(t->files, c->files);
    SWAP(t->ns, c->ns);
    mutex_unlock(&t->lock);
    if (c->cred)
        task_set_cred(t, take(c->cred));
}

static bool alone_in_group(struct task *t)
{
    return atomic_load(&t->tg->ntasks) == 1;
}

/* new_user() - credentials in a user namespace of its own. */
static int new_user(struct task *t, struct cred **out)
{
    auto_put(user_ns) struct user_ns *ns = NULL;
    int err;

    if (fs_context_chrooted(t))
        return -EPERM;
    err = user_ns_new(task_cred(t), &ns);
    if (err)
        return err;
    *out = cred_dup(task_cred(t));
    if (!*out)
        return -ENOMEM;
    cred_enter(*out, ns);
    return 0;
}

int ns_clone_cred(struct task *t, u64 flags, struct cred **out)
{
    if (flags & LX_CLONE_NEWUSER)
        return new_user(t, out);
    *out = cred_get(t->cred);
    return 0;
}

/* prepare() - everything that unshare may fail in. */
static int prepare(struct task *t, u64 flags, struct ns_change *c)
{
    int err = 0;

    if ((flags & LX_CLONE_FS) && atomic_load(&t->fs->obj.count) > 1) {
        c->fs = fs_context_dup(t->fs);
        err = c->fs ? 0 : -ENOMEM;
    }
    if (!err && (flags & LX_CLONE_FILES) && atomic_load(&t->files->obj.count) > 1) {
        c->files = fdtable_dup(t->files);
        err = c->files ? 0 : -ENOMEM;
    }
    if (!err && (flags & LX_CLONE_NEWUSER))
        err = new_user(t, &c->cred);
    if (!err && (flags & PROXY_FLAGS)) {
        /* Nobody else's paths may move: a context that is not shared is copied, too. */
        if ((flags & LX_CLONE_NEWNS) && !c->fs)
            c->fs = fs_context_dup(t->fs);
        if ((flags & LX_CLONE_NEWNS) && !c->fs)
            return -ENOMEM;
        err = ns_make(t, flags, c->cred ? c->cred : t->cred, c->fs, &c->ns);
    }
    return err;
}

int ns_unshare(struct task *t, u64 flags)
{
    const u64 known = PROXY_FLAGS | LX_CLONE_NEWUSER | LX_CLONE_THREAD | LX_CLONE_FS |
                      LX_CLONE_FILES | LX_CLONE_SIGHAND | LX_CLONE_VM | LX_CLONE_SYSVSEM;
    struct ns_change c = {0};
    int err;

    if (flags & LX_CLONE_NEWUSER)
        flags |= LX_CLONE_THREAD | LX_CLONE_FS;
    if (flags & LX_CLONE_NEWNS)
        flags |= LX_CLONE_FS;
    if (flags & ~known)
        return -EINVAL;
    if ((flags & (LX_CLONE_THREAD | LX_CLONE_SIGHAND | LX_CLONE_VM)) && !alone_in_group(t))
        return -EINVAL;
    if ((flags & (LX_CLONE_SIGHAND | LX_CLONE_VM)) && atomic_load(&t->tg->sighand->obj.count) > 1)
        return -EINVAL;
    if ((flags & LX_CLONE_VM) && atomic_load(&t->mm->obj.count) > 1)
        return -EINVAL;
    err = prepare(t, flags, &c);
    if (!err) {
        if (flags & (LX_CLONE_NEWIPC | LX_CLONE_SYSVSEM))
            sem_exit(t);
        change_commit(t, &c);
    }
    change_drop(&c);
    return err;
}

/* --- setns --- */

static int enter_user(struct task *t, struct user_ns *ns, struct ns_change *c)
{
    if (ns == t->cred->user_ns || !alone_in_group(t) || atomic_load(&t->fs->obj.count) > 1)
        return -EINVAL;
    if (!cred_has_cap(task_cred(t), ns, LX_CAP_SYS_ADMIN))
        return -EPERM;
    c->cred = cred_dup(t->cred);
    if (!c->cred)
        return -ENOMEM;
    cred_enter(c->cred, ns);
    return 0;
}

static int enter_pid(struct task *t, struct pid_ns *ns)
{
    const struct pid_ns *at = ns;

    while (at && at->level > t->pid->ns->level)
        at = at->parent;
    return at == t->pid->ns ? 0 : -EINVAL;
}

static int enter_mount(struct task *t, struct mount_ns *ns, struct ns_change *c)
{
    struct path root;

    if (!cred_ns_capable(task_cred(t), LX_CAP_SYS_CHROOT))
        return -EPERM;
    if (atomic_load(&t->fs->obj.count) > 1)
        return -EINVAL;
    root = mount_ns_root(ns);
    c->fs = fs_context_new(&root, &root, t->fs->umask);
    path_put(&root);
    return c->fs ? 0 : -ENOMEM;
}

/* set_in() - replace the borrowed member of a kind. */
static void set_in(struct nsproxy *p, enum ns_kind kind, struct obj *ns)
{
    switch (kind) {
    case NS_CGROUP: p->cgroup = container_of(ns, struct cgroup_ns, obj); break;
    case NS_IPC: p->ipc = container_of(ns, struct ipc_ns, obj); break;
    case NS_MNT: p->mount = container_of(ns, struct mount_ns, obj); break;
    case NS_NET: p->net = container_of(ns, struct net_ns, obj); break;
    case NS_PID: p->pid_for_children = container_of(ns, struct pid_ns, obj); break;
    case NS_UTS: p->uts = container_of(ns, struct uts_ns, obj); break;
    default: break;
    }
}

/* enter_other() - all but a user namespace. */
static int enter_other(struct task *t, enum ns_kind kind, struct obj *ns, struct ns_change *c)
{
    struct nsproxy fresh = members_of(t->ns);
    int err = 0;

    if (!cred_has_cap(task_cred(t), ns_owner(kind, ns), LX_CAP_SYS_ADMIN) ||
        !cred_ns_capable(task_cred(t), LX_CAP_SYS_ADMIN))
        return -EPERM;
    if (kind == NS_PID)
        err = enter_pid(t, container_of(ns, struct pid_ns, obj));
    else if (kind == NS_MNT)
        err = enter_mount(t, container_of(ns, struct mount_ns, obj), c);
    if (err)
        return err;
    set_in(&fresh, kind, ns);
    c->ns = nsproxy_new(&fresh);
    return c->ns ? 0 : -ENOMEM;
}

int ns_enter(struct task *t, enum ns_kind kind, struct obj *ns)
{
    struct ns_change c = {0};
    int err;

    if (kind == NS_USER)
        err = enter_user(t, container_of(ns, struct user_ns, obj), &c);
    else
        err = enter_other(t, kind, ns, &c);
    if (!err) {
        if (kind == NS_IPC)
            sem_exit(t);
        change_commit(t, &c);
    }
    change_drop(&c);
    return err;
}
