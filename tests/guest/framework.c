/*
 * Tests of the framework itself, most of which must fail: framework_check compares what they print
 * with what they should. Not an area, never run in the sandbox's suites.
 */
#include "tests/guest/guest.h"

#include <signal.h>
#include <sys/stat.h>

TEST(passes, "read write:EIO,EINTR")
{
    EXPECT_EQ(1 + 1, 2);
    EXPECT_STREQ("a", "a");
}

TEST(fails)
{
    EXPECT_EQ(1 + 1, 3);
    EXPECT_STREQ("a", "b");
    EXPECT_ERRNO(SYS(close, -1), ENOENT);
    EXPECT_OK(SYS(close, -1));
}

TEST(stops_at_require)
{
    REQUIRE(1 == 2);
    EXPECT_EQ(1, 9);
}

TEST(crashes)
{
    raise(SIGSEGV);
}

TEST_SLOW(hangs, 1)
{
    signal(SIGTERM, SIG_IGN);
    for (;;)
        pause();
}

TEST(skips)
{
    SKIP("no %s", "moon");
}

TEST(fails_then_skips)
{
    EXPECT(0 > 1);
    SKIP("too late");
}

TEST(exits_early)
{
    _exit(3);
}

TEST(child_fails)
{
    pid_t pid;

    IN_CHILD(pid) {
        EXPECT(0 > 1);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(child_cannot_skip)
{
    pid_t pid;

    IN_CHILD(pid) {
        SKIP("no");
    }
    EXPECT_CHILD_OK(pid);
}

TEST(leaves_a_child)
{
    pid_t pid;

    guest_scratch();
    guest_make_file("file", "");
    REQUIRE_OK(chmod(".", 0));
    IN_CHILD(pid) {
        pause();
    }
}
