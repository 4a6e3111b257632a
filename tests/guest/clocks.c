/*
 * Clocks, sleeping, timers. Upper bounds are generous: the machine may be busy; lower bounds are
 * exact: nothing may come early.
 */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>

#define MS 1000000ll

static int64_t ns_of(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t now_on(clockid_t clock)
{
    struct timespec t = {0, 0};

    EXPECT_OK(SYS(clock_gettime, clock, &t));
    EXPECT(t.tv_nsec >= 0 && t.tv_nsec < 1000000000);
    return ns_of(t);
}

/* after() - the time on a clock that many milliseconds from now */
static struct timespec after(clockid_t clock, int64_t ms)
{
    int64_t ns = now_on(clock) + ms * MS;

    return (struct timespec){ns / 1000000000, ns % 1000000000};
}

static void burn(int64_t ms)
{
    int64_t end = now_on(CLOCK_PROCESS_CPUTIME_ID) + ms * MS;

    while (now_on(CLOCK_PROCESS_CPUTIME_ID) < end)
        continue;
}

TEST(clock_gettime_all, "clock_gettime")
{
    static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID,
                                       CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW,
                                       CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE,
                                       CLOCK_BOOTTIME};

    for (size_t i = 0; i < COUNT_OF(clocks); i++) {
        int64_t first = now_on(clocks[i]), second = now_on(clocks[i]);

        EXPECT_GE(first, 0);
        EXPECT_GE(second, first);
    }
    EXPECT_GT(now_on(CLOCK_REALTIME), 1600000000ll * 1000000000);
}

TEST(clock_errors, "clock_gettime:EINVAL,EFAULT clock_getres:EINVAL,EFAULT clock_settime:EINVAL,EFAULT clock_nanosleep:EINVAL,EFAULT,EOPNOTSUPP")
{
    struct timespec t = {0, 0}, bad = {0, 1000000000};

    EXPECT_ERRNO(SYS(clock_gettime, 99, &t), EINVAL);
    EXPECT_ERRNO(SYS(clock_gettime, 99, NULL), EINVAL);
    EXPECT_ERRNO(SYS(clock_gettime, CLOCK_MONOTONIC, NULL), EFAULT);
    EXPECT_ERRNO(SYS(clock_gettime, CLOCK_MONOTONIC, (void *)8), EFAULT);
    EXPECT_ERRNO(SYS(clock_getres, 99, &t), EINVAL);
    EXPECT_ERRNO(SYS(clock_getres, CLOCK_MONOTONIC, (void *)8), EFAULT);
    EXPECT_ERRNO(SYS(clock_settime, 99, &t), EINVAL);
    EXPECT_ERRNO(SYS(clock_settime, CLOCK_MONOTONIC, &t), EINVAL);
    EXPECT_ERRNO(SYS(clock_settime, CLOCK_REALTIME, (void *)8), EFAULT);
    EXPECT_ERRNO(SYS(clock_settime, CLOCK_REALTIME, &bad), EINVAL);
    EXPECT_ERRNO(SYS(clock_nanosleep, 99, 0, &t, NULL), EINVAL);
    EXPECT_ERRNO(SYS(clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &t, NULL), EOPNOTSUPP);
    EXPECT_ERRNO(SYS(clock_nanosleep, CLOCK_MONOTONIC, 0, (void *)8, NULL), EFAULT);
    EXPECT_ERRNO(SYS(clock_nanosleep, CLOCK_MONOTONIC, 0, &bad, NULL), EINVAL);
}

TEST(clock_getres_sane, "clock_getres")
{
    struct timespec fine, coarse;

    EXPECT_OK(SYS(clock_getres, CLOCK_MONOTONIC, &fine));
    EXPECT(fine.tv_sec == 0 && fine.tv_nsec >= 1 && fine.tv_nsec <= 10000000);
    EXPECT_OK(SYS(clock_getres, CLOCK_MONOTONIC_COARSE, &coarse));
    EXPECT(coarse.tv_sec == 0 && coarse.tv_nsec >= fine.tv_nsec && coarse.tv_nsec <= 10000000);
    EXPECT_OK(SYS(clock_getres, CLOCK_REALTIME, NULL));
}

TEST(monotonic_never_back, "clock_gettime")
{
    int64_t last = 0;

    /* By libc, which may ask the vdso, and by the call itself, mixed. */
    for (int i = 0; i < 20000; i++) {
        struct timespec t;
        int64_t ns;

        if (i % 3)
            clock_gettime(CLOCK_MONOTONIC, &t);
        else
            SYS(clock_gettime, CLOCK_MONOTONIC, &t);
        ns = ns_of(t);
        REQUIRE(ns >= last);
        last = ns;
    }
}

TEST(monotonic_over_fork, "clock_gettime fork")
{
    int64_t *shared = guest_shared(4096), before = now_on(CLOCK_MONOTONIC);
    pid_t pid;

    IN_CHILD(pid) {
        *shared = now_on(CLOCK_MONOTONIC);
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_GE(*shared, before);
    EXPECT_LE(*shared, now_on(CLOCK_MONOTONIC));
}

TEST(realtime_agrees, "gettimeofday time clock_gettime")
{
    struct timeval tv;
    time_t seconds = 0;
    int64_t before = now_on(CLOCK_REALTIME), now;

    EXPECT_OK(SYS(gettimeofday, &tv, NULL));
    now = (int64_t)tv.tv_sec * 1000000000 + tv.tv_usec * 1000;
    EXPECT_GE(now, before - 1000);
    EXPECT_LE(now, now_on(CLOCK_REALTIME));
    EXPECT_GE(SYS(time, &seconds) + 1, before / 1000000000);
    EXPECT_LE(seconds, now_on(CLOCK_REALTIME) / 1000000000);
    EXPECT_OK(SYS(gettimeofday, NULL, NULL));
    EXPECT_OK(SYS(time, NULL));
}

TEST(old_time_errors, "gettimeofday:EFAULT time:EFAULT")
{
    EXPECT_ERRNO(SYS(gettimeofday, (void *)8, NULL), EFAULT);
    EXPECT_ERRNO(SYS(gettimeofday, NULL, (void *)8), EFAULT);
    EXPECT_ERRNO(SYS(time, (void *)8), EFAULT);
}

TEST(cpu_clocks, "clock_gettime getrusage times")
{
    int64_t process = now_on(CLOCK_PROCESS_CPUTIME_ID), thread = now_on(CLOCK_THREAD_CPUTIME_ID);
    struct rusage usage;
    struct tms ticks;

    burn(60);
    EXPECT_GE(now_on(CLOCK_PROCESS_CPUTIME_ID) - process, 60 * MS);
    EXPECT_GE(now_on(CLOCK_THREAD_CPUTIME_ID) - thread, 40 * MS);
    process = now_on(CLOCK_PROCESS_CPUTIME_ID);
    guest_sleep_ms(100);
    EXPECT_LT(now_on(CLOCK_PROCESS_CPUTIME_ID) - process, 80 * MS);
    EXPECT_OK(SYS(getrusage, RUSAGE_SELF, &usage));
    EXPECT_GE(usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec,
              30000);
    EXPECT_GT(SYS(times, &ticks), 0);
    EXPECT_GE(ticks.tms_utime + ticks.tms_stime, 2);
    EXPECT_NE(SYS(times, NULL), -1);
}

TEST(times_of_children, "times wait4")
{
    struct tms ticks;
    pid_t pid;

    IN_CHILD(pid) {
        burn(60);
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_OK(SYS(times, &ticks));
    EXPECT_GE(ticks.tms_cutime + ticks.tms_cstime, 2);
    EXPECT_ERRNO(SYS(times, (void *)8), EFAULT);
}

TEST(getrusage_errors, "getrusage getrusage:EINVAL,EFAULT")
{
    struct rusage usage;

    EXPECT_OK(SYS(getrusage, RUSAGE_THREAD, &usage));
    EXPECT_OK(SYS(getrusage, RUSAGE_CHILDREN, &usage));
    EXPECT_ERRNO(SYS(getrusage, 99, &usage), EINVAL);
    EXPECT_ERRNO(SYS(getrusage, RUSAGE_SELF, (void *)8), EFAULT);
}

TEST(cpu_clock_of_other, "clock_gettime")
{
    struct timespec t;
    pid_t pid;

    IN_CHILD(pid) {
        for (;;)
            pause();
    }
    /* The clock id of a process: its pid, inverted, shifted, and the kind. */
    EXPECT_OK(SYS(clock_gettime, ~(unsigned long)pid << 3 | 2, &t));
    guest_end(pid);
    EXPECT_ERRNO(SYS(clock_gettime, ~0x3ffff0ul << 3 | 2, &t), EINVAL);
}

TEST(nanosleep_basic, "nanosleep nanosleep:EINVAL,EFAULT")
{
    struct timespec t = {0, 50 * MS}, bad = {0, 1000000000}, negative = {-1, 0}, zero = {0, 0};
    int64_t start = now_on(CLOCK_MONOTONIC);

    EXPECT_OK(SYS(nanosleep, &t, NULL));
    EXPECT_GE(now_on(CLOCK_MONOTONIC) - start, 50 * MS);
    EXPECT_LT(now_on(CLOCK_MONOTONIC) - start, 5000 * MS);
    EXPECT_OK(SYS(nanosleep, &zero, NULL));
    EXPECT_ERRNO(SYS(nanosleep, &bad, NULL), EINVAL);
    EXPECT_ERRNO(SYS(nanosleep, &negative, NULL), EINVAL);
    EXPECT_ERRNO(SYS(nanosleep, (void *)8, NULL), EFAULT);
}

TEST(nanosleep_many, "nanosleep")
{
    struct timespec t = {0, 1 * MS};
    int64_t start = now_on(CLOCK_MONOTONIC);

    for (int i = 0; i < 50; i++)
        EXPECT_OK(SYS(nanosleep, &t, NULL));
    EXPECT_GE(now_on(CLOCK_MONOTONIC) - start, 50 * MS);
}

TEST(nanosleep_remainder, "nanosleep:EINTR clock_nanosleep:EINTR")
{
    struct timespec want = {20, 0}, left = {77, 77}, until;
    pid_t pest;

    guest_on_signal(SIGUSR1, guest_count_signal, 0);
    pest = guest_pester(SIGUSR1, 50);
    EXPECT_ERRNO(SYS(nanosleep, &want, &left), EINTR);
    EXPECT(ns_of(left) < ns_of(want) && ns_of(left) > 10000 * MS);
    EXPECT_ERRNO(SYS(clock_nanosleep, CLOCK_MONOTONIC, 0, &want, &left), EINTR);
    EXPECT(ns_of(left) < ns_of(want) && ns_of(left) > 10000 * MS);
    /* Absolute: there is no remainder, and it is left alone. */
    left = (struct timespec){77, 77};
    until = after(CLOCK_MONOTONIC, 20000);
    EXPECT_ERRNO(SYS(clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &until, &left), EINTR);
    EXPECT(left.tv_sec == 77 && left.tv_nsec == 77);
    EXPECT_ERRNO(SYS(nanosleep, &want, (void *)8), EFAULT);
    guest_end(pest);
}

TEST(clock_nanosleep_absolute, "clock_nanosleep")
{
    struct timespec until = after(CLOCK_MONOTONIC, 50), past = {1, 0};
    int64_t start = now_on(CLOCK_MONOTONIC);

    EXPECT_OK(SYS(clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL));
    EXPECT_GE(now_on(CLOCK_MONOTONIC), ns_of(until));
    EXPECT_OK(SYS(clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &past, NULL));
    until = after(CLOCK_REALTIME, 50);
    EXPECT_OK(SYS(clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL));
    EXPECT_GE(now_on(CLOCK_REALTIME), ns_of(until));
    EXPECT_LT(now_on(CLOCK_MONOTONIC) - start, 5000 * MS);
    until = after(CLOCK_BOOTTIME, 50);
    EXPECT_OK(SYS(clock_nanosleep, CLOCK_BOOTTIME, TIMER_ABSTIME, &until, NULL));
    EXPECT_GE(now_on(CLOCK_BOOTTIME), ns_of(until));
    until = (struct timespec){0, 20 * MS};
    EXPECT_OK(SYS(clock_nanosleep, CLOCK_BOOTTIME, 0, &until, NULL));
}

TEST(sleepers_in_order, "nanosleep fork")
{
    int ends[2];
    char got[9] = {0};
    pid_t pids[8];

    REQUIRE_OK(pipe(ends));
    for (int i = 0; i < 8; i++) {
        IN_CHILD(pids[i]) {
            char letter = (char)('a' + i);

            /* 100 ms apart, so that a busy machine does not change the order. */
            guest_sleep_ms((unsigned int)(8 - i) * 100);
            EXPECT_EQ(write(ends[1], &letter, 1), 1);
        }
    }
    for (int i = 0; i < 8; i++)
        EXPECT_CHILD_OK(pids[i]);
    EXPECT_EQ(read(ends[0], got, 8), 8);
    EXPECT_STREQ(got, "hgfedcba");
}

TEST(alarm_basic, "alarm")
{
    int64_t start = now_on(CLOCK_MONOTONIC);

    guest_on_signal(SIGALRM, guest_count_signal, 0);
    EXPECT_EQ(SYS(alarm, 100), 0);
    EXPECT_EQ(SYS(alarm, 50), 100);
    EXPECT_EQ(SYS(alarm, 0), 50);
    EXPECT_EQ(SYS(alarm, 0), 0);
    EXPECT_EQ(SYS(alarm, 1), 0);
    EXPECT_ERRNO(SYS(pause), EINTR);
    EXPECT_EQ(guest_signals, 1);
    EXPECT_GE(now_on(CLOCK_MONOTONIC) - start, 1000 * MS);
    EXPECT_EQ(SYS(alarm, 0), 0);
}

TEST(alarm_not_forked, "alarm fork")
{
    pid_t pid;

    SYS(alarm, 100);
    IN_CHILD(pid) {
        EXPECT_EQ(SYS(alarm, 0), 0);
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_GT(SYS(alarm, 0), 90);
}

TEST(alarm_survives_exec, "alarm execve")
{
    const char *args[] = {"self", "--helper", "wait_for_alarm", NULL};
    pid_t pid;

    IN_CHILD(pid) {
        SYS(alarm, 1);
        SYS(execve, guest_self, args, NULL);
    }
    EXPECT_KILLED(pid, SIGALRM);
}

HELPER(wait_for_alarm)
{
    pause();
    return 0;
}

TEST(itimer_real, "setitimer getitimer setitimer:EINVAL,EFAULT getitimer:EINVAL,EFAULT")
{
    struct itimerval every = {{0, 20000}, {0, 30000}}, old, none = {{0, 0}, {0, 0}};
    struct itimerval bad = {{0, 0}, {0, 1000000}};
    int64_t start = now_on(CLOCK_MONOTONIC);

    guest_on_signal(SIGALRM, guest_count_signal, 0);
    EXPECT_OK(SYS(setitimer, ITIMER_REAL, &every, NULL));
    EXPECT_OK(SYS(getitimer, ITIMER_REAL, &old));
    EXPECT_EQ(old.it_interval.tv_usec, 20000);
    EXPECT(old.it_value.tv_usec > 0 && old.it_value.tv_usec <= 30000);
    while (guest_signals < 4)
        SYS(pause);
    EXPECT_GE(now_on(CLOCK_MONOTONIC) - start, 90 * MS);
    EXPECT_OK(SYS(setitimer, ITIMER_REAL, &none, &old));
    EXPECT_EQ(old.it_interval.tv_usec, 20000);
    EXPECT_OK(SYS(getitimer, ITIMER_REAL, &old));
    EXPECT(old.it_value.tv_sec == 0 && old.it_value.tv_usec == 0);
    EXPECT_ERRNO(SYS(setitimer, 99, &every, NULL), EINVAL);
    EXPECT_ERRNO(SYS(setitimer, ITIMER_REAL, &bad, NULL), EINVAL);
    EXPECT_ERRNO(SYS(setitimer, ITIMER_REAL, (void *)8, NULL), EFAULT);
    EXPECT_ERRNO(SYS(getitimer, 99, &old), EINVAL);
    EXPECT_ERRNO(SYS(getitimer, ITIMER_REAL, (void *)8), EFAULT);
}

TEST(itimer_virtual, "setitimer")
{
    struct itimerval soon = {{0, 0}, {0, 50000}};
    int64_t start;

    guest_on_signal(SIGVTALRM, guest_count_signal, 0);
    guest_on_signal(SIGPROF, guest_count_signal, 0);
    EXPECT_OK(SYS(setitimer, ITIMER_VIRTUAL, &soon, NULL));
    start = now_on(CLOCK_PROCESS_CPUTIME_ID);
    guest_sleep_ms(100);
    /* Time asleep does not count. */
    EXPECT_EQ(guest_signals, 0);
    while (guest_signals == 0 && now_on(CLOCK_PROCESS_CPUTIME_ID) - start < 3000 * MS)
        for (volatile int i = 0; i < 100000; i++)
            continue;
    EXPECT_EQ(guest_signals, 1);
    EXPECT_OK(SYS(setitimer, ITIMER_PROF, &soon, NULL));
    start = now_on(CLOCK_PROCESS_CPUTIME_ID);
    while (guest_signals == 1 && now_on(CLOCK_PROCESS_CPUTIME_ID) - start < 3000 * MS)
        continue;
    EXPECT_EQ(guest_signals, 2);
}

TEST(timerfd_basic, "timerfd_create timerfd_settime timerfd_gettime read:EAGAIN timerfd_create:EINVAL timerfd_settime:EINVAL,EBADF,EFAULT timerfd_gettime:EBADF")
{
    struct itimerspec every = {{0, 20 * MS}, {0, 30 * MS}}, now, none = {{0, 0}, {0, 0}};
    struct pollfd poll_fd;
    uint64_t count = 0;
    int fd;

    NEEDS(timerfd_create);
    fd = (int)REQUIRE_OK(SYS(timerfd_create, CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
    poll_fd = (struct pollfd){fd, POLLIN, 0};
    EXPECT_ERRNO(SYS(read, fd, &count, 8), EAGAIN);
    EXPECT_OK(SYS(timerfd_settime, fd, 0, &every, NULL));
    EXPECT_OK(SYS(timerfd_gettime, fd, &now));
    EXPECT_EQ(now.it_interval.tv_nsec, 20 * MS);
    EXPECT(now.it_value.tv_nsec > 0 && now.it_value.tv_nsec <= 30 * MS);
    EXPECT_EQ(SYS(poll, &poll_fd, 1, 5000), 1);
    EXPECT_EQ(poll_fd.revents, POLLIN);
    guest_sleep_ms(50);
    EXPECT_EQ(SYS(read, fd, &count, 8), 8);
    EXPECT_GE(count, 3);
    EXPECT_ERRNO(SYS(read, fd, &count, 4), EINVAL);
    EXPECT_OK(SYS(timerfd_settime, fd, 0, &none, &now));
    EXPECT_EQ(now.it_interval.tv_nsec, 20 * MS);
    guest_sleep_ms(30);
    EXPECT_ERRNO(SYS(read, fd, &count, 8), EAGAIN);
    EXPECT_ERRNO(SYS(timerfd_create, 99, 0), EINVAL);
    EXPECT_ERRNO(SYS(timerfd_create, CLOCK_MONOTONIC, 0x40000000), EINVAL);
    EXPECT_ERRNO(SYS(timerfd_settime, 0, 0, &every, NULL), EINVAL);
    EXPECT_ERRNO(SYS(timerfd_settime, -1, 0, &every, NULL), EBADF);
    EXPECT_ERRNO(SYS(timerfd_settime, fd, 0, (void *)8, NULL), EFAULT);
    EXPECT_ERRNO(SYS(timerfd_gettime, -1, &now), EBADF);
    every.it_value.tv_nsec = 1000000000;
    EXPECT_ERRNO(SYS(timerfd_settime, fd, 0, &every, NULL), EINVAL);
}

TEST(timerfd_absolute_blocking, "timerfd_settime read")
{
    struct itimerspec when = {{0, 0}, {0, 0}};
    uint64_t count = 0;
    int fd;

    NEEDS(timerfd_create);
    fd = (int)REQUIRE_OK(SYS(timerfd_create, CLOCK_REALTIME, 0));
    when.it_value = after(CLOCK_REALTIME, 50);
    EXPECT_OK(SYS(timerfd_settime, fd, TFD_TIMER_ABSTIME, &when, NULL));
    EXPECT_EQ(SYS(read, fd, &count, 8), 8);
    EXPECT_EQ(count, 1);
    EXPECT_GE(now_on(CLOCK_REALTIME), ns_of(when.it_value));
    when.it_value = (struct timespec){1, 0};
    EXPECT_OK(SYS(timerfd_settime, fd, TFD_TIMER_ABSTIME, &when, NULL));
    EXPECT_EQ(SYS(read, fd, &count, 8), 8);
}

TEST(timerfd_read_eintr, "read:EINTR")
{
    struct itimerspec when = {{0, 0}, {20, 0}};
    uint64_t count;
    pid_t pest;
    int fd;

    NEEDS(timerfd_create);
    fd = (int)REQUIRE_OK(SYS(timerfd_create, CLOCK_MONOTONIC, 0));
    EXPECT_OK(SYS(timerfd_settime, fd, 0, &when, NULL));
    guest_on_signal(SIGUSR1, guest_count_signal, 0);
    pest = guest_pester(SIGUSR1, 20);
    EXPECT_ERRNO(SYS(read, fd, &count, 8), EINTR);
    guest_end(pest);
}

static volatile siginfo_t timer_info;

static void on_timer(int signo, siginfo_t *info, void *context)
{
    (void)signo;
    (void)context;
    memcpy((void *)&timer_info, info, sizeof(*info));
    guest_signals++;
}

TEST(posix_timers, "timer_create timer_settime timer_gettime timer_getoverrun timer_delete timer_create:EINVAL timer_settime:EINVAL timer_delete:EINVAL")
{
    struct itimerspec every = {{0, 10 * MS}, {0, 20 * MS}}, now;
    struct sigaction act;
    struct sigevent event;
    int timer = -1;

    NEEDS(timer_create);
    memset(&act, 0, sizeof(act));
    act.sa_sigaction = on_timer;
    act.sa_flags = SA_SIGINFO;
    REQUIRE_OK(sigaction(SIGUSR1, &act, NULL));
    memset(&event, 0, sizeof(event));
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGUSR1;
    event.sigev_value.sival_int = 4711;
    EXPECT_OK(SYS(timer_create, CLOCK_MONOTONIC, &event, &timer));
    EXPECT_OK(SYS(timer_settime, timer, 0, &every, NULL));
    while (guest_signals < 3)
        SYS(pause);
    EXPECT_EQ(timer_info.si_code, SI_TIMER);
    EXPECT_EQ(timer_info.si_value.sival_int, 4711);
    EXPECT_OK(SYS(timer_gettime, timer, &now));
    EXPECT_EQ(now.it_interval.tv_nsec, 10 * MS);
    EXPECT_GE(SYS(timer_getoverrun, timer), 0);
    EXPECT_OK(SYS(timer_delete, timer));
    EXPECT_ERRNO(SYS(timer_delete, timer), EINVAL);
    EXPECT_ERRNO(SYS(timer_settime, timer, 0, &every, NULL), EINVAL);
    EXPECT_ERRNO(SYS(timer_create, 99, &event, &timer), EINVAL);
    event.sigev_signo = 99;
    EXPECT_ERRNO(SYS(timer_create, CLOCK_MONOTONIC, &event, &timer), EINVAL);
}
