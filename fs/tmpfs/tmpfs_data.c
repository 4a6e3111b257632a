/*
 * Where a tmpfs file's bytes are. Small ones: a buffer of ours. From LIMIT_TMPFS_INLINE on, or when
 * somebody maps the file: a file of the Sentry's own tmpfs, sparse as the guest made it, whose pages
 * guests map; read(), write() and mappings then agree without further ado.
 *
 * Charges. In memory: exactly the pages that are no holes. In a file: a write is charged for every
 * page that it may add before it is done; for a file that grows without holes (`dense`, the common
 * case) that is exact, else the host is asked afterwards how many pages there are (recount).
 */
#include "fs/tmpfs/tmpfs_priv.h"

#include "sentry/base/host_fd.h"
#include "sentry/base/host_private.h"
#include "sentry/base/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MIN_CAP = 64 };

static u64 page_of(u64 pos)
{
    return pos / GUEST_PAGE_SIZE;
}

/* pages_up_to() - how many pages the first `size` bytes are. */
static u64 pages_up_to(u64 size)
{
    return size / GUEST_PAGE_SIZE + !!(size % GUEST_PAGE_SIZE);
}

static bool in_file(const struct tmpfs_data *d)
{
    return d->file != 0;
}

/* set_pages() - the file has this many pages, whatever was charged for it. */
static void set_pages(struct tmpfs_node *node, u64 pages)
{
    struct tmpfs_data *d = &node->data;

    if (pages < d->pages)
        tmpfs_uncharge(node->super, d->pages - pages);
    else
        pages = d->pages + tmpfs_charge_some(node->super, pages - d->pages);
    d->pages = pages;
}

void tmpfs_data_recount(struct inode *ino)
{
    struct tmpfs_node *node = tmpfs_node(ino);
    struct stat st;

    if (node->data.rw_fd >= 0 && host_fstat(node->data.rw_fd, &st) == 0)
        set_pages(node, (u64)st.st_blocks / (GUEST_PAGE_SIZE / 512));
}

/* --- in memory --- */

/* mem_grow() - room for `cap` bytes, new ones zero. */
static int mem_grow(struct tmpfs_data *d, u64 cap)
{
    u32 fresh = max_of(d->cap, (u32)MIN_CAP);
    u8 *mem;

    if (cap <= d->cap)
        return 0;
    while (fresh < cap)
        fresh *= 2;
    mem = realloc(d->mem, fresh);
    if (!mem)
        return -ENOMEM;
    memset(mem + d->cap, 0, fresh - d->cap);
    d->mem = mem;
    d->cap = fresh;
    return 0;
}

/* page_bits() - the bits of `present` that [pos, pos + len) covers. */
static u32 page_bits(u64 pos, u64 len)
{
    u64 first = page_of(pos), last = page_of(pos + len - 1);

    return (u32)((2ull << last) - (1ull << first));
}

/* mem_present() - the pages are no holes from now on. Return: 0, -ENOSPC. */
static int mem_present(struct tmpfs_node *node, u32 bits)
{
    u32 fresh = bits & ~node->data.present;
    int err;

    if (!fresh)
        return 0;
    err = tmpfs_charge(node->super, (u64)__builtin_popcount(fresh));
    if (err)
        return err;
    node->data.pages += (u64)__builtin_popcount(fresh);
    node->data.present |= fresh;
    return 0;
}

static void mem_absent(struct tmpfs_node *node, u32 bits)
{
    u32 gone = bits & node->data.present;

    node->data.present &= ~bits;
    node->data.pages -= (u64)__builtin_popcount(gone);
    tmpfs_uncharge(node->super, (u64)__builtin_popcount(gone));
}

static ssize_t mem_write(struct tmpfs_node *node, const void *buf, size_t len, u64 pos)
{
    int err = mem_grow(&node->data, pos + len);

    /* A write may stop at a page for which there is no room. */
    while (!err && mem_present(node, page_bits(pos, len)) < 0) {
        u64 last = page_of(pos + len - 1) * GUEST_PAGE_SIZE;

        if (last <= pos)
            err = -ENOSPC;
        else
            len = last - pos;
    }
    if (err)
        return err;
    memcpy(node->data.mem + pos, buf, len);
    return (ssize_t)len;
}

/* mem_zero() - clear [pos, pos + len) as far as there is memory. */
static void mem_zero(struct tmpfs_data *d, u64 pos, u64 len)
{
    if (pos < d->cap)
        memset(d->mem + pos, 0, min_of(len, d->cap - pos));
}

static void mem_shrink(struct tmpfs_node *node, u64 size)
{
    struct tmpfs_data *d = &node->data;

    mem_zero(d, size, UINT64_MAX - size);
    mem_absent(node, (u32)(UINT64_MAX << pages_up_to(size)));
    if (!size) {
        free(d->mem);
        d->mem = NULL;
        d->cap = 0;
    }
}

/* mem_seek() - SEEK_DATA or SEEK_HOLE by pages; pos is below size. */
static s64 mem_seek(const struct tmpfs_data *d, u64 size, u64 pos, bool data)
{
    for (u64 page = page_of(pos); page < pages_up_to(size); page++) {
        bool is_data = d->present >> page & 1;

        if (is_data == data)
            return (s64)max_of(pos, page * GUEST_PAGE_SIZE);
    }
    return data ? -ENXIO : (s64)size;
}

/* --- in a file --- */

/* spill() - write what is in memory to the file. */
static int spill(const struct tmpfs_data *d, int fd, u64 size)
{
    for (u64 page = 0; page < pages_up_to(size); page++) {
        u64 at = page * GUEST_PAGE_SIZE, end = min_of(size, at + GUEST_PAGE_SIZE);

        if (!(d->present >> page & 1) || at >= d->cap)
            continue;
        end = min_of(end, (u64)d->cap);
        if (host_pwrite(fd, d->mem + at, end - at, at) != (ssize_t)(end - at))
            return -ENOSPC;
    }
    return host_ftruncate(fd, size);
}

/* to_file() - from memory to a file. */
static int to_file(struct inode *ino)
{
    struct tmpfs_node *node = tmpfs_node(ino);
    struct tmpfs_data *d = &node->data;
    int rw, ro, err = tmpfs_fds_room();
    u64 id;

    if (!err)
        err = host_private_create(&id, &rw, &ro);
    if (err)
        return err == -EMFILE ? -ENFILE : err;
    err = spill(d, rw, ino->size);
    if (err) {
        host_close(rw);
        host_close(ro);
        host_private_remove(id);
        return err;
    }
    d->file = id;
    d->rw_fd = rw;
    d->ro_fd = ro;
    tmpfs_fds_made(node);
    d->dense = (u64)__builtin_ctzll(~(u64)d->present);
    d->sparse = d->present >> d->dense != 0;
    free(d->mem);
    d->mem = NULL;
    d->cap = d->present = 0;
    return 0;
}

int tmpfs_data_file(struct inode *ino)
{
    return in_file(&tmpfs_node(ino)->data) ? tmpfs_fds_need(tmpfs_node(ino)) : to_file(ino);
}

/* reach() - make bytes up to `end` reachable: in a file that is open, or in memory if they fit.
 * Return: 0, -ENFILE, -ENOSPC, -ENOMEM. */
static int reach(struct inode *ino, u64 end)
{
    if (!in_file(&tmpfs_node(ino)->data) && end <= LIMIT_TMPFS_INLINE)
        return 0;
    return tmpfs_data_file(ino);
}

/* file_room() - charge the pages that a write may add; *len is cut to what there is room for.
 * Return: how many were charged, -ENOSPC. */
static s64 file_room(struct tmpfs_node *node, u64 pos, u64 *len)
{
    u64 first = max_of(page_of(pos), node->data.dense), last = page_of(pos + *len - 1), got;

    if (first > last)
        return 0;
    got = tmpfs_charge_some(node->super, last - first + 1);
    node->data.pages += got;
    if (got <= last - first) {
        u64 end = (first + got) * GUEST_PAGE_SIZE;

        if (end <= pos)
            return -ENOSPC;
        *len = min_of(*len, end - pos);
    }
    return (s64)got;
}

/* file_grown() - [pos, pos + len) is data now, for which `charged` pages were charged. */
static void file_grown(struct inode *ino, u64 pos, u64 len)
{
    struct tmpfs_data *d = &tmpfs_node(ino)->data;
    bool exact = !d->sparse && !d->mapped && page_of(pos) <= d->dense;

    if (page_of(pos) <= d->dense)
        d->dense = max_of(d->dense, pages_up_to(pos + len));
    else
        d->sparse = true;
    if (!exact)
        tmpfs_data_recount(ino);
}

static ssize_t file_write_at(struct inode *ino, const void *buf, u64 len, u64 pos)
{
    struct tmpfs_node *node = tmpfs_node(ino);
    s64 charged = file_room(node, pos, &len);
    ssize_t n;

    if (charged < 0)
        return charged;
    n = host_pwrite(node->data.rw_fd, buf, len, pos);
    if (n == (ssize_t)len) {
        file_grown(ino, pos, len);
    } else {
        /* The Sentry's own tmpfs is full, or memory is. */
        node->data.sparse |= n > 0;
        tmpfs_data_recount(ino);
    }
    return n;
}

/* --- both --- */

ssize_t tmpfs_data_read(struct inode *ino, void *buf, size_t len, u64 pos)
{
    struct tmpfs_data *d = &tmpfs_node(ino)->data;
    size_t have;

    if (pos >= ino->size)
        return 0;
    len = min_of((u64)len, ino->size - pos);
    if (in_file(d)) {
        int err = tmpfs_fds_need(tmpfs_node(ino));

        return err ? err : host_pread(d->ro_fd, buf, len, pos);
    }
    have = pos < d->cap ? min_of((u64)len, d->cap - pos) : 0;
    if (have)
        memcpy(buf, d->mem + pos, have);
    memset((u8 *)buf + have, 0, len - have);
    return (ssize_t)len;
}

ssize_t tmpfs_data_write(struct inode *ino, const void *buf, size_t len, u64 pos)
{
    struct tmpfs_node *node = tmpfs_node(ino);
    ssize_t n;

    if (!len)
        return 0;
    n = reach(ino, pos + len);
    if (n == 0)
        n = in_file(&node->data) ? file_write_at(ino, buf, len, pos)
                                 : mem_write(node, buf, len, pos);
    if (n > 0 && pos + (u64)n > ino->size)
        ino->size = pos + (u64)n;
    return n;
}

int tmpfs_data_resize(struct inode *ino, u64 size)
{
    struct tmpfs_node *node = tmpfs_node(ino);
    struct tmpfs_data *d = &node->data;
    int err = reach(ino, size);

    if (!err && in_file(d)) {
        err = host_ftruncate(d->rw_fd, size);
        if (!err && size < ino->size) {
            d->dense = min_of(d->dense, pages_up_to(size));
            d->sparse = d->sparse && size > d->dense * GUEST_PAGE_SIZE;
            tmpfs_data_recount(ino);
        }
    } else if (!err && size < ino->size) {
        mem_shrink(node, size);
    }
    if (!err)
        ino->size = size;
    return err;
}

int tmpfs_data_allocate(struct inode *ino, u64 pos, u64 len, bool keep_size)
{
    struct tmpfs_node *node = tmpfs_node(ino);
    u64 end = pos + len, room = len;
    int err = reach(ino, end);

    if (err)
        return err;
    if (!in_file(&node->data)) {
        err = mem_present(node, page_bits(pos, len));
    } else {
        s64 got = file_room(node, pos, &room);

        err = got < 0 ? (int)got : 0;
        if (!err && room < len)
            err = -ENOSPC;
        if (!err)
            err =
                host_fallocate(node->data.rw_fd, keep_size ? LX_FALLOC_FL_KEEP_SIZE : 0, pos, len);
        if (err)
            tmpfs_data_recount(ino);
        else
            file_grown(ino, pos, len);
    }
    if (!err && !keep_size && end > ino->size)
        ino->size = end;
    return err;
}

int tmpfs_data_punch(struct inode *ino, u64 pos, u64 len)
{
    struct tmpfs_node *node = tmpfs_node(ino);
    struct tmpfs_data *d = &node->data;
    u64 first = pages_up_to(pos), end = page_of(pos + len); /* whole pages: [first, end) */
    int err;

    if (!in_file(d)) {
        mem_zero(d, pos, len);
        end = min_of(end, (u64)LIMIT_TMPFS_INLINE / GUEST_PAGE_SIZE);
        if (first < end)
            mem_absent(node, page_bits(first * GUEST_PAGE_SIZE, (end - first) * GUEST_PAGE_SIZE));
        return 0;
    }
    err = tmpfs_fds_need(node);
    if (!err)
        err = host_fallocate(d->rw_fd, LX_FALLOC_FL_PUNCH_HOLE | LX_FALLOC_FL_KEEP_SIZE, pos, len);
    if (!err) {
        if (first < d->dense) {
            d->sparse = true;
            d->dense = first;
        }
        tmpfs_data_recount(ino);
    }
    return err;
}

s64 tmpfs_data_seek(struct inode *ino, u64 pos, int whence)
{
    struct tmpfs_data *d = &tmpfs_node(ino)->data;

    if (pos >= ino->size)
        return -ENXIO;
    if (in_file(d)) {
        int err = tmpfs_fds_need(tmpfs_node(ino));

        return err ? err : host_lseek(d->ro_fd, (s64)pos, whence);
    }
    return mem_seek(d, ino->size, pos, whence == LX_SEEK_DATA);
}

void tmpfs_data_free(struct tmpfs_node *node)
{
    struct tmpfs_data *d = &node->data;

    free(d->mem);
    tmpfs_fds_close(node);
    if (in_file(d))
        host_private_remove(d->file);
    tmpfs_uncharge(node->super, d->pages);
}
