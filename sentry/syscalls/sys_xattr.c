/* Extended attributes: getxattr(2), setxattr(2), listxattr(2), removexattr(2), by path, link, fd. */
#include "fs/vfs/file.h"
#include "fs/vfs/xattr.h"
#include "sentry/base/clean.h"
#include "sentry/base/limits.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>
#include <stdlib.h>

#define NAME_BYTES (LX_XATTR_NAME_MAX + 1)

/* How a call names its file: the first argument is a path, one whose last link is not followed, or
 * a descriptor. */
enum target { BY_PATH, BY_LINK, BY_FD };

static s64 find(struct task *t, u64 arg, enum target by, struct path *out)
{
    struct file *f;
    s64 rc;

    if (by != BY_FD)
        return at_resolve(t, (u64)LX_AT_FDCWD, arg, by == BY_PATH ? WALK_FOLLOW : 0, out);
    rc = arg_fd(t, arg, &f);
    if (rc < 0)
        return rc;
    *out = path_get(&f->path);
    file_put(f);
    return 0;
}

/* arg_name() - an attribute's name. Return: 0, -ERANGE (empty or too long), -EFAULT. */
static s64 arg_name(struct task *t, u64 uaddr, char name[NAME_BYTES])
{
    ssize_t n = usermem_string(t->mm, name, uaddr, NAME_BYTES);

    if (n == -ENAMETOOLONG || n == 0)
        return -ERANGE;
    return min_of(n, (ssize_t)0);
}

static s64 do_set(struct task *t, const u64 a[6], enum target by)
{
    auto_free void *value = NULL;
    char name[NAME_BYTES];
    struct path p;
    s64 rc;

    if ((u32)a[4] & ~(u32)(LX_XATTR_CREATE | LX_XATTR_REPLACE))
        return -EINVAL;
    rc = arg_name(t, a[1], name);
    if (rc < 0)
        return rc;
    if (a[3] > LIMIT_XATTR_BYTES)
        return -E2BIG;
    value = malloc(a[3] ? a[3] : 1);
    if (!value)
        return -ENOMEM;
    if (usermem_in(t->mm, value, a[2], a[3]) < 0)
        return -EFAULT;
    rc = find(t, a[0], by, &p);
    if (rc < 0)
        return rc;
    rc = vfs_xattr_set(&p, task_cred(t), name, value, a[3], (int)a[4]);
    path_put(&p);
    return rc;
}

s64 sys_setxattr(struct task *t, const u64 a[6])
{
    return do_set(t, a, BY_PATH);
}

s64 sys_lsetxattr(struct task *t, const u64 a[6])
{
    return do_set(t, a, BY_LINK);
}

s64 sys_fsetxattr(struct task *t, const u64 a[6])
{
    return do_set(t, a, BY_FD);
}

/* put_value() - `n` bytes that a get or list has found, to a buffer that is big enough. */
static s64 put_value(struct task *t, u64 ubuf, u64 size, const void *value, s64 n)
{
    if (n <= 0 || !size)
        return n;
    return usermem_out(t->mm, ubuf, value, (size_t)n) < 0 ? -EFAULT : n;
}

static s64 do_get(struct task *t, const u64 a[6], enum target by)
{
    u64 size = min_of(a[3], (u64)LIMIT_XATTR_BYTES);
    auto_free void *value = malloc(size ? size : 1);
    char name[NAME_BYTES];
    struct path p;
    s64 rc;

    if (!value)
        return -ENOMEM;
    rc = arg_name(t, a[1], name);
    if (rc == 0)
        rc = find(t, a[0], by, &p);
    if (rc < 0)
        return rc;
    rc = vfs_xattr_get(&p, task_cred(t), name, value, size);
    path_put(&p);
    return put_value(t, a[2], size, value, rc);
}

s64 sys_getxattr(struct task *t, const u64 a[6])
{
    return do_get(t, a, BY_PATH);
}

s64 sys_lgetxattr(struct task *t, const u64 a[6])
{
    return do_get(t, a, BY_LINK);
}

s64 sys_fgetxattr(struct task *t, const u64 a[6])
{
    return do_get(t, a, BY_FD);
}

static s64 do_list(struct task *t, const u64 a[6], enum target by)
{
    u64 size = min_of(a[2], (u64)LX_XATTR_LIST_MAX);
    auto_free char *names = malloc(size ? size : 1);
    struct path p;
    s64 rc;

    if (!names)
        return -ENOMEM;
    rc = find(t, a[0], by, &p);
    if (rc < 0)
        return rc;
    rc = vfs_xattr_list(&p, task_cred(t), names, size);
    path_put(&p);
    return put_value(t, a[1], size, names, rc);
}

s64 sys_listxattr(struct task *t, const u64 a[6])
{
    return do_list(t, a, BY_PATH);
}

s64 sys_llistxattr(struct task *t, const u64 a[6])
{
    return do_list(t, a, BY_LINK);
}

s64 sys_flistxattr(struct task *t, const u64 a[6])
{
    return do_list(t, a, BY_FD);
}

static s64 do_remove(struct task *t, const u64 a[6], enum target by)
{
    char name[NAME_BYTES];
    struct path p;
    s64 rc = arg_name(t, a[1], name);

    if (rc == 0)
        rc = find(t, a[0], by, &p);
    if (rc < 0)
        return rc;
    rc = vfs_xattr_remove(&p, task_cred(t), name);
    path_put(&p);
    return rc;
}

s64 sys_removexattr(struct task *t, const u64 a[6])
{
    return do_remove(t, a, BY_PATH);
}

s64 sys_lremovexattr(struct task *t, const u64 a[6])
{
    return do_remove(t, a, BY_LINK);
}

s64 sys_fremovexattr(struct task *t, const u64 a[6])
{
    return do_remove(t, a, BY_FD);
}
