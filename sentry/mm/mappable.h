/* What can be mapped into a guest address space: an interface that files (fs/vfs) implement. */
#pragma once

#include "sentry/base/types.h"

struct mappable;

struct mappable_ops {
    /*
     * map_fd() - a host descriptor to map, borrowed until the mappable is put. With `shared` it
     * must have exactly the rights that the guest may ever have: read-only unless may_write.
     * Private mappings want a read-only one. Return: fd, -ENODEV (can't be mapped), other errno.
     */
    int (*map_fd)(struct mappable *m, bool shared, bool may_write);
    /* identity() - for /proc/PID/maps and shared futex keys. */
    void (*identity)(struct mappable *m, u32 *dev_major, u32 *dev_minor, u64 *ino);
    /* path() - the name shown in /proc/PID/maps. Return: its length, or negative errno. */
    int (*path)(struct mappable *m, char *buf, size_t cap);
    struct mappable *(*get)(struct mappable *m);
    void (*put)(struct mappable *m);
};

/* Embedded in the object that is mapped (struct file). */
struct mappable {
    const struct mappable_ops *ops;
};
