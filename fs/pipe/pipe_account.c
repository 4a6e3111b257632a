/* How many pages of pipe capacity each user has. */
#include "fs/pipe/pipe_priv.h"

#include <stdlib.h>

struct user_pages {
    struct hash_node by_uid;
    u32 uid, refs;
    u64 pages;
};

static struct mutex lock = MUTEX_INIT(LEAF);
static struct hash users; /* and what is in it: guarded by lock */

static struct user_pages *find(u32 uid)
{
    struct hash_node *n = hash_first(&users, hash_u64(uid));

    for (; n; n = hash_next(n)) {
        struct user_pages *u = container_of(n, struct user_pages, by_uid);

        if (u->uid == uid)
            return u;
    }
    return NULL;
}

struct user_pages *user_pages_get(u32 uid, u32 pages)
{
    struct user_pages *u;

    mutex_lock(&lock);
    u = find(uid);
    if (!u) {
        u = calloc(1, sizeof(*u));
        if (u) {
            u->uid = uid;
            if (hash_insert(&users, &u->by_uid, hash_u64(uid)) < 0) {
                free(u);
                u = NULL;
            }
        }
    }
    if (u) {
        u->refs++;
        u->pages += pages;
    }
    mutex_unlock(&lock);
    return u;
}

void user_pages_put(struct user_pages *u, u32 pages)
{
    if (!u)
        return;
    mutex_lock(&lock);
    u->pages -= pages;
    if (--u->refs == 0) {
        hash_remove(&users, &u->by_uid);
        free(u);
    }
    if (!users.count)
        hash_free(&users);
    mutex_unlock(&lock);
}

u64 user_pages_change(struct user_pages *u, s64 by)
{
    u64 now;

    mutex_lock(&lock);
    u->pages += (u64)by;
    now = u->pages;
    mutex_unlock(&lock);
    return now;
}
