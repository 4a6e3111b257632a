/* Helpers of the hostile programs; see escape.h. */
#include "tests/escape/escape.h"

#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* An id that no process of a machine has, so that even a signal that is let through hits nobody. */
#define NOBODY_ELSE 64321

void escape_need_sandbox(void)
{
    if (!guest_sandboxed())
        SKIP("only in the sandbox");
}

void escape_become_nobody(void)
{
    if (guest_has_cap(CAP_SETUID) && guest_has_cap(CAP_SETGID) && SYS(setgroups, 0, NULL) == 0 &&
        SYS(setresgid, NOBODY_ELSE, NOBODY_ELSE, NOBODY_ELSE) == 0 &&
        SYS(setresuid, NOBODY_ELSE, NOBODY_ELSE, NOBODY_ELSE) == 0)
        return;
    _exit(0);
}

void escape_drop(void)
{
    if (!guest_sandboxed())
        escape_become_nobody();
}

int64_t escape_end_ns(void)
{
    const char *text = getenv("GUEST_SECONDS");
    int64_t ms = text ? strtol(text, NULL, 10) * 1000 / 30 : 1000;

    return guest_now_ns() + (ms < 300 ? 300 : ms) * 1000000;
}

unsigned int escape_random(void)
{
    static uint64_t state = 0x853c49e6748fea9b;

    state = state * 6364136223846793005 + 1442695040888963407;
    return (unsigned int)(state >> 33);
}

int escape_outcome(pid_t pid, unsigned int ms)
{
    int64_t end = guest_now_ns() + (int64_t)ms * 1000000;
    int status = -1;

    while (guest_now_ns() < end) {
        if (waitpid(pid, &status, WNOHANG) == pid)
            return status;
        guest_sleep_ms(1);
    }
    kill(pid, SIGKILL);
    for (int i = 0; i < 3000; i++) {
        if (waitpid(pid, &status, WNOHANG) == pid)
            return status;
        guest_sleep_ms(1);
    }
    return -1;
}

void escape_check_alive(void)
{
    char byte = 'a', *page;
    int ends[2];
    pid_t pid;

    REQUIRE_OK(pipe(ends));
    EXPECT_EQ(write(ends[1], &byte, 1), 1);
    EXPECT_EQ(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    close(ends[1]);
    page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(page != MAP_FAILED);
    *page = 1;
    munmap(page, 4096);
    IN_CHILD(pid) {
        _exit(7);
    }
    EXPECT_EXIT(pid, 7);
}

bool escape_harmless(int status)
{
    return status == 0 || (status > 0 && (status & 0x7f) != 0);
}
