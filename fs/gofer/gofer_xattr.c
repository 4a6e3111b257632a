/*
 * Extended attributes, asked of the gofer. Most files have none, and are asked about some at every
 * exec and `ls -l`: in an exclusive mount a file that was found to have none is not asked again.
 */
#include "fs/gofer/gofer_priv.h"

#include <errno.h>
#include <string.h>

/* request() - with the attribute's name as the first piece of data. */
static int request(struct gofer_request *r, u32 op, struct inode *ino, const char *name)
{
    int err = gofer_request_new(r, op, gofer_node(ino), NULL, 0);

    if (err < 0)
        return err;
    r->call.data[0] = name;
    r->call.data_len[0] = (u32)strnlen(name, LX_XATTR_NAME_MAX + 1);
    return 0;
}

/* size_or_data() - the answer of GETXATTR and LISTXATTR. */
static ssize_t size_or_data(struct gofer_request *r, void *buf, size_t cap)
{
    int err;

    r->call.req.arg[0] = cap;
    r->call.out = buf;
    r->call.out_cap = (u32)min_of(cap, (size_t)LIMIT_XATTR_BYTES);
    err = gofer_request_run(r);
    if (err < 0)
        return err;
    if (r->call.reply.arg[0] > LIMIT_XATTR_BYTES ||
        (cap && r->call.reply.arg[0] != r->call.out_len))
        return -EIO;
    return (ssize_t)r->call.reply.arg[0];
}

static ssize_t xattr_list(struct inode *ino, char *buf, size_t cap)
{
    struct gofer_node *n = gofer_node(ino);
    struct gofer_request r;
    ssize_t len;
    int err;

    if (n->no_xattr)
        return 0;
    err = request(&r, PROTO_LISTXATTR, ino, "");
    if (err < 0)
        return err;
    len = size_or_data(&r, buf, cap);
    /* Symbolic links and special files: nothing that could be listed. */
    if (len == -EOPNOTSUPP)
        len = 0;
    if (len == 0 && gofer_super_of(n)->exclusive)
        n->no_xattr = true;
    return len;
}

static ssize_t xattr_get(struct inode *ino, const char *name, void *buf, size_t cap)
{
    struct gofer_request r;
    int err;

    if (gofer_super(ino->super)->exclusive && xattr_list(ino, NULL, 0) == 0)
        return -ENODATA;
    err = request(&r, PROTO_GETXATTR, ino, name);
    return err < 0 ? err : size_or_data(&r, buf, cap);
}

static int xattr_set(struct inode *ino, const char *name, const void *buf, size_t len, int flags)
{
    struct gofer_node *n = gofer_node(ino);
    struct gofer_request r;
    int err;

    if (len > LIMIT_XATTR_BYTES)
        return -E2BIG;
    err = request(&r, PROTO_SETXATTR, ino, name);
    if (err < 0)
        return err;
    r.call.req.arg[0] = (u32)flags;
    r.call.req.arg[1] = r.call.data_len[0];
    r.call.data[1] = buf;
    r.call.data_len[1] = (u32)len;
    err = gofer_request_run(&r);
    n->no_xattr = false;
    n->stale = true;
    return err;
}

static int xattr_remove(struct inode *ino, const char *name)
{
    struct gofer_node *n = gofer_node(ino);
    struct gofer_request r;
    int err = request(&r, PROTO_DELXATTR, ino, name);

    if (err < 0)
        return err;
    err = gofer_request_run(&r);
    n->stale = true;
    return err;
}

const struct xattr_ops gofer_xattr_ops = {
    .get = xattr_get,
    .set = xattr_set,
    .list = xattr_list,
    .remove = xattr_remove,
};
