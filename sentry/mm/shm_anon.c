/*
 * What MAP_SHARED | MAP_ANONYMOUS maps: an unlinked file in the Sentry's private tmpfs. Being an
 * object of ours and not just host memory, it keeps its identity over fork (shared futexes) and can
 * be mapped again when a mapping of it grows.
 *
 * One descriptor each, so their number is bounded by LIMIT_SHARED_ANON.
 */
#include "sentry/base/clean.h"
#include "sentry/base/host_fd.h"
#include "sentry/base/limits.h"
#include "sentry/base/obj.h"
#include "sentry/mm/mm_priv.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

struct shm_anon {
    struct obj obj;
    struct mappable mappable;
    int fd;
};

static atomic_uint in_use;

static struct shm_anon *of_mappable(struct mappable *m)
{
    return container_of(m, struct shm_anon, mappable);
}

static int shm_map_fd(struct mappable *m, bool shared, bool may_write)
{
    /* Both kinds of right at once: anonymous memory may always become writable. */
    return of_mappable(m)->fd;
}

static void shm_identity(struct mappable *m, u32 *dev_major, u32 *dev_minor, u64 *ino)
{
    *dev_major = 0;
    *dev_minor = 1; /* Linux's internal shmem mount: the first anonymous device */
    *ino = of_mappable(m)->obj.id;
}

static int shm_path(struct mappable *m, char *buf, size_t cap)
{
    int n = snprintf(buf, cap, "/dev/zero (deleted)");

    return (size_t)n < cap ? n : -ENAMETOOLONG;
}

static struct mappable *shm_get(struct mappable *m)
{
    obj_ref(&of_mappable(m)->obj);
    return m;
}

static void shm_put(struct mappable *m)
{
    obj_put_(&of_mappable(m)->obj);
}

static const struct mappable_ops shm_ops = {
    .map_fd = shm_map_fd,
    .identity = shm_identity,
    .path = shm_path,
    .get = shm_get,
    .put = shm_put,
};

static void shm_free(struct obj *o)
{
    struct shm_anon *s = (struct shm_anon *)(void *)o;

    host_close(s->fd);
    free(s);
    atomic_fetch_sub(&in_use, 1);
}

static struct obj_type shm_type = {.name = "shm_anon", .free = shm_free};

/* open_sized() - a private file of `len` zero bytes. Return: its read-write descriptor. */
static int open_sized(u64 len)
{
    int rw, ro;
    int err = host_open_private(&rw, &ro);

    if (err)
        return err;
    host_close(ro);
    err = host_ftruncate(rw, len);
    if (err) {
        host_close(rw);
        return err;
    }
    return rw;
}

int shm_anon_new(u64 len, struct mappable **out)
{
    struct shm_anon *s;
    int fd;

    if (atomic_fetch_add(&in_use, 1) >= LIMIT_SHARED_ANON)
        goto busy;
    s = calloc(1, sizeof(*s));
    if (!s)
        goto busy;
    fd = open_sized(len);
    if (fd < 0) {
        free(s);
        goto busy;
    }
    obj_init(&s->obj, &shm_type);
    s->mappable.ops = &shm_ops;
    s->fd = fd;
    *out = &s->mappable;
    return 0;

busy:
    atomic_fetch_sub(&in_use, 1);
    return -ENOMEM;
}
