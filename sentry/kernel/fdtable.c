/*
 * Descriptor tables; see fdtable.h.
 *
 * A flat array of slots under one lock, doubled when it is full and bounded by LIMIT_NOFILE. `next`
 * is a lower bound of the lowest free slot, so that open() doesn't search from 0. Files are flushed
 * and put outside the lock, since both may call the gofer or sleep.
 */
#include "sentry/kernel/fdtable.h"

#include "fs/vfs/locks.h"
#include "sentry/base/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FDTABLE_FIRST 64u

/* close_file() - what one descriptor's end means for its description; `file` is taken. */
static void close_file(struct fdtable *t, struct file *file)
{
    file_locks_close(file, t);
    if (file->ops && file->ops->flush)
        file->ops->flush(file);
    file_put(file);
}

static void fdtable_free(struct obj *o)
{
    struct fdtable *t = container_of(o, struct fdtable, obj);

    for (u32 i = 0; i < t->nslots; i++)
        if (t->slots[i].file)
            close_file(t, t->slots[i].file);
    free(t->slots);
    mutex_destroy(&t->lock);
    free(t);
}

static struct obj_type fdtable_type = {.name = "fdtable", .free = fdtable_free};

struct fdtable *fdtable_new(void)
{
    struct fdtable *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    obj_init(&t->obj, &fdtable_type);
    mutex_init(&t->lock, LOCK_FDTABLE);
    return t;
}

/* grow_locked() - make slot `fd` exist. Return: 0, -EMFILE, -ENOMEM. */
static int grow_locked(struct fdtable *t, u32 fd)
{
    u32 n = t->nslots ? t->nslots : FDTABLE_FIRST;
    struct fd_slot *slots;

    if (fd < t->nslots)
        return 0;
    if (fd >= LIMIT_NOFILE)
        return -EMFILE;
    while (n <= fd)
        n *= 2;
    slots = reallocarray(t->slots, n, sizeof(*slots));
    if (!slots)
        return -ENOMEM;
    memset(slots + t->nslots, 0, (n - t->nslots) * sizeof(*slots));
    t->slots = slots;
    t->nslots = n;
    return 0;
}

/* used_slots_locked() - how many slots a copy of the table needs. */
static u32 used_slots_locked(const struct fdtable *t)
{
    u32 n = t->nslots;

    while (n && !t->slots[n - 1].file)
        n--;
    return n;
}

struct fdtable *fdtable_dup(struct fdtable *t)
{
    struct fdtable *copy = fdtable_new();
    u32 used;
    int rc;

    if (!copy)
        return NULL;
    mutex_lock(&t->lock);
    used = used_slots_locked(t);
    rc = used ? grow_locked(copy, used - 1) : 0;
    for (u32 i = 0; rc == 0 && i < used; i++) {
        copy->slots[i] = t->slots[i];
        file_get(copy->slots[i].file);
    }
    if (rc == 0) {
        copy->nopen = t->nopen;
        copy->next = min_of(t->next, copy->nslots);
    }
    mutex_unlock(&t->lock);
    return rc == 0 ? copy : fdtable_put(copy);
}

/* slot_locked() - the open slot of fd, or NULL. */
static struct fd_slot *slot_locked(struct fdtable *t, int fd)
{
    if (fd < 0 || (u32)fd >= t->nslots || !t->slots[fd].file)
        return NULL;
    return &t->slots[fd];
}

struct file *fd_get(struct fdtable *t, int fd)
{
    struct fd_slot *s;
    struct file *f;

    mutex_lock(&t->lock);
    s = slot_locked(t, fd);
    f = s ? file_get(s->file) : NULL;
    mutex_unlock(&t->lock);
    return f;
}

static int install_locked(struct fdtable *t, struct file *file, u32 from, u64 limit, bool cloexec)
{
    u32 fd = max_of(from, t->next);
    int rc;

    while (fd < t->nslots && t->slots[fd].file)
        fd++;
    if (fd >= limit)
        return -EMFILE;
    rc = grow_locked(t, fd);
    if (rc < 0)
        return rc;
    t->slots[fd] = (struct fd_slot){file, cloexec};
    t->nopen++;
    if (from <= t->next)
        t->next = fd + 1;
    return (int)fd;
}

int fd_install(struct fdtable *t, struct file *file, int from, u64 limit, bool cloexec)
{
    int rc;

    if (from < 0 || (from > 0 && (u64)from >= limit))
        return -EINVAL;
    mutex_lock(&t->lock);
    rc = install_locked(t, file, (u32)from, limit, cloexec);
    mutex_unlock(&t->lock);
    return rc;
}

bool fd_available(struct fdtable *t, u64 limit)
{
    u32 fd;

    mutex_lock(&t->lock);
    fd = t->next;
    while (fd < t->nslots && t->slots[fd].file)
        fd++;
    t->next = fd;
    mutex_unlock(&t->lock);
    return fd < limit && fd < LIMIT_NOFILE;
}

int fd_replace(struct fdtable *t, struct file *file, int fd, u64 limit, bool cloexec)
{
    struct file *old;
    int rc;

    if (fd < 0 || (u64)fd >= limit)
        return -EBADF;
    mutex_lock(&t->lock);
    rc = grow_locked(t, (u32)fd);
    if (rc < 0) {
        mutex_unlock(&t->lock);
        return rc == -EMFILE ? -EBADF : rc;
    }
    old = t->slots[fd].file;
    t->slots[fd] = (struct fd_slot){file, cloexec};
    if (!old)
        t->nopen++;
    mutex_unlock(&t->lock);
    if (old)
        close_file(t, old);
    return fd;
}

/* clear_locked() - free the slot. Return: its file, now the caller's. */
static struct file *clear_locked(struct fdtable *t, u32 fd)
{
    struct file *f = t->slots[fd].file;

    t->slots[fd] = (struct fd_slot){NULL, false};
    t->nopen--;
    t->next = min_of(t->next, fd);
    return f;
}

int fd_close(struct fdtable *t, int fd)
{
    struct file *f = NULL;

    mutex_lock(&t->lock);
    if (slot_locked(t, fd))
        f = clear_locked(t, (u32)fd);
    mutex_unlock(&t->lock);
    if (!f)
        return -EBADF;
    close_file(t, f);
    return 0;
}

/* next_locked() - the lowest open slot in [from, last] whose close-on-exec flag is set if asked;
 * nslots if there is none. */
static u32 next_locked(struct fdtable *t, u32 from, u32 last, bool cloexec)
{
    for (u32 i = from; i < t->nslots && i <= last; i++)
        if (t->slots[i].file && (!cloexec || t->slots[i].cloexec))
            return i;
    return t->nslots;
}

/* close_each() - close the open descriptors of [first, last], one at a time. */
static void close_each(struct fdtable *t, u32 first, u32 last, bool cloexec)
{
    u32 fd = first;

    for (;;) {
        struct file *f;

        mutex_lock(&t->lock);
        fd = next_locked(t, fd, last, cloexec);
        f = fd < t->nslots ? clear_locked(t, fd) : NULL;
        mutex_unlock(&t->lock);
        if (!f)
            return;
        close_file(t, f);
    }
}

int fd_close_range(struct fdtable *t, u32 first, u32 last, bool cloexec_only)
{
    if (first > last)
        return -EINVAL;
    if (!cloexec_only) {
        close_each(t, first, last, false);
        return 0;
    }
    mutex_lock(&t->lock);
    for (u32 i = first; i < t->nslots && i <= last; i++)
        if (t->slots[i].file)
            t->slots[i].cloexec = true;
    mutex_unlock(&t->lock);
    return 0;
}

int fd_cloexec(struct fdtable *t, int fd)
{
    struct fd_slot *s;
    int rc;

    mutex_lock(&t->lock);
    s = slot_locked(t, fd);
    rc = s ? s->cloexec : -EBADF;
    mutex_unlock(&t->lock);
    return rc;
}

int fd_set_cloexec(struct fdtable *t, int fd, bool on)
{
    struct fd_slot *s;

    mutex_lock(&t->lock);
    s = slot_locked(t, fd);
    if (s)
        s->cloexec = on;
    mutex_unlock(&t->lock);
    return s ? 0 : -EBADF;
}

void fd_close_on_exec(struct fdtable *t)
{
    close_each(t, 0, UINT32_MAX, true);
}

int fd_next(struct fdtable *t, int from)
{
    u32 fd;

    if (from < 0)
        from = 0;
    mutex_lock(&t->lock);
    fd = next_locked(t, (u32)from, UINT32_MAX, false);
    fd = fd < t->nslots ? fd : UINT32_MAX;
    mutex_unlock(&t->lock);
    return (int)fd;
}
