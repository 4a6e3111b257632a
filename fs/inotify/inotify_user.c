/* How many instances and watches each user has. */
#include "fs/inotify/inotify_priv.h"

#include "sentry/base/limits.h"

#include <stdlib.h>

struct inotify_user {
    struct hash_node by_uid;
    u32 uid, refs;
    u32 count[INOTIFY_THINGS];
};

static const u32 most[INOTIFY_THINGS] = {LIMIT_INOTIFY_INSTANCES, LIMIT_INOTIFY_WATCHES};

static struct mutex lock = MUTEX_INIT(LEAF);
static struct hash users; /* and what is in it: guarded by lock */

static struct inotify_user *find_locked(u32 uid)
{
    struct hash_node *n = hash_first(&users, hash_u64(uid));

    for (; n; n = hash_next(n)) {
        struct inotify_user *u = container_of(n, struct inotify_user, by_uid);

        if (u->uid == uid)
            return u;
    }
    return NULL;
}

static struct inotify_user *make_locked(u32 uid)
{
    struct inotify_user *u = calloc(1, sizeof(*u));

    if (!u)
        return NULL;
    u->uid = uid;
    if (hash_insert(&users, &u->by_uid, hash_u64(uid)) < 0) {
        free(u);
        return NULL;
    }
    return u;
}

struct inotify_user *inotify_user_get(u32 kuid)
{
    struct inotify_user *u;

    mutex_lock(&lock);
    u = find_locked(kuid);
    if (!u)
        u = make_locked(kuid);
    if (u)
        u->refs++;
    mutex_unlock(&lock);
    return u;
}

struct inotify_user *inotify_user_ref(struct inotify_user *u)
{
    mutex_lock(&lock);
    u->refs++;
    mutex_unlock(&lock);
    return u;
}

void inotify_user_put(struct inotify_user *u)
{
    mutex_lock(&lock);
    if (--u->refs == 0) {
        hash_remove(&users, &u->by_uid);
        free(u);
    }
    if (!users.count)
        hash_free(&users);
    mutex_unlock(&lock);
}

bool inotify_user_charge(struct inotify_user *u, enum inotify_thing what)
{
    bool ok;

    mutex_lock(&lock);
    ok = u->count[what] < most[what];
    u->count[what] += ok;
    mutex_unlock(&lock);
    return ok;
}

void inotify_user_uncharge(struct inotify_user *u, enum inotify_thing what)
{
    mutex_lock(&lock);
    u->count[what]--;
    mutex_unlock(&lock);
}
