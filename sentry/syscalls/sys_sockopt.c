/* setsockopt(2), getsockopt(2). */
#include "sentry/base/clean.h"
#include "sentry/syscalls/socket_args.h"

#include <errno.h>
#include <string.h>

enum { FAST_OPTION = 64 };

/* A value on its way: most are an int. */
struct option_buf {
    u8 fast[FAST_OPTION];
    u8 *big; /* owned, NULL if `fast` will do */
};

static u8 *option_buf(struct option_buf *b, u32 len)
{
    b->big = NULL;
    if (len <= FAST_OPTION)
        return b->fast;
    b->big = malloc(len);
    return b->big;
}

s64 sys_setsockopt(struct task *t, const u64 a[6])
{
    auto_put(file) struct file *f = NULL;
    u32 len = min_of((u32)a[4], (u32)SOCKOPT_MAX);
    struct option_buf buf;
    struct socket *s;
    u8 *value;
    int rc = arg_socket(t, a[0], &f, &s);

    if (rc < 0)
        return rc;
    if ((s32)a[4] < 0)
        return -EINVAL;
    value = option_buf(&buf, len);
    if (!value)
        return -ENOMEM;
    /* What is too short for an int is answered before its memory is looked at. */
    rc = (s32)a[1] == LX_SOL_SOCKET && (s32)a[2] != LX_SO_BINDTODEVICE && len < sizeof(s32)
             ? -EINVAL
             : usermem_in(t->mm, value, a[3], len);
    if (rc == 0)
        rc = socket_setsockopt(s, (s32)a[1], (s32)a[2], value, len);
    free(buf.big);
    return rc;
}

/* give() - an option's value and its length. */
static int give(struct task *t, const u64 a[6], const u8 *value, s32 len)
{
    if (len && usermem_out(t->mm, a[3], value, (size_t)len) < 0)
        return -EFAULT;
    return usermem_put(t->mm, a[4], &len);
}

s64 sys_getsockopt(struct task *t, const u64 a[6])
{
    auto_put(file) struct file *f = NULL;
    struct option_buf buf;
    struct socket *s;
    u8 *value;
    s32 room;
    u32 len;
    int rc = arg_socket(t, a[0], &f, &s);

    if (rc == 0)
        rc = usermem_get(t->mm, &room, a[4]);
    if (rc < 0 || room < 0)
        return rc < 0 ? rc : -EINVAL;
    len = min_of((u32)room, (u32)SOCKOPT_MAX);
    value = option_buf(&buf, len);
    if (!value)
        return -ENOMEM;
    memset(value, 0, len);
    rc = socket_getsockopt(s, (s32)a[1], (s32)a[2], value, &len);
    if (rc >= 0)
        rc = give(t, a, value, (s32)len);
    else if (rc == -ERANGE && usermem_put(t->mm, a[4], &len) < 0)
        rc = -EFAULT;
    free(buf.big);
    return rc;
}
