/* See fixture.h. */
#include "fixture.h"

#include "sentry/mm/mm_priv.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct plat_thread *thread;
struct mm *mm;

void fixture_setup(void)
{
    fake = (struct fake_state){0};
    thread = fake_thread();
    cr_assert_eq(mm_new(&fake_platform, thread, &mm), 0);
}

static u64 live_objects(void)
{
    u64 n = 0;

    for (struct obj_type *t = obj_types(); t; t = t->next)
        n += t->live;
    return n;
}

void fixture_teardown(void)
{
    mm_put(mm);
    fake_thread_free(thread);
    cr_assert_eq(fake_live(), 0);
    cr_assert_eq(live_objects(), 0);
}

static struct test_file *of_mappable(struct mappable *m)
{
    return container_of(m, struct test_file, mappable);
}

static int file_map_fd(struct mappable *m, bool shared, bool may_write)
{
    return of_mappable(m)->fd;
}

static void file_identity(struct mappable *m, u32 *major, u32 *minor, u64 *ino)
{
    *major = 8;
    *minor = 1;
    *ino = of_mappable(m)->ino;
}

static int file_path(struct mappable *m, char *buf, size_t cap)
{
    return snprintf(buf, cap, "%s", of_mappable(m)->path);
}

static struct mappable *file_get_ref(struct mappable *m)
{
    of_mappable(m)->refs++;
    return m;
}

static void file_put_ref(struct mappable *m)
{
    of_mappable(m)->refs--;
}

static const struct mappable_ops file_mappable_ops = {
    .map_fd = file_map_fd,
    .identity = file_identity,
    .path = file_path,
    .get = file_get_ref,
    .put = file_put_ref,
};

void test_file_make(struct test_file *f, u64 len)
{
    u8 page[GUEST_PAGE_SIZE];

    *f = (struct test_file){.mappable = {&file_mappable_ops},
                            .fd = memfd_create("test", 0),
                            .ino = 77,
                            .path = "/bin/cat"};
    cr_assert_geq(f->fd, 0);
    for (u64 at = 0; at < len; at += sizeof(page)) {
        memset(page, (int)(at / GUEST_PAGE_SIZE + 1), sizeof(page));
        cr_assert_eq(pwrite(f->fd, page, sizeof(page), (off_t)at), sizeof(page));
    }
}

void test_file_close(struct test_file *f)
{
    cr_assert_eq(f->refs, 0);
    close(f->fd);
}

static s64 map_with(const struct mm_map_args *args)
{
    uaddr_t out;
    int err = mm_map(mm, thread, args, &out);

    check_table(mm);
    return err ? err : (s64)out;
}

s64 map(uaddr_t addr, u64 len, u32 prot, u32 flags)
{
    struct mm_map_args args = {.addr = addr, .len = len, .prot = prot, .flags = flags};

    return map_with(&args);
}

s64 map_file(uaddr_t addr, u64 len, u32 prot, u32 flags, struct test_file *f, u64 offset, u32 may)
{
    struct mm_map_args args = {.addr = addr,
                               .len = len,
                               .prot = prot,
                               .flags = flags,
                               .mappable = &f->mappable,
                               .offset = offset,
                               .may_prot = may};

    return map_with(&args);
}

s64 remap(uaddr_t old, u64 old_len, u64 new_len, u32 flags, uaddr_t new_addr)
{
    uaddr_t out;
    int err = mm_remap(mm, thread, old, old_len, new_len, flags, new_addr, &out);

    check_table(mm);
    return err ? err : (s64)out;
}

/* largest_gap() - as vma.max_gap should be, found by recursion. */
static u64 largest_gap(const struct vma *v)
{
    u64 max = v->gap;

    if (RB_LEFT(v, node))
        max = max_of(max, largest_gap(RB_LEFT(v, node)));
    if (RB_RIGHT(v, node))
        max = max_of(max, largest_gap(RB_RIGHT(v, node)));
    cr_assert_eq(v->max_gap, max);
    return max;
}

/* check_host() - every byte of v is mapped on the fake host just so. */
static void check_host(const struct plat_mm *host, const struct vma *v)
{
    uaddr_t at = v->start;

    while (at < v->end) {
        const struct fake_range *r = fake_find(host, at);

        cr_assert(r, "%llx is not mapped", (unsigned long long)at);
        cr_assert_eq(r->prot, v->prot);
        cr_assert_eq(r->shared, !!(v->flags & VMA_SHARED));
        cr_assert_eq(r->fd >= 0, v->mappable != NULL);
        if (v->mappable)
            cr_assert_eq(r->offset + (at - r->start), v->offset + (at - v->start));
        at = r->end;
    }
}

void check_table(struct mm *m)
{
    u64 total = 0, locked = 0, data = 0, stack = 0, host = 0;
    uaddr_t end = 0;
    u32 n = 0;

    for (struct vma *v = mm_first_locked(m); v; v = mm_next_locked(v)) {
        u64 len = v->end - v->start;
        uaddr_t gap_end = v->start - (v->flags & VMA_GROWSDOWN ? MM_STACK_GUARD : 0);

        cr_assert_lt(v->start, v->end);
        cr_assert_geq(v->start, end);
        cr_assert_eq(v->gap, gap_end > end ? gap_end - end : 0);
        cr_assert(!(v->prot & ~v->may_prot));
        check_host(m->plat, v);
        end = v->end;
        total += len;
        locked += v->flags & VMA_LOCKED ? len : 0;
        stack += v->flags & VMA_GROWSDOWN ? len : 0;
        data += vma_is_data(v->prot, v->flags) ? len : 0;
        n++;
    }
    for (size_t i = 0; i < m->plat->nranges; i++)
        host += m->plat->ranges[i].end - m->plat->ranges[i].start;
    cr_assert_eq(host, total, "the host has %llx, the table %llx", (unsigned long long)host,
                 (unsigned long long)total);
    cr_assert_eq(m->nvmas, n);
    cr_assert_eq(m->total_bytes, total);
    cr_assert_eq(m->locked_bytes, locked);
    cr_assert_eq(m->data_bytes, data);
    cr_assert_eq(m->stack_bytes, stack);
    cr_assert_geq(m->peak_bytes, total);
    if (RB_ROOT(&m->vmas))
        largest_gap(RB_ROOT(&m->vmas));
}

const char *layout(struct mm *m, uaddr_t base)
{
    static char text[4096];
    size_t n = 0;

    text[0] = '\0';
    for (struct vma *v = mm_first_locked(m); v; v = mm_next_locked(v)) {
        n += (size_t)snprintf(
            text + n, sizeof(text) - n, "%s%lld+%lld:%c%c%c", n ? " " : "",
            ((long long)v->start - (long long)base) / 4096, (long long)(v->end - v->start) / 4096,
            v->prot & LX_PROT_READ ? 'r' : '-', v->prot & LX_PROT_WRITE ? 'w' : '-',
            v->prot & LX_PROT_EXEC ? 'x' : '-');
        cr_assert_lt(n, sizeof(text));
    }
    return text;
}
