/* IPC namespaces (ipc_namespaces(7)); see ipc.h. */
#include "sentry/base/limits.h"
#include "sentry/cred/cred.h"
#include "sentry/ipc/ipc.h"

#include <stdlib.h>

#define SHM_UNLIMITED (UINT64_MAX - (1ull << 24))

/* empty_table() - nobody is left who could name an object, and no memory is attached: attached
 * memory holds its namespace. */
static void empty_table(struct ipc_table *t)
{
    for (u32 i = 0; i < t->nslots; i++) {
        struct ipc_object *o;

        mutex_lock(&t->lock);
        o = t->slots[i];
        if (o) {
            mutex_lock(&o->lock);
            ipc_remove_locked(o);
            mutex_unlock(&o->lock);
        }
        mutex_unlock(&t->lock);
        ipc_object_put(o);
    }
    free(t->slots);
    hash_free(&t->keys);
    mutex_destroy(&t->lock);
}

static void ipc_ns_free(struct obj *o)
{
    struct ipc_ns *ns = container_of(o, struct ipc_ns, obj);

    for (int k = 0; k < IPC_KINDS; k++)
        empty_table(&ns->table[k]);
    if (ns->mqueue)
        ns->mqueue_gone(ns->mqueue);
    user_ns_put(ns->user_ns);
    mutex_destroy(&ns->lock);
    free(ns);
}

static struct obj_type ipc_ns_type = {.name = "ipc_ns", .free = ipc_ns_free};

struct ipc_ns *ipc_ns_new(struct user_ns *user_ns)
{
    struct ipc_ns *ns = calloc(1, sizeof(*ns));

    if (!ns)
        return NULL;
    obj_init(&ns->obj, &ipc_ns_type);
    mutex_init(&ns->lock, LOCK_LEAF);
    ns->user_ns = user_ns_get(user_ns);
    for (int k = 0; k < IPC_KINDS; k++) {
        mutex_init(&ns->table[k].lock, LOCK_IPC_TABLE);
        ns->table[k].last = -1;
    }
    ns->limits = (struct ipc_limits){
        .shmmax = SHM_UNLIMITED,
        .shmall = SHM_UNLIMITED,
        .shmmni = LIMIT_SHM_SEGMENTS,
        .semmsl = LIMIT_SEM_SET,
        .semmns = LIMIT_SEMAPHORES,
        .semopm = LIMIT_SEM_OPS,
        .semmni = LIMIT_SEM_SETS,
        .msgmax = 8192,
        .msgmnb = 16384,
        .msgmni = LIMIT_MSG_QUEUES,
        .mq_queues_max = 256,
        .mq_msg_max = 10,
        .mq_msgsize_max = 8192,
        .mq_msg_default = 10,
        .mq_msgsize_default = 8192,
    };
    return ns;
}

struct ipc_limits ipc_ns_limits(struct ipc_ns *ns)
{
    struct ipc_limits l;

    mutex_lock(&ns->lock);
    l = ns->limits;
    mutex_unlock(&ns->lock);
    return l;
}

void ipc_ns_set_limits(struct ipc_ns *ns, const struct ipc_limits *l)
{
    mutex_lock(&ns->lock);
    ns->limits = *l;
    mutex_unlock(&ns->lock);
}

struct obj *ipc_ns_mqueue(struct ipc_ns *ns)
{
    struct obj *mqueue;

    mutex_lock(&ns->lock);
    mqueue = ns->mqueue;
    mutex_unlock(&ns->lock);
    return mqueue;
}

struct obj *ipc_ns_keep_mqueue(struct ipc_ns *ns, struct obj *mqueue, void (*gone)(struct obj *))
{
    struct obj *kept;

    mutex_lock(&ns->lock);
    if (!ns->mqueue) {
        ns->mqueue = mqueue;
        ns->mqueue_gone = gone;
    }
    kept = ns->mqueue;
    mutex_unlock(&ns->lock);
    return kept;
}
