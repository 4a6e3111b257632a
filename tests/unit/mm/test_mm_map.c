/* mmap, munmap, brk and mprotect: errnos in Linux's order, placement, splitting, joining, limits. */
#include "fixture.h"

#include "sentry/base/limits.h"
#include "sentry/mm/mm_priv.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#define BASE 0x10000000ull

TestSuite(mm_map, .init = fixture_setup, .fini = fixture_teardown);

/* at() - map `pages` anonymous pages at BASE + `page`. */
static void at(u64 page, u64 pages, u32 prot)
{
    cr_assert_eq(map(BASE + page * 4096, pages * 4096, prot, ANON | LX_MAP_FIXED),
                 (s64)(BASE + page * 4096));
}

static int unmap(u64 page, u64 pages)
{
    int err = mm_unmap(mm, thread, BASE + page * 4096, pages * 4096);

    check_table(mm);
    return err;
}

static int protect(u64 page, u64 pages, u32 prot)
{
    int err = mm_protect(mm, thread, BASE + page * 4096, pages * 4096, prot);

    check_table(mm);
    return err;
}

Test(mm_map, arguments_are_checked_in_order)
{
    struct mm_map_args odd = {.len = 4096, .flags = ANON, .offset = 1};
    uaddr_t out;

    cr_assert_eq(map(0, 0, RW, ANON), -EINVAL);
    cr_assert_eq(mm_map(mm, thread, &odd, &out), -EINVAL);
    cr_assert_eq(map(0, 4096, RW, LX_MAP_ANONYMOUS), -EINVAL);
    cr_assert_eq(map(0, 4096, RW, LX_MAP_ANONYMOUS | LX_MAP_SHARED_VALIDATE), -EINVAL);
    cr_assert_eq(map(0, UINT64_MAX, RW, ANON), -ENOMEM);
    cr_assert_eq(map(0, UINT64_MAX - 8191, RW, ANON), -ENOMEM);
    cr_assert_eq(map(0, PLAT_TASK_SIZE + 4096, RW, ANON), -ENOMEM);
    cr_assert_eq(map(0, PLAT_TASK_SIZE, RW, ANON), -ENOMEM);
    cr_assert_eq(map(PLAT_TASK_SIZE - 4096, 8192, RW, ANON | LX_MAP_FIXED), -ENOMEM);
    cr_assert_eq(map(PLAT_STUB_BASE, 4096, RW, ANON | LX_MAP_FIXED), -ENOMEM);
    cr_assert_eq(map(BASE + 1, 4096, RW, ANON | LX_MAP_FIXED), -EINVAL);
    cr_assert_eq(map(0, 4096, RW, ANON | LX_MAP_FIXED), -EPERM);
    cr_assert_eq(map(PLAT_GUEST_MIN - 4096, 4096, RW, ANON | LX_MAP_FIXED_NOREPLACE), -EPERM);
    cr_assert_eq(map(0, 4096, RW, ANON | LX_MAP_HUGETLB), -ENOMEM);
    cr_assert_eq(map(0, 4096, RW, ANON | LX_MAP_HUGETLB | 16u << LX_MAP_HUGE_SHIFT), -EINVAL);
    cr_assert_eq(map(0, 4096, RW, LX_MAP_SHARED | LX_MAP_ANONYMOUS | LX_MAP_GROWSDOWN), -EINVAL);
    cr_assert_eq(fake.orders, 0);
}

Test(mm_map, files_are_checked_by_their_rights)
{
    struct test_file f;
    const u32 ro = LX_PROT_READ | LX_PROT_EXEC;

    test_file_make(&f, 16384);
    cr_assert_eq(map_file(0, 4096, RW, LX_MAP_SHARED, &f, 0, ro), -EACCES);
    cr_assert_eq(map_file(0, 4096, LX_PROT_READ, LX_MAP_PRIVATE, &f, 0, LX_PROT_WRITE), -EACCES);
    cr_assert_eq(map_file(0, 4096, RX, LX_MAP_PRIVATE, &f, 0, LX_PROT_READ), -EPERM);
    cr_assert_eq(map_file(0, 4096, RW, 0, &f, 0, ro), -EINVAL);
    cr_assert_eq(map_file(0, 4096, RW, LX_MAP_SHARED_VALIDATE | LX_MAP_SYNC, &f, 0, LX_PROT_RWX),
                 -EOPNOTSUPP);
    cr_assert_eq(map_file(0, 8192, RW, LX_MAP_PRIVATE, &f, (u64)INT64_MAX - 4095, ro), -EOVERFLOW);
    cr_assert_eq(map_file(0, 8192, RW, LX_MAP_PRIVATE, &f, UINT64_MAX - 4095, ro), -EOVERFLOW);
    cr_assert_eq(map_file(0, 4096, RW, LX_MAP_PRIVATE | LX_MAP_HUGETLB, &f, 0, ro), -EINVAL);
    cr_assert_eq(fake.orders, 0);

    /* MAP_SHARED ignores what it doesn't know; a private mapping of a read-only file is writable. */
    cr_assert_gt(map_file(0, 4096, LX_PROT_READ, LX_MAP_SHARED | LX_MAP_SYNC, &f, 0, ro), 0);
    cr_assert_gt(map_file(BASE, 4096, RW, LX_MAP_PRIVATE, &f, 4096, ro), 0);
    mm_put(mm);
    cr_assert_eq(mm_new(&fake_platform, thread, &mm), 0);
    test_file_close(&f);
}

Test(mm_map, a_shared_file_never_gains_rights)
{
    struct test_file f;

    test_file_make(&f, 16384);
    cr_assert_eq(map_file(BASE, 16384, LX_PROT_READ, LX_MAP_SHARED, &f, 0, LX_PROT_READ), BASE);
    cr_assert_eq(protect(0, 4, RW), -EACCES);
    cr_assert_eq(protect(1, 1, RX), -EACCES);
    cr_assert_eq(protect(1, 1, LX_PROT_NONE), 0);
    cr_assert_str_eq(layout(mm, BASE), "0+1:r-- 1+1:--- 2+2:r--");
    cr_assert_eq(unmap(0, 4), 0);
    test_file_close(&f);
}

Test(mm_map, places_from_the_top_and_honours_hints)
{
    s64 first = map(0, MB(1), RW, ANON), second = map(0, MB(1), LX_PROT_READ, ANON);

    cr_assert_eq(first, (s64)(mm->mmap_base - MB(1)));
    cr_assert_eq(second, first - (s64)MB(1));
    cr_assert_eq(map(BASE + 5, 4096, RW, ANON), BASE);
    cr_assert_eq(map(BASE, 4096, RW, ANON), second - 4096, "a taken hint is no place");
    cr_assert_eq(map(4096, 4096, LX_PROT_READ, ANON), PLAT_GUEST_MIN,
                 "hints move up to the lowest address");
    cr_assert_eq(map(BASE, 4096, RW, ANON | LX_MAP_FIXED_NOREPLACE), -EEXIST);
    cr_assert_eq(map(BASE - 4096, 8192, RW, ANON | LX_MAP_FIXED_NOREPLACE), -EEXIST);
    cr_assert_lt(map(0, 4096, RW, ANON | LX_MAP_32BIT), 1ll << 31);
    /* The hole of an unmapped range is used again. */
    cr_assert_eq(mm_unmap(mm, thread, (uaddr_t)first, MB(1)), 0);
    cr_assert_eq(map(0, MB(1), RX, ANON), first);
}

Test(mm_map, space_below_a_stack_stays_free)
{
    uaddr_t low = mm->mmap_base - MB(16);

    cr_assert_eq(map(low, MB(4), RW, ANON | LX_MAP_FIXED | LX_MAP_GROWSDOWN), (s64)low);
    cr_assert_eq(map(low - MB(1), 8192, RW, ANON), (s64)(mm->mmap_base - 8192));
    cr_assert_eq(map(low - MB(1) - 8192, 8192, RW, ANON), (s64)(low - MB(1) - 8192));
    cr_assert_eq(map(0, MB(14), RW, ANON), (s64)(low - MB(1) - 8192 - MB(14)));
}

Test(mm_map, neighbours_that_are_alike_are_one)
{
    struct test_file f;

    at(0, 4, RW);
    at(8, 4, RW);
    at(4, 4, RW);
    cr_assert_str_eq(layout(mm, BASE), "0+12:rw-");
    at(12, 1, RX);
    cr_assert_str_eq(layout(mm, BASE), "0+12:rw- 12+1:r-x");
    test_file_make(&f, 65536);
    cr_assert_gt(map_file(BASE + 0x20000, 8192, RX, LX_MAP_PRIVATE, &f, 8192, LX_PROT_RWX), 0);
    cr_assert_gt(map_file(BASE + 0x22000, 8192, RX, LX_MAP_PRIVATE, &f, 16384, LX_PROT_RWX), 0);
    cr_assert_str_eq(layout(mm, BASE), "0+12:rw- 12+1:r-x 32+4:r-x");
    cr_assert_gt(map_file(BASE + 0x24000, 8192, RX, LX_MAP_PRIVATE, &f, 16384, LX_PROT_RWX), 0);
    cr_assert_str_eq(layout(mm, BASE), "0+12:rw- 12+1:r-x 32+4:r-x 36+2:r-x");
    cr_assert_eq(f.refs, 2);
    cr_assert_eq(unmap(0, 64), 0);
    test_file_close(&f);
}

Test(mm_map, unmap_cuts_and_takes_whole_ones)
{
    at(0, 10, RW);
    at(12, 4, RX);
    cr_assert_eq(unmap(4, 2), 0);
    cr_assert_str_eq(layout(mm, BASE), "0+4:rw- 6+4:rw- 12+4:r-x");
    cr_assert_eq(unmap(2, 12), 0);
    cr_assert_str_eq(layout(mm, BASE), "0+2:rw- 14+2:r-x");
    cr_assert_eq(unmap(100, 4), 0, "nothing there is fine");
    cr_assert_eq(mm_unmap(mm, thread, BASE, 0), -EINVAL);
    cr_assert_eq(mm_unmap(mm, thread, BASE + 1, 4096), -EINVAL);
    cr_assert_eq(mm_unmap(mm, thread, BASE, PLAT_TASK_SIZE), -EINVAL);
    cr_assert_eq(mm_unmap(mm, thread, PLAT_TASK_SIZE + 4096, 4096), -EINVAL);
    cr_assert_eq(mm_unmap(mm, thread, BASE, UINT64_MAX), -EINVAL);
}

Test(mm_map, protect_stops_where_linux_does)
{
    at(0, 4, RW);
    at(6, 2, RW);
    cr_assert_eq(protect(1, 2, RX), 0);
    cr_assert_str_eq(layout(mm, BASE), "0+1:rw- 1+2:r-x 3+1:rw- 6+2:rw-");
    cr_assert_eq(protect(0, 8, LX_PROT_READ), -ENOMEM);
    cr_assert_str_eq(layout(mm, BASE), "0+4:r-- 6+2:rw-", "the part before the hole is done");
    cr_assert_eq(protect(4, 4, LX_PROT_NONE), -ENOMEM);
    cr_assert_str_eq(layout(mm, BASE), "0+4:r-- 6+2:rw-", "none after a hole at the start");
    cr_assert_eq(mm_protect(mm, thread, BASE + 1, 4096, RW), -EINVAL);
    cr_assert_eq(mm_protect(mm, thread, BASE, 0, RW), 0);
    cr_assert_eq(mm_protect(mm, thread, BASE, UINT64_MAX, RW), -ENOMEM);
    cr_assert_eq(mm_protect(mm, thread, BASE, 4096, 0x40), -EINVAL);
    cr_assert_eq(mm_protect(mm, thread, BASE, 4096, RW | LX_PROT_GROWSDOWN), -EINVAL);
    cr_assert_eq(mm_protect(mm, thread, BASE, 4096, RW | LX_PROT_GROWSDOWN | LX_PROT_GROWSUP),
                 -EINVAL);
}

Test(mm_map, protect_reaches_the_stacks_bottom)
{
    cr_assert_eq(map(BASE, 32768, RW, ANON | LX_MAP_FIXED | LX_MAP_GROWSDOWN), BASE);
    cr_assert_eq(protect(4, 1, LX_PROT_RWX | LX_PROT_GROWSDOWN), 0);
    cr_assert_str_eq(layout(mm, BASE), "0+5:rwx 5+3:rw-");
}

Test(mm_map, unchanged_protection_costs_no_order)
{
    u32 before;

    at(0, 4, RW);
    before = fake.orders;
    cr_assert_eq(protect(0, 4, RW), 0);
    cr_assert_eq(fake.orders, before);
}

Test(mm_map, a_failed_order_leaves_the_table)
{
    at(0, 8, RW);
    fake.fail_errno = -ENOMEM;
    fake.fail_at = fake.orders + 1;
    cr_assert_eq(map(BASE + 4096, 4096, RX, ANON | LX_MAP_FIXED), -ENOMEM);
    fake.fail_at = fake.orders + 1;
    cr_assert_eq(unmap(1, 2), -ENOMEM);
    fake.fail_at = fake.orders + 1;
    cr_assert_eq(protect(1, 2, RX), -ENOMEM);
    cr_assert_str_eq(layout(mm, BASE), "0+8:rw-");
}

Test(mm_map, limits_hold)
{
    mm->limit_as = MB(1);
    cr_assert_eq(map(0, MB(1) + 1, RW, ANON), -ENOMEM);
    at(0, 256, RW);
    cr_assert_eq(map(0, 4096, RW, ANON), -ENOMEM);
    cr_assert_eq(map(BASE, 4096, RX, ANON | LX_MAP_FIXED), BASE, "what is replaced counts no more");
    mm->limit_as = UINT64_MAX;
    mm->limit_data = KB(1020);
    cr_assert_eq(map(0, 4096, RW, ANON), -ENOMEM);
    cr_assert_gt(map(0, 4096, RX, ANON), 0, "code is no data");
    cr_assert_eq(protect(0, 1, RW), -ENOMEM);
    cr_assert_gt(map(0, 4096, RW, LX_MAP_SHARED | LX_MAP_ANONYMOUS), 0, "nor is shared memory");
}

Test(mm_map, mappings_are_counted, .timeout = 60)
{
    /* The fake host is linear, so the table is brought near its limit by hand. */
    at(0, 8, RW);
    mm->nvmas += LIMIT_VMAS;
    cr_assert_eq(mm_unmap(mm, thread, BASE + 4096, 4096), -ENOMEM);
    cr_assert_eq(mm_protect(mm, thread, BASE + 4096, 4096, RX), -ENOMEM);
    cr_assert_eq(mm_advise(mm, thread, BASE + 4096, 4096, LX_MADV_DONTFORK), -ENOMEM);
    cr_assert_eq(mm_lock(mm, thread, BASE, 4096, VMA_LOCKED), -ENOMEM);
    mm->nvmas -= LIMIT_VMAS;
    check_table(mm);
}

Test(mm_map, the_break_moves)
{
    mm->brk_start = mm->brk = BASE + 100;
    cr_assert_eq(mm_brk(mm, thread, 0), BASE + 100);
    cr_assert_eq(mm_brk(mm, thread, BASE + 200), BASE + 200);
    cr_assert_str_eq(layout(mm, BASE), "", "BASE's own page is the executable's");
    cr_assert_eq(mm_brk(mm, thread, BASE + 8192), BASE + 8192);
    cr_assert_str_eq(layout(mm, BASE), "1+1:rw-");
    cr_assert_eq(mm_brk(mm, thread, BASE + 16384), BASE + 16384);
    cr_assert_str_eq(layout(mm, BASE), "1+3:rw-");
    cr_assert_eq(mm_brk(mm, thread, BASE + 99), BASE + 16384);
    cr_assert_eq(mm_brk(mm, thread, BASE + 4200), BASE + 4200);
    cr_assert_str_eq(layout(mm, BASE), "1+1:rw-");
    cr_assert_eq(mm_brk(mm, thread, PLAT_TASK_SIZE + 4096), BASE + 4200);
    cr_assert_eq(mm_brk(mm, thread, UINT64_MAX), BASE + 4200);
    cr_assert_eq(map(BASE + 0x10000, 4096, RW, ANON | LX_MAP_FIXED), BASE + 0x10000);
    cr_assert_eq(mm_brk(mm, thread, BASE + 0x10000), BASE + 4200, "a page stays free below others");
    cr_assert_eq(mm_brk(mm, thread, BASE + 0xf000), BASE + 0xf000);
    mm->limit_data = 0xf000;
    cr_assert_eq(mm_brk(mm, thread, BASE + 0xf100), BASE + 0xf000);
    fake.fail_at = fake.orders + 1;
    fake.fail_errno = -ENOMEM;
    cr_assert_eq(mm_brk(mm, thread, BASE + 4096), BASE + 0xf000);
    check_table(mm);
}

Test(mm_map, shared_anonymous_memory_is_an_object)
{
    s64 a = map(0, 8192, RW, LX_MAP_SHARED | LX_MAP_ANONYMOUS);
    struct futex_key k1, k2;
    u32 word = 7, seen = 0;
    struct plat_thread *child;
    struct mm *copy;

    cr_assert_gt(a, 0);
    child = fake_fork(thread);
    cr_assert_eq(mm_fork(mm, child, &copy), 0);
    check_table(copy);
    cr_assert_eq(usermem_put(mm, (uaddr_t)a + 4100, &word), 0);
    cr_assert_eq(usermem_get(copy, &seen, (uaddr_t)a + 4100), 0);
    cr_assert_eq(seen, 7);
    cr_assert_eq(mm_futex_key(mm, (uaddr_t)a + 4, true, &k1), 0);
    cr_assert_eq(mm_futex_key(copy, (uaddr_t)a + 4, true, &k2), 0);
    cr_assert_arr_eq(&k1, &k2, sizeof(k1));
    cr_assert_eq(mm_futex_key(copy, (uaddr_t)a + 8, true, &k2), 0);
    cr_assert_arr_neq(&k1, &k2, sizeof(k1));
    cr_assert_eq(mm_futex_key(mm, (uaddr_t)a + 8192, true, &k2), -EFAULT);
    cr_assert_eq(mm_futex_key(mm, PLAT_TASK_SIZE, false, &k2), -EFAULT);
    mm_put(copy);
    fake_thread_free(child);
}

Test(mm_map, private_futexes_differ_by_process)
{
    struct plat_thread *child;
    struct futex_key k1, k2;
    struct mm *copy;

    at(0, 1, RW);
    child = fake_fork(thread);
    cr_assert_eq(mm_fork(mm, child, &copy), 0);
    cr_assert_eq(mm_futex_key(mm, BASE, true, &k1), 0);
    cr_assert_eq(mm_futex_key(copy, BASE, true, &k2), 0);
    cr_assert_arr_neq(&k1, &k2, sizeof(k1));
    cr_assert_eq(mm_futex_key(mm, BASE, false, &k2), 0);
    cr_assert_arr_eq(&k1, &k2, sizeof(k1));
    mm_put(copy);
    fake_thread_free(child);
}

Test(mm_map, fork_carries_out_dontfork_and_wipeonfork)
{
    struct plat_thread *child;
    struct mm *copy;
    u8 byte = 9;

    at(0, 8, RW);
    for (u64 page = 0; page < 8; page++)
        cr_assert_eq(usermem_put(mm, BASE + page * 4096, &byte), 0);
    cr_assert_eq(mm_advise(mm, thread, BASE + 4096, 8192, LX_MADV_DONTFORK), 0);
    cr_assert_eq(mm_advise(mm, thread, BASE + 16384, 4096, LX_MADV_WIPEONFORK), 0);
    cr_assert_eq(mm_lock(mm, thread, BASE + 20480, 4096, VMA_LOCKED), 0);
    child = fake_fork(thread);
    cr_assert_eq(mm_fork(mm, child, &copy), 0);
    cr_assert_eq(mm_fork_fixup(copy, child), 0);
    check_table(copy);
    check_table(mm);
    cr_assert_eq(copy->locked_bytes, 0);
    cr_assert_str_eq(layout(copy, BASE), "0+1:rw- 3+1:rw- 4+1:rw- 5+1:rw- 6+2:rw-");
    cr_assert_eq(usermem_get(copy, &byte, BASE), 0);
    cr_assert_eq(byte, 9);
    cr_assert_eq(usermem_get(copy, &byte, BASE + 16384), 0);
    cr_assert_eq(byte, 0);
    cr_assert_eq(usermem_get(copy, &byte, BASE + 4096), -EFAULT);
    mm_put(copy);
    fake_thread_free(child);
}

/* One address space, thousands of random calls; the table is compared with the host after each. */
Test(mm_map, random_calls_keep_table_and_host_together, .timeout = 120)
{
    static const u32 prots[] = {LX_PROT_NONE, LX_PROT_READ, RW, RX};
    struct test_file f;

    test_file_make(&f, MB(1));
    srandom(42);
    mm->brk_start = mm->brk = BASE - MB(8);
    for (int i = 0; i < 20000; i++) {
        uaddr_t addr = BASE + (u64)(random() % 64) * 4096;
        u64 len = (u64)(random() % 16 + 1) * 4096, other = (u64)(random() % 16 + 1) * 4096;
        u32 prot = prots[random() % 4];
        uaddr_t to = BASE + (u64)(random() % 64) * 4096;

        fake.fail_at = random() % 50 ? 0 : fake.orders + 1;
        fake.fail_errno = -ENOMEM;
        switch (random() % 10) {
        case 0:
        case 1: map(addr, len, prot, ANON | LX_MAP_FIXED); break;
        case 2:
            map_file(addr, len, prot,
                     LX_MAP_FIXED | (random() % 2 ? LX_MAP_SHARED : LX_MAP_PRIVATE), &f,
                     (u64)(random() % 8) * 4096, LX_PROT_RWX);
            break;
        case 3: mm_unmap(mm, thread, addr, len); break;
        case 4: mm_protect(mm, thread, addr, len, prot); break;
        case 5: remap(addr, len, other, LX_MREMAP_MAYMOVE, 0); break;
        case 6: remap(addr, len, other, LX_MREMAP_MAYMOVE | LX_MREMAP_FIXED, to); break;
        case 7:
            remap(addr, len, len, LX_MREMAP_MAYMOVE | LX_MREMAP_DONTUNMAP | LX_MREMAP_FIXED, to);
            break;
        case 8:
            mm_advise(mm, thread, addr, len, random() % 2 ? LX_MADV_DONTFORK : LX_MADV_DOFORK);
            break;
        default: mm_brk(mm, thread, mm->brk_start + (u64)(random() % 100000)); break;
        }
        check_table(mm);
        if (i % 200 == 0)
            mm_unmap(mm, thread, mm->mmap_base - MB(64), MB(64));
    }
    fake.fail_at = 0;
    cr_assert_eq(mm_unmap(mm, thread, PLAT_GUEST_MIN, PLAT_TASK_SIZE - PLAT_GUEST_MIN), 0);
    cr_assert_eq(mm->nvmas, 0);
    test_file_close(&f);
}
