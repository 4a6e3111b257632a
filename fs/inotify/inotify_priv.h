/* Inside fs/inotify. */
#pragma once

#include "fs/inotify/inotify.h"
#include "fs/vfs/notify.h"

struct inotify_user;

struct inotify {
    struct inotify_user *user; /* a reference */
    struct hash watches;       /* by number; and next_wd: guarded by the notify lock */
    s32 next_wd;
    struct mutex lock;
    struct list_node events; /* and below: guarded by lock; oldest first */
    u32 nevents;
    bool overflowed; /* the queue's last event says so */
    struct waitq queue;
};

struct inotify_watch {
    struct notify_mark mark;
    struct hash_node by_wd;
    struct inotify *group;     /* borrowed: it takes its watches off before it goes */
    struct inotify_user *user; /* a reference */
    s32 wd;
};

/* A queued event. */
struct inotify_event {
    struct list_node node;
    s32 wd;
    u32 mask, cookie;
    u32 len; /* of the name, without the NUL */
    char name[];
};

/* inotify_queue() - an event for the reader; what can't be kept becomes LX_IN_Q_OVERFLOW. */
void inotify_queue(struct inotify *g, s32 wd, const struct notify_event *e);
/* inotify_queue_free() - the instance goes. */
void inotify_queue_free(struct inotify *g);
extern const struct file_ops inotify_file_ops;
/* inotify_free_watches() - take all off: the last reference to the instance is gone. */
void inotify_free_watches(struct inotify *g);

/* What each user has; inotify_user.c. get(): the user's record as a new reference, NULL: no memory.
 * charge(): one instance or watch more. Return: false: there are too many. */
enum inotify_thing { INOTIFY_INSTANCE, INOTIFY_WATCH, INOTIFY_THINGS };
struct inotify_user *inotify_user_get(u32 kuid);
struct inotify_user *inotify_user_ref(struct inotify_user *u);
void inotify_user_put(struct inotify_user *u);
bool inotify_user_charge(struct inotify_user *u, enum inotify_thing what);
void inotify_user_uncharge(struct inotify_user *u, enum inotify_thing what);
