/* Supers: mounted instances of file systems; the list of file system types. */
#include "fs/vfs/dentry_priv.h"
#include "fs/vfs/mount.h"
#include "fs/vfs/notify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void super_free(struct obj *o)
{
    struct super *sb = container_of(o, struct super, obj);

    notify_super_gone(sb);
    cache_prune(sb);
    dentry_put(sb->root);
    if (sb->ops && sb->ops->free)
        sb->ops->free(sb);
    user_ns_put(sb->user_ns);
    mutex_destroy(&sb->rename_lock);
    free(sb);
}

static struct obj_type super_type = {.name = "super", .free = super_free};

struct super *super_new(const struct fs_type *type, const struct super_ops *ops, u64 magic,
                        const struct cred *cred)
{
    static _Atomic(u32) next_minor = 1;
    struct super *sb = calloc(1, sizeof(*sb));

    if (!sb)
        return NULL;
    obj_init(&sb->obj, &super_type);
    sb->type = type;
    sb->ops = ops;
    sb->magic = magic;
    sb->dev_minor = atomic_fetch_add(&next_minor, 1) & 0xfffff;
    sb->user_ns = cred ? user_ns_get(cred->user_ns) : NULL;
    mutex_init(&sb->rename_lock, LOCK_RENAME);
    atomic_init(&sb->next_ino, 1);
    list_init(&sb->marks);
    list_init(&sb->in_cache);
    list_init(&sb->lru);
    return sb;
}

int super_set_root(struct super *sb, struct inode *root)
{
    struct dentry *d = dentry_new(sb, NULL, "", 0);

    if (!d) {
        inode_put(root);
        return -ENOMEM;
    }
    d->inode = root;
    sb->root = d;
    return 0;
}

/* The list only grows, and only while the Sentry boots. */
enum { MAX_TYPES = 64 };
static const struct fs_type *types[MAX_TYPES];
static _Atomic(u32) ntypes;

void fs_type_register(const struct fs_type *type)
{
    u32 n = atomic_load(&ntypes);

    if (fs_type_find(type->name) || n == MAX_TYPES)
        return;
    types[n] = type;
    atomic_store(&ntypes, n + 1);
}

const struct fs_type *fs_type_find(const char *name)
{
    for (u32 i = 0; i < atomic_load(&ntypes); i++)
        if (!strcmp(types[i]->name, name))
            return types[i];
    return NULL;
}

const struct fs_type *fs_type_next(const struct fs_type *t)
{
    u32 n = atomic_load(&ntypes);

    if (!t)
        return n ? types[0] : NULL;
    for (u32 i = 0; i + 1 < n; i++)
        if (types[i] == t)
            return types[i + 1];
    return NULL;
}
