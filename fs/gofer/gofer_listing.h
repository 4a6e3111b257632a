/*
 * A directory's entries as they were read, kept up to date while they are attached to the directory
 * (exclusive mounts). See gofer_listing.c.
 */
#pragma once

#include "fs/gofer/gofer_priv.h"

enum { ENTRY_GONE, ENTRY_NAME, ENTRY_ATTR };

struct gofer_entry {
    u32 name_at;
    u16 len;
    u8 type;  /* LX_DT_* */
    u8 state; /* ENTRY_*: removed; name and type known; attributes too, in attrs[attr_at] */
    u32 attr_at;
    u64 ino; /* as the guest sees it */
};

struct gofer_listing {
    atomic_uint refs;
    struct gofer_entry *entries; /* and below: guarded by conn->lock once others can see it */
    u32 count, cap, gone;
    char *names;
    u32 names_len, names_cap;
    struct proto_attr *attrs;
    u32 nattrs, attrs_cap;
    u32 *index; /* open addressing: entry's number + 1 */
    u32 index_size, index_used;
    bool with_attrs; /* it was read with them */
    u32 misses;      /* entries that were looked up and had none */
};

/* gofer_listing_new() - an empty one. gofer_listing_ref(), gofer_listing_put(): references. */
struct gofer_listing *gofer_listing_new(void);
struct gofer_listing *gofer_listing_ref(struct gofer_listing *l);
void gofer_listing_put(struct gofer_listing *l);

/* gofer_listing_fetch() - read the directory whole, with attributes if `attrs` or if they have been
 * of use lately. dir_lock is held, so that no name changes meanwhile. Exclusive: the listing is
 * attached. Return: 0 and a reference. */
int gofer_listing_fetch(struct gofer_node *dir, bool attrs, struct gofer_listing **out);
/* gofer_listing_attach() - `l` (a reference, taken) is the directory's from now on. */
void gofer_listing_attach(struct gofer_node *dir, struct gofer_listing *l);
/* gofer_listing_of() - the attached listing, a new reference, or NULL. */
struct gofer_listing *gofer_listing_of(struct gofer_node *dir);
/* gofer_listing_entry() - copy entry number `i` out. Return: false: there is none. */
bool gofer_listing_entry(struct gofer_conn *c, struct gofer_listing *l, u32 i,
                         struct gofer_entry *e, char name[LIMIT_NAME + 1]);

/* gofer_listing_find() - what the attached listing says of a name; it is read again, with
 * attributes, when several had none. Return: 1 and its attributes, -ENOENT: it does not exist,
 * -EAGAIN: ask. */
int gofer_listing_find(struct gofer_node *dir, const char *name, u32 len, struct proto_attr *attr);
/* gofer_listing_added(), gofer_listing_removed() - we changed the directory; dir_lock is held. */
void gofer_listing_added(struct gofer_node *dir, const char *name, u32 len, u32 type, u64 ino);
void gofer_listing_removed(struct gofer_node *dir, const char *name, u32 len);
/* gofer_listing_forget_attr_locked() - the attributes may be old from now on. */
void gofer_listing_forget_attr_locked(struct gofer_node *dir, const char *name, u32 len);
/* gofer_listing_detach_locked() - take it away. Return: the reference, for the caller to put. */
struct gofer_listing *gofer_listing_detach_locked(struct gofer_conn *c, struct gofer_node *dir)
    REQUIRES(c->lock);
