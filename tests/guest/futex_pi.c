/* Futexes that know their owner: priority inheritance, robust owners, requeueing to them. */
#include "tests/guest/guest.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif

#define MS 1000000ll

static long futex(uint32_t *word, int op, uint32_t val, const void *time, uint32_t *word2,
                  uint32_t val3)
{
    return SYS(futex, word, op, val, time, word2, val3);
}

static long lock_pi(uint32_t *word)
{
    return futex(word, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
}

static long unlock_pi(uint32_t *word)
{
    return futex(word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
}

static struct timespec in_ms(clockid_t clock, int64_t ms)
{
    struct timespec t;

    clock_gettime(clock, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += ms % 1000 * MS;
    if (t.tv_nsec >= 1000 * MS) {
        t.tv_sec++;
        t.tv_nsec -= 1000 * MS;
    }
    return t;
}

static uint32_t get(const uint32_t *word)
{
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

TEST(pi_free, "futex")
{
    static uint32_t word;
    uint32_t tid = (uint32_t)gettid();

    EXPECT_OK(lock_pi(&word));
    EXPECT_EQ(word, tid);
    EXPECT_OK(unlock_pi(&word));
    EXPECT_EQ(word, 0);
    EXPECT_OK(futex(&word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0));
    EXPECT_EQ(word, tid);
    EXPECT_OK(futex(&word, FUTEX_UNLOCK_PI | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, 0));
    EXPECT_EQ(word, 0);
    EXPECT_OK(futex(&word, FUTEX_LOCK_PI2, 0, NULL, NULL, 0));
    EXPECT_EQ(word, tid);
    /* What died stays marked until somebody looks. */
    word = FUTEX_OWNER_DIED;
    EXPECT_OK(lock_pi(&word));
    EXPECT_EQ(word, tid | FUTEX_OWNER_DIED);
    word = tid | FUTEX_WAITERS;
    EXPECT_OK(unlock_pi(&word));
    EXPECT_EQ(word, 0);
}

TEST(pi_errors, "futex:EDEADLK,EPERM,ESRCH,EFAULT,EINVAL,EAGAIN,ENOSYS")
{
    static uint32_t word, other;
    uint32_t tid = (uint32_t)gettid();
    struct timespec bad = {0, 1000000000};

    word = tid;
    EXPECT_ERRNO(lock_pi(&word), EDEADLK);
    EXPECT_ERRNO(futex(&word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0), EDEADLK);
    word = 0;
    EXPECT_ERRNO(unlock_pi(&word), EPERM);
    word = tid + 1;
    EXPECT_ERRNO(unlock_pi(&word), EPERM);
    word = 0x3ffff0;
    EXPECT_ERRNO(lock_pi(&word), ESRCH);
    EXPECT_ERRNO(lock_pi((uint32_t *)8), EFAULT);
    EXPECT_ERRNO(unlock_pi((uint32_t *)8), EFAULT);
    EXPECT_ERRNO(lock_pi((uint32_t *)((char *)&word + 1)), EINVAL);
    EXPECT_ERRNO(futex(&word, FUTEX_LOCK_PI, 0, &bad, NULL, 0), EINVAL);
    EXPECT_ERRNO(futex(&word, FUTEX_LOCK_PI, 0, (void *)8, NULL, 0), EFAULT);
    EXPECT_ERRNO(futex(&word, FUTEX_UNLOCK_PI | FUTEX_CLOCK_REALTIME, 0, NULL, NULL, 0), ENOSYS);
    EXPECT_ERRNO(futex(&word, FUTEX_WAIT_REQUEUE_PI, 1, NULL, &other, 0), EAGAIN);
    EXPECT_ERRNO(futex(&word, FUTEX_WAIT_REQUEUE_PI, 0, NULL, &word, 0), EINVAL);
    EXPECT_ERRNO(futex(&word, FUTEX_CMP_REQUEUE_PI, 2, (void *)1, &other, 0), EINVAL);
    EXPECT_ERRNO(futex(&word, FUTEX_CMP_REQUEUE_PI, 1, (void *)1, &word, 0), EINVAL);
    EXPECT_ERRNO(futex(&word, FUTEX_CMP_REQUEUE_PI, 1, (void *)1, &other, 5), EAGAIN);
    word = 0;
    EXPECT_EQ(futex(&word, FUTEX_CMP_REQUEUE_PI, 1, (void *)1, &other, 0), 0);
}

static uint32_t pi_word, second_word;
static volatile int phase;

static void *hold_then_unlock(void *arg)
{
    EXPECT_OK(lock_pi(&pi_word));
    phase = 1;
    guest_sleep_ms((unsigned int)(uintptr_t)arg);
    phase = 2;
    EXPECT_OK(unlock_pi(&pi_word));
    return NULL;
}

TEST(pi_contended, "futex")
{
    uint32_t tid = (uint32_t)gettid();
    pthread_t thread;

    for (int i = 0; i < 20; i++) {
        phase = 0;
        REQUIRE(pthread_create(&thread, NULL, hold_then_unlock, (void *)(uintptr_t)(i % 4 * 5)) == 0);
        WAIT_UNTIL(phase);
        EXPECT_OK(lock_pi(&pi_word));
        EXPECT_EQ(phase, 2);
        EXPECT_EQ(get(&pi_word) & FUTEX_TID_MASK, tid);
        EXPECT_OK(unlock_pi(&pi_word));
        EXPECT_EQ(get(&pi_word), 0);
        pthread_join(thread, NULL);
    }
}

TEST(pi_timeouts, "futex:ETIMEDOUT,EAGAIN")
{
    struct timespec until;
    pthread_t thread;
    int64_t start;

    REQUIRE(pthread_create(&thread, NULL, hold_then_unlock, (void *)300) == 0);
    WAIT_UNTIL(phase);
    start = guest_now_ns();
    until = in_ms(CLOCK_REALTIME, 40);
    EXPECT_ERRNO(futex(&pi_word, FUTEX_LOCK_PI, 0, &until, NULL, 0), ETIMEDOUT);
    EXPECT_GE(guest_now_ns() - start, 39 * MS);
    until = in_ms(CLOCK_MONOTONIC, 40);
    EXPECT_ERRNO(futex(&pi_word, FUTEX_LOCK_PI2, 0, &until, NULL, 0), ETIMEDOUT);
    until = in_ms(CLOCK_REALTIME, 40);
    EXPECT_ERRNO(futex(&pi_word, FUTEX_LOCK_PI2 | FUTEX_CLOCK_REALTIME, 0, &until, NULL, 0),
                 ETIMEDOUT);
    EXPECT_GE(guest_now_ns() - start, 119 * MS);
    EXPECT_ERRNO(futex(&pi_word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0), EAGAIN);
    EXPECT_EQ(get(&pi_word) & FUTEX_WAITERS, FUTEX_WAITERS);
    pthread_join(thread, NULL);
    EXPECT_EQ(get(&pi_word), 0);
}

TEST(pi_not_interrupted, "futex")
{
    pthread_t thread;
    pid_t pest;

    guest_on_signal(SIGUSR1, guest_count_signal, 0);
    REQUIRE(pthread_create(&thread, NULL, hold_then_unlock, (void *)200) == 0);
    WAIT_UNTIL(phase);
    pest = guest_pester(SIGUSR1, 10);
    EXPECT_OK(lock_pi(&pi_word)); /* goes on after the handler, without SA_RESTART */
    EXPECT_EQ(phase, 2);
    guest_end(pest);
    EXPECT_OK(unlock_pi(&pi_word));
    pthread_join(thread, NULL);
}

static volatile int order[8], next_order;

static void *wait_in_line(void *arg)
{
    if ((uintptr_t)arg >= 100) {
        struct sched_param p = {.sched_priority = (int)(uintptr_t)arg - 100};

        EXPECT_EQ(sched_setscheduler(0, SCHED_FIFO, &p), 0);
    }
    __atomic_add_fetch(&phase, 1, __ATOMIC_SEQ_CST);
    EXPECT_OK(lock_pi(&pi_word));
    order[next_order++] = (int)(uintptr_t)arg;
    EXPECT_OK(unlock_pi(&pi_word));
    return NULL;
}

static void line_up(const uintptr_t *who, int n, pthread_t *threads)
{
    phase = next_order = 0;
    EXPECT_OK(lock_pi(&pi_word));
    for (int i = 0; i < n; i++) {
        REQUIRE(pthread_create(&threads[i], NULL, wait_in_line, (void *)who[i]) == 0);
        WAIT_UNTIL(phase == i + 1);
        guest_sleep_ms(40);
    }
    EXPECT_OK(unlock_pi(&pi_word));
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    EXPECT_EQ(get(&pi_word), 0);
}

TEST(pi_in_order, "futex")
{
    static const uintptr_t equal[] = {1, 2, 3, 4};
    pthread_t threads[4];

    line_up(equal, 4, threads);
    EXPECT(order[0] == 1 && order[1] == 2 && order[2] == 3 && order[3] == 4);
}

TEST(pi_by_priority, "futex")
{
    static const uintptr_t ranked[] = {1, 110, 2, 120};
    pthread_t threads[4];

    if (!guest_has_cap(23))
        SKIP("real-time priorities need CAP_SYS_NICE");
    line_up(ranked, 4, threads);
    EXPECT(order[0] == 120 && order[1] == 110 && order[2] == 1 && order[3] == 2);
}

static void *lock_both(void *arg)
{
    (void)arg;
    EXPECT_OK(lock_pi(&second_word));
    phase = 1;
    EXPECT_OK(lock_pi(&pi_word)); /* the main thread has it */
    EXPECT_OK(unlock_pi(&pi_word));
    EXPECT_OK(unlock_pi(&second_word));
    return NULL;
}

TEST(pi_deadlock, "futex:EDEADLK")
{
    pthread_t thread;

    EXPECT_OK(lock_pi(&pi_word));
    REQUIRE(pthread_create(&thread, NULL, lock_both, NULL) == 0);
    WAIT_UNTIL(phase);
    WAIT_UNTIL(get(&pi_word) & FUTEX_WAITERS);
    guest_sleep_ms(30);
    EXPECT_ERRNO(lock_pi(&second_word), EDEADLK);
    EXPECT_OK(unlock_pi(&pi_word));
    pthread_join(thread, NULL);
    EXPECT_EQ(get(&second_word), 0);
}

static void *die_with_it(void *arg)
{
    EXPECT_OK(lock_pi(&pi_word));
    phase = 1;
    guest_sleep_ms((unsigned int)(uintptr_t)arg);
    return NULL;
}

TEST(pi_owner_dies, "futex")
{
    uint32_t tid = (uint32_t)gettid();
    pthread_t thread;

    REQUIRE(pthread_create(&thread, NULL, die_with_it, (void *)50) == 0);
    WAIT_UNTIL(phase);
    EXPECT_OK(lock_pi(&pi_word));
    EXPECT_EQ(get(&pi_word), tid | FUTEX_WAITERS | FUTEX_OWNER_DIED);
    pthread_join(thread, NULL);
    EXPECT_OK(unlock_pi(&pi_word));
    EXPECT_EQ(get(&pi_word), 0);
    /* Nobody waited when it died: the word names nobody that lives. */
    phase = 0;
    REQUIRE(pthread_create(&thread, NULL, die_with_it, (void *)0) == 0);
    pthread_join(thread, NULL);
    EXPECT_ERRNO(lock_pi(&pi_word), ESRCH);
}

TEST(pi_robust, "futex set_robust_list")
{
    pthread_mutexattr_t attr;
    pthread_mutex_t *mutex = guest_shared(4096);
    pid_t pid;

    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    REQUIRE(pthread_mutex_init(mutex, &attr) == 0);
    for (int waits = 0; waits < 2; waits++) {
        int *taken = (int *)((char *)mutex + 2048);

        *taken = 0;
        IN_CHILD(pid) {
            EXPECT_EQ(pthread_mutex_lock(mutex), 0);
            __atomic_store_n(taken, 1, __ATOMIC_SEQ_CST);
            guest_sleep_ms(waits ? 60 : 0);
            kill(getpid(), SIGKILL);
        }
        if (!waits)
            EXPECT_KILLED(pid, SIGKILL);
        WAIT_UNTIL(__atomic_load_n(taken, __ATOMIC_SEQ_CST));
        EXPECT_EQ(pthread_mutex_lock(mutex), EOWNERDEAD);
        EXPECT_EQ(pthread_mutex_consistent(mutex), 0);
        EXPECT_EQ(pthread_mutex_unlock(mutex), 0);
        EXPECT_EQ(pthread_mutex_lock(mutex), 0);
        EXPECT_EQ(pthread_mutex_unlock(mutex), 0);
        if (waits)
            EXPECT_KILLED(pid, SIGKILL);
    }
}

TEST(pi_between_processes, "futex")
{
    uint32_t *word = guest_shared(4096), *count = word + 1;
    pid_t pids[4];

    for (size_t i = 0; i < COUNT_OF(pids); i++) {
        IN_CHILD(pids[i]) {
            for (int n = 0; n < 200; n++) {
                EXPECT_OK(lock_pi(word));
                *count = *count + 1;
                if (n % 16 == 0)
                    sched_yield();
                EXPECT_OK(unlock_pi(word));
            }
        }
    }
    for (size_t i = 0; i < COUNT_OF(pids); i++)
        EXPECT_CHILD_OK(pids[i]);
    EXPECT_EQ(*count, 800);
    EXPECT_EQ(*word, 0);
}

TEST(pi_mixed_up, "futex:EINVAL")
{
    pthread_t thread;

    /* Woken as if it were an ordinary one. */
    EXPECT_OK(lock_pi(&pi_word));
    phase = 0;
    REQUIRE(pthread_create(&thread, NULL, wait_in_line, (void *)1) == 0);
    WAIT_UNTIL(get(&pi_word) & FUTEX_WAITERS);
    guest_sleep_ms(30);
    EXPECT_ERRNO(futex(&pi_word, FUTEX_WAKE, 1, NULL, NULL, 0), EINVAL);
    EXPECT_OK(unlock_pi(&pi_word));
    pthread_join(thread, NULL);
}

/* --- requeueing --- */

static uint32_t cond_word;
static volatile int waiting, awake;
static volatile long results[8];

static void *cond_wait(void *arg)
{
    struct timespec until;
    int i = (int)(uintptr_t)arg;

    EXPECT_OK(lock_pi(&pi_word));
    __atomic_add_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
    EXPECT_OK(unlock_pi(&pi_word));
    until = in_ms(CLOCK_MONOTONIC, 15000);
    results[i] = futex(&cond_word, FUTEX_WAIT_REQUEUE_PI, 0, &until, &pi_word, 0);
    EXPECT_EQ(get(&pi_word) & FUTEX_TID_MASK, gettid());
    __atomic_add_fetch(&awake, 1, __ATOMIC_SEQ_CST);
    EXPECT_OK(unlock_pi(&pi_word));
    return NULL;
}

static void cond_threads(pthread_t *threads, int n)
{
    waiting = awake = 0;
    for (int i = 0; i < n; i++)
        REQUIRE(pthread_create(&threads[i], NULL, cond_wait, (void *)(uintptr_t)i) == 0);
    WAIT_UNTIL(waiting == n);
    guest_sleep_ms(80);
}

TEST(pi_requeue_held, "futex")
{
    pthread_t threads[4];

    cond_threads(threads, 4);
    EXPECT_OK(lock_pi(&pi_word));
    EXPECT_EQ(futex(&cond_word, FUTEX_CMP_REQUEUE_PI, 1, (void *)100, &pi_word, 0), 4);
    guest_sleep_ms(50);
    EXPECT_EQ(awake, 0);
    EXPECT_EQ(get(&pi_word), (uint32_t)gettid() | FUTEX_WAITERS);
    EXPECT_OK(unlock_pi(&pi_word));
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        EXPECT_EQ(results[i], 0);
    }
    EXPECT_EQ(get(&pi_word), 0);
}

TEST(pi_requeue_free, "futex")
{
    pthread_t threads[3];

    cond_threads(threads, 3);
    /* The lock is free: the first gets it at once. */
    EXPECT_EQ(futex(&cond_word, FUTEX_CMP_REQUEUE_PI, 1, (void *)0, &pi_word, 0), 1);
    WAIT_UNTIL(awake == 1);
    EXPECT_EQ(futex(&cond_word, FUTEX_CMP_REQUEUE_PI, 1, (void *)100, &pi_word, 0), 2);
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        EXPECT_EQ(results[i], 0);
    }
    EXPECT_EQ(get(&pi_word), 0);
}

TEST(pi_requeue_timeouts, "futex:ETIMEDOUT,EINVAL")
{
    struct timespec until = in_ms(CLOCK_MONOTONIC, 40);
    pthread_t thread;

    EXPECT_ERRNO(futex(&cond_word, FUTEX_WAIT_REQUEUE_PI, 0, &until, &pi_word, 0), ETIMEDOUT);
    EXPECT_EQ(get(&pi_word), 0);
    until = in_ms(CLOCK_REALTIME, 40);
    EXPECT_ERRNO(futex(&cond_word, FUTEX_WAIT_REQUEUE_PI | FUTEX_CLOCK_REALTIME, 0, &until,
                       &pi_word, 0),
                 ETIMEDOUT);
    cond_threads(&thread, 1);
    EXPECT_ERRNO(futex(&cond_word, FUTEX_CMP_REQUEUE_PI, 1, (void *)1, &second_word, 0), EINVAL);
    EXPECT_ERRNO(futex(&cond_word, FUTEX_WAKE, 1, NULL, NULL, 0), EINVAL);
    EXPECT_EQ(futex(&cond_word, FUTEX_CMP_REQUEUE_PI, 1, (void *)1, &pi_word, 0), 1);
    pthread_join(thread, NULL);
}

/* --- races --- */

static volatile bool stop;

static void *contend(void *arg)
{
    unsigned int n = (unsigned int)(uintptr_t)arg;

    while (!stop) {
        struct timespec soon = in_ms(CLOCK_REALTIME, 0);

        soon.tv_nsec = soon.tv_nsec / 2 + 100000 * (n++ % 7);
        if (futex(&pi_word, FUTEX_LOCK_PI, 0, n % 3 ? NULL : &soon, NULL, 0) == 0) {
            second_word++;
            EXPECT_OK(unlock_pi(&pi_word));
        }
    }
    return NULL;
}

TEST(pi_races, "futex")
{
    pthread_t threads[4], mortal;

    for (uintptr_t i = 0; i < COUNT_OF(threads); i++)
        REQUIRE(pthread_create(&threads[i], NULL, contend, (void *)i) == 0);
    for (int i = 0; i < 20; i++) {
        phase = 0;
        REQUIRE(pthread_create(&mortal, NULL, hold_then_unlock, (void *)(uintptr_t)(i % 3)) == 0);
        guest_sleep_ms(5);
        pthread_join(mortal, NULL);
    }
    stop = true;
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_join(threads[i], NULL);
    EXPECT_EQ(get(&pi_word), 0);
}

/* Killed while they hold it, wait for it, hand it on. */
TEST(pi_killed, "futex")
{
    uint32_t *word = guest_shared(4096);
    pid_t pids[3];

    for (int round = 0; round < 20; round++) {
        *word = 0;
        for (size_t i = 0; i < COUNT_OF(pids); i++) {
            IN_CHILD(pids[i]) {
                for (;;) {
                    lock_pi(word);
                    unlock_pi(word);
                }
            }
        }
        guest_sleep_ms(5);
        for (size_t i = 0; i < COUNT_OF(pids); i++)
            guest_end(pids[i]);
        if (get(word) & FUTEX_TID_MASK)
            EXPECT_ERRNO(lock_pi(word), ESRCH);
        else
            EXPECT_OK(lock_pi(word));
    }
}
