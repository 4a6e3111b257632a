/* argv and envp from guest memory: copied once, bounded. */
#include "tests/unit/mm/fixture.h"

#include "sentry/base/limits.h"
#include "sentry/kernel/loader_priv.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#define BASE 0x10000000ull
#define PAGE 4096ull

static struct exec_strings s;

TestSuite(exec_strings, .init = fixture_setup, .fini = fixture_teardown);

static void mapped(u64 pages)
{
    cr_assert_eq(map(BASE, pages * PAGE, RW, ANON | LX_MAP_FIXED), BASE);
}

static void put(uaddr_t at, const void *bytes, size_t len)
{
    cr_assert_eq(usermem_out(mm, at, bytes, len), 0);
}

Test(exec_strings, a_list)
{
    u64 list[] = {BASE + 100, BASE + PAGE - 2, BASE + 100, 0};

    mapped(2);
    put(BASE, list, sizeof(list));
    put(BASE + 100, "sh\0-c", 6);
    put(BASE + PAGE - 2, "long", 5);
    cr_assert_eq(exec_strings_from_user(mm, BASE, UINT64_MAX, &s), 0);
    cr_assert_eq(s.count, 3);
    cr_assert_eq(s.len, 11);
    cr_assert_arr_eq(s.bytes, "sh\0long\0sh", 11);
    exec_strings_free(&s);
    cr_assert_eq(exec_strings_from_user(mm, 0, UINT64_MAX, &s), 0);
    cr_assert_eq(s.count, 0);
    exec_strings_free(&s);
    /* The list may end with memory, and at any alignment. */
    put(BASE + 2 * PAGE - 32, list, sizeof(list));
    cr_assert_eq(exec_strings_from_user(mm, BASE + 2 * PAGE - 32, UINT64_MAX, &s), 0);
    exec_strings_free(&s);
    put(BASE + PAGE - 13, list, sizeof(list));
    put(BASE + PAGE + 100, "long", 5);
    list[1] = BASE + PAGE + 100;
    put(BASE + PAGE - 13, list, sizeof(list));
    cr_assert_eq(exec_strings_from_user(mm, BASE + PAGE - 13, UINT64_MAX, &s), 0);
    cr_assert_eq(s.count, 3);
    cr_assert_arr_eq(s.bytes, "sh\0long\0sh", 11);
    exec_strings_free(&s);
}

Test(exec_strings, bad_pointers)
{
    u64 list[] = {BASE + 100, 8, 0};
    char full[PAGE];

    mapped(2);
    put(BASE, list, sizeof(list));
    cr_assert_eq(exec_strings_from_user(mm, BASE, UINT64_MAX, &s), -EFAULT);
    cr_assert_eq(exec_strings_from_user(mm, BASE + 2 * PAGE, UINT64_MAX, &s), -EFAULT);
    cr_assert_eq(exec_strings_from_user(mm, UINT64_MAX - 3, UINT64_MAX, &s), -EFAULT);
    list[1] = UINT64_MAX;
    put(BASE, list, sizeof(list));
    cr_assert_eq(exec_strings_from_user(mm, BASE, UINT64_MAX, &s), -EFAULT);
    /* A string that runs off the end of memory; a list that does. */
    memset(full, 'x', sizeof(full));
    put(BASE + PAGE, full, sizeof(full));
    list[1] = BASE + PAGE + 1;
    put(BASE, list, sizeof(list));
    cr_assert_eq(exec_strings_from_user(mm, BASE, UINT64_MAX, &s), -EFAULT);
    put(BASE + 2 * PAGE - 8, list, 8);
    cr_assert_eq(exec_strings_from_user(mm, BASE + 2 * PAGE - 8, UINT64_MAX, &s), -EFAULT);
    put(BASE + 2 * PAGE - 4, list, 4);
    cr_assert_eq(exec_strings_from_user(mm, BASE + 2 * PAGE - 4, UINT64_MAX, &s), -EFAULT);
}

Test(exec_strings, bounds)
{
    u64 list[513];
    char big[LIMIT_ARG_STRLEN + 1];

    mapped(64);
    memset(big, 'x', sizeof(big));
    put(BASE + PAGE, big, sizeof(big));
    list[0] = BASE + PAGE;
    list[1] = 0;
    put(BASE, list, 16);
    cr_assert_eq(exec_strings_from_user(mm, BASE, UINT64_MAX, &s), -E2BIG);
    big[LIMIT_ARG_STRLEN - 1] = '\0';
    put(BASE + PAGE, big, sizeof(big));
    cr_assert_eq(exec_strings_from_user(mm, BASE, UINT64_MAX, &s), 0);
    cr_assert_eq(s.len, LIMIT_ARG_STRLEN);
    exec_strings_free(&s);
    cr_assert_eq(exec_strings_from_user(mm, BASE, LIMIT_ARG_STRLEN + 7, &s), -E2BIG);
    /* A list that never ends: each entry costs, so it stops. */
    for (size_t i = 0; i < 512; i++)
        list[i] = BASE + 5000;
    for (u64 page = 0; page < 64; page++)
        put(BASE + page * PAGE, list, PAGE);
    put(BASE + 5000, "", 1);
    cr_assert_eq(exec_strings_from_user(mm, BASE + 2 * PAGE, 64 * 1024, &s), -E2BIG);
    cr_assert_eq(exec_strings_from_user(mm, BASE, 0, &s), -E2BIG);
}

Test(exec_strings, scripts_replace_argv0)
{
    const char *const argv[] = {"a", "b", "", NULL}, *const with[] = {"/bin/sh", "-x", "/tmp/a"};

    cr_assert_eq(exec_strings_from_array(argv, &s), 0);
    cr_assert_eq(s.count, 3);
    cr_assert_arr_eq(s.bytes, "a\0b\0\0", 5);
    cr_assert_eq(exec_strings_replace_first(&s, with, 3), 0);
    cr_assert_eq(s.count, 5);
    cr_assert_eq(s.len, 21);
    cr_assert_arr_eq(s.bytes, "/bin/sh\0-x\0/tmp/a\0b\0\0", 21);
    exec_strings_free(&s);
    cr_assert_eq(exec_strings_from_array(argv + 3, &s), 0);
    cr_assert_eq(exec_strings_replace_first(&s, with, 1), 0);
    cr_assert_eq(s.count, 1);
    cr_assert_str_eq(s.bytes, "/bin/sh");
    exec_strings_free(&s);
}
