/* tmpfs's mount options: size= nr_blocks= nr_inodes= mode= uid= gid= (tmpfs(5)). */
#include "fs/tmpfs/tmpfs_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* digits() - the number that *s begins with, in `base`; *s moves behind it. Return: 0, -EINVAL (no
 * digit, too big). */
static int digits(const char **s, u32 base, u64 *out)
{
    const char *p = *s;
    u64 v = 0;

    for (; *p >= '0' && (u32)(*p - '0') < base; p++)
        if (__builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, (u64)(*p - '0'), &v))
            return -EINVAL;
    if (p == *s)
        return -EINVAL;
    *s = p;
    *out = v;
    return 0;
}

/* parse_number() - all of `s` in `base`. Return: 0, -EINVAL. */
static int parse_number(const char *s, u32 base, u64 *out)
{
    int err = digits(&s, base, out);

    return err || *s ? -EINVAL : 0;
}

/* parse_size() - a number with k, m, g, t, or with % (of the memory). */
static int parse_size(const char *s, u64 *out)
{
    static const char units[] = "kmgt";
    const char *unit;
    u64 v;

    if (digits(&s, 10, &v) < 0)
        return -EINVAL;
    *out = v;
    if (!*s)
        return 0;
    if (s[1])
        return -EINVAL;
    if (*s == '%') {
        *out = v > 100 ? tmpfs_memory() : tmpfs_memory() / 100 * v;
        return 0;
    }
    unit = strchr(units, *s | 0x20);
    if (!unit)
        return -EINVAL;
    return __builtin_mul_overflow(v, 1024ull << (10 * (unit - units)), out) ? -EINVAL : 0;
}

static u64 or_unbounded(u64 v)
{
    return v ? v : UINT64_MAX;
}

static int parse_id(const char *s, u32 *out)
{
    u64 v;
    int err = parse_number(s, 10, &v);

    if (err || v >= ID_INVALID)
        return -EINVAL;
    *out = (u32)v;
    return 0;
}

static int parse_uid(const char *s, const struct cred *cred, u32 *out)
{
    u32 id;
    int err = parse_id(s, &id);

    if (!err)
        *out = cred ? uid_to_kuid(cred->user_ns, id) : id;
    return err || *out == ID_INVALID ? -EINVAL : 0;
}

static int parse_gid(const char *s, const struct cred *cred, u32 *out)
{
    u32 id;
    int err = parse_id(s, &id);

    if (!err)
        *out = cred ? gid_to_kgid(cred->user_ns, id) : id;
    return err || *out == ID_INVALID ? -EINVAL : 0;
}

static int parse_one(char *name, const struct cred *cred, struct tmpfs_super *ts)
{
    static const char *const ignored[] = {"huge", "mpol", "inode32", "inode64", "noswap"};
    char *value = strchr(name, '=');
    u64 v;
    int err = -EINVAL;

    if (value)
        *value++ = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
        if (!strcmp(name, ignored[i]))
            return 0;
    if (!value)
        return -EINVAL;
    if (!strcmp(name, "size")) {
        err = parse_size(value, &v);
        if (!err)
            ts->max_pages = or_unbounded(v / GUEST_PAGE_SIZE + !!(v % GUEST_PAGE_SIZE));
    } else if (!strcmp(name, "nr_blocks")) {
        err = parse_size(value, &v);
        if (!err)
            ts->max_pages = or_unbounded(v);
    } else if (!strcmp(name, "nr_inodes")) {
        err = parse_size(value, &v);
        if (!err)
            ts->max_inodes = or_unbounded(v);
    } else if (!strcmp(name, "mode")) {
        err = parse_number(value, 8, &v);
        if (!err)
            ts->mode = (u32)v & LX_S_IALLUGO;
    } else if (!strcmp(name, "uid")) {
        err = parse_uid(value, cred, &ts->uid);
    } else if (!strcmp(name, "gid")) {
        err = parse_gid(value, cred, &ts->gid);
    }
    return err;
}

int tmpfs_options(const char *options, const struct cred *cred, struct tmpfs_super *ts)
{
    char *copy, *cursor, *one;
    int err = 0;

    if (!options)
        return 0;
    copy = strdup(options);
    if (!copy)
        return -ENOMEM;
    cursor = copy;
    while (!err && (one = strsep(&cursor, ",")))
        if (*one)
            err = parse_one(one, cred, ts);
    free(copy);
    return err;
}
