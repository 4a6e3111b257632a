/* Processes from fork to reaping: wait, orphans, stops, threads, namespaces' ends, limits. */
#include "sentry/abi/lx_process.h"
#include "tests/unit/kernel/guest_world.h"

#include <criterion/criterion.h>
#include <errno.h>

#define PR_SET_PDEATHSIG       1
#define PR_SET_CHILD_SUBREAPER 36

static atomic_int flag, seen, steps;

static void set_flag(void)
{
    atomic_store(&flag, 1);
}

static void count_signal(int signo)
{
    (void)signo;
    atomic_fetch_add(&seen, 1);
}

static void sleep_for_ever(void)
{
    for (;;)
        guest_call(NR_PAUSE, 0, 0, 0, 0, 0);
}

static void spin_for_ever(void)
{
    atomic_fetch_add(&steps, 1);
    for (;;)
        guest_spin();
}

/* EXPECT_WORLD() - run init, expect its wait status and no failed check. */
#define EXPECT_WORLD(init, want)                    \
    do {                                            \
        cr_expect_eq(world_run(init), (u32)(want)); \
        cr_expect_eq(world_failures(), 0);          \
    } while (0)

/* --- fork and wait --- */

static void exit_seven(void)
{
    guest_exit(7);
}

static void wait_init(void)
{
    u32 status = 0;
    s64 pid = guest_fork(exit_seven);

    CHECK(guest_getpid() == 1);
    CHECK(pid == 2);
    CHECK(guest_wait((s32)pid, &status, 0) == pid);
    CHECK(status == 7 << 8);
    CHECK(guest_wait(-1, &status, 0) == -ECHILD);
    pid = guest_fork(exit_seven);
    CHECK(guest_wait(-1, NULL, 0) == pid);
    CHECK(guest_wait(-1, NULL, 0x40) == -EINVAL);
    guest_exit(3);
}

Test(task_life, fork_and_wait)
{
    EXPECT_WORLD(wait_init, 3 << 8);
}

static void select_init(void)
{
    s64 a, b;
    u32 status;

    atomic_store(&flag, 0);
    a = guest_fork(sleep_for_ever);
    CHECK(guest_call(NR_SETPGID, (u64)a, (u64)a, 0, 0, 0) == 0);
    b = guest_clone(LX_SIGUSR1, exit_seven);
    CHECK(guest_wait(-1, &status, LX_WNOHANG) == 0);
    CHECK(guest_wait((s32)-a, &status, LX_WNOHANG) == 0);
    CHECK(guest_wait(0, &status, 0) == -ECHILD); /* b is in this group, but a clone child */
    guest_handle(LX_SIGUSR1, count_signal, 0);
    CHECK(guest_wait((s32)b, &status, LX_WCLONE) == b || atomic_load(&seen));
    CHECK(guest_wait(-1, &status, LX_WALL | LX_WNOHANG) <= b);
    guest_kill((s32)a, LX_SIGKILL);
    CHECK(guest_wait((s32)-a, &status, 0) == a);
    CHECK(status == LX_SIGKILL);
    guest_exit(0);
}

Test(task_life, wait_selects)
{
    EXPECT_WORLD(select_init, 0);
}

static void waitid_init(void)
{
    struct lx_siginfo info = {0};
    s64 pid = guest_fork(exit_seven);

    for (int i = 0; i < 2; i++) {
        u64 options = LX_WEXITED | (i == 0 ? LX_WNOWAIT : 0);

        CHECK(guest_call(NR_WAITID, LX_P_PID, (u64)pid, (uintptr_t)&info, options, 0) == 0);
        CHECK(info.signo == LX_SIGCHLD && info.code == LX_CLD_EXITED);
        CHECK(info.chld.pid == pid && info.chld.status == 7);
    }
    CHECK(guest_call(NR_WAITID, LX_P_PID, (u64)pid, (uintptr_t)&info, LX_WEXITED, 0) == -ECHILD);
    CHECK(guest_call(NR_WAITID, LX_P_ALL, 0, 0, LX_WNOHANG, 0) == -EINVAL);
    guest_exit(0);
}

Test(task_life, waitid)
{
    EXPECT_WORLD(waitid_init, 0);
}

static bool init_waits(void)
{
    return waitq_active(&world_container()->init->child_wait);
}

static void interrupt_parent(void)
{
    UNTIL(init_waits());
    guest_kill(1, LX_SIGUSR1);
    UNTIL(atomic_load(&seen) == 1 && init_waits());
    guest_kill(1, LX_SIGUSR2);
    UNTIL(atomic_load(&seen) == 2);
    guest_exit(0);
}

static void interrupted_init(void)
{
    s64 pid;

    guest_handle(LX_SIGUSR1, count_signal, LX_SA_RESTART);
    guest_handle(LX_SIGUSR2, count_signal, 0);
    pid = guest_fork(interrupt_parent);
    CHECK(guest_wait((s32)pid, NULL, 0) == -EINTR);
    CHECK(atomic_load(&seen) == 2);
    CHECK(guest_wait((s32)pid, NULL, 0) == pid);
    guest_exit(0);
}

Test(task_life, wait_is_restarted_or_interrupted)
{
    EXPECT_WORLD(interrupted_init, 0);
}

static void ignoring_init(void)
{
    s64 pid;

    guest_handle(LX_SIGCHLD, (void (*)(int))(uintptr_t)LX_SIG_IGN, 0);
    pid = guest_fork(exit_seven);
    CHECK(guest_wait((s32)pid, NULL, 0) == -ECHILD);
    guest_handle(LX_SIGCHLD, count_signal, LX_SA_NOCLDWAIT | LX_SA_RESTART);
    pid = guest_fork(exit_seven);
    CHECK(guest_wait((s32)pid, NULL, 0) == -ECHILD);
    UNTIL(atomic_load(&seen) == 1);
    guest_exit(0);
}

Test(task_life, sigchld_ignored)
{
    EXPECT_WORLD(ignoring_init, 0);
}

/* --- orphans --- */

static void orphan(void)
{
    UNTIL(guest_getppid() == 1);
    guest_exit(9);
}

static void leave_orphan(void)
{
    guest_fork(orphan);
    guest_exit(1);
}

static void adopting_init(void)
{
    u32 status, sum = 0;

    guest_fork(leave_orphan);
    for (int i = 0; i < 2; i++) {
        CHECK(guest_wait(-1, &status, 0) > 0);
        sum += status;
    }
    CHECK(sum == (1 + 9) << 8);
    guest_exit(0);
}

Test(task_life, init_adopts)
{
    EXPECT_WORLD(adopting_init, 0);
}

static atomic_int reaper;

static void orphan_of_reaper(void)
{
    UNTIL(guest_getppid() == atomic_load(&reaper));
    guest_exit(9);
}

static void leave_orphan_to_reaper(void)
{
    guest_fork(orphan_of_reaper);
    guest_exit(1);
}

static void be_reaper(void)
{
    u32 status, sum = 0;

    atomic_store(&reaper, (int)guest_getpid());
    CHECK(guest_call(NR_PRCTL, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);
    guest_fork(leave_orphan_to_reaper);
    for (int i = 0; i < 2; i++) {
        CHECK(guest_wait(-1, &status, 0) > 0);
        sum += status;
    }
    guest_exit((int)(sum >> 8));
}

static void subreaper_init(void)
{
    u32 status;
    s64 pid = guest_fork(be_reaper);

    CHECK(guest_wait(-1, &status, 0) == pid);
    CHECK(status == 10 << 8);
    guest_exit(0);
}

Test(task_life, subreaper_adopts)
{
    EXPECT_WORLD(subreaper_init, 0);
}

static void mourning_child(void)
{
    guest_handle(LX_SIGUSR1, count_signal, 0);
    CHECK(guest_call(NR_PRCTL, PR_SET_PDEATHSIG, LX_SIGUSR1, 0, 0, 0) == 0);
    atomic_store(&flag, 1);
    UNTIL(atomic_load(&seen) == 1);
    guest_exit(0);
}

static void dying_parent(void)
{
    guest_fork(mourning_child);
    UNTIL(atomic_load(&flag));
    guest_exit(0);
}

static void death_signal_init(void)
{
    guest_fork(dying_parent);
    CHECK(guest_wait(-1, NULL, 0) > 0);
    CHECK(guest_wait(-1, NULL, 0) > 0);
    CHECK(atomic_load(&seen) == 1);
    guest_exit(0);
}

Test(task_life, parent_death_signal)
{
    EXPECT_WORLD(death_signal_init, 0);
}

/* --- stops --- */

static void stop_init(void)
{
    u32 status;
    s64 pid = guest_fork(spin_for_ever);

    guest_handle(LX_SIGCHLD, count_signal, LX_SA_RESTART);
    guest_kill((s32)pid, LX_SIGSTOP);
    CHECK(guest_wait((s32)pid, &status, LX_WUNTRACED) == pid);
    CHECK(status == lx_status_stopped(LX_SIGSTOP));
    CHECK(guest_wait((s32)pid, &status, LX_WUNTRACED | LX_WNOHANG) == 0);
    guest_kill((s32)pid, LX_SIGCONT);
    CHECK(guest_wait((s32)pid, &status, LX_WCONTINUED) == pid);
    CHECK(status == LX_STATUS_CONTINUED);
    guest_kill((s32)pid, LX_SIGSTOP);
    CHECK(guest_wait((s32)pid, &status, LX_WUNTRACED) == pid);
    guest_kill((s32)pid, LX_SIGKILL);
    CHECK(guest_wait((s32)pid, &status, 0) == pid);
    CHECK(status == LX_SIGKILL);
    /* A stop and a continue may come as one signal. */
    CHECK(atomic_load(&seen) >= 2);
    guest_exit(0);
}

Test(task_life, stop_and_continue)
{
    EXPECT_WORLD(stop_init, 0);
}

static void two_spinners(void)
{
    guest_thread(spin_for_ever);
    spin_for_ever();
}

static void stop_threads_init(void)
{
    u32 status;
    s64 pid = guest_fork(two_spinners);

    UNTIL(atomic_load(&steps) == 2);
    for (int i = 0; i < 20; i++) {
        guest_kill((s32)pid, LX_SIGTSTP);
        guest_kill((s32)pid, LX_SIGCONT);
    }
    guest_kill((s32)pid, LX_SIGSTOP);
    while (guest_wait((s32)pid, &status, LX_WUNTRACED) == pid && status == LX_STATUS_CONTINUED)
        ;
    CHECK(status == lx_status_stopped(LX_SIGSTOP));
    guest_kill((s32)pid, LX_SIGTERM);
    guest_kill((s32)pid, LX_SIGCONT);
    CHECK(guest_wait((s32)pid, &status, 0) == pid);
    CHECK(status == LX_SIGTERM);
    guest_exit(0);
}

Test(task_life, stop_of_threads)
{
    EXPECT_WORLD(stop_threads_init, 0);
}

static atomic_int stopped_pid;

static void stopped_job(void)
{
    guest_handle(LX_SIGHUP, count_signal, 0);
    guest_kill((s32)guest_getpid(), LX_SIGSTOP);
    UNTIL(atomic_load(&seen));
    guest_exit(0);
}

static void job_shell(void)
{
    s64 pid;

    CHECK(guest_call(NR_SETSID, 0, 0, 0, 0, 0) > 0);
    pid = guest_fork(stopped_job);
    CHECK(guest_call(NR_SETPGID, (u64)pid, (u64)pid, 0, 0, 0) == 0);
    CHECK(guest_wait((s32)pid, NULL, LX_WUNTRACED) == pid);
    atomic_store(&stopped_pid, (int)pid);
    guest_exit(0);
}

static void orphaned_group_init(void)
{
    guest_fork(job_shell);
    CHECK(guest_wait(-1, NULL, 0) > 0);
    CHECK(guest_wait(atomic_load(&stopped_pid), NULL, 0) == atomic_load(&stopped_pid));
    CHECK(atomic_load(&seen) == 1);
    guest_exit(0);
}

Test(task_life, orphaned_group_is_hung_up)
{
    EXPECT_WORLD(orphaned_group_init, 0);
}

/* --- threads --- */

static void thread_exits(void)
{
    atomic_fetch_add(&steps, 1);
    guest_exit_thread(5);
}

static void last_thread(void)
{
    UNTIL(atomic_load(&flag));
    guest_exit_thread(6);
}

static void leader_first(void)
{
    guest_thread(last_thread);
    guest_exit_thread(4);
}

static void threads_init(void)
{
    u32 status;
    s64 pid;

    for (int i = 0; i < 20; i++)
        CHECK(guest_thread(thread_exits) > 1);
    UNTIL(atomic_load(&steps) == 20);
    /* A leader that exits first is no zombie yet, and its status is the process's. */
    pid = guest_fork(leader_first);
    CHECK(guest_wait((s32)pid, &status, LX_WNOHANG) == 0);
    set_flag();
    CHECK(guest_wait((s32)pid, &status, 0) == pid);
    CHECK(status == 4 << 8);
    pid = guest_fork(two_spinners);
    UNTIL(atomic_load(&steps) == 22);
    guest_kill((s32)pid, LX_SIGTERM);
    CHECK(guest_wait((s32)pid, &status, 0) == pid);
    CHECK(status == LX_SIGTERM);
    guest_exit(0);
}

Test(task_life, threads)
{
    EXPECT_WORLD(threads_init, 0);
}

static void take_usr1(void)
{
    guest_unblock(LX_SIGUSR1);
    UNTIL(atomic_load(&seen));
    guest_exit_thread(0);
}

static void retarget_init(void)
{
    guest_handle(LX_SIGUSR1, count_signal, 0);
    guest_block(LX_SIGUSR1);
    guest_kill(1, LX_SIGUSR1);
    /* Pending for the process: the one thread that does not block it takes it. */
    guest_thread(take_usr1);
    UNTIL(atomic_load(&seen) == 1);
    guest_exit(0);
}

Test(task_life, shared_signal_finds_a_taker)
{
    EXPECT_WORLD(retarget_init, 0);
}

/* --- vfork --- */

static void vfork_child(void)
{
    for (int i = 0; i < 1000; i++)
        guest_spin();
    set_flag();
    guest_exit(2);
}

static void vfork_init(void)
{
    s64 pid = guest_clone(LX_CLONE_VM | LX_CLONE_VFORK | LX_SIGCHLD, vfork_child);
    u32 status;

    CHECK(atomic_load(&flag) == 1);
    CHECK(guest_wait((s32)pid, &status, 0) == pid);
    CHECK(status == 2 << 8);
    guest_exit(0);
}

Test(task_life, vfork)
{
    EXPECT_WORLD(vfork_init, 0);
}

static void vfork_of_spinner(void)
{
    guest_clone(LX_CLONE_VM | LX_CLONE_VFORK | LX_SIGCHLD, spin_for_ever);
}

static void vfork_killed_init(void)
{
    u32 status;
    s64 pid = guest_fork(vfork_of_spinner);

    UNTIL(atomic_load(&steps) == 1);
    guest_kill((s32)pid, LX_SIGTERM);
    CHECK(guest_wait((s32)pid, &status, 0) == pid);
    CHECK(status == LX_SIGTERM);
    guest_exit(0); /* takes the spinner with it */
}

Test(task_life, vfork_parent_can_be_killed)
{
    EXPECT_WORLD(vfork_killed_init, 0);
}

/* --- the end of a namespace --- */

static void tree(void)
{
    guest_fork(sleep_for_ever);
    guest_fork(two_spinners);
    guest_fork(exit_seven);
    sleep_for_ever();
}

static void busy_init(void)
{
    for (int i = 0; i < 5; i++)
        guest_fork(tree);
    UNTIL(atomic_load(&steps) >= 6);
    guest_exit(11);
}

Test(task_life, nobody_outlives_init)
{
    EXPECT_WORLD(busy_init, 11 << 8);
}

static void unkillable_init(void)
{
    CHECK(guest_kill(1, LX_SIGKILL) == 0);
    CHECK(guest_kill(1, LX_SIGTERM) == 0);
    for (int i = 0; i < 100; i++)
        guest_spin();
    guest_handle(LX_SIGTERM, count_signal, 0);
    guest_kill(1, LX_SIGTERM);
    CHECK(atomic_load(&seen) == 1);
    CHECK(container_kill(world_container(), LX_SIGKILL, false) == 0);
    spin_for_ever();
}

Test(task_life, init_dies_from_outside_only)
{
    EXPECT_WORLD(unkillable_init, LX_SIGKILL);
}

/* --- limits --- */

static void bomb_init(void)
{
    int n = 1;
    s64 pid;

    while ((pid = guest_fork(sleep_for_ever)) > 0)
        n++;
    CHECK(pid == -EAGAIN);
    CHECK(n == 50); /* the container's pids limit */
    guest_kill(-1, LX_SIGKILL);
    while (guest_wait(-1, NULL, 0) > 0)
        n--;
    CHECK(n == 1);
    CHECK(guest_fork(exit_seven) > 0);
    guest_exit(0);
}

Test(task_life, pids_limit)
{
    EXPECT_WORLD(bomb_init, 0);
}

/* --- stopping all --- */

static void *stop_from_outside(void *arg)
{
    (void)arg;
    while (atomic_load(&steps) < 1000)
        host_sched_yield();
    for (int i = 0; i < 10; i++) {
        int before;

        task_stop_all(world_container());
        before = atomic_load(&steps);
        for (int j = 0; j < 1000; j++)
            host_sched_yield();
        CHECK(atomic_load(&steps) == before);
        task_resume_all(world_container());
        while (atomic_load(&steps) == before)
            host_sched_yield();
    }
    atomic_store(&flag, 1);
    return NULL;
}

static void count_steps(void)
{
    while (!atomic_load(&flag)) {
        guest_spin();
        atomic_fetch_add(&steps, 1);
    }
    guest_exit(0);
}

static void stopped_init(void)
{
    host_thread_start("stop", stop_from_outside, NULL);
    guest_fork(sleep_for_ever);
    guest_fork(count_steps);
    count_steps();
}

Test(task_life, stop_all_and_resume)
{
    EXPECT_WORLD(stopped_init, 0);
}

/* --- many at once --- */

static void fork_some(void)
{
    for (int i = 0; i < 20; i++) {
        s64 pid = guest_fork(i % 3 ? exit_seven : thread_exits);

        if (pid > 0 && i % 2)
            CHECK(guest_wait((s32)pid, NULL, 0) == pid);
    }
    guest_exit(0);
}

static void storm_init(void)
{
    for (int i = 0; i < 8; i++)
        guest_fork(fork_some);
    while (guest_wait(-1, NULL, 0) > 0)
        ;
    guest_exit(0);
}

Test(task_life, storm)
{
    EXPECT_WORLD(storm_init, 0);
}
