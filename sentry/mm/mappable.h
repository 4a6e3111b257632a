/* What can be mapped into a guest address space: an interface that files (fs/vfs) implement. */
#pragma once

#include "sentry/base/types.h"

struct mappable;

/* What happens to shared mappings: one is made, a part or a copy of one is, one goes. */
enum map_count { MAP_NEW, MAP_ANOTHER, MAP_GONE };

struct mappable_ops {
    /*
     * map_fd() - a host descriptor to map, borrowed until the mappable is put. With `shared` it
     * must have exactly the rights that the guest may ever have: read-only unless may_write.
     * Private mappings want a read-only one. Return: fd, -ENODEV (can't be mapped), other errno.
     */
    int (*map_fd)(struct mappable *m, bool shared, bool may_write);
    /* identity() - for /proc/PID/maps and shared futex keys. */
    void (*identity)(struct mappable *m, u32 *dev_major, u32 *dev_minor, u64 *ino);
    /* futex_id() - what stands for the object in a shared futex's key. NULL: its identity, which
     * then is unique. */
    u64 (*futex_id)(struct mappable *m);
    /* length() - of an object that is attached as a whole (mm_detach()); NULL: it never is. */
    u64 (*length)(struct mappable *m);
    /* path() - the name shown in /proc/PID/maps. Return: its length, or negative errno. */
    int (*path)(struct mappable *m, char *buf, size_t cap);
    /* count_writable() - shared mappings that may ever write to it. NULL: nobody wants to know.
     * Return: 0; for a new one -EPERM (sealed). */
    int (*count_writable)(struct mappable *m, enum map_count what);
    struct mappable *(*get)(struct mappable *m);
    void (*put)(struct mappable *m);
};

/* Embedded in the object that is mapped (struct file). */
struct mappable {
    const struct mappable_ops *ops;
};
