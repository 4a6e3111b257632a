/* See fake_platform.h. */
#include "fake_platform.h"

#include "sentry/abi/lx_mm.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fake_state fake;
static int live;

int fake_live(void)
{
    return live;
}

/* --- touched pages --- */

static struct fake_page *page_slot(struct plat_mm *mm, uaddr_t addr)
{
    size_t i = (addr >> GUEST_PAGE_SHIFT) * 0x9e3779b97f4a7c15ull % mm->cap;

    while (mm->pages[i].addr && mm->pages[i].addr != addr)
        i = (i + 1) % mm->cap;
    return &mm->pages[i];
}

static void pages_grow(struct plat_mm *mm)
{
    struct fake_page *old = mm->pages;
    size_t cap = mm->cap;

    mm->cap = cap ? cap * 2 : 64;
    mm->pages = calloc(mm->cap, sizeof(*mm->pages));
    for (size_t i = 0; i < cap; i++) {
        if (old[i].addr)
            *page_slot(mm, old[i].addr) = old[i];
    }
    free(old);
}

/* page_bytes() - the private page at addr, made from what the range holds at its first touch. */
static u8 *page_bytes(struct plat_mm *mm, const struct fake_range *r, uaddr_t addr)
{
    struct fake_page *p;

    if ((mm->npages + 1) * 2 > mm->cap)
        pages_grow(mm);
    p = page_slot(mm, addr);
    if (!p->addr) {
        p->addr = addr;
        p->bytes = calloc(1, GUEST_PAGE_SIZE);
        mm->npages++;
        if (r->fd >= 0)
            cr_assert_geq(
                pread(r->fd, p->bytes, GUEST_PAGE_SIZE, (off_t)(r->offset + (addr - r->start))), 0);
    }
    return p->bytes;
}

/* pages_take() - the pages of [start, end) leave the table; `move_by` puts them elsewhere, else freed. */
static void pages_take(struct plat_mm *mm, uaddr_t start, uaddr_t end, bool move, uaddr_t to)
{
    struct fake_page *old = mm->pages;
    size_t cap = mm->cap;

    if (!cap)
        return;
    mm->pages = calloc(cap, sizeof(*mm->pages));
    for (size_t i = 0; i < cap; i++) {
        struct fake_page p = old[i];

        if (!p.addr)
            continue;
        if (p.addr >= start && p.addr < end) {
            if (!move) {
                free(p.bytes);
                mm->npages--;
                continue;
            }
            p.addr = to + (p.addr - start);
        }
        *page_slot(mm, p.addr) = p;
    }
    free(old);
}

/* --- ranges --- */

const struct fake_range *fake_find(const struct plat_mm *mm, uaddr_t addr)
{
    for (size_t i = 0; i < mm->nranges; i++) {
        if (addr >= mm->ranges[i].start && addr < mm->ranges[i].end)
            return &mm->ranges[i];
    }
    return NULL;
}

static void range_insert(struct plat_mm *mm, size_t at, struct fake_range r)
{
    mm->ranges = realloc(mm->ranges, (mm->nranges + 1) * sizeof(*mm->ranges));
    memmove(&mm->ranges[at + 1], &mm->ranges[at], (mm->nranges - at) * sizeof(*mm->ranges));
    mm->ranges[at] = r;
    mm->nranges++;
}

static void range_cut(struct plat_mm *mm, uaddr_t addr)
{
    for (size_t i = 0; i < mm->nranges; i++) {
        struct fake_range *r = &mm->ranges[i], upper = *r;

        if (r->start < addr && addr < r->end) {
            upper.start = addr;
            upper.offset += addr - r->start;
            r->end = addr;
            range_insert(mm, i + 1, upper);
            return;
        }
    }
}

static void ranges_clear(struct plat_mm *mm, uaddr_t start, uaddr_t end)
{
    size_t n = 0;

    range_cut(mm, start);
    range_cut(mm, end);
    for (size_t i = 0; i < mm->nranges; i++) {
        if (mm->ranges[i].start < start || mm->ranges[i].start >= end)
            mm->ranges[n++] = mm->ranges[i];
    }
    mm->nranges = n;
}

static void ranges_add(struct plat_mm *mm, struct fake_range r)
{
    size_t at = 0;

    ranges_clear(mm, r.start, r.end);
    while (at < mm->nranges && mm->ranges[at].start < r.start)
        at++;
    range_insert(mm, at, r);
}

/* --- operations --- */

static int order(uaddr_t addr, u64 len)
{
    cr_assert_eq(addr % GUEST_PAGE_SIZE, 0);
    cr_assert_eq(len % GUEST_PAGE_SIZE, 0);
    cr_assert(len && addr >= PLAT_GUEST_MIN && addr + len <= PLAT_TASK_SIZE, "%llx+%llx",
              (unsigned long long)addr, (unsigned long long)len);
    return ++fake.orders == fake.fail_at ? fake.fail_errno : 0;
}

static int fake_map(struct plat_thread *th, const struct plat_map *m)
{
    int err = order(m->addr, m->len);

    if (err)
        return err;
    cr_assert(!m->shared || m->fd >= 0);
    pages_take(th->mm, m->addr, m->addr + m->len, false, 0);
    ranges_add(th->mm, (struct fake_range){.start = m->addr,
                                           .end = m->addr + m->len,
                                           .prot = m->prot,
                                           .shared = m->shared,
                                           .fd = m->fd,
                                           .offset = m->offset});
    return 0;
}

static int fake_unmap(struct plat_thread *th, uaddr_t addr, u64 len)
{
    int err = order(addr, len);

    if (err)
        return err;
    pages_take(th->mm, addr, addr + len, false, 0);
    ranges_clear(th->mm, addr, addr + len);
    return 0;
}

static int fake_protect(struct plat_thread *th, uaddr_t addr, u64 len, u32 prot)
{
    int err = order(addr, len);

    if (err)
        return err;
    range_cut(th->mm, addr);
    range_cut(th->mm, addr + len);
    for (size_t i = 0; i < th->mm->nranges; i++) {
        if (th->mm->ranges[i].start >= addr && th->mm->ranges[i].end <= addr + len)
            th->mm->ranges[i].prot = prot;
    }
    return 0;
}

static int fake_advise(struct plat_thread *th, uaddr_t addr, u64 len, int advice)
{
    int err = order(addr, len);

    fake.advices++;
    fake.last_advice = advice;
    if (!err && (advice == LX_MADV_DONTNEED || advice == LX_MADV_FREE))
        pages_take(th->mm, addr, addr + len, false, 0);
    return err;
}

static int fake_remap(struct plat_thread *th, uaddr_t old_addr, u64 old_len, uaddr_t new_addr,
                      u64 new_len, bool dontunmap)
{
    const struct fake_range *found = fake_find(th->mm, old_addr);
    u64 len = old_len < new_len ? old_len : new_len;
    struct fake_range r;
    int err = order(new_addr, new_len);

    if (err)
        return err;
    if (!found || found->end - old_addr < old_len)
        return -EFAULT;
    r = *found;
    r.offset += old_addr - r.start;
    r.start = new_addr;
    r.end = new_addr + new_len;
    pages_take(th->mm, new_addr, new_addr + new_len, false, 0);
    pages_take(th->mm, old_addr, old_addr + len, true, new_addr);
    if (old_len && !dontunmap) {
        pages_take(th->mm, old_addr, old_addr + old_len, false, 0);
        ranges_clear(th->mm, old_addr, old_addr + old_len);
    }
    ranges_add(th->mm, r);
    return 0;
}

static int fake_sync(struct plat_thread *th, uaddr_t addr, u64 len, int flags)
{
    fake.syncs++;
    return order(addr, len);
}

static int fake_map_vdso(struct plat_thread *th, uaddr_t addr, uaddr_t *vdso, u64 *len)
{
    if (fake.no_vdso)
        return -ENOSYS;
    *len = FAKE_VVAR_BYTES + FAKE_VDSO_BYTES;
    if (!addr)
        return 0;
    *vdso = addr + FAKE_VVAR_BYTES;
    ranges_add(th->mm,
               (struct fake_range){.start = addr, .end = *vdso, .prot = LX_PROT_READ, .fd = -1});
    ranges_add(th->mm, (struct fake_range){.start = *vdso,
                                           .end = addr + *len,
                                           .prot = LX_PROT_READ | LX_PROT_EXEC,
                                           .fd = -1});
    return 0;
}

static void fake_set_cmdline(struct plat_thread *th, const char *args, u32 len)
{
    cr_assert_leq(len, sizeof(th->cmdline));
    memcpy(th->cmdline, args, len);
    th->cmdline_len = len;
}

/* copy() - page by page, stopping where the guest itself would fault. */
static ssize_t copy(struct plat_mm *mm, uaddr_t at, u8 *ours, size_t len, bool out)
{
    size_t done = 0;

    while (done < len) {
        const struct fake_range *r = fake_find(mm, at);
        u64 in_page = at % GUEST_PAGE_SIZE;
        size_t n = GUEST_PAGE_SIZE - in_page < len - done ? GUEST_PAGE_SIZE - in_page : len - done;

        if (!r || !(r->prot & (out ? LX_PROT_WRITE : LX_PROT_READ)))
            break;
        if (r->shared && out) {
            cr_assert_eq(pwrite(r->fd, ours + done, n, (off_t)(r->offset + (at - r->start))),
                         (ssize_t)n);
        } else if (r->shared) {
            cr_assert_eq(pread(r->fd, ours + done, n, (off_t)(r->offset + (at - r->start))),
                         (ssize_t)n);
        } else {
            u8 *bytes = page_bytes(mm, r, at - in_page) + in_page;

            memcpy(out ? bytes : ours + done, out ? ours + done : bytes, n);
        }
        done += n;
        at += n;
    }
    return done ? (ssize_t)done : -EFAULT;
}

static ssize_t fake_copy_in(struct plat_mm *mm, void *dst, uaddr_t src, size_t len)
{
    return copy(mm, src, dst, len, false);
}

static ssize_t fake_copy_out(struct plat_mm *mm, uaddr_t dst, const void *src, size_t len)
{
    return copy(mm, dst, (u8 *)(uintptr_t)src, len, true);
}

/* --- objects --- */

static int fake_mm_pid(const struct plat_mm *mm)
{
    return mm != NULL ? 4711 : 0;
}

static struct plat_mm *fake_mm_of(struct plat_thread *th)
{
    return th->mm;
}

static struct plat_mm *fake_mm_get(struct plat_mm *mm)
{
    mm->refs++;
    return mm;
}

static void fake_mm_put(struct plat_mm *mm)
{
    if (--mm->refs)
        return;
    for (size_t i = 0; i < mm->cap; i++)
        free(mm->pages[i].bytes);
    free(mm->pages);
    free(mm->ranges);
    free(mm);
    live--;
}

struct plat_thread *fake_thread(void)
{
    struct plat_thread *th = calloc(1, sizeof(*th));

    th->mm = calloc(1, sizeof(*th->mm));
    th->mm->refs = 1;
    live++;
    return th;
}

struct plat_thread *fake_fork(struct plat_thread *th)
{
    struct plat_thread *child = fake_thread();

    for (size_t i = 0; i < th->mm->nranges; i++)
        ranges_add(child->mm, th->mm->ranges[i]);
    for (size_t i = 0; i < th->mm->cap; i++) {
        const struct fake_page *p = &th->mm->pages[i];

        if (p->addr)
            memcpy(page_bytes(child->mm, fake_find(child->mm, p->addr), p->addr), p->bytes,
                   GUEST_PAGE_SIZE);
    }
    return child;
}

void fake_thread_free(struct plat_thread *th)
{
    fake_mm_put(th->mm);
    free(th);
}

static int fake_exec_prepare(struct plat_thread *self, struct plat_zygote *z,
                             struct plat_thread **out)
{
    fake.prepared++;
    *out = fake_thread();
    return 0;
}

static void fake_exec_abort(struct plat_thread *self, struct plat_thread *fresh)
{
    fake.aborted++;
    fake_thread_free(fresh);
}

const struct platform_ops fake_platform = {
    .name = "fake",
    .exec_prepare = fake_exec_prepare,
    .exec_abort = fake_exec_abort,
    .map = fake_map,
    .unmap = fake_unmap,
    .protect = fake_protect,
    .advise = fake_advise,
    .remap = fake_remap,
    .sync = fake_sync,
    .map_vdso = fake_map_vdso,
    .set_cmdline = fake_set_cmdline,
    .mm_of = fake_mm_of,
    .mm_pid = fake_mm_pid,
    .mm_get = fake_mm_get,
    .mm_put = fake_mm_put,
    .copy_in = fake_copy_in,
    .copy_out = fake_copy_out,
};
