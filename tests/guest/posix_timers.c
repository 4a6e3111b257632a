/*
 * POSIX timers: timer_create(2) and its family. Nothing comes early; overruns are counted, never
 * queued; CPU timers run while the program does.
 */
#include "tests/guest/guest.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define MS  1000000ll
#define SEC 1000000000ll

/* The kernel's own struct sigevent: the C library's hides the thread's number. */
struct event {
    union sigval value;
    int signo, notify;
    int tid;
    int pad[11];
};

static const struct itimerspec stopped;

static int64_t ns_of(struct timespec t)
{
    return (int64_t)t.tv_sec * SEC + t.tv_nsec;
}

static struct timespec to_spec(int64_t ns)
{
    return (struct timespec){ns / SEC, ns % SEC};
}

static int64_t now_on(clockid_t clock)
{
    struct timespec t = {0, 0};

    EXPECT_OK(SYS(clock_gettime, clock, &t));
    return ns_of(t);
}

static struct itimerspec every(int64_t first, int64_t period)
{
    return (struct itimerspec){.it_value = to_spec(first), .it_interval = to_spec(period)};
}

/* block() - keep signo pending, for sigtimedwait() */
static void block(int signo)
{
    uint64_t set = 1ull << (signo - 1);

    EXPECT_OK(SYS(rt_sigprocmask, SIG_BLOCK, &set, NULL, 8));
}

/* wait_for() - take signo within that time. Return: its number, or -1 with EAGAIN */
static long wait_for(int signo, siginfo_t *info, int64_t ms)
{
    uint64_t set = 1ull << (signo - 1);
    struct timespec limit = to_spec(ms * MS);

    return SYS(rt_sigtimedwait, &set, info, &limit, 8);
}

static int make(clockid_t clock, int signo, intptr_t value)
{
    struct event e = {.value = {.sival_ptr = (void *)value}, .signo = signo, .notify = SIGEV_SIGNAL};
    int id = -1;

    REQUIRE_OK(SYS(timer_create, clock, &e, &id));
    return id;
}

static void start(int id, struct itimerspec spec)
{
    EXPECT_OK(SYS(timer_settime, id, 0, &spec, NULL));
}

TEST(timer_once, "timer_create timer_settime timer_gettime timer_getoverrun timer_delete")
{
    static const clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME, CLOCK_TAI};

    block(SIGRTMIN);
    for (size_t i = 0; i < COUNT_OF(clocks); i++) {
        int id = make(clocks[i], SIGRTMIN, 0x123456789abcll);
        int64_t before = now_on(CLOCK_MONOTONIC);
        struct itimerspec left;
        siginfo_t info;

        EXPECT_OK(SYS(timer_gettime, id, &left));
        EXPECT(ns_of(left.it_value) == 0 && ns_of(left.it_interval) == 0);
        start(id, every(30 * MS, 0));
        EXPECT_OK(SYS(timer_gettime, id, &left));
        EXPECT(ns_of(left.it_value) > 0 && ns_of(left.it_value) <= 30 * MS);
        EXPECT_EQ(wait_for(SIGRTMIN, &info, 10000), SIGRTMIN);
        EXPECT_GE(now_on(CLOCK_MONOTONIC) - before, 30 * MS);
        EXPECT_EQ(info.si_code, SI_TIMER);
        EXPECT_EQ(info.si_timerid, id);
        EXPECT_EQ(info.si_overrun, 0);
        EXPECT_EQ((intptr_t)info.si_value.sival_ptr, 0x123456789abcll);
        EXPECT_OK(SYS(timer_gettime, id, &left));
        EXPECT(ns_of(left.it_value) == 0 && ns_of(left.it_interval) == 0);
        EXPECT_EQ(SYS(timer_getoverrun, id), 0);
        EXPECT_EQ(wait_for(SIGRTMIN, &info, 30), -1);
        EXPECT_OK(SYS(timer_delete, id));
        EXPECT_ERRNO(SYS(timer_delete, id), EINVAL);
    }
}

TEST(timer_numbers, "timer_create timer_delete")
{
    int first = make(CLOCK_MONOTONIC, SIGUSR1, 0), second = make(CLOCK_MONOTONIC, SIGUSR1, 0);
    int third;

    EXPECT_EQ(first, 0);
    EXPECT_EQ(second, 1);
    EXPECT_OK(SYS(timer_delete, first));
    third = make(CLOCK_MONOTONIC, SIGUSR1, 0);
    EXPECT(third == 2 || third == 0); /* kernels before 6.15 take the lowest after the last */
    EXPECT_NE(third, second);
}

TEST(timer_default_event, "timer_create")
{
    siginfo_t info;
    int id, other;

    block(SIGALRM);
    REQUIRE_OK(SYS(timer_create, CLOCK_MONOTONIC, NULL, &other));
    REQUIRE_OK(SYS(timer_create, CLOCK_MONOTONIC, NULL, &id));
    start(id, every(1, 0));
    EXPECT_EQ(wait_for(SIGALRM, &info, 10000), SIGALRM);
    EXPECT_EQ(info.si_code, SI_TIMER);
    EXPECT_EQ(info.si_value.sival_int, id);
    EXPECT_EQ(info.si_timerid, id);
}

TEST(timer_create_errors, "timer_create:EINVAL,EFAULT,EOPNOTSUPP")
{
    struct event e = {.signo = SIGUSR1, .notify = SIGEV_SIGNAL};
    int id;

    EXPECT_ERRNO(SYS(timer_create, 99, NULL, &id), EINVAL);
    EXPECT_ERRNO(SYS(timer_create, CLOCK_MONOTONIC, (void *)8, &id), EFAULT);
    EXPECT_ERRNO(SYS(timer_create, 99, (void *)8, &id), EFAULT);
    EXPECT_ERRNO(SYS(timer_create, CLOCK_MONOTONIC, &e, (void *)8), EFAULT);
    EXPECT_ERRNO(SYS(timer_create, CLOCK_MONOTONIC_RAW, &e, &id), EOPNOTSUPP);
    EXPECT_ERRNO(SYS(timer_create, CLOCK_REALTIME_COARSE, &e, &id), EOPNOTSUPP);
    EXPECT_ERRNO(SYS(timer_create, CLOCK_MONOTONIC_COARSE, &e, &id), EOPNOTSUPP);
    EXPECT_ERRNO(SYS(timer_create, ~0x3ffff0ul << 3 | 2, &e, &id), EINVAL);
    e.signo = 0;
    EXPECT_ERRNO(SYS(timer_create, CLOCK_MONOTONIC, &e, &id), EINVAL);
    e.signo = 65;
    EXPECT_ERRNO(SYS(timer_create, CLOCK_MONOTONIC, &e, &id), EINVAL);
    e.signo = SIGUSR1;
    e.notify = 3;
    EXPECT_ERRNO(SYS(timer_create, CLOCK_MONOTONIC, &e, &id), EINVAL);
    e.notify = SIGEV_THREAD_ID;
    e.tid = getppid();
    EXPECT_ERRNO(SYS(timer_create, CLOCK_MONOTONIC, &e, &id), EINVAL);
    e.tid = 0x3ffff0;
    EXPECT_ERRNO(SYS(timer_create, CLOCK_MONOTONIC, &e, &id), EINVAL);
    e.notify = SIGEV_NONE;
    e.signo = 12345;
    EXPECT_OK(SYS(timer_create, CLOCK_MONOTONIC, &e, &id));
    /* None of the failures has left one behind that is numbered. */
    EXPECT_LE(id, 20);
}

TEST(timer_errors, "timer_settime:EINVAL,EFAULT timer_gettime:EINVAL,EFAULT timer_getoverrun:EINVAL timer_delete:EINVAL")
{
    struct itimerspec spec = every(100 * SEC, 0), bad = {{0, 0}, {0, SEC}}, old;
    struct itimerspec negative = {{0, 0}, {-1, 0}}, bad_period = {{0, -1}, {1, 0}};
    int id = make(CLOCK_MONOTONIC, SIGUSR1, 0);

    EXPECT_ERRNO(SYS(timer_settime, 99, 0, &spec, NULL), EINVAL);
    EXPECT_ERRNO(SYS(timer_settime, -1, 0, &spec, NULL), EINVAL);
    EXPECT_ERRNO(SYS(timer_settime, id, 0, NULL, NULL), EINVAL);
    EXPECT_ERRNO(SYS(timer_settime, id, 0, (void *)8, NULL), EFAULT);
    EXPECT_ERRNO(SYS(timer_settime, id, 0, &bad, NULL), EINVAL);
    EXPECT_ERRNO(SYS(timer_settime, id, 0, &negative, NULL), EINVAL);
    EXPECT_ERRNO(SYS(timer_settime, id, 0, &bad_period, NULL), EINVAL);
    EXPECT_ERRNO(SYS(timer_gettime, 99, &old), EINVAL);
    EXPECT_ERRNO(SYS(timer_getoverrun, 99), EINVAL);
    EXPECT_ERRNO(SYS(timer_delete, 99), EINVAL);
    /* What it was can't be told, but it is set. */
    EXPECT_ERRNO(SYS(timer_settime, id, 0, &spec, (void *)8), EFAULT);
    EXPECT_OK(SYS(timer_gettime, id, &old));
    EXPECT_GT(ns_of(old.it_value), 90 * SEC);
    EXPECT_ERRNO(SYS(timer_gettime, id, (void *)8), EFAULT);
}

TEST(timer_settime_old, "timer_settime")
{
    struct itimerspec spec = every(100 * SEC, 7 * SEC), next = every(200 * SEC, 0), old;
    int id = make(CLOCK_REALTIME, SIGUSR1, 0);

    EXPECT_OK(SYS(timer_settime, id, 0, &spec, &old));
    EXPECT(ns_of(old.it_value) == 0 && ns_of(old.it_interval) == 0);
    EXPECT_OK(SYS(timer_settime, id, 0, &next, &old));
    EXPECT(ns_of(old.it_value) > 90 * SEC && ns_of(old.it_value) <= 100 * SEC);
    EXPECT_EQ(ns_of(old.it_interval), 7 * SEC);
    EXPECT_OK(SYS(timer_settime, id, 0, &stopped, &old));
    EXPECT_GT(ns_of(old.it_value), 190 * SEC);
    EXPECT_EQ(ns_of(old.it_interval), 0);
    EXPECT_OK(SYS(timer_gettime, id, &old));
    EXPECT_EQ(ns_of(old.it_value), 0);
}

TEST(timer_absolute, "timer_settime")
{
    static const clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME, CLOCK_TAI};
    siginfo_t info;

    block(SIGUSR1);
    for (size_t i = 0; i < COUNT_OF(clocks); i++) {
        int id = make(clocks[i], SIGUSR1, 0);
        int64_t when = now_on(clocks[i]) + 40 * MS;
        struct itimerspec spec = every(when, 0), past = every(1, 0);

        EXPECT_OK(SYS(timer_settime, id, TIMER_ABSTIME, &spec, NULL));
        EXPECT_EQ(wait_for(SIGUSR1, &info, 10000), SIGUSR1);
        EXPECT_GE(now_on(clocks[i]), when);
        EXPECT_OK(SYS(timer_settime, id, TIMER_ABSTIME, &past, NULL));
        EXPECT_EQ(wait_for(SIGUSR1, &info, 10000), SIGUSR1);
        EXPECT_EQ(info.si_overrun, 0);
        EXPECT_OK(SYS(timer_delete, id));
    }
}

TEST(timer_periodic, "timer_settime timer_getoverrun")
{
    int id = make(CLOCK_MONOTONIC, SIGRTMIN + 1, 0);
    int64_t begin = now_on(CLOCK_MONOTONIC);
    int64_t expiries = 0;
    struct itimerspec left;
    siginfo_t info;

    block(SIGRTMIN + 1);
    start(id, every(10 * MS, 10 * MS));
    for (int i = 0; i < 5; i++) {
        EXPECT_EQ(wait_for(SIGRTMIN + 1, &info, 10000), SIGRTMIN + 1);
        expiries += 1 + info.si_overrun;
        EXPECT_EQ(SYS(timer_getoverrun, id), info.si_overrun);
        EXPECT_GE(now_on(CLOCK_MONOTONIC) - begin, expiries * 10 * MS);
    }
    /* Unread expiries become one signal that tells how many there were. */
    guest_sleep_ms(100);
    EXPECT_OK(SYS(timer_gettime, id, &left));
    EXPECT(ns_of(left.it_value) > 0 && ns_of(left.it_value) <= 10 * MS);
    EXPECT_EQ(ns_of(left.it_interval), 10 * MS);
    EXPECT_EQ(wait_for(SIGRTMIN + 1, &info, 10000), SIGRTMIN + 1);
    EXPECT_GE(info.si_overrun, 8);
    expiries += 1 + info.si_overrun;
    EXPECT_GE(now_on(CLOCK_MONOTONIC) - begin, expiries * 10 * MS);
    EXPECT_OK(SYS(timer_delete, id));
    EXPECT_EQ(wait_for(SIGRTMIN + 1, &info, 30), -1);
}

TEST(timer_handler_overrun, "timer_settime timer_getoverrun")
{
    int id = make(CLOCK_MONOTONIC, SIGUSR1, 0);
    uint64_t set = 1ull << (SIGUSR1 - 1);

    guest_on_signal(SIGUSR1, guest_count_signal, 0);
    block(SIGUSR1);
    start(id, every(5 * MS, 5 * MS));
    guest_sleep_ms(60);
    start(id, stopped);
    SYS(rt_sigprocmask, SIG_UNBLOCK, &set, NULL, 8);
    EXPECT_LE(guest_signals, 1); /* kernels before 6.13 deliver what was pending when it stopped */
    guest_signals = 0;
    start(id, every(5 * MS, 5 * MS));
    while (guest_signals < 5)
        SYS(pause);
    start(id, stopped);
    EXPECT_GE(guest_signals, 5);
}

TEST(timer_none, "timer_create timer_gettime")
{
    struct event e = {.notify = SIGEV_NONE};
    struct itimerspec left;
    int id;

    REQUIRE_OK(SYS(timer_create, CLOCK_MONOTONIC, &e, &id));
    start(id, every(20 * MS, 0));
    EXPECT_OK(SYS(timer_gettime, id, &left));
    EXPECT(ns_of(left.it_value) > 0 && ns_of(left.it_value) <= 20 * MS);
    guest_sleep_ms(30);
    EXPECT_OK(SYS(timer_gettime, id, &left));
    EXPECT_EQ(ns_of(left.it_value), 0);
    start(id, every(20 * MS, 50 * MS));
    guest_sleep_ms(30);
    EXPECT_OK(SYS(timer_gettime, id, &left));
    EXPECT(ns_of(left.it_value) > 0 && ns_of(left.it_value) <= 50 * MS);
    EXPECT_EQ(SYS(timer_getoverrun, id), 0);
}

/* A one-shot timer whose signal is not taken yet is not reported as being off. */
TEST(timer_pending_value, "timer_gettime")
{
    int id = make(CLOCK_MONOTONIC, SIGUSR1, 0);
    struct itimerspec left;
    siginfo_t info;

    block(SIGUSR1);
    start(id, every(1, 0));
    EXPECT_EQ(wait_for(SIGUSR1, &info, 10000), SIGUSR1);
    EXPECT_OK(SYS(timer_gettime, id, &left));
    EXPECT_EQ(ns_of(left.it_value), 0);
    /* Each of two timers with one signal has its own entry in the queue. */
    start(id, every(1, 0));
    start(make(CLOCK_MONOTONIC, SIGUSR1, 77), every(1, 0));
    guest_sleep_ms(20);
    EXPECT_EQ(wait_for(SIGUSR1, &info, 10000), SIGUSR1);
    EXPECT_EQ(wait_for(SIGUSR1, &info, 10000), SIGUSR1);
    EXPECT_EQ(wait_for(SIGUSR1, &info, 0), -1);
}

static volatile int took_tid;
static volatile bool stop_threads;

static void note_tid(int signo)
{
    (void)signo;
    took_tid = (int)SYS(gettid);
}

static void *sleeper(void *tid)
{
    __atomic_store_n((int *)tid, (int)SYS(gettid), __ATOMIC_RELEASE);
    while (!stop_threads)
        guest_sleep_ms(5);
    return NULL;
}

TEST(timer_thread_id, "timer_create")
{
    struct event e = {.signo = SIGUSR2, .notify = SIGEV_THREAD_ID};
    struct itimerspec left;
    pthread_t thread;
    static int tid;
    int id;

    guest_on_signal(SIGUSR2, note_tid, SA_RESTART);
    REQUIRE(pthread_create(&thread, NULL, sleeper, &tid) == 0);
    WAIT_UNTIL(__atomic_load_n(&tid, __ATOMIC_ACQUIRE));
    e.tid = tid;
    REQUIRE_OK(SYS(timer_create, CLOCK_MONOTONIC, &e, &id));
    for (int i = 0; i < 5; i++) {
        took_tid = 0;
        start(id, every(1 * MS, 0));
        WAIT_UNTIL(took_tid);
        EXPECT_EQ(took_tid, tid);
    }
    stop_threads = true;
    pthread_join(thread, NULL);
    /* Nobody is left to be told; the timer lives on. */
    took_tid = 0;
    start(id, every(1 * MS, 1 * MS));
    guest_sleep_ms(20);
    EXPECT_EQ(took_tid, 0);
    EXPECT_OK(SYS(timer_gettime, id, &left));
    EXPECT_EQ(ns_of(left.it_interval), 1 * MS);
    EXPECT_OK(SYS(timer_delete, id));
}

static void burn(int64_t ms)
{
    int64_t end = now_on(CLOCK_PROCESS_CPUTIME_ID) + ms * MS;

    while (now_on(CLOCK_PROCESS_CPUTIME_ID) < end)
        for (volatile int i = 0; i < 10000; i++)
            continue;
}

static void cpu_timer(clockid_t clock)
{
    int id = make(clock, SIGUSR1, 0);
    int64_t begin = now_on(clock), end = now_on(CLOCK_MONOTONIC) + 20 * SEC;
    struct itimerspec left;

    guest_on_signal(SIGUSR1, guest_count_signal, 0);
    guest_signals = 0;
    start(id, every(30 * MS, 0));
    guest_sleep_ms(60);
    EXPECT_EQ(guest_signals, 0); /* time asleep does not count */
    EXPECT_OK(SYS(timer_gettime, id, &left));
    EXPECT(ns_of(left.it_value) > 0 && ns_of(left.it_value) <= 30 * MS);
    while (!guest_signals && now_on(CLOCK_MONOTONIC) < end)
        burn(1);
    EXPECT_EQ(guest_signals, 1);
    EXPECT_GE(now_on(clock) - begin, 30 * MS);
    EXPECT_OK(SYS(timer_gettime, id, &left));
    EXPECT_EQ(ns_of(left.it_value), 0);
    start(id, every(10 * MS, 10 * MS));
    while (guest_signals < 4 && now_on(CLOCK_MONOTONIC) < end)
        burn(1);
    EXPECT_GE(guest_signals, 4);
    EXPECT_GE(now_on(clock) - begin, 60 * MS);
    EXPECT_OK(SYS(timer_delete, id));
}

TEST(timer_process_cpu, "timer_create")
{
    cpu_timer(CLOCK_PROCESS_CPUTIME_ID);
    cpu_timer((clockid_t)(~(unsigned int)getpid() << 3 | 2));
}

TEST(timer_thread_cpu, "timer_create")
{
    cpu_timer(CLOCK_THREAD_CPUTIME_ID);
    cpu_timer((clockid_t)(~(unsigned int)SYS(gettid) << 3 | 6));
}

TEST(timer_cpu_absolute, "timer_settime")
{
    int id = make(CLOCK_PROCESS_CPUTIME_ID, SIGUSR1, 0);
    struct itimerspec past = every(1, 0), then;
    siginfo_t info;

    block(SIGUSR1);
    burn(2);
    EXPECT_OK(SYS(timer_settime, id, TIMER_ABSTIME, &past, NULL));
    EXPECT_EQ(wait_for(SIGUSR1, &info, 10000), SIGUSR1);
    EXPECT_EQ(info.si_code, SI_TIMER);
    then = every(now_on(CLOCK_PROCESS_CPUTIME_ID) + 20 * MS, 0);
    EXPECT_OK(SYS(timer_settime, id, TIMER_ABSTIME, &then, NULL));
    burn(15);
    EXPECT_EQ(wait_for(SIGUSR1, &info, 0), -1);
    burn(200);
    EXPECT_EQ(wait_for(SIGUSR1, &info, 10000), SIGUSR1);
}

static void *spend(void *arg)
{
    (void)arg;
    burn(200);
    return NULL;
}

TEST(timer_cpu_of_others, "timer_create")
{
    int all = make(CLOCK_PROCESS_CPUTIME_ID, SIGUSR1, 0);
    int own = make(CLOCK_THREAD_CPUTIME_ID, SIGUSR2, 0);
    pthread_t thread;
    siginfo_t info;

    block(SIGUSR1);
    block(SIGUSR2);
    start(all, every(60 * MS, 0));
    start(own, every(60 * MS, 0));
    REQUIRE(pthread_create(&thread, NULL, spend, NULL) == 0);
    pthread_join(thread, NULL);
    EXPECT_EQ(wait_for(SIGUSR1, &info, 10000), SIGUSR1);
    EXPECT_EQ(wait_for(SIGUSR2, &info, 0), -1);
}

TEST(timer_not_forked, "timer_create fork")
{
    int id = make(CLOCK_MONOTONIC, SIGUSR1, 0);
    struct itimerspec left;
    pid_t pid;

    start(id, every(100 * SEC, 0));
    IN_CHILD(pid) {
        EXPECT_ERRNO(SYS(timer_gettime, id, &left), EINVAL);
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_OK(SYS(timer_gettime, id, &left));
}

HELPER(has_no_timers)
{
    struct itimerspec left;

    for (int i = 0; i < 4; i++)
        EXPECT_ERRNO(SYS(timer_gettime, i, &left), EINVAL);
    guest_sleep_ms(2100);
    guest_finish();
}

TEST(timer_gone_at_exec, "timer_create execve")
{
    const char *args[] = {"self", "--helper", "has_no_timers", NULL};
    pid_t pid;

    IN_CHILD(pid) {
        start(make(CLOCK_MONOTONIC, SIGKILL, 0), every(2000 * MS, 0)); /* execve is done by then */
        SYS(execve, guest_self, args, NULL);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(timer_kills, "timer_settime")
{
    pid_t pid;

    IN_CHILD(pid) {
        start(make(CLOCK_MONOTONIC, SIGUSR1, 0), every(1 * MS, 0));
        for (;;)
            pause();
    }
    EXPECT_KILLED(pid, SIGUSR1);
    IN_CHILD(pid) {
        start(make(CLOCK_MONOTONIC, SIGKILL, 0), every(1 * MS, 0));
        for (;;)
            continue;
    }
    EXPECT_KILLED(pid, SIGKILL);
}

TEST(timer_ignored, "timer_settime")
{
    int id = make(CLOCK_MONOTONIC, SIGUSR1, 0);
    struct itimerspec left;

    signal(SIGUSR1, SIG_IGN);
    start(id, every(5 * MS, 5 * MS));
    guest_sleep_ms(30);
    EXPECT_OK(SYS(timer_gettime, id, &left));
    EXPECT(ns_of(left.it_value) > 0 && ns_of(left.it_value) <= 5 * MS);
    guest_on_signal(SIGUSR1, guest_count_signal, 0);
    WAIT_UNTIL(guest_signals >= 3);
    /* Pending while it becomes ignored, and handled again. */
    block(SIGUSR1);
    guest_sleep_ms(20);
    signal(SIGUSR1, SIG_IGN);
    guest_sleep_ms(20);
    guest_on_signal(SIGUSR1, guest_count_signal, 0);
    guest_signals = 0;
    SYS(rt_sigprocmask, SIG_UNBLOCK, &(uint64_t){1ull << (SIGUSR1 - 1)}, NULL, 8);
    WAIT_UNTIL(guest_signals >= 3);
}

TEST(timer_limit, "timer_create:EAGAIN")
{
    struct rlimit few = {8, 8};
    pid_t pid;

    IN_CHILD(pid) {
        struct event e = {.signo = SIGUSR1, .notify = SIGEV_SIGNAL};
        int made = 0, id, last = -1;

        /* Of this user, who may have others. */
        EXPECT_OK(SYS(setuid, 54321));
        EXPECT_OK(setrlimit(RLIMIT_SIGPENDING, &few));
        while (made < 20 && SYS(timer_create, CLOCK_MONOTONIC, &e, &id) == 0) {
            last = id;
            made++;
        }
        EXPECT_EQ(errno, EAGAIN);
        EXPECT_EQ(made, 8);
        EXPECT_OK(SYS(timer_delete, last));
        EXPECT_OK(SYS(timer_create, CLOCK_MONOTONIC, &e, &id));
    }
    if (geteuid() != 0) {
        guest_wait(pid);
        SKIP("only root can become a user who has no other timers");
    }
    EXPECT_CHILD_OK(pid);
}

/* One thread sets and deletes timers while their signals are delivered to others. */
static volatile bool stop_racing;

static void *race(void *arg)
{
    uintptr_t seed = (uintptr_t)arg;

    while (!stop_racing) {
        struct event e = {.signo = SIGUSR1, .notify = SIGEV_SIGNAL};
        struct itimerspec left, later = every(500000, 0), often = every(1000, 200000);
        int id;

        if (SYS(timer_create, seed % 3 ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID, &e, &id) < 0)
            continue;
        SYS(timer_settime, id, 0, &often, NULL);
        for (int i = 0; i < (int)(seed++ % 5); i++)
            SYS(timer_gettime, id, &left);
        SYS(timer_settime, id, 0, &later, NULL);
        SYS(timer_delete, id);
        SYS(timer_delete, (int)(seed % 7));
    }
    return NULL;
}

TEST(timer_races, "timer_create timer_delete")
{
    pthread_t threads[3];
    pid_t pid;

    guest_on_signal(SIGUSR1, guest_count_signal, SA_RESTART);
    for (uintptr_t i = 0; i < COUNT_OF(threads); i++)
        REQUIRE(pthread_create(&threads[i], NULL, race, (void *)i) == 0);
    for (int i = 0; i < 50; i++) {
        IN_CHILD(pid) {
            start(make(CLOCK_MONOTONIC, SIGUSR1, 0), every(100000, 100000));
            guest_sleep_ms(1);
            SYS(exit_group, 0);
        }
        EXPECT_CHILD_OK(pid);
    }
    stop_racing = true;
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_join(threads[i], NULL);
}
