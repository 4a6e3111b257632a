/*
 * Listings. One is filled by its maker alone and then only changed under conn->lock. While it is
 * attached to its directory it is kept right by those who change the directory: names are added at
 * the end, removed ones stay as gaps, so that an entry's number is a position that readdir can
 * continue from. An open directory holds the listing it began with; it outlives its being detached.
 *
 * Attributes in an entry are those of the time of reading. They are handed to the node that is made
 * of them, once: as long as there is a node, it knows better, and when the node ends they may be old.
 * A file with several names has none here, as it may change under another name.
 *
 * They cost the gofer more than the names, so they are only asked for where entries are looked up
 * after they were read (find, ls -l): `appetite` rises with each one that is, falls with each directory
 * read with attributes, and while it is positive they are asked for at once; else when the first few
 * lookups in a listing found none.
 */
#include "fs/gofer/gofer_listing.h"

#include "sentry/base/clean.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* An answer of READDIR may be this long. */
enum { PART_BYTES = PROTO_DATA_MAX };
/* A directory read with attributes costs so much appetite; there is never more than so much. */
enum { APPETITE_COST = 8, APPETITE_MAX = 256 };
/* So many lookups without attributes have a listing read again. */
enum { MISSES_MAX = 4 };
/* Gaps are tolerated up to this number and half of the entries. */
enum { GAPS_MAX = 64 };

struct gofer_listing *gofer_listing_new(void)
{
    struct gofer_listing *l = calloc(1, sizeof(*l));

    if (l)
        l->refs = 1;
    return l;
}

struct gofer_listing *gofer_listing_ref(struct gofer_listing *l)
{
    atomic_fetch_add(&l->refs, 1);
    return l;
}

void gofer_listing_put(struct gofer_listing *l)
{
    if (!l || atomic_fetch_sub(&l->refs, 1) > 1)
        return;
    free(l->entries);
    free(l->names);
    free(l->attrs);
    free(l->index);
    free(l);
}

/* --- the index by name --- */

static u32 *index_slot(struct gofer_listing *l, const char *name, u32 len)
{
    u32 i = (u32)hash_bytes(name, len, 0) & (l->index_size - 1);

    while (l->index[i]) {
        const struct gofer_entry *e = &l->entries[l->index[i] - 1];

        if (e->len == len && !memcmp(l->names + e->name_at, name, len) && e->state != ENTRY_GONE)
            break;
        i = (i + 1) & (l->index_size - 1);
    }
    return &l->index[i];
}

static struct gofer_entry *entry_find(struct gofer_listing *l, const char *name, u32 len)
{
    u32 *slot;

    if (!l->index_size)
        return NULL;
    slot = index_slot(l, name, len);
    return *slot ? &l->entries[*slot - 1] : NULL;
}

/* index_grow() - room for one more at a load of at most a half. */
static int index_grow(struct gofer_listing *l)
{
    u32 size = l->index_size ? l->index_size * 2 : 16;
    u32 *index;

    if (l->index_used * 2 < l->index_size)
        return 0;
    index = calloc(size, sizeof(*index));
    if (!index)
        return -ENOMEM;
    free(l->index);
    l->index = index;
    l->index_size = size;
    l->index_used = 0;
    for (u32 i = 0; i < l->count; i++) {
        const struct gofer_entry *e = &l->entries[i];

        if (e->state == ENTRY_GONE)
            continue;
        *index_slot(l, l->names + e->name_at, e->len) = i + 1;
        l->index_used++;
    }
    return 0;
}

/* --- building --- */

/* grow() - an array's room for `need` elements. */
static int grow(void *array, u32 *cap, u32 need, size_t size)
{
    void **p = array, *more;
    u32 n = *cap ? *cap : 16;

    if (need <= *cap)
        return 0;
    while (n < need)
        n *= 2;
    more = reallocarray(*p, n, size);
    if (!more)
        return -ENOMEM;
    *p = more;
    *cap = n;
    return 0;
}

static int listing_append(struct gofer_listing *l, const char *name, u32 len, u32 type, u64 ino,
                          const struct proto_attr *attr)
{
    struct gofer_entry *e;

    if (grow(&l->entries, &l->cap, l->count + 1, sizeof(*l->entries)) < 0 ||
        grow(&l->names, &l->names_cap, l->names_len + len, 1) < 0 ||
        (attr && grow(&l->attrs, &l->attrs_cap, l->nattrs + 1, sizeof(*l->attrs)) < 0) ||
        index_grow(l) < 0)
        return -ENOMEM;
    e = &l->entries[l->count];
    *e = (struct gofer_entry){.name_at = l->names_len,
                              .len = (u16)len,
                              .type = (u8)type,
                              .state = attr ? ENTRY_ATTR : ENTRY_NAME,
                              .attr_at = l->nattrs,
                              .ino = ino};
    memcpy(l->names + l->names_len, name, len);
    l->names_len += len;
    if (attr)
        l->attrs[l->nattrs++] = *attr;
    *index_slot(l, name, len) = ++l->count;
    l->index_used++;
    return 0;
}

/* take_part() - the entries of one answer. */
static int take_part(struct gofer_super *gs, struct gofer_listing *l, const u8 *data, u32 len)
{
    struct proto_dirent e;
    struct proto_attr attr;
    const char *name;
    u32 pos = 0;
    int r;

    while ((r = proto_dirent_next(data, len, &pos, &e, &attr, &name)) > 0) {
        bool keep = e.has_attr && gs->exclusive && (attr.nlink == 1 || LX_S_ISDIR(attr.mode));
        u32 type = e.has_attr ? LX_DT_OF_MODE(attr.mode) : e.type;

        /* A gofer that answers for ever, or the same name twice, must not fill our memory. */
        if (l->count >= LIMIT_GOFER_LISTING || !proto_name_ok(name, e.len) ||
            entry_find(l, name, e.len))
            return -EIO;
        r = listing_append(l, name, e.len, type, e.has_attr ? attr.ino : e.ino,
                           keep ? &attr : NULL);
        if (r < 0)
            return r;
    }
    return r;
}

static int read_parts(struct gofer_node *dir, bool attrs, struct gofer_listing *l, u8 *buf)
{
    struct gofer_super *gs = gofer_super_of(dir);
    struct gofer_request r;
    int err = gofer_request_new(&r, PROTO_READDIR, dir, NULL, 0);

    if (err < 0)
        return err;
    r.call.req.arg[0] = attrs;
    r.call.out = buf;
    r.call.out_cap = PART_BYTES;
    err = gofer_request_run(&r);
    while (err == 0) {
        err = take_part(gs, l, buf, r.call.out_len);
        if (err < 0 || !(r.call.reply.flags & PROTO_MORE))
            break;
        if (!r.call.out_len)
            return -EIO; /* more, but never any */
        r.call.req.target[0] = (struct proto_target){.handle = r.call.reply.handle};
        r.call.req.expect_ino = 0;
        err = channel_call(gs->conn->client, &r.call);
    }
    return err;
}

static void feed(struct gofer_super *gs, s32 by)
{
    s32 now = atomic_load_explicit(&gs->appetite, memory_order_relaxed) + by;

    if (now >= -APPETITE_COST && now <= APPETITE_MAX)
        atomic_store_explicit(&gs->appetite, now, memory_order_relaxed);
}

int gofer_listing_fetch(struct gofer_node *dir, bool attrs, struct gofer_listing **out)
{
    auto_free u8 *buf = malloc(PART_BYTES);
    struct gofer_listing *l = gofer_listing_new();
    int r;

    if (!buf || !l) {
        gofer_listing_put(l);
        return -ENOMEM;
    }
    attrs = gofer_super_of(dir)->exclusive && (attrs || gofer_super_of(dir)->appetite > 0);
    if (attrs)
        feed(gofer_super_of(dir), -APPETITE_COST);
    l->with_attrs = attrs;
    r = read_parts(dir, attrs, l, buf);
    if (r < 0) {
        gofer_listing_put(l);
        return r;
    }
    if (gofer_super_of(dir)->exclusive)
        gofer_listing_attach(dir, gofer_listing_ref(l));
    *out = l;
    return 0;
}

/* --- attached --- */

/* weight() - what it counts against LIMIT_GOFER_ENTRIES. */
static u32 weight(const struct gofer_listing *l)
{
    return l->count + 1;
}

struct gofer_listing *gofer_listing_detach_locked(struct gofer_conn *c, struct gofer_node *dir)
{
    struct gofer_listing *l = dir->listing;

    if (!l)
        return NULL;
    dir->listing = NULL;
    list_del(&dir->listing_lru);
    c->nlisted -= weight(l);
    return l;
}

void gofer_listing_attach(struct gofer_node *dir, struct gofer_listing *l)
{
    struct gofer_conn *c = gofer_super_of(dir)->conn;
    struct gofer_listing *old = NULL;
    bool more = true;

    if (!l)
        return;
    mutex_lock(&c->lock);
    old = gofer_listing_detach_locked(c, dir);
    if (weight(l) <= LIMIT_GOFER_ENTRIES / 2) {
        dir->listing = l;
        list_add(&c->listing_lru, &dir->listing_lru);
        c->nlisted += weight(l);
        l = NULL;
    }
    mutex_unlock(&c->lock);
    gofer_listing_put(l);
    gofer_listing_put(old);
    while (more) {
        struct gofer_node *n;

        old = NULL;
        mutex_lock(&c->lock);
        more = c->nlisted > LIMIT_GOFER_ENTRIES && !list_empty(&c->listing_lru);
        if (more) {
            n = list_entry(c->listing_lru.prev, struct gofer_node, listing_lru);
            old = gofer_listing_detach_locked(c, n);
        }
        mutex_unlock(&c->lock);
        gofer_listing_put(old);
    }
}

struct gofer_listing *gofer_listing_of(struct gofer_node *dir)
{
    struct gofer_conn *c = gofer_super_of(dir)->conn;
    struct mutex *auto_unlock lock = mutex_locked(&c->lock);

    if (!dir->listing)
        return NULL;
    list_del(&dir->listing_lru);
    list_add(&c->listing_lru, &dir->listing_lru);
    return gofer_listing_ref(dir->listing);
}

bool gofer_listing_entry(struct gofer_conn *c, struct gofer_listing *l, u32 i,
                         struct gofer_entry *e, char name[LIMIT_NAME + 1])
{
    struct mutex *auto_unlock lock = mutex_locked(&c->lock);

    if (i >= l->count)
        return false;
    *e = l->entries[i];
    memcpy(name, l->names + e->name_at, e->len);
    name[e->len] = '\0';
    return true;
}

/* find_locked() - as gofer_listing_find(), but 0: it exists, and has no attributes here. */
static int find_locked(struct gofer_node *dir, const char *name, u32 len, struct proto_attr *attr)
{
    struct gofer_listing *l = dir->listing;
    struct gofer_entry *e;

    if (!l)
        return -EAGAIN;
    e = entry_find(l, name, len);
    if (!e)
        return -ENOENT;
    if (e->state != ENTRY_ATTR) {
        l->misses++;
        return 0;
    }
    *attr = l->attrs[e->attr_at];
    return 1;
}

static int find(struct gofer_node *dir, const char *name, u32 len, struct proto_attr *attr,
                bool *again)
{
    struct gofer_conn *c = gofer_super_of(dir)->conn;
    struct mutex *auto_unlock lock = mutex_locked(&c->lock);
    int r = find_locked(dir, name, len, attr);

    *again = r == 0 && !dir->listing->with_attrs && dir->listing->misses == MISSES_MAX;
    return r;
}

/* read_again() - with attributes. Not if dir_lock is taken, maybe by our own caller. */
static void read_again(struct gofer_node *dir)
{
    struct gofer_listing *l;

    if (!mutex_trylock(&dir->inode->dir_lock))
        return;
    if (gofer_listing_fetch(dir, true, &l) == 0)
        gofer_listing_put(l);
    mutex_unlock(&dir->inode->dir_lock);
}

int gofer_listing_find(struct gofer_node *dir, const char *name, u32 len, struct proto_attr *attr)
{
    bool again;
    int r = find(dir, name, len, attr, &again);

    if (again) {
        read_again(dir);
        r = find(dir, name, len, attr, &again);
    }
    if (r >= 0)
        feed(gofer_super_of(dir), 1);
    return r == 0 ? -EAGAIN : r;
}

void gofer_listing_forget_attr_locked(struct gofer_node *dir, const char *name, u32 len)
{
    struct gofer_entry *e = dir->listing ? entry_find(dir->listing, name, len) : NULL;

    if (e && e->state == ENTRY_ATTR)
        e->state = ENTRY_NAME;
}

/* close_gaps_locked() - entries, names and attributes move down over the gaps; they are all in the
 * order of the entries. */
static void close_gaps_locked(struct gofer_listing *l)
{
    u32 to = 0, names = 0, attrs = 0;

    memset(l->index, 0, l->index_size * sizeof(*l->index));
    for (u32 i = 0; i < l->count; i++) {
        struct gofer_entry e = l->entries[i];

        if (e.state == ENTRY_GONE)
            continue;
        memmove(l->names + names, l->names + e.name_at, e.len);
        e.name_at = names;
        names += e.len;
        if (e.state == ENTRY_ATTR) {
            l->attrs[attrs] = l->attrs[e.attr_at];
            e.attr_at = attrs++;
        }
        l->entries[to++] = e;
    }
    l->count = l->index_used = to;
    l->names_len = names;
    l->nattrs = attrs;
    l->gone = 0;
    for (u32 i = 0; i < to; i++)
        *index_slot(l, l->names + l->entries[i].name_at, l->entries[i].len) = i + 1;
}

void gofer_listing_added(struct gofer_node *dir, const char *name, u32 len, u32 type, u64 ino)
{
    struct gofer_conn *c = gofer_super_of(dir)->conn;
    struct gofer_listing *l, *lost = NULL;
    struct gofer_entry *e;

    mutex_lock(&c->lock);
    l = dir->listing;
    e = l ? entry_find(l, name, len) : NULL;
    if (e) {
        e->state = ENTRY_NAME;
        e->type = (u8)type;
        e->ino = ino;
    } else if (l && listing_append(l, name, len, type, ino, NULL) == 0) {
        c->nlisted++;
    } else {
        lost = gofer_listing_detach_locked(c, dir);
    }
    mutex_unlock(&c->lock);
    gofer_listing_put(lost);
}

void gofer_listing_removed(struct gofer_node *dir, const char *name, u32 len)
{
    struct gofer_conn *c = gofer_super_of(dir)->conn;
    struct gofer_listing *l, *lost = NULL;
    struct gofer_entry *e;

    mutex_lock(&c->lock);
    l = dir->listing;
    e = l ? entry_find(l, name, len) : NULL;
    if (e) {
        e->state = ENTRY_GONE;
        l->gone++;
    }
    if (e && l->gone >= GAPS_MAX && l->gone * 2 >= l->count) {
        c->nlisted -= weight(l);
        /* Somebody's position counts on the gaps: that listing is theirs alone from now on. */
        if (atomic_load(&l->refs) == 1)
            close_gaps_locked(l);
        c->nlisted += weight(l);
        if (l->gone)
            lost = gofer_listing_detach_locked(c, dir);
    }
    mutex_unlock(&c->lock);
    gofer_listing_put(lost);
}
