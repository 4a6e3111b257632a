/*
 * Shared memory segments as VMAs know them. The number of attaches is the number of VMAs, as on
 * Linux: fork copies them, exec and exit drop them, a munmap of a segment's middle makes two of one.
 * So get() and put() of the mappable are what counts, and an attached segment holds its namespace.
 */
#include "sentry/ipc/shm.h"
#include "sentry/kernel/pid.h"

#include <errno.h>
#include <stdio.h>

static struct shm *of_mappable(struct mappable *m)
{
    return container_of(m, struct shm, mappable);
}

static int segment_map_fd(struct mappable *m, bool shared, bool may_write)
{
    struct shm *s = of_mappable(m);

    return s->memory->ops->map_fd(s->memory, shared, may_write);
}

static void segment_identity(struct mappable *m, u32 *dev_major, u32 *dev_minor, u64 *ino)
{
    *dev_major = 0;
    *dev_minor = 1; /* Linux's internal shmem mount */
    *ino = (u64)of_mappable(m)->o.id;
}

static u64 segment_futex_id(struct mappable *m)
{
    return of_mappable(m)->o.obj.id;
}

static int segment_path(struct mappable *m, char *buf, size_t cap)
{
    struct shm *s = of_mappable(m);
    int n = snprintf(buf, cap, "/SYSV%08x (deleted)", (u32)s->name);

    return (size_t)n < cap ? n : -ENAMETOOLONG;
}

static u64 segment_length(struct mappable *m)
{
    return page_up(of_mappable(m)->size);
}

int shm_hold_locked(struct shm *s)
{
    if (s->o.removed)
        return -EIDRM;
    if (!s->nattch++)
        ipc_ns_get(s->o.ns);
    return 0;
}

static struct mappable *segment_get(struct mappable *m)
{
    struct shm *s = of_mappable(m);

    /* Who gets has a VMA of it or holds it: it can't have been removed. */
    mutex_lock(&s->o.lock);
    shm_hold_locked(s);
    s->atime = ipc_now();
    ipc_set_pid(&s->last);
    mutex_unlock(&s->o.lock);
    return m;
}

static void segment_put(struct mappable *m)
{
    struct shm *s = of_mappable(m);

    mutex_lock(&s->o.lock);
    s->dtime = ipc_now();
    ipc_set_pid(&s->last);
    mutex_unlock(&s->o.lock);
    shm_let_go(s);
}

void shm_let_go(struct shm *s)
{
    struct ipc_ns *ns = s->o.ns;
    struct ipc_table *tab = ipc_table_of(&s->o);
    bool last, gone = false;

    mutex_lock(&tab->lock);
    mutex_lock(&s->o.lock);
    last = --s->nattch == 0;
    if (last && (s->o.mode & LX_SHM_DEST)) {
        ipc_remove_locked(&s->o);
        gone = true;
    }
    mutex_unlock(&s->o.lock);
    mutex_unlock(&tab->lock);
    if (gone)
        ipc_object_put(&s->o);
    if (last)
        ipc_ns_put(ns);
}

const struct mappable_ops shm_segment_ops = {
    .map_fd = segment_map_fd,
    .identity = segment_identity,
    .futex_id = segment_futex_id,
    .path = segment_path,
    .length = segment_length,
    .get = segment_get,
    .put = segment_put,
};
