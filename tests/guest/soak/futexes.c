/* Loads: locks, conditions and bare futexes between threads and between processes. */
#include "tests/guest/soak/soak.h"

#include <linux/futex.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

enum { ROUNDS = 60 };

struct locked {
    pthread_mutex_t mutex;
    pthread_cond_t filled, drained;
    pthread_barrier_t barrier;
    pthread_rwlock_t rwlock;
    sem_t sem;
    volatile uint64_t count, twice;
    uint32_t ring[4], head, tail;
    _Atomic(uint64_t) sum;
};

static struct locked *new_locked(int protocol, bool robust)
{
    struct locked *l = guest_shared(sizeof(*l));
    pthread_mutexattr_t mutex;
    pthread_condattr_t cond;
    pthread_rwlockattr_t rwlock;
    pthread_barrierattr_t barrier;

    pthread_mutexattr_init(&mutex);
    pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setprotocol(&mutex, protocol);
    if (robust)
        pthread_mutexattr_setrobust(&mutex, PTHREAD_MUTEX_ROBUST);
    REQUIRE(pthread_mutex_init(&l->mutex, &mutex) == 0);
    pthread_condattr_init(&cond);
    pthread_condattr_setpshared(&cond, PTHREAD_PROCESS_SHARED);
    pthread_cond_init(&l->filled, &cond);
    pthread_cond_init(&l->drained, &cond);
    pthread_rwlockattr_init(&rwlock);
    pthread_rwlockattr_setpshared(&rwlock, PTHREAD_PROCESS_SHARED);
    pthread_rwlock_init(&l->rwlock, &rwlock);
    pthread_barrierattr_init(&barrier);
    pthread_barrierattr_setpshared(&barrier, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&l->barrier, &barrier, 4);
    sem_init(&l->sem, 1, 2);
    return l;
}

/* in_processes() - the body in a number of processes with two threads each; all end well */
static void in_processes(unsigned int n, void *(*body)(void *), struct locked *l)
{
    pid_t pids[4];

    for (unsigned int i = 0; i < n; i++) {
        SOAK_CHILD (pids[i], -1)
            soak_threads(2, body, l);
    }
    for (unsigned int i = 0; i < n; i++)
        EXPECT_CHILD_OK(pids[i]);
}

static void *counts(void *arg)
{
    struct locked *l = arg;

    for (int i = 0; i < ROUNDS; i++) {
        EXPECT_EQ(pthread_mutex_lock(&l->mutex), 0);
        l->count++;
        if (i % 8 == 0)
            sched_yield();
        l->twice += 2;
        EXPECT_EQ(l->twice, 2 * l->count);
        EXPECT_EQ(pthread_mutex_unlock(&l->mutex), 0);
    }
    return NULL;
}

LOAD(mutex)
{
    int protocol = soak_coin(s, 2) ? PTHREAD_PRIO_INHERIT : PTHREAD_PRIO_NONE;
    struct locked *l = new_locked(protocol, soak_coin(s, 2));

    in_processes(2, counts, l);
    EXPECT_EQ(l->count, 4 * ROUNDS);
    munmap(l, sizeof(*l));
}

static void *reads_and_writes(void *arg)
{
    struct locked *l = arg;

    for (int i = 0; i < ROUNDS; i++) {
        if (i % 3) {
            pthread_rwlock_rdlock(&l->rwlock);
            EXPECT_EQ(l->twice, 2 * l->count);
        } else {
            pthread_rwlock_wrlock(&l->rwlock);
            l->count++;
            l->twice += 2;
        }
        EXPECT_EQ(pthread_rwlock_unlock(&l->rwlock), 0);
        EXPECT_EQ(sem_wait(&l->sem), 0);
        EXPECT_LE(l->sum++, 1u);
        l->sum--;
        EXPECT_EQ(sem_post(&l->sem), 0);
    }
    pthread_barrier_wait(&l->barrier);
    EXPECT_EQ(l->count, 4 * ROUNDS / 3);
    return NULL;
}

LOAD(rwlock_sem_barrier)
{
    struct locked *l = new_locked(PTHREAD_PRIO_NONE, false);

    in_processes(2, reads_and_writes, l);
    munmap(l, sizeof(*l));
}

static void put_one(struct locked *l, uint32_t value)
{
    pthread_mutex_lock(&l->mutex);
    while (l->head - l->tail == COUNT_OF(l->ring))
        pthread_cond_wait(&l->drained, &l->mutex);
    l->ring[l->head++ % COUNT_OF(l->ring)] = value;
    pthread_cond_signal(&l->filled);
    pthread_mutex_unlock(&l->mutex);
}

static void *producer(void *arg)
{
    for (uint32_t i = 1; i <= ROUNDS; i++)
        put_one(arg, i);
    put_one(arg, 0);
    return NULL;
}

static void *consumer(void *arg)
{
    struct locked *l = arg;
    uint32_t value;

    do {
        pthread_mutex_lock(&l->mutex);
        while (l->head == l->tail)
            pthread_cond_wait(&l->filled, &l->mutex);
        value = l->ring[l->tail++ % COUNT_OF(l->ring)];
        l->sum += value;
        pthread_cond_broadcast(&l->drained);
        pthread_mutex_unlock(&l->mutex);
    } while (value);
    return NULL;
}

LOAD(condition)
{
    struct locked *l = new_locked(soak_coin(s, 3) ? PTHREAD_PRIO_INHERIT : PTHREAD_PRIO_NONE, false);
    pid_t pid;

    SOAK_CHILD (pid, -1)
        soak_threads(2, producer, l);
    soak_threads(2, consumer, l);
    EXPECT_CHILD_OK(pid);
    EXPECT_EQ(l->sum, 2 * ROUNDS * (ROUNDS + 1) / 2);
    munmap(l, sizeof(*l));
}

/* die() - as an owner of locks dies */
static void die(struct soak *s)
{
    switch (soak_below(s, 3)) {
    case 0: kill(getpid(), SIGKILL); break;
    case 1: execl(guest_self, guest_self, "--helper", "echo", "0", "0", NULL); break;
    default: break;
    }
    _exit(0);
}

LOAD(robust)
{
    struct locked *l = new_locked(soak_coin(s, 2) ? PTHREAD_PRIO_INHERIT : PTHREAD_PRIO_NONE, true);
    pid_t pid;

    for (int i = 0; i < 3; i++) {
        int got;

        pid = SOAK_FORK_BARE();
        if (pid == 0) {
            pthread_mutex_lock(&l->mutex);
            l->count = 1;
            soak_nap(s, 1000);
            die(s);
        }
        if (soak_coin(s, 2))
            WAIT_UNTIL(l->count == 1);
        else
            EXPECT(guest_wait(pid) != -1);
        got = pthread_mutex_lock(&l->mutex);
        if (l->count == 1) {
            EXPECT_EQ(got, EOWNERDEAD);
            EXPECT_EQ(pthread_mutex_consistent(&l->mutex), 0);
        } else {
            EXPECT_EQ(got, 0);
        }
        l->count = 0;
        EXPECT_EQ(pthread_mutex_unlock(&l->mutex), 0);
        while (waitpid(pid, NULL, 0) == pid)
            continue;
    }
    EXPECT_EQ(pthread_mutex_lock(&l->mutex), 0);
    EXPECT_EQ(pthread_mutex_unlock(&l->mutex), 0);
    munmap(l, sizeof(*l));
}

/* Two futexes on which threads wait with bits of their own. */
struct words {
    uint32_t a, b;
    bool private;
    _Atomic(uint32_t) waiting, woken;
};

static void *waits(void *arg)
{
    struct words *w = arg;
    uint32_t bit = 1u << w->waiting++;
    long r;

    do {
        r = SYS(futex, &w->a, FUTEX_WAIT_BITSET | (w->private ? FUTEX_PRIVATE_FLAG : 0), 0, NULL, NULL,
                bit);
    } while (r < 0 && errno == EINTR);
    EXPECT(r == 0);
    w->woken++;
    return NULL;
}

LOAD(futex_requeue)
{
    struct words w = {.private = soak_coin(s, 2)};
    int private = w.private ? FUTEX_PRIVATE_FLAG : 0;
    unsigned int n = 2 + soak_below(s, 5), woken = 0, moved = 0;
    pthread_t threads[8];

    for (unsigned int i = 0; i < n; i++)
        threads[i] = soak_thread(waits, &w);
    WAIT_UNTIL(w.waiting == n);
    EXPECT_ERRNO(SYS(futex, &w.a, FUTEX_WAIT | private, 1, NULL), EAGAIN);
    EXPECT_ERRNO(SYS(futex, &w.a, FUTEX_CMP_REQUEUE | private, 1, 1, &w.b, 5), EAGAIN);
    /* Each is surely asleep when it has been moved or woken. */
    while (woken + moved < n) {
        if (soak_coin(s, 2)) {
            long r = EXPECT_OK(SYS(futex, &w.a, FUTEX_WAKE_BITSET | private, 1, NULL, NULL,
                                   soak_below(s, ~0u) | 1));
            EXPECT_LE(r, 1);
            woken += (unsigned int)r;
        } else {
            long r = EXPECT_OK(SYS(futex, &w.a, FUTEX_CMP_REQUEUE | private, 0, 1, &w.b, 0));
            EXPECT_LE(r, 1);
            moved += (unsigned int)r;
        }
    }
    EXPECT_EQ(SYS(futex, &w.a, FUTEX_WAKE | private, 100), 0);
    EXPECT_EQ(SYS(futex, &w.b, FUTEX_WAKE | private, 100), moved);
    for (unsigned int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    EXPECT_EQ(w.woken, n);
}

LOAD(futex_timeout)
{
    int64_t start = guest_now_ns();
    long ns = (long)soak_below(s, 3000000) + 1000;
    struct timespec t = {0, ns}, until;
    uint32_t word = 0;

    EXPECT_ERRNO(SYS(futex, &word, FUTEX_WAIT, 0, &t), ETIMEDOUT);
    EXPECT_GE(guest_now_ns() - start, ns);
    clock_gettime(CLOCK_MONOTONIC, &until);
    start = guest_now_ns();
    until.tv_nsec += ns;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    EXPECT_ERRNO(SYS(futex, &word, FUTEX_WAIT_BITSET_PRIVATE, 0, &until, NULL, ~0u), ETIMEDOUT);
    EXPECT_GE(guest_now_ns(), until.tv_sec * 1000000000 + until.tv_nsec);
}
