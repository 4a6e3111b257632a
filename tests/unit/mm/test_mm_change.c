/* mremap, madvise, msync, mincore, memory locks, /proc/PID/maps. */
#include "fixture.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BASE 0x10000000ull
#define PAGE 4096ull

TestSuite(mm_change, .init = fixture_setup, .fini = fixture_teardown);

static void at(u64 page, u64 pages, u32 prot)
{
    cr_assert_eq(map(BASE + page * PAGE, pages * PAGE, prot, ANON | LX_MAP_FIXED),
                 (s64)(BASE + page * PAGE));
}

static void mark(u64 page, u8 value)
{
    cr_assert_eq(usermem_put(mm, BASE + page * PAGE, &value), 0);
}

static int marked(uaddr_t addr)
{
    u8 value;

    return usermem_get(mm, &value, addr) ? -1 : value;
}

Test(mm_change, remap_arguments)
{
    at(0, 4, RW);
    at(4, 4, RX);
    cr_assert_eq(remap(BASE, PAGE, 2 * PAGE, 8, 0), -EINVAL);
    cr_assert_eq(remap(BASE, PAGE, 2 * PAGE, LX_MREMAP_FIXED, BASE + MB(1)), -EINVAL);
    cr_assert_eq(remap(BASE + 1, PAGE, 2 * PAGE, 0, 0), -EINVAL);
    cr_assert_eq(remap(BASE, PAGE, 0, 0, 0), -EINVAL);
    cr_assert_eq(remap(BASE, PAGE, 2 * PAGE, LX_MREMAP_MAYMOVE | LX_MREMAP_DONTUNMAP, 0), -EINVAL);
    cr_assert_eq(remap(BASE + MB(1), PAGE, 2 * PAGE, 0, 0), -EFAULT);
    cr_assert_eq(remap(BASE, 5 * PAGE, 6 * PAGE, LX_MREMAP_MAYMOVE, 0), -EFAULT, "two VMAs");
    cr_assert_eq(remap(BASE, 0, PAGE, LX_MREMAP_MAYMOVE, 0), -EINVAL, "private memory has no twin");
    cr_assert_eq(remap(BASE, 2 * PAGE, 2 * PAGE, LX_MREMAP_MAYMOVE | LX_MREMAP_FIXED, BASE + PAGE),
                 -EINVAL, "overlap");
    cr_assert_eq(remap(BASE, PAGE, PAGE, LX_MREMAP_MAYMOVE | LX_MREMAP_FIXED, BASE + MB(1) + 1),
                 -EINVAL);
    cr_assert_eq(remap(BASE, PAGE, PAGE, LX_MREMAP_MAYMOVE | LX_MREMAP_FIXED, PLAT_TASK_SIZE),
                 -EINVAL);
    cr_assert_eq(remap(BASE, 4 * PAGE, 5 * PAGE, 0, 0), -ENOMEM, "no room and may not move");
    cr_assert_eq(remap(BASE, 2 * PAGE, 3 * PAGE, 0, 0), -ENOMEM, "the middle can't grow");
    mm->limit_as = mm->total_bytes;
    cr_assert_eq(remap(BASE + 4 * PAGE, 4 * PAGE, 5 * PAGE, LX_MREMAP_MAYMOVE, 0), -ENOMEM);
}

Test(mm_change, remap_shrinks_grows_and_moves)
{
    s64 to;

    at(0, 4, RW);
    mark(0, 1);
    mark(3, 4);
    cr_assert_eq(remap(BASE, 4 * PAGE, 2 * PAGE, 0, 0), BASE);
    cr_assert_str_eq(layout(mm, BASE), "0+2:rw-");
    cr_assert_eq(remap(BASE, 2 * PAGE, 6 * PAGE, 0, 0), BASE);
    cr_assert_str_eq(layout(mm, BASE), "0+6:rw-");
    cr_assert_eq(marked(BASE + 3 * PAGE), 0, "grown memory is fresh");
    at(6, 1, RX);
    to = remap(BASE, 6 * PAGE, 8 * PAGE, LX_MREMAP_MAYMOVE, 0);
    cr_assert_eq(to, (s64)(mm->mmap_base - 8 * PAGE));
    cr_assert_eq(marked((uaddr_t)to), 1);
    cr_assert_eq(marked(BASE), -1);
    cr_assert_eq(remap((uaddr_t)to, 8 * PAGE, PAGE, LX_MREMAP_MAYMOVE | LX_MREMAP_FIXED, BASE),
                 BASE);
    cr_assert_str_eq(layout(mm, BASE), "0+1:rw- 6+1:r-x");
    cr_assert_eq(marked(BASE), 1);
}

Test(mm_change, remap_over_the_hosts_own_borders)
{
    /* One VMA in the table, five ranges on the host. */
    for (u64 page = 0; page < 5; page++) {
        at(page, 1, RW);
        mark(page, (u8)(page + 1));
    }
    cr_assert_str_eq(layout(mm, BASE), "0+5:rw-");
    cr_assert_eq(remap(BASE, 5 * PAGE, 7 * PAGE, LX_MREMAP_MAYMOVE | LX_MREMAP_FIXED, BASE + MB(1)),
                 BASE + MB(1));
    cr_assert_str_eq(layout(mm, BASE + MB(1)), "0+7:rw-");
    for (u64 page = 0; page < 5; page++)
        cr_assert_eq(marked(BASE + MB(1) + page * PAGE), (int)page + 1);
    cr_assert_eq(marked(BASE + MB(1) + 5 * PAGE), 0);
}

Test(mm_change, a_move_that_fails_half_way_is_undone)
{
    for (u64 page = 0; page < 4; page++) {
        at(page, 1, RW);
        mark(page, (u8)(page + 1));
    }
    fake.fail_errno = -ENOMEM;
    fake.fail_at = fake.orders + 6; /* whole, halves, quarters: the third page */
    cr_assert_eq(remap(BASE, 4 * PAGE, 4 * PAGE, LX_MREMAP_MAYMOVE | LX_MREMAP_FIXED, BASE + MB(1)),
                 -ENOMEM);
    cr_assert_str_eq(layout(mm, BASE), "0+4:rw-");
    for (u64 page = 0; page < 4; page++)
        cr_assert_eq(marked(BASE + page * PAGE), (int)page + 1);
}

Test(mm_change, remap_twins_shared_memory)
{
    s64 a = map(0, 2 * PAGE, RW, LX_MAP_SHARED | LX_MAP_ANONYMOUS), b;
    u8 byte = 5;

    b = remap((uaddr_t)a, 0, 2 * PAGE, LX_MREMAP_MAYMOVE, 0);
    cr_assert_gt(b, 0);
    cr_assert_neq(a, b);
    cr_assert_eq(usermem_put(mm, (uaddr_t)a + PAGE, &byte), 0);
    cr_assert_eq(marked((uaddr_t)b + PAGE), 5);
}

Test(mm_change, remap_dontunmap_leaves_an_empty_range)
{
    at(0, 2, RW);
    mark(0, 3);
    cr_assert_eq(remap(BASE, 2 * PAGE, 2 * PAGE,
                       LX_MREMAP_MAYMOVE | LX_MREMAP_DONTUNMAP | LX_MREMAP_FIXED, BASE + MB(1)),
                 BASE + MB(1));
    cr_assert_eq(marked(BASE + MB(1)), 3);
    cr_assert_eq(marked(BASE), 0);
    cr_assert_eq(mm->total_bytes, 4 * PAGE);
}

Test(mm_change, file_mappings_grow_with_their_file)
{
    struct test_file f;

    test_file_make(&f, 65536);
    cr_assert_eq(map_file(BASE, 2 * PAGE, RW, LX_MAP_SHARED | LX_MAP_FIXED, &f, PAGE, LX_PROT_RWX),
                 BASE);
    cr_assert_eq(remap(BASE, 2 * PAGE, 4 * PAGE, 0, 0), BASE);
    cr_assert_eq(marked(BASE + 3 * PAGE), 5);
    cr_assert_eq(mm_unmap(mm, thread, BASE, MB(1)), 0);
    test_file_close(&f);
}

Test(mm_change, advice)
{
    struct test_file f;

    at(0, 4, RW);
    at(6, 2, RW);
    mark(0, 1);
    cr_assert_eq(mm_advise(mm, thread, BASE, PAGE, 12345), -EINVAL);
    cr_assert_eq(mm_advise(mm, thread, BASE, PAGE, LX_MADV_MERGEABLE), -EINVAL);
    cr_assert_eq(mm_advise(mm, thread, BASE, PAGE, LX_MADV_HWPOISON), -EINVAL);
    cr_assert_eq(mm_advise(mm, thread, BASE + 1, PAGE, LX_MADV_NORMAL), -EINVAL);
    cr_assert_eq(mm_advise(mm, thread, BASE, UINT64_MAX, LX_MADV_NORMAL), -EINVAL);
    cr_assert_eq(mm_advise(mm, thread, BASE, UINT64_MAX & ~4095ull, LX_MADV_NORMAL), -EINVAL);
    cr_assert_eq(mm_advise(mm, thread, BASE, 0, LX_MADV_NORMAL), 0);
    cr_assert_eq(mm_advise(mm, thread, BASE, PAGE, LX_MADV_SEQUENTIAL), 0);
    cr_assert_eq(fake.advices, 0);
    cr_assert_eq(mm_advise(mm, thread, BASE, 8 * PAGE, LX_MADV_DONTNEED), -ENOMEM);
    cr_assert_eq(fake.advices, 2, "both sides of the hole");
    cr_assert_eq(marked(BASE), 0);
    cr_assert_eq(mm_advise(mm, thread, BASE + 8 * PAGE, 8 * PAGE, LX_MADV_DONTNEED), -ENOMEM);
    cr_assert_eq(mm_advise(mm, thread, BASE, PAGE, LX_MADV_REMOVE), -EINVAL);
    cr_assert_eq(mm_lock(mm, thread, BASE, PAGE, VMA_LOCKED), 0);
    cr_assert_eq(mm_advise(mm, thread, BASE, PAGE, LX_MADV_DONTNEED), -EINVAL);
    check_table(mm);

    test_file_make(&f, 65536);
    cr_assert_eq(map_file(BASE + MB(1), 4 * PAGE, LX_PROT_READ, LX_MAP_SHARED | LX_MAP_FIXED, &f, 0,
                          LX_PROT_RWX),
                 BASE + MB(1));
    cr_assert_eq(mm_advise(mm, thread, BASE + MB(1), PAGE, LX_MADV_FREE), -EINVAL);
    cr_assert_eq(mm_advise(mm, thread, BASE + MB(1), PAGE, LX_MADV_WIPEONFORK), -EINVAL);
    cr_assert_eq(map_file(BASE + MB(1) + 8 * PAGE, PAGE, LX_PROT_READ, LX_MAP_SHARED | LX_MAP_FIXED,
                          &f, 0, LX_PROT_READ),
                 BASE + MB(1) + 8 * PAGE);
    cr_assert_eq(mm_advise(mm, thread, BASE + MB(1) + 8 * PAGE, PAGE, LX_MADV_REMOVE), -EACCES);
    cr_assert_eq(mm_advise(mm, thread, BASE + MB(1) + PAGE, PAGE, LX_MADV_REMOVE), 0);
    cr_assert_eq(marked(BASE + MB(1)), 1);
    cr_assert_eq(marked(BASE + MB(1) + PAGE), 0);
    cr_assert_eq(marked(BASE + MB(1) + 2 * PAGE), 3);
    cr_assert_eq(mm_unmap(mm, thread, BASE, MB(2)), 0);
    test_file_close(&f);
}

Test(mm_change, sync)
{
    struct test_file f;

    test_file_make(&f, 65536);
    at(0, 2, RW);
    cr_assert_eq(
        map_file(BASE + 2 * PAGE, 2 * PAGE, RW, LX_MAP_SHARED | LX_MAP_FIXED, &f, 0, LX_PROT_RWX),
        BASE + 2 * PAGE);
    cr_assert_eq(mm_msync(mm, thread, BASE, 4 * PAGE, LX_MS_SYNC), 0);
    cr_assert_eq(fake.syncs, 1, "anonymous memory needs none");
    cr_assert_eq(mm_msync(mm, thread, BASE, 4 * PAGE, LX_MS_ASYNC), 0);
    cr_assert_eq(fake.syncs, 1);
    cr_assert_eq(mm_msync(mm, thread, BASE, 5 * PAGE, LX_MS_SYNC), -ENOMEM);
    cr_assert_eq(fake.syncs, 2, "what is there is written all the same");
    cr_assert_eq(mm_msync(mm, thread, BASE, PAGE, LX_MS_SYNC | LX_MS_ASYNC), -EINVAL);
    cr_assert_eq(mm_msync(mm, thread, BASE, PAGE, 8), -EINVAL);
    cr_assert_eq(mm_msync(mm, thread, BASE + 1, PAGE, LX_MS_SYNC), -EINVAL);
    cr_assert_eq(mm_msync(mm, thread, BASE, UINT64_MAX - PAGE, LX_MS_SYNC), -ENOMEM);
    cr_assert_eq(mm_lock(mm, thread, BASE, PAGE, VMA_LOCKED), 0);
    cr_assert_eq(mm_msync(mm, thread, BASE, PAGE, LX_MS_INVALIDATE), -EBUSY);
    cr_assert_eq(mm_unmap(mm, thread, BASE, MB(2)), 0);
    test_file_close(&f);
}

Test(mm_change, mincore)
{
    u8 vec[5] = {9, 9, 9, 9, 9};

    at(0, 4, RW);
    cr_assert_eq(mm_mincore(mm, BASE, 3 * PAGE + 1, BASE + PAGE), 0);
    cr_assert_eq(usermem_in(mm, vec, BASE + PAGE, sizeof(vec)), 0);
    cr_assert_arr_eq(vec, ((u8[]){1, 1, 1, 1, 0}), 5);
    cr_assert_eq(mm_mincore(mm, BASE, 5 * PAGE, BASE), -ENOMEM);
    cr_assert_eq(mm_mincore(mm, BASE, 4 * PAGE, BASE + MB(1)), -EFAULT);
    cr_assert_eq(mm_mincore(mm, BASE + 1, PAGE, BASE), -EINVAL);
    cr_assert_eq(mm_mincore(mm, BASE, UINT64_MAX, BASE), -ENOMEM);
    cr_assert_eq(mm_mincore(mm, BASE, 0, 0), 0);
}

Test(mm_change, locks)
{
    at(0, 8, RW);
    cr_assert_eq(mm_lock(mm, thread, BASE + PAGE + 5, PAGE, VMA_LOCKED), 0);
    check_table(mm);
    cr_assert_eq(mm->locked_bytes, 2 * PAGE, "partial pages count whole");
    mm->limit_memlock = 3 * PAGE;
    cr_assert_eq(mm_lock(mm, thread, BASE, 3 * PAGE, VMA_LOCKED), 0,
                 "what is locked already counts once");
    cr_assert_eq(mm_lock(mm, thread, BASE, 4 * PAGE, VMA_LOCKED), -ENOMEM);
    cr_assert_eq(map(0, PAGE, RW, ANON | LX_MAP_LOCKED), -EAGAIN);
    cr_assert_eq(mm_lock_all(mm, thread, true, false, VMA_LOCKED), -ENOMEM);
    cr_assert_eq(mm_lock(mm, thread, BASE + PAGE, PAGE, 0), 0);
    cr_assert_eq(mm->locked_bytes, 2 * PAGE);
    cr_assert_eq(mm_lock(mm, thread, BASE + 7 * PAGE, 2 * PAGE, 0), -ENOMEM, "into a hole");
    cr_assert_eq(mm_lock_all(mm, thread, false, true, VMA_LOCKED), 0);
    cr_assert_gt(map(BASE + MB(1), PAGE, RW, ANON), 0);
    cr_assert_eq(mm->locked_bytes, 3 * PAGE);
    cr_assert_eq(map(0, PAGE, RW, ANON), -EAGAIN);
    mm->limit_memlock = UINT64_MAX;
    cr_assert_eq(mm_lock_all(mm, thread, true, true, VMA_LOCKED), 0);
    cr_assert_eq(mm->locked_bytes, mm->total_bytes);
    cr_assert_eq(mm_unlock_all(mm), 0);
    cr_assert_eq(mm->locked_bytes, 0);
    check_table(mm);
    mm->limit_memlock = 0;
    cr_assert_eq(mm_lock(mm, thread, BASE, PAGE, VMA_LOCKED), -EPERM);
    cr_assert_eq(map(0, PAGE, RW, ANON | LX_MAP_LOCKED), -EPERM);
    cr_assert_eq(mm_lock_all(mm, thread, true, false, VMA_LOCKED), -EPERM);
    cr_assert_eq(mm_lock(mm, thread, BASE, UINT64_MAX - 8191, 0), -EINVAL);
}

Test(mm_change, maps_text)
{
    struct test_file f;
    char text[20000], rest[20000];
    uaddr_t cursor = 0;
    struct mm_sizes sizes;

    test_file_make(&f, 65536);
    f.path = "/bin/a\nb";
    cr_assert_eq(map_file(BASE, 2 * PAGE, RX, LX_MAP_PRIVATE | LX_MAP_FIXED, &f, PAGE, LX_PROT_RWX),
                 BASE);
    at(8, 1, RW);
    mm->brk_start = mm->brk = BASE + MB(1);
    mm_brk(mm, thread, BASE + MB(1) + PAGE);
    cr_assert_gt(mm_maps_text(mm, &cursor, text, sizeof(text)), 0);
    cr_assert_eq(mm_maps_text(mm, &cursor, rest, sizeof(rest)), 0);
    text[strcspn(text, "")] = '\0';
    cr_assert_eq(strncmp(text,
                         "10000000-10002000 r-xp 00001000 08:01 77"
                         "                                 /bin/a\\012b\n"
                         "10008000-10009000 rw-p 00000000 00:00 0 \n"
                         "10100000-10101000 rw-p 00000000 00:00 0"
                         "                                  [heap]\n",
                         73 + 11 + 1 + 41 + 73 + 7),
                 0, "%s", text);
    cursor = 0;
    cr_assert_eq(mm_maps_text(mm, &cursor, rest, 100), -ERANGE);
    mm_sizes(mm, &sizes);
    cr_assert_eq(sizes.total, 4 * PAGE);
    cr_assert_eq(sizes.data, 2 * PAGE);
    cr_assert_eq(sizes.exec, 2 * PAGE);
    cr_assert_eq(mm_unmap(mm, thread, BASE, MB(2)), 0);
    test_file_close(&f);
}
