#include "tests/guest/tracer.h"

#include <signal.h>

int tracer_next_stop(pid_t pid)
{
    int status = -1;

    EXPECT_EQ(waitpid(pid, &status, __WALL), pid);
    return status;
}

pid_t tracer_fork(void)
{
    pid_t pid = guest_fork();

    if (pid == 0) {
        REQUIRE_OK(PT(TRACEME, 0, 0, 0));
        raise(SIGSTOP);
        return 0;
    }
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGSTOP));
    return pid;
}

void tracer_run_to(pid_t pid, long nr, struct user_regs_struct *regs)
{
    do {
        REQUIRE_OK(PT(SYSCALL, pid, 0, 0));
        REQUIRE(tracer_next_stop(pid) == STOPPED(SIGTRAP | 0x80));
        REQUIRE_OK(PT(GETREGS, pid, 0, regs));
    } while ((long)regs->orig_rax != nr);
}
