/* tmpfs's extended attributes: a short list by the inode. Their bytes count as pages. */
#include "fs/tmpfs/tmpfs_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BYTES = 128 * 1024 }; /* names and values of one inode */

static u64 pages_of(u64 bytes)
{
    return (bytes + GUEST_PAGE_SIZE - 1) / GUEST_PAGE_SIZE;
}

static struct tmpfs_xattr *find(struct tmpfs_node *node, const char *name)
{
    struct tmpfs_xattr *x;

    list_for_each(x, &node->xattrs, node)
        if (!strcmp(x->name, name))
            return x;
    return NULL;
}

static struct tmpfs_xattr *xattr_new(const char *name, const void *value, size_t len)
{
    size_t n = strlen(name) + 1;
    struct tmpfs_xattr *x = malloc(sizeof(*x));
    u8 *bytes = malloc(n + len);

    if (!x || !bytes) {
        free(x);
        free(bytes);
        return NULL;
    }
    list_init(&x->node);
    x->name = (char *)bytes;
    x->value = bytes + n;
    x->len = len;
    memcpy(x->name, name, n);
    if (len)
        memcpy(x->value, value, len);
    return x;
}

static void xattr_free(struct tmpfs_xattr *x)
{
    if (!x)
        return;
    list_del(&x->node);
    free(x->name);
    free(x);
}

static u64 cost(const struct tmpfs_xattr *x)
{
    return x ? strlen(x->name) + 1 + x->len : 0;
}

/* recharge() - the inode's attributes have `bytes` now. Return: 0, -ENOSPC. */
static int recharge(struct tmpfs_node *node, u64 bytes)
{
    u64 was = pages_of(node->xattr_bytes), now = pages_of(bytes);

    if (bytes > MAX_BYTES)
        return -ENOSPC;
    if (now > was && tmpfs_charge(node->super, now - was) < 0)
        return -ENOSPC;
    if (now < was)
        tmpfs_uncharge(node->super, was - now);
    node->xattr_bytes = bytes;
    return 0;
}

static ssize_t tmpfs_xattr_get(struct inode *ino, const char *name, void *buf, size_t cap)
{
    ssize_t n = -ENODATA;
    struct tmpfs_xattr *x;

    mutex_lock(&ino->lock);
    x = find(tmpfs_node(ino), name);
    if (x) {
        n = (ssize_t)x->len;
        if (cap && cap < x->len)
            n = -ERANGE;
        else if (cap)
            memcpy(buf, x->value, x->len);
    }
    mutex_unlock(&ino->lock);
    return n;
}

static int tmpfs_xattr_set(struct inode *ino, const char *name, const void *buf, size_t len,
                           int flags)
{
    struct tmpfs_xattr *fresh = xattr_new(name, buf, len), *old;
    struct tmpfs_node *node = tmpfs_node(ino);
    int err = 0;

    if (!fresh)
        return -ENOMEM;
    mutex_lock(&ino->lock);
    old = find(node, name);
    if (old && (flags & LX_XATTR_CREATE))
        err = -EEXIST;
    else if (!old && (flags & LX_XATTR_REPLACE))
        err = -ENODATA;
    else
        err = recharge(node, node->xattr_bytes - cost(old) + cost(fresh));
    if (!err) {
        xattr_free(old);
        list_add_tail(&node->xattrs, &fresh->node);
        inode_touch_locked(ino, INODE_CTIME);
        fresh = NULL;
    }
    mutex_unlock(&ino->lock);
    xattr_free(fresh);
    return err;
}

static ssize_t tmpfs_xattr_list(struct inode *ino, char *buf, size_t cap)
{
    struct tmpfs_xattr *x;
    size_t used = 0;

    mutex_lock(&ino->lock);
    list_for_each(x, &tmpfs_node(ino)->xattrs, node) {
        size_t n = strlen(x->name) + 1;

        if (cap && cap - used < n) {
            mutex_unlock(&ino->lock);
            return -ERANGE;
        }
        if (cap)
            memcpy(buf + used, x->name, n);
        used += n;
    }
    mutex_unlock(&ino->lock);
    return (ssize_t)used;
}

static int tmpfs_xattr_remove(struct inode *ino, const char *name)
{
    struct tmpfs_node *node = tmpfs_node(ino);
    struct tmpfs_xattr *x;

    mutex_lock(&ino->lock);
    x = find(node, name);
    if (x) {
        recharge(node, node->xattr_bytes - cost(x));
        xattr_free(x);
        inode_touch_locked(ino, INODE_CTIME);
    }
    mutex_unlock(&ino->lock);
    return x ? 0 : -ENODATA;
}

void tmpfs_xattr_free(struct tmpfs_node *node)
{
    struct tmpfs_xattr *x, *tmp;

    list_for_each_safe(x, tmp, &node->xattrs, node)
        xattr_free(x);
    recharge(node, 0);
}

const struct xattr_ops tmpfs_xattr_ops = {
    .get = tmpfs_xattr_get,
    .set = tmpfs_xattr_set,
    .list = tmpfs_xattr_list,
    .remove = tmpfs_xattr_remove,
};
