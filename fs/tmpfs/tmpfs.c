/*
 * tmpfs: mounting, options, what an instance may hold.
 *
 * Pages and inodes are counted against the instance (size=, nr_inodes=) and pages against one pool
 * of all instances, so that ENOSPC comes before the container's memory limit.
 */
#include "fs/tmpfs/tmpfs_priv.h"

#include "sentry/base/limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FALLBACK_MEMORY = 512 * 1024 * 1024 };

static _Atomic(u64) memory = FALLBACK_MEMORY;
static _Atomic(u64) pool_pages; /* in use by all instances */

void tmpfs_set_memory(u64 bytes)
{
    atomic_store(&memory, bytes);
}

u64 tmpfs_memory(void)
{
    return atomic_load(&memory);
}

u64 tmpfs_bytes(void)
{
    return atomic_load(&pool_pages) * GUEST_PAGE_SIZE;
}

/* add_bounded() - *used += at most n, up to max. Return: how much. */
static u64 add_bounded(_Atomic(u64) *used, u64 n, u64 max)
{
    u64 now = atomic_load_explicit(used, memory_order_relaxed), room, got;

    do {
        room = now < max ? max - now : 0;
        got = min_of(n, room);
    } while (got && !atomic_compare_exchange_weak(used, &now, now + got));
    return got;
}

u64 tmpfs_charge_some(struct tmpfs_super *ts, u64 n)
{
    u64 got = add_bounded(&ts->pages, n, ts->max_pages);
    u64 pooled = add_bounded(&pool_pages, got, tmpfs_memory() / GUEST_PAGE_SIZE);

    atomic_fetch_sub(&ts->pages, got - pooled);
    return pooled;
}

int tmpfs_charge(struct tmpfs_super *ts, u64 n)
{
    u64 got = tmpfs_charge_some(ts, n);

    if (got == n)
        return 0;
    tmpfs_uncharge(ts, got);
    return -ENOSPC;
}

void tmpfs_uncharge(struct tmpfs_super *ts, u64 n)
{
    atomic_fetch_sub(&ts->pages, n);
    atomic_fetch_sub(&pool_pages, n);
}

int tmpfs_inode_charge(struct tmpfs_super *ts, int by)
{
    if (by > 0)
        return add_bounded(&ts->inodes, 1, ts->max_inodes) ? 0 : -ENOSPC;
    atomic_fetch_sub(&ts->inodes, 1);
    return 0;
}

static int tmpfs_statfs(struct super *sb, struct statfs_info *out)
{
    struct tmpfs_super *ts = sb->private;
    u64 pages = ts->pages, inodes = ts->inodes;

    *out = (struct statfs_info){.type = sb->magic, .bsize = GUEST_PAGE_SIZE, .namelen = LIMIT_NAME};
    if (ts->max_pages != UINT64_MAX) {
        out->blocks = ts->max_pages;
        out->bfree = out->bavail = out->blocks > pages ? out->blocks - pages : 0;
    }
    if (ts->max_inodes != UINT64_MAX) {
        out->files = ts->max_inodes;
        out->ffree = out->files > inodes ? out->files - inodes : 0;
    }
    return 0;
}

static int tmpfs_sync(struct super *sb)
{
    return 0;
}

static void tmpfs_free(struct super *sb)
{
    free(sb->private);
}

static u64 default_pages(void)
{
    return tmpfs_memory() / GUEST_PAGE_SIZE / 2;
}

static size_t tmpfs_show_options(struct super *sb, char *buf, size_t cap)
{
    struct tmpfs_super *ts = sb->private;
    char size[48] = "", inodes[48] = "", mode[24] = "", uid[24] = "", gid[24] = "";
    int n;

    if (ts->max_pages != default_pages())
        snprintf(size, sizeof(size), ",size=%lluk",
                 (unsigned long long)(ts->max_pages == UINT64_MAX ? 0 : ts->max_pages * 4));
    if (ts->max_inodes != default_pages())
        snprintf(inodes, sizeof(inodes), ",nr_inodes=%llu",
                 (unsigned long long)(ts->max_inodes == UINT64_MAX ? 0 : ts->max_inodes));
    if (ts->mode != (LX_S_ISVTX | 0777))
        snprintf(mode, sizeof(mode), ",mode=%o", ts->mode);
    if (ts->uid)
        snprintf(uid, sizeof(uid), ",uid=%u", ts->uid);
    if (ts->gid)
        snprintf(gid, sizeof(gid), ",gid=%u", ts->gid);
    n = snprintf(buf, cap, "%s%s%s%s%s", size, inodes, mode, uid, gid);
    return n < 0 || (size_t)n >= cap ? 0 : (size_t)n;
}

static const struct super_ops tmpfs_super_ops = {
    .statfs = tmpfs_statfs,
    .sync = tmpfs_sync,
    .free = tmpfs_free,
    .show_options = tmpfs_show_options,
};

int tmpfs_mount_as(const struct fs_type *type, const struct fs_mount_args *args, struct super **out)
{
    struct tmpfs_super *ts = calloc(1, sizeof(*ts));
    struct super *sb;
    struct inode *root;
    int err;

    if (!ts)
        return -ENOMEM;
    ts->max_pages = ts->max_inodes = default_pages();
    ts->mode = LX_S_ISVTX | 0777;
    err = tmpfs_options(args->options, args->cred, ts);
    sb = err ? NULL : super_new(type, &tmpfs_super_ops, LX_TMPFS_MAGIC, args->cred);
    if (!sb) {
        free(ts);
        return err ? err : -ENOMEM;
    }
    sb->private = ts;
    sb->mount_flags = args->flags & LX_MS_SUPER_FLAGS;
    root = tmpfs_inode(sb, LX_S_IFDIR | ts->mode, ts->uid, ts->gid);
    err = root ? super_set_root(sb, root) : -ENOSPC;
    if (err) {
        super_put(sb);
        return err;
    }
    *out = sb;
    return 0;
}

const struct fs_type tmpfs_type = {
    .name = "tmpfs",
    .guest_mountable = true,
    .mount = tmpfs_mount_as,
};
