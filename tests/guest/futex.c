/*
 * Futexes, private and shared: waiting, waking, moving waiters, and WAKE_OP beside plain atomic
 * instructions on the same words, of which none may be lost.
 */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#ifndef FUTEX_BITSET_MATCH_ANY
#define FUTEX_BITSET_MATCH_ANY 0xffffffff
#endif

#define WAIT_PRIVATE (FUTEX_WAIT | FUTEX_PRIVATE_FLAG)
#define WAKE_PRIVATE (FUTEX_WAKE | FUTEX_PRIVATE_FLAG)

static long futex(atomic_int *word, int op, int value, const void *timeout, atomic_int *word2,
                  unsigned int value3)
{
    return SYS(futex, word, op, value, timeout, word2, value3);
}

static pthread_t start(void *(*run)(void *), void *arg)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, run, arg);

    if (!guest_check(error == 0, __FILE__, __LINE__, "pthread_create: %s", strerror(error)))
        guest_finish();
    return thread;
}

/* What the waiting threads of a test wait on. */
static atomic_int word, word2, waiting, woken;
static int wait_op;
static unsigned int wait_bits;

static void *wait_once(void *arg)
{
    atomic_int *on = arg ? arg : &word;

    waiting++;
    while (futex(on, wait_op, 0, NULL, NULL, wait_bits) == -1 && errno == EINTR)
        continue;
    woken++;
    return NULL;
}

/* start_waiters() - n threads that wait for word, surely asleep when this returns */
static void start_waiters(pthread_t *threads, int n, int op, unsigned int bits)
{
    wait_op = op;
    wait_bits = bits;
    for (int i = 0; i < n; i++)
        threads[i] = start(wait_once, NULL);
    WAIT_UNTIL(waiting == n);
    guest_sleep_ms(30);
}

static void join_all(pthread_t *threads, int n)
{
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
}

TEST(wait_errors, "futex:EAGAIN,ETIMEDOUT,EINVAL,EFAULT,ENOSYS")
{
    struct timespec soon = {0, 20000000}, bad = {0, 1000000000}, negative = {-1, 0};
    atomic_int value = 5;
    int64_t start_ns = guest_now_ns();

    EXPECT_ERRNO(futex(&value, FUTEX_WAIT, 4, NULL, NULL, 0), EAGAIN);
    EXPECT_ERRNO(futex(&value, WAIT_PRIVATE, 4, NULL, NULL, 0), EAGAIN);
    EXPECT_ERRNO(futex(&value, WAIT_PRIVATE, 5, &soon, NULL, 0), ETIMEDOUT);
    EXPECT_ERRNO(futex(&value, FUTEX_WAIT, 5, &soon, NULL, 0), ETIMEDOUT);
    EXPECT_GE(guest_now_ns() - start_ns, 40000000);
    EXPECT_ERRNO(futex(&value, FUTEX_WAIT, 5, &bad, NULL, 0), EINVAL);
    EXPECT_ERRNO(futex(&value, FUTEX_WAIT, 5, &negative, NULL, 0), EINVAL);
    EXPECT_ERRNO(futex(&value, FUTEX_WAIT, 5, (void *)8, NULL, 0), EFAULT);
    EXPECT_ERRNO(SYS(futex, 8, FUTEX_WAIT, 5, NULL, NULL, 0), EFAULT);
    EXPECT_ERRNO(SYS(futex, guest_bad_page(), WAIT_PRIVATE, 5, NULL, NULL, 0), EFAULT);
    EXPECT_ERRNO(SYS(futex, (char *)&value + 1, FUTEX_WAIT, 5, NULL, NULL, 0), EINVAL);
    EXPECT_ERRNO(futex(&value, 99, 0, NULL, NULL, 0), ENOSYS);
    EXPECT_ERRNO(futex(&value, FUTEX_FD, 0, NULL, NULL, 0), ENOSYS);
}

TEST(wake_nobody, "futex")
{
    atomic_int value = 0;

    EXPECT_EQ(futex(&value, FUTEX_WAKE, 1, NULL, NULL, 0), 0);
    EXPECT_EQ(futex(&value, WAKE_PRIVATE, 0x7fffffff, NULL, NULL, 0), 0);
    EXPECT_ERRNO(SYS(futex, (char *)&value + 2, FUTEX_WAKE, 1, NULL, NULL, 0), EINVAL);
    /* A private word is not even looked at. */
    EXPECT_EQ(SYS(futex, guest_bad_page(), WAKE_PRIVATE, 1, NULL, NULL, 0), 0);
    EXPECT_ERRNO(SYS(futex, guest_bad_page(), FUTEX_WAKE, 1, NULL, NULL, 0), EFAULT);
}

TEST(wake_one_by_one, "futex")
{
    pthread_t threads[3];

    start_waiters(threads, 3, WAIT_PRIVATE, 0);
    EXPECT_EQ(futex(&word, WAKE_PRIVATE, 1, NULL, NULL, 0), 1);
    WAIT_UNTIL(woken == 1);
    guest_sleep_ms(20);
    EXPECT_EQ(woken, 1);
    EXPECT_EQ(futex(&word, WAKE_PRIVATE, 10, NULL, NULL, 0), 2);
    join_all(threads, 3);
    EXPECT_EQ(woken, 3);
}

TEST(wake_shared_key, "futex")
{
    pthread_t threads[2];

    start_waiters(threads, 2, FUTEX_WAIT, 0);
    /* Private and shared waiters of one address do not see each other. */
    EXPECT_EQ(futex(&word, WAKE_PRIVATE, 10, NULL, NULL, 0), 0);
    EXPECT_EQ(futex(&word, FUTEX_WAKE, 10, NULL, NULL, 0), 2);
    join_all(threads, 2);
}

TEST(wake_bitset, "futex futex:EINVAL")
{
    pthread_t threads[2];
    atomic_int value = 0;

    EXPECT_ERRNO(futex(&value, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0), EINVAL);
    EXPECT_ERRNO(futex(&value, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0), EINVAL);
    start_waiters(threads, 2, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 0x6);
    EXPECT_EQ(futex(&word, FUTEX_WAKE_BITSET | FUTEX_PRIVATE_FLAG, 10, NULL, NULL, 0x9), 0);
    EXPECT_EQ(futex(&word, FUTEX_WAKE_BITSET | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0x2), 1);
    EXPECT_EQ(futex(&word, WAKE_PRIVATE, 10, NULL, NULL, 0), 1);
    join_all(threads, 2);
}

TEST(wait_bitset_absolute, "futex:ETIMEDOUT")
{
    struct timespec until;
    atomic_int value = 0;
    int64_t start_ns = guest_now_ns();

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += 30000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    EXPECT_ERRNO(futex(&value, FUTEX_WAIT_BITSET, 0, &until, NULL, FUTEX_BITSET_MATCH_ANY),
                 ETIMEDOUT);
    EXPECT_GE(guest_now_ns() - start_ns, 29000000);
    /* Long past: at once. */
    until.tv_sec = 1;
    EXPECT_ERRNO(futex(&value, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &until, NULL, 1),
                 ETIMEDOUT);
}

TEST(wait_eintr, "futex:EINTR")
{
    atomic_int value = 0;
    pid_t pest;

    guest_on_signal(SIGUSR1, guest_count_signal, 0);
    pest = guest_pester(SIGUSR1, 20);
    EXPECT_ERRNO(futex(&value, WAIT_PRIVATE, 0, NULL, NULL, 0), EINTR);
    EXPECT_ERRNO(futex(&value, FUTEX_WAIT, 0, NULL, NULL, 0), EINTR);
    guest_end(pest);
}

TEST(wait_restart, "futex")
{
    atomic_int *shared = guest_shared(4096);
    pid_t pid, parent = getpid();

    guest_on_signal(SIGUSR1, guest_count_signal, SA_RESTART);
    IN_CHILD(pid) {
        for (int i = 0; i < 5; i++) {
            guest_sleep_ms(10);
            kill(parent, SIGUSR1);
        }
        while (futex(shared, FUTEX_WAKE, 1, NULL, NULL, 0) == 0)
            guest_sleep_ms(1);
    }
    EXPECT_OK(futex(shared, FUTEX_WAIT, 0, NULL, NULL, 0));
    EXPECT_CHILD_OK(pid);
    EXPECT_GE(guest_signals, 1);
}

TEST(wait_timeout_eintr, "futex:EINTR")
{
    struct timespec timeout = {20, 0};
    atomic_int value = 0;
    pid_t pest;

    /* With a timeout a handler ends the wait, SA_RESTART or not. */
    guest_on_signal(SIGUSR1, guest_count_signal, SA_RESTART);
    pest = guest_pester(SIGUSR1, 20);
    EXPECT_ERRNO(futex(&value, FUTEX_WAIT, 0, &timeout, NULL, 0), EINTR);
    guest_end(pest);
}

TEST(wait_timeout_over_stop, "futex:ETIMEDOUT kill")
{
    struct timespec timeout = {0, 150000000};
    atomic_int value = 0;
    pid_t pid;

    /* Stopped and continued, without a handler, a relative timeout runs on as it was. */
    IN_CHILD(pid) {
        int64_t start_ns = guest_now_ns();

        EXPECT_ERRNO(futex(&value, FUTEX_WAIT, 0, &timeout, NULL, 0), ETIMEDOUT);
        EXPECT_GE(guest_now_ns() - start_ns, 150000000);
    }
    guest_sleep_ms(20);
    kill(pid, SIGSTOP);
    EXPECT_EQ(waitpid(pid, NULL, WUNTRACED), pid);
    kill(pid, SIGCONT);
    EXPECT_CHILD_OK(pid);
}

TEST(requeue_basic, "futex")
{
    pthread_t threads[4];

    start_waiters(threads, 4, WAIT_PRIVATE, 0);
    EXPECT_EQ(SYS(futex, &word, FUTEX_REQUEUE | FUTEX_PRIVATE_FLAG, 1, 2, &word2, 0), 3);
    WAIT_UNTIL(woken == 1);
    EXPECT_EQ(futex(&word, WAKE_PRIVATE, 10, NULL, NULL, 0), 1);
    EXPECT_EQ(futex(&word2, WAKE_PRIVATE, 10, NULL, NULL, 0), 2);
    join_all(threads, 4);
}

TEST(cmp_requeue_basic, "futex futex:EAGAIN,EFAULT,EINVAL")
{
    pthread_t threads[4];

    EXPECT_ERRNO(SYS(futex, &word, FUTEX_CMP_REQUEUE, 1, 1, &word2, 7), EAGAIN);
    EXPECT_ERRNO(SYS(futex, &word, FUTEX_CMP_REQUEUE, 1, 1, (void *)8, 0), EFAULT);
    EXPECT_ERRNO(SYS(futex, &word, FUTEX_CMP_REQUEUE, -1, 1, &word2, 0), EINVAL);
    EXPECT_ERRNO(SYS(futex, &word, FUTEX_CMP_REQUEUE, 1, -1, &word2, 0), EINVAL);
    start_waiters(threads, 4, WAIT_PRIVATE, 0);
    EXPECT_EQ(SYS(futex, &word, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE_FLAG, 1, 100, &word2, 0), 4);
    EXPECT_EQ(futex(&word, WAKE_PRIVATE, 10, NULL, NULL, 0), 0);
    EXPECT_EQ(futex(&word2, WAKE_PRIVATE, 10, NULL, NULL, 0), 3);
    join_all(threads, 4);
}

TEST(wake_op_basic, "futex futex:EFAULT,EINVAL,ENOSYS")
{
    static const struct {
        int op, start, arg, end;
    } cases[] = {
        {FUTEX_OP_SET, 3, 9, 9},      {FUTEX_OP_ADD, 3, 9, 12}, {FUTEX_OP_OR, 3, 9, 11},
        {FUTEX_OP_ANDN, 11, 9, 2},    {FUTEX_OP_XOR, 3, 9, 10}, {FUTEX_OP_ADD, 3, -1, 2},
        {FUTEX_OP_OR | 8, 1, 5, 33}, /* FUTEX_OP_OPARG_SHIFT: 1 << 5 */
    };
    pthread_t threads[2];

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        word2 = cases[i].start;
        EXPECT_EQ(SYS(futex, &word, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 1, 1, &word2,
                      FUTEX_OP(cases[i].op, cases[i].arg, FUTEX_OP_CMP_EQ, 0)),
                  0);
        EXPECT_EQ(word2, cases[i].end);
    }
    EXPECT_ERRNO(SYS(futex, &word, FUTEX_WAKE_OP, 1, 1, (void *)8, FUTEX_OP(0, 1, 0, 0)), EFAULT);
    EXPECT_ERRNO(SYS(futex, &word, FUTEX_WAKE_OP, 1, 1, (char *)&word2 + 1, FUTEX_OP(0, 1, 0, 0)),
                 EINVAL);
    EXPECT_ERRNO(SYS(futex, &word, FUTEX_WAKE_OP, 1, 1, &word2, FUTEX_OP(7, 1, 0, 0)), ENOSYS);
    /* The second word's waiters are woken if its old value compares. */
    start_waiters(threads, 2, WAIT_PRIVATE, 0);
    word2 = 5;
    EXPECT_EQ(SYS(futex, &word2, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 1, 10, &word,
                  FUTEX_OP(FUTEX_OP_SET, 8, FUTEX_OP_CMP_GT, 0)),
              0);
    EXPECT_EQ(word, 8);
    EXPECT_EQ(SYS(futex, &word2, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 1, 10, &word,
                  FUTEX_OP(FUTEX_OP_SET, 3, FUTEX_OP_CMP_GT, 0)),
              2);
    join_all(threads, 2);
}

TEST(wake_op_read_only, "futex:EFAULT")
{
    atomic_int *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    REQUIRE(page != MAP_FAILED);
    EXPECT_ERRNO(SYS(futex, &word, FUTEX_WAKE_OP, 1, 1, page, FUTEX_OP(0, 1, 0, 0)), EFAULT);
}

TEST(shared_over_fork, "futex fork")
{
    atomic_int *shared = guest_shared(4096);
    pid_t pid;

    IN_CHILD(pid) {
        while (shared[0] == 0)
            futex(&shared[0], FUTEX_WAIT, 0, NULL, NULL, 0);
        shared[1] = 1;
        EXPECT_GE(futex(&shared[1], FUTEX_WAKE, 1, NULL, NULL, 0), 0);
    }
    guest_sleep_ms(30);
    shared[0] = 1;
    EXPECT_EQ(futex(&shared[0], FUTEX_WAKE, 1, NULL, NULL, 0), 1);
    while (shared[1] == 0)
        futex(&shared[1], FUTEX_WAIT, 0, NULL, NULL, 0);
    EXPECT_CHILD_OK(pid);
}

TEST(shared_over_file, "futex mmap")
{
    atomic_int *here;
    pid_t pid;
    int fd;

    guest_scratch();
    fd = (int)REQUIRE_OK(open("file", O_RDWR | O_CREAT, 0600));
    REQUIRE_OK(ftruncate(fd, 8192));
    here = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);
    REQUIRE(here != MAP_FAILED);
    IN_CHILD(pid) {
        /* The same word of the same file, somewhere else. */
        char *all = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        atomic_int *there = (atomic_int *)(all + 4096);

        REQUIRE(all != MAP_FAILED && there != here);
        while (*there == 0)
            futex(there, FUTEX_WAIT, 0, NULL, NULL, 0);
    }
    guest_sleep_ms(30);
    *here = 1;
    EXPECT_EQ(futex(here, FUTEX_WAKE, 1, NULL, NULL, 0), 1);
    EXPECT_CHILD_OK(pid);
}

TEST(private_over_fork, "futex fork")
{
    atomic_int *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct timespec soon = {0, 100000000};
    pid_t pid;

    /* One address, two address spaces: a wake in one reaches nobody in the other. */
    REQUIRE(page != MAP_FAILED);
    IN_CHILD(pid) {
        EXPECT_ERRNO(futex(page, FUTEX_WAIT, 0, &soon, NULL, 0), ETIMEDOUT);
    }
    guest_sleep_ms(30);
    EXPECT_EQ(futex(page, FUTEX_WAKE, 10, NULL, NULL, 0), 0);
    EXPECT_EQ(futex(page, WAKE_PRIVATE, 10, NULL, NULL, 0), 0);
    EXPECT_CHILD_OK(pid);
}

TEST(killed_waiter_is_gone, "futex kill")
{
    atomic_int *shared = guest_shared(4096);
    pid_t pid;

    IN_CHILD(pid) {
        futex(shared, FUTEX_WAIT, 0, NULL, NULL, 0);
    }
    guest_sleep_ms(30);
    guest_end(pid);
    EXPECT_EQ(futex(shared, FUTEX_WAKE, 1, NULL, NULL, 0), 0);
}

/* --- nothing is lost ---------------------------------------------------------------------- */

#define WORKERS 8

static struct {
    _Alignas(64) atomic_int lock; /* 0 free, 1 taken, 2 taken and waited for */
    _Alignas(64) unsigned long guarded;
    _Alignas(64) atomic_int plain;
    _Alignas(64) atomic_int mixed;
    _Alignas(64) atomic_int doorbell;
    unsigned long each;
} load;

static void take(atomic_int *lock)
{
    int seen = 0;

    if (atomic_compare_exchange_strong(lock, &seen, 1))
        return;
    while (atomic_exchange(lock, 2) != 0)
        futex(lock, WAIT_PRIVATE, 2, NULL, NULL, 0);
}

static void release(atomic_int *lock)
{
    if (atomic_exchange(lock, 0) == 2)
        futex(lock, WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* work() - one worker: under the lock, on an atomic counter, and on one that WAKE_OP adds to */
static void *work(void *arg)
{
    unsigned long own = (unsigned long)(uintptr_t)arg;

    for (unsigned long i = 0; i < load.each; i++) {
        take(&load.lock);
        load.guarded++;
        release(&load.lock);
        load.plain++;
        if (i % 64 == own * 8)
            SYS(futex, &load.doorbell, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 1, 1, &load.mixed,
                FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_EQ, 0));
        else
            load.mixed++;
    }
    return NULL;
}

TEST_SLOW(nothing_is_lost, 1800, "futex")
{
    pthread_t threads[WORKERS];
    unsigned long total = guest_operations(400000) / WORKERS * WORKERS;

    load.each = total / WORKERS;
    for (uintptr_t i = 0; i < WORKERS; i++)
        threads[i] = start(work, (void *)i);
    join_all(threads, WORKERS);
    EXPECT_EQ(load.guarded, total);
    EXPECT_EQ((unsigned int)load.plain, (unsigned int)total);
    EXPECT_EQ((unsigned int)load.mixed, (unsigned int)total);
    EXPECT_EQ(load.lock, 0);
    guest_diag("%lu operations", total);
}

/* add_by_kernel() - only WAKE_OP, against threads that only use instructions */
static void *add_by_kernel(void *arg)
{
    atomic_int *counter = arg;

    for (unsigned long i = 0; i < load.each; i++)
        SYS(futex, &load.doorbell, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 1, 1, counter,
            FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_EQ, 0));
    return NULL;
}

static void *add_by_instruction(void *arg)
{
    atomic_int *counter = arg;

    for (unsigned long i = 0; i < load.each * 100; i++)
        (*counter)++;
    return NULL;
}

TEST_SLOW(wake_op_is_atomic, 1800, "futex")
{
    unsigned long each = guest_operations(400000) / 400;
    pthread_t threads[4];

    load.each = each;
    threads[0] = start(add_by_kernel, &load.mixed);
    threads[1] = start(add_by_instruction, &load.mixed);
    threads[2] = start(add_by_kernel, &load.mixed);
    threads[3] = start(add_by_instruction, &load.mixed);
    join_all(threads, 4);
    EXPECT_EQ((unsigned int)load.mixed, (unsigned int)(2 * each + 200 * each));
}

TEST_SLOW(shared_wake_op_is_atomic, 1800, "futex fork")
{
    atomic_int *shared = guest_shared(4096);
    unsigned long each = guest_operations(400000) / 200;
    pid_t pids[4];

    for (int n = 0; n < 4; n++) {
        IN_CHILD(pids[n]) {
            for (unsigned long i = 0; i < each; i++) {
                if (n % 2)
                    SYS(futex, &shared[1], FUTEX_WAKE_OP, 1, 1, &shared[0],
                        FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_EQ, 0));
                else
                    shared[0]++;
            }
        }
    }
    for (int n = 0; n < 4; n++)
        EXPECT_CHILD_OK(pids[n]);
    EXPECT_EQ((unsigned int)shared[0], (unsigned int)(4 * each));
}

TEST_SLOW(shared_lock_over_fork, 300, "futex fork")
{
    struct {
        atomic_int lock;
        unsigned long guarded;
    } *shared = guest_shared(4096);
    pid_t pids[4];

    for (int n = 0; n < 4; n++) {
        IN_CHILD(pids[n]) {
            for (int i = 0; i < 5000; i++) {
                int seen = 0;

                if (!atomic_compare_exchange_strong(&shared->lock, &seen, 1)) {
                    while (atomic_exchange(&shared->lock, 2) != 0)
                        futex(&shared->lock, FUTEX_WAIT, 2, NULL, NULL, 0);
                }
                shared->guarded++;
                if (atomic_exchange(&shared->lock, 0) == 2)
                    futex(&shared->lock, FUTEX_WAKE, 1, NULL, NULL, 0);
            }
        }
    }
    for (int n = 0; n < 4; n++)
        EXPECT_CHILD_OK(pids[n]);
    EXPECT_EQ(shared->guarded, 20000);
}

/* --- robust lists --------------------------------------------------------------------------- */

TEST(robust_list_head, "set_robust_list get_robust_list set_robust_list:EINVAL get_robust_list:ESRCH,EFAULT")
{
    struct robust_list_head head = {{&head.list}, 0, NULL}, *got = NULL;
    size_t size = 0;

    EXPECT_ERRNO(SYS(set_robust_list, &head, 1), EINVAL);
    EXPECT_OK(SYS(set_robust_list, &head, sizeof(head)));
    EXPECT_OK(SYS(get_robust_list, 0, &got, &size));
    EXPECT(got == &head);
    EXPECT_EQ(size, sizeof(head));
    EXPECT_ERRNO(SYS(get_robust_list, 0x3ffffff0, &got, &size), ESRCH);
    EXPECT_ERRNO(SYS(get_robust_list, 0, (void *)8, &size), EFAULT);
    SYS(set_robust_list, NULL, sizeof(head));
}

static pthread_mutex_t *robust;

TEST(robust_owner_dies, "set_robust_list futex exit")
{
    pthread_mutexattr_t attr;
    pid_t pid;

    robust = guest_shared(4096);
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    REQUIRE(pthread_mutex_init(robust, &attr) == 0);
    IN_CHILD(pid) {
        EXPECT_EQ(pthread_mutex_lock(robust), 0);
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_EQ(pthread_mutex_lock(robust), EOWNERDEAD);
    EXPECT_EQ(pthread_mutex_consistent(robust), 0);
    EXPECT_EQ(pthread_mutex_unlock(robust), 0);
    /* The same while somebody already waits. */
    IN_CHILD(pid) {
        EXPECT_EQ(pthread_mutex_lock(robust), 0);
        guest_sleep_ms(50);
    }
    guest_sleep_ms(20);
    EXPECT_EQ(pthread_mutex_lock(robust), EOWNERDEAD);
    EXPECT_CHILD_OK(pid);
}
