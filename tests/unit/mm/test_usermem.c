/* Copies, strings, iovecs and struct uio at the edges of guest memory. */
#include "fixture.h"

#include "sentry/base/limits.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BASE 0x10000000ull
#define PAGE 4096ull

static void setup(void)
{
    fixture_setup();
    cr_assert_eq(map(BASE, 2 * PAGE, RW, ANON | LX_MAP_FIXED), BASE);
    cr_assert_eq(map(BASE + 2 * PAGE, PAGE, LX_PROT_READ, ANON | LX_MAP_FIXED), BASE + 2 * PAGE);
}

TestSuite(usermem, .init = setup, .fini = fixture_teardown);

Test(usermem, copies_end_where_memory_does)
{
    char buf[4 * PAGE] = {1, 2, 3};

    cr_assert_eq(usermem_out(mm, BASE, buf, 2 * PAGE), 0);
    cr_assert_eq(usermem_out(mm, BASE + PAGE, buf, PAGE + 1), -EFAULT, "read-only page");
    cr_assert_eq(usermem_in(mm, buf, BASE, 3 * PAGE), 0);
    cr_assert_eq(usermem_in(mm, buf, BASE, 3 * PAGE + 1), -EFAULT);
    cr_assert_eq(usermem_read(mm, buf, BASE + PAGE, 4 * PAGE), 2 * PAGE);
    cr_assert_eq(usermem_write(mm, BASE + PAGE, buf, 2 * PAGE), PAGE);
    cr_assert_eq(usermem_read(mm, buf, BASE + 3 * PAGE, 1), -EFAULT);
    cr_assert_eq(usermem_read(mm, buf, 0, 0), 0);
}

Test(usermem, nothing_reaches_beyond_the_guests_range)
{
    char buf[16];

    cr_assert_eq(usermem_in(mm, buf, 0, 1), -EFAULT);
    cr_assert_eq(usermem_in(mm, buf, PLAT_GUEST_MIN - 1, 2), -EFAULT);
    cr_assert_eq(usermem_in(mm, buf, PLAT_TASK_SIZE, 1), -EFAULT);
    cr_assert_eq(usermem_in(mm, buf, PLAT_STUB_BASE, 1), -EFAULT);
    cr_assert_eq(usermem_in(mm, buf, UINT64_MAX - 4, 16), -EFAULT);
    cr_assert_eq(usermem_out(mm, UINT64_MAX, buf, 1), -EFAULT);
    cr_assert_eq(map(PLAT_TASK_SIZE - PAGE, PAGE, RW, ANON | LX_MAP_FIXED), PLAT_TASK_SIZE - PAGE);
    cr_assert_eq(usermem_read(mm, buf, PLAT_TASK_SIZE - 4, 16), 4);
    cr_assert_eq(usermem_in(mm, buf, PLAT_TASK_SIZE - 4, 16), -EFAULT);
    cr_assert_eq(usermem_out(mm, PLAT_TASK_SIZE - 4, buf, 16), -EFAULT);
}

Test(usermem, zeroing)
{
    u8 ones[2 * PAGE], seen[2 * PAGE];

    memset(ones, 1, sizeof(ones));
    cr_assert_eq(usermem_out(mm, BASE, ones, sizeof(ones)), 0);
    cr_assert_eq(usermem_zero(mm, BASE + 10, PAGE), 0);
    cr_assert_eq(usermem_in(mm, seen, BASE, sizeof(seen)), 0);
    cr_assert_eq(seen[9], 1);
    cr_assert_eq(seen[10], 0);
    cr_assert_eq(seen[PAGE + 9], 0);
    cr_assert_eq(seen[PAGE + 10], 1);
    cr_assert_eq(usermem_zero(mm, BASE + PAGE, PAGE + 1), -EFAULT);
    cr_assert_eq(map(BASE, MB(1), RW, ANON | LX_MAP_FIXED), BASE);
    cr_assert_eq(usermem_zero(mm, BASE, MB(1)), 0);
}

Test(usermem, strings)
{
    char out[64], big[PAGE];

    cr_assert_eq(usermem_out(mm, BASE + PAGE - 3, "hello", 6), 0);
    cr_assert_eq(usermem_string(mm, out, BASE + PAGE - 3, sizeof(out)), 5);
    cr_assert_str_eq(out, "hello");
    cr_assert_eq(usermem_string(mm, out, BASE + PAGE - 3, 6), 5);
    cr_assert_eq(usermem_string(mm, out, BASE + PAGE - 3, 5), -ENAMETOOLONG);
    /* A string may end with the last mapped byte, and may not go on behind it. */
    cr_assert_eq(mm_protect(mm, thread, BASE + 2 * PAGE, PAGE, RW), 0);
    memset(big, 'x', sizeof(big));
    cr_assert_eq(usermem_out(mm, BASE + 2 * PAGE, big, PAGE), 0);
    cr_assert_eq(usermem_string(mm, out, BASE + 3 * PAGE - 4, sizeof(out)), -EFAULT);
    cr_assert_eq(usermem_zero(mm, BASE + 3 * PAGE - 1, 1), 0);
    cr_assert_eq(usermem_string(mm, out, BASE + 3 * PAGE - 4, sizeof(out)), 3);
    cr_assert_eq(usermem_string(mm, out, 0, sizeof(out)), -EFAULT);
}

Test(usermem, iovecs)
{
    struct uio_vec fast[2], *v = NULL,
                            guest[4] = {{BASE, 10}, {BASE + PAGE, 20}, {0, 0}, {BASE, 5}};

    cr_assert_eq(usermem_out(mm, BASE, guest, sizeof(guest)), 0);
    cr_assert_eq(usermem_iovec(mm, BASE, 2, fast, 2, &v), 0);
    cr_assert_eq(v, fast);
    cr_assert_eq(usermem_iovec(mm, BASE, 4, fast, 2, &v), 0);
    cr_assert_neq(v, fast);
    cr_assert_eq(v[3].len, 5);
    free(v);
    cr_assert_eq(usermem_iovec(mm, BASE, 0, fast, 2, &v), 0);
    cr_assert_eq(usermem_iovec(mm, BASE, 1025, fast, 2, &v), -EINVAL);
    cr_assert_eq(usermem_iovec(mm, BASE, UINT64_MAX, fast, 2, &v), -EINVAL);
    cr_assert_eq(usermem_iovec(mm, BASE + 3 * PAGE - 16, 2, fast, 2, &v), -EFAULT);
    guest[1].len = (u64)INT64_MAX + 1;
    cr_assert_eq(usermem_out(mm, BASE, guest, sizeof(guest)), 0);
    cr_assert_eq(usermem_iovec(mm, BASE, 4, fast, 2, &v), -EINVAL);
    guest[1].len = INT64_MAX;
    cr_assert_eq(usermem_out(mm, BASE, guest, sizeof(guest)), 0);
    cr_assert_eq(usermem_iovec(mm, BASE, 4, fast, 2, &v), 0);
    cr_assert_eq(v[0].len + v[1].len, LIMIT_RW_BYTES);
    cr_assert_eq(v[3].len, 0);
    free(v);
}

Test(usermem, uio_scatters_and_gathers)
{
    struct uio_vec vec[] = {
        {BASE, 3}, {BASE + PAGE, 0}, {BASE + PAGE - 2, 4}, {BASE + 3 * PAGE, 8}};
    struct uio_vec one;
    struct uio u;
    char out[16] = {0};

    uio_init(&u, mm, vec, 3);
    cr_assert_eq(u.left, 7);
    cr_assert_eq(uio_to(&u, "abcde", 5), 5);
    cr_assert_eq(uio_to(&u, "fghij", 5), 2);
    cr_assert_eq(u.left, 0);
    cr_assert_eq(uio_to(&u, "x", 1), 0);
    uio_init(&u, mm, vec, 3);
    cr_assert_eq(uio_from(&u, out, sizeof(out)), 7);
    cr_assert_str_eq(out, "abcdefg");

    /* A fault stops behind the last byte that got through. */
    uio_init(&u, mm, vec + 2, 2);
    cr_assert_eq(uio_zero(&u, 12), 4);
    cr_assert_eq(u.left, 8);
    cr_assert_eq(uio_zero(&u, 8), -EFAULT);
    cr_assert_eq(uio_to(&u, "z", 1), -EFAULT);
    cr_assert_eq(uio_from(&u, out, 1), -EFAULT);
    uio_user(&u, &one, mm, BASE + 2 * PAGE - 1, 4);
    cr_assert_eq(uio_to(&u, "1234", 4), 1);

    uio_kernel(&u, &one, out, sizeof(out));
    cr_assert_eq(uio_to(&u, "kernel", 6), 6);
    cr_assert_eq(uio_zero(&u, 100), 10);
    cr_assert_str_eq(out, "kernel");
}
