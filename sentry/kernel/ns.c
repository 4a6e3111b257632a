/* Kinds of namespaces; see ns.h. */
#include "sentry/kernel/ns.h"

#include "fs/vfs/mount.h"
#include "sentry/abi/lx_process.h"
#include "sentry/ipc/ipc.h"
#include "sentry/kernel/net_ns.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/task.h"

#define INO_FIRST 0xf0000000ull /* Linux numbers its namespaces from here */
#define INO_COUNT 0x0fffff00ull

static const struct {
    const char *name;
    u64 flag;
} kinds[NS_KINDS] = {
    [NS_CGROUP] = {"cgroup", LX_CLONE_NEWCGROUP}, [NS_IPC] = {"ipc", LX_CLONE_NEWIPC},
    [NS_MNT] = {"mnt", LX_CLONE_NEWNS},           [NS_NET] = {"net", LX_CLONE_NEWNET},
    [NS_PID] = {"pid", LX_CLONE_NEWPID},          [NS_USER] = {"user", LX_CLONE_NEWUSER},
    [NS_UTS] = {"uts", LX_CLONE_NEWUTS},
};

const char *ns_name(enum ns_kind kind)
{
    return kinds[kind].name;
}

u64 ns_flag(enum ns_kind kind)
{
    return kinds[kind].flag;
}

/* in_proxy() - borrowed. */
static struct obj *in_proxy(const struct nsproxy *p, enum ns_kind kind)
{
    switch (kind) {
    case NS_CGROUP: return &p->cgroup->obj;
    case NS_IPC: return &p->ipc->obj;
    case NS_MNT: return &p->mount->obj;
    case NS_NET: return &p->net->obj;
    case NS_PID: return &p->pid_for_children->obj;
    case NS_UTS: return &p->uts->obj;
    default: return NULL;
    }
}

struct obj *ns_of(struct task *t, enum ns_kind kind, bool children)
{
    struct obj *o = NULL;

    if (kind == NS_PID && !children) {
        /* A process keeps the one it was made in, but only while it is there. */
        pid_lock();
        if (t->pid->tg || t->pid->task)
            o = &t->pid->ns->obj;
        if (o)
            obj_ref(o);
        pid_unlock();
        return o;
    }
    mutex_lock(&t->lock);
    if (kind == NS_USER)
        o = t->cred ? &t->cred->user_ns->obj : NULL;
    else if (t->ns)
        o = in_proxy(t->ns, kind);
    if (o)
        obj_ref(o);
    mutex_unlock(&t->lock);
    return o;
}

struct user_ns *ns_owner(enum ns_kind kind, struct obj *ns)
{
    switch (kind) {
    case NS_CGROUP: return container_of(ns, struct cgroup_ns, obj)->user_ns;
    case NS_IPC: return container_of(ns, struct ipc_ns, obj)->user_ns;
    case NS_MNT: return container_of(ns, struct mount_ns, obj)->user_ns;
    case NS_NET: return container_of(ns, struct net_ns, obj)->user_ns;
    case NS_PID: return container_of(ns, struct pid_ns, obj)->user_ns;
    case NS_USER: return container_of(ns, struct user_ns, obj)->parent;
    case NS_UTS: return container_of(ns, struct uts_ns, obj)->user_ns;
    default: return NULL;
    }
}

struct obj *ns_parent(enum ns_kind kind, struct obj *ns)
{
    if (kind == NS_PID) {
        struct pid_ns *parent = container_of(ns, struct pid_ns, obj)->parent;

        return parent ? &parent->obj : NULL;
    }
    if (kind == NS_USER) {
        struct user_ns *parent = container_of(ns, struct user_ns, obj)->parent;

        return parent ? &parent->obj : NULL;
    }
    return NULL;
}

u64 ns_ino(enum ns_kind kind, const struct obj *ns)
{
    (void)kind;
    return INO_FIRST + ns->id % INO_COUNT;
}
