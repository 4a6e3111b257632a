/*
 * What MAP_SHARED | MAP_ANONYMOUS maps: an unlinked file in the Sentry's private tmpfs. Being an
 * object of ours and not just host memory, it keeps its identity over fork (shared futexes) and can
 * be mapped again when a mapping of it grows.
 *
 * Each has a descriptor or two, the number of which is bounded by LIMIT_SHARED_ANON.
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
    int ro_fd; /* for mappings that may never be written; -1: there are none */
};

static atomic_uint in_use;

static struct shm_anon *of_mappable(struct mappable *m)
{
    return container_of(m, struct shm_anon, mappable);
}

static int shm_map_fd(struct mappable *m, bool shared, bool may_write)
{
    struct shm_anon *s = of_mappable(m);

    /* What mmap(2) makes may always become writable. */
    return may_write || s->ro_fd < 0 ? s->fd : s->ro_fd;
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
    if (s->ro_fd >= 0)
        host_close(s->ro_fd);
    atomic_fetch_sub(&in_use, s->ro_fd >= 0 ? 2 : 1);
    free(s);
}

static struct obj_type shm_type = {.name = "shm_anon", .free = shm_free};

/* open_sized() - a private file of `len` zero bytes. *ro is -1 unless it is wanted. */
static int open_sized(u64 len, bool read_only, int *rw, int *ro)
{
    int err = host_open_private(rw, ro);

    if (err)
        return err;
    if (!read_only) {
        host_close(*ro);
        *ro = -1;
    }
    err = host_ftruncate(*rw, len);
    if (err) {
        host_close(*rw);
        if (*ro >= 0)
            host_close(*ro);
    }
    return err;
}

int shm_anon_new(u64 len, bool read_only, struct mappable **out)
{
    u32 fds = read_only ? 2 : 1;
    struct shm_anon *s;

    if (atomic_fetch_add(&in_use, fds) > LIMIT_SHARED_ANON - fds)
        goto busy;
    s = calloc(1, sizeof(*s));
    if (!s)
        goto busy;
    if (open_sized(len, read_only, &s->fd, &s->ro_fd) < 0) {
        free(s);
        goto busy;
    }
    obj_init(&s->obj, &shm_type);
    s->mappable.ops = &shm_ops;
    *out = &s->mappable;
    return 0;

busy:
    atomic_fetch_sub(&in_use, fds);
    return -ENOMEM;
}

u64 shm_anon_resident(struct mappable *m)
{
    struct stat st;

    return host_fstat(of_mappable(m)->fd, &st) < 0 ? 0 : (u64)st.st_blocks * 512;
}
