/* Guest ABI: inotify (linux/inotify.h). */
#pragma once

#include "sentry/base/types.h"

enum {
    LX_IN_ACCESS = 0x1,
    LX_IN_MODIFY = 0x2,
    LX_IN_ATTRIB = 0x4,
    LX_IN_CLOSE_WRITE = 0x8,
    LX_IN_CLOSE_NOWRITE = 0x10,
    LX_IN_OPEN = 0x20,
    LX_IN_MOVED_FROM = 0x40,
    LX_IN_MOVED_TO = 0x80,
    LX_IN_CREATE = 0x100,
    LX_IN_DELETE = 0x200,
    LX_IN_DELETE_SELF = 0x400,
    LX_IN_MOVE_SELF = 0x800,
    LX_IN_ALL_EVENTS = 0xfff,
    LX_IN_UNMOUNT = 0x2000,
    LX_IN_Q_OVERFLOW = 0x4000,
    LX_IN_IGNORED = 0x8000,
    LX_IN_ONLYDIR = 0x01000000,
    LX_IN_DONT_FOLLOW = 0x02000000,
    LX_IN_EXCL_UNLINK = 0x04000000,
    LX_IN_MASK_CREATE = 0x10000000,
    LX_IN_MASK_ADD = 0x20000000,
    LX_IN_ISDIR = 0x40000000,
};
#define LX_IN_ONESHOT 0x80000000u
#define LX_IN_VALID                                                                               \
    (LX_IN_ONESHOT | LX_IN_ALL_EVENTS | LX_IN_UNMOUNT | LX_IN_Q_OVERFLOW | LX_IN_IGNORED |        \
     LX_IN_ONLYDIR | LX_IN_DONT_FOLLOW | LX_IN_EXCL_UNLINK | LX_IN_MASK_CREATE | LX_IN_MASK_ADD | \
     LX_IN_ISDIR)
#define LX_IN_CLOEXEC  02000000
#define LX_IN_NONBLOCK 04000

/* The name follows, `len` bytes with its NULs. */
struct lx_inotify_event {
    s32 wd;
    u32 mask, cookie, len;
};
_Static_assert(sizeof(struct lx_inotify_event) == 16, "struct inotify_event");
