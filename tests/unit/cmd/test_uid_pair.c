/* Host ids are given to one container at a time. */
#include "cmd/runsc/error.h"
#include "cmd/runsc/host_file.h"
#include "cmd/runsc/uid_pair.h"
#include "sentry/base/clean.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static char base[] = "/tmp/test_uid_pair.XXXXXX";
static char folder[64], root[64];

static void setup(void)
{
    cr_assert_not_null(mkdtemp(base));
    snprintf(folder, sizeof(folder), "%s/uids", base);
    snprintf(root, sizeof(root), "%s/root", base);
    cr_assert_eq(host_file_mkdirs(root, 0700), 0);
}

static void teardown(void)
{
    char command[64];

    snprintf(command, sizeof(command), "rm -rf %s", base);
    cr_expect_eq(system(command), 0);
}

TestSuite(uid_pair, .init = setup, .fini = teardown);

static int record(void *arg, u32 first)
{
    *(u32 *)arg = first;
    return 0;
}

static u32 take_for(const char *id, const char *range)
{
    char path[128];
    u32 first = 0;

    snprintf(path, sizeof(path), "%s/%s", root, id);
    host_file_mkdir(AT_FDCWD, path, 0700);
    cr_assert_eq(uid_pair_take(folder, range, root, id, record, &first), 0, "%s", error_text());
    return first;
}

Test(uid_pair, distinct_until_none_is_left)
{
    u32 seen[4], first;

    for (u32 i = 0; i < 4; i++) {
        char id[8];

        snprintf(id, sizeof(id), "c%u", i);
        seen[i] = take_for(id, "1000-1007");
        cr_expect(seen[i] >= 1000 && seen[i] <= 1006 && seen[i] % 2 == 0);
        for (u32 j = 0; j < i; j++)
            cr_expect_neq(seen[i], seen[j]);
    }
    cr_expect_eq(uid_pair_take(folder, "1000-1007", root, "c9", record, &first), -EAGAIN);
    uid_pair_release(folder, seen[2], root, "c1");
    cr_expect_eq(uid_pair_take(folder, "1000-1007", root, "c9", record, &first), -EAGAIN);
    uid_pair_release(folder, seen[2], root, "c2");
    cr_expect_eq(take_for("c9", "1000-1007"), seen[2]);
}

Test(uid_pair, stale_ones_are_taken_over)
{
    char path[128];
    u32 first = take_for("dead", "1000-1001");

    snprintf(path, sizeof(path), "%s/dead", root);
    cr_assert_eq(host_file_unlink(AT_FDCWD, path, AT_REMOVEDIR), 0);
    cr_expect_eq(take_for("next", "1000-1001"), first);
}

Test(uid_pair, overlapping_ranges)
{
    u32 a = take_for("a", "1000-1001"), first;

    cr_expect_eq(a, 1000);
    cr_expect_eq(uid_pair_take(folder, "999-1001", root, "b", record, &first), -EAGAIN);
    cr_expect_eq(take_for("b", "1001-1003"), 1002);
}

Test(uid_pair, ranges_that_are_none)
{
    static const char *const bad[] = {
        "",     "1000",      "1000-",           "-5", "5-5", "9-5", "0-10", "a-b",
        "1-2x", "1001-1002", "1-99999999999999"};
    u32 first;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        cr_expect_eq(uid_pair_take(folder, bad[i], root, "x", record, &first), -EINVAL, "%s",
                     bad[i]);
}
