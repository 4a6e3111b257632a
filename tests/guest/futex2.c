/* The newer futex calls: futex_waitv(2), futex_wake, futex_wait, futex_requeue. */
#include "tests/guest/guest.h"

#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define NR_WAITV   449
#define NR_WAKE    454
#define NR_WAIT    455
#define NR_REQUEUE 456

#define SIZE_U32 2u
#define PRIVATE  128u
#define MS       1000000ll

struct waitv {
    uint64_t val, uaddr;
    uint32_t flags, reserved;
};

/* needs() - skip where this kernel has no such call */
static void needs(long nr)
{
    guest_needs("futex2", nr);
}

static struct timespec in_ms(clockid_t clock, int64_t ms)
{
    struct timespec t;

    clock_gettime(clock, &t);
    t.tv_nsec += ms * MS;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

static uint32_t words[4];
static volatile long woken;

static struct waitv at(uint32_t *word, uint32_t val)
{
    return (struct waitv){val, (uintptr_t)word, SIZE_U32 | PRIVATE, 0};
}

/* wake_one() - once somebody waits */
static void wake_one(uint32_t *word)
{
    while (SYS(futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, 0, 0, 0) != 1)
        guest_sleep_ms(1);
}

static void *wait_for_any(void *arg)
{
    struct waitv v[3] = {at(&words[0], 0), at(&words[1], 0), at(&words[2], 0)};
    struct timespec until = in_ms(CLOCK_MONOTONIC, 20000);

    (void)arg;
    woken = SYS_NR(NR_WAITV, v, 3, 0, &until, CLOCK_MONOTONIC);
    return NULL;
}

TEST(waitv_wakes, "futex_waitv")
{
    pthread_t thread;

    needs(NR_WAITV);
    for (int i = 0; i < 3; i++) {
        REQUIRE(pthread_create(&thread, NULL, wait_for_any, NULL) == 0);
        wake_one(&words[i]);
        pthread_join(thread, NULL);
        EXPECT_EQ(woken, i);
        /* None of the others is left in a queue. */
        for (int j = 0; j < 3; j++)
            EXPECT_EQ(SYS(futex, &words[j], FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, 0, 0, 0), 0);
    }
}

TEST(waitv_errors, "futex_waitv:EINVAL,EFAULT,EAGAIN,ETIMEDOUT")
{
    static struct waitv many[129];
    struct waitv v[2] = {at(&words[0], 0), at(&words[1], 1)};
    struct timespec until = in_ms(CLOCK_MONOTONIC, 30), bad = {0, 1000000000};
    int64_t start = guest_now_ns();

    needs(NR_WAITV);
    for (int i = 0; i < 129; i++)
        many[i] = at(&words[0], 0);
    EXPECT_ERRNO(SYS_NR(NR_WAITV, v, 2, 0, 0, 0), EAGAIN);
    v[1].val = 0;
    EXPECT_ERRNO(SYS_NR(NR_WAITV, v, 2, 0, &until, CLOCK_MONOTONIC), ETIMEDOUT);
    EXPECT_GE(guest_now_ns() - start, 29 * MS);
    until = in_ms(CLOCK_REALTIME, 20);
    EXPECT_ERRNO(SYS_NR(NR_WAITV, many, 128, 0, &until, CLOCK_REALTIME), ETIMEDOUT);
    EXPECT_ERRNO(SYS_NR(NR_WAITV, many, 129, 0, 0, 0), EINVAL);
    EXPECT_ERRNO(SYS_NR(NR_WAITV, v, 0, 0, 0, 0), EINVAL);
    EXPECT_ERRNO(SYS_NR(NR_WAITV, NULL, 1, 0, 0, 0), EINVAL);
    EXPECT_ERRNO(SYS_NR(NR_WAITV, v, 2, 1, 0, 0), EINVAL);
    EXPECT_ERRNO(SYS_NR(NR_WAITV, v, 2, 0, &until, CLOCK_BOOTTIME), EINVAL);
    EXPECT_ERRNO(SYS_NR(NR_WAITV, v, 2, 0, &bad, CLOCK_MONOTONIC), EINVAL);
    EXPECT_ERRNO(SYS_NR(NR_WAITV, v, 2, 0, 8, CLOCK_MONOTONIC), EFAULT);
    EXPECT_ERRNO(SYS_NR(NR_WAITV, 8, 1, 0, 0, 0), EFAULT);
    v[1].reserved = 1;
    EXPECT_ERRNO(SYS_NR(NR_WAITV, v, 2, 0, 0, 0), EINVAL);
    v[1] = at(&words[1], 0);
    v[1].flags = PRIVATE | 3;
    EXPECT_ERRNO(SYS_NR(NR_WAITV, v, 2, 0, 0, 0), EINVAL);
    v[1].flags = PRIVATE | SIZE_U32 | 0x40;
    EXPECT_ERRNO(SYS_NR(NR_WAITV, v, 2, 0, 0, 0), EINVAL);
    v[1] = at(&words[1], 0);
    v[1].val = 1ull << 32;
    EXPECT_ERRNO(SYS_NR(NR_WAITV, v, 2, 0, 0, 0), EINVAL);
    v[1] = at((uint32_t *)8, 0);
    EXPECT_ERRNO(SYS_NR(NR_WAITV, v, 2, 0, 0, 0), EFAULT);
    v[1] = at((uint32_t *)((char *)&words[1] + 2), 0);
    EXPECT_ERRNO(SYS_NR(NR_WAITV, v, 2, 0, 0, 0), EINVAL);
}

TEST(waitv_interrupted, "futex_waitv:EINTR")
{
    struct waitv v[2] = {at(&words[0], 0), at(&words[1], 0)};
    pid_t pest;

    needs(NR_WAITV);
    guest_on_signal(SIGUSR1, guest_count_signal, 0);
    pest = guest_pester(SIGUSR1, 20);
    EXPECT_ERRNO(SYS_NR(NR_WAITV, v, 2, 0, 0, 0), EINTR);
    guest_end(pest);
}

static void *wait_masked(void *arg)
{
    woken = SYS_NR(NR_WAIT, &words[0], 0, (uintptr_t)arg, SIZE_U32 | PRIVATE, 0, 0);
    return NULL;
}

TEST(wait_and_wake, "futex_wait futex_wake")
{
    pthread_t thread;

    needs(NR_WAIT);
    woken = -1;
    REQUIRE(pthread_create(&thread, NULL, wait_masked, (void *)0x10) == 0);
    guest_sleep_ms(50);
    EXPECT_EQ(SYS_NR(NR_WAKE, &words[0], 0x10, 0, SIZE_U32 | PRIVATE), 0);
    EXPECT_EQ(SYS_NR(NR_WAKE, &words[0], 0x20, 1, SIZE_U32 | PRIVATE), 0);
    EXPECT_EQ(SYS_NR(NR_WAKE, &words[0], 0x30, 5, SIZE_U32 | PRIVATE), 1);
    pthread_join(thread, NULL);
    EXPECT_EQ(woken, 0);
}

TEST(wait_errors, "futex_wait:EINVAL,EAGAIN,ETIMEDOUT,EFAULT futex_wake:EINVAL")
{
    struct timespec until = in_ms(CLOCK_MONOTONIC, 30);
    uint32_t flags = SIZE_U32 | PRIVATE;

    needs(NR_WAIT);
    EXPECT_ERRNO(SYS_NR(NR_WAIT, &words[0], 1, 1, flags, 0, 0), EAGAIN);
    EXPECT_ERRNO(SYS_NR(NR_WAIT, &words[0], 0, 1, flags, &until, CLOCK_MONOTONIC), ETIMEDOUT);
    EXPECT_ERRNO(SYS_NR(NR_WAIT, &words[0], 0, 0, flags, 0, 0), EINVAL);
    EXPECT_ERRNO(SYS_NR(NR_WAIT, &words[0], 1ull << 32, 1, flags, 0, 0), EINVAL);
    EXPECT_ERRNO(SYS_NR(NR_WAIT, &words[0], 0, 1ull << 32, flags, 0, 0), EINVAL);
    EXPECT_ERRNO(SYS_NR(NR_WAIT, &words[0], 0, 1, PRIVATE | 3, 0, 0), EINVAL);
    EXPECT_ERRNO(SYS_NR(NR_WAIT, &words[0], 0, 1, flags | 0x40, 0, 0), EINVAL);
    EXPECT_ERRNO(SYS_NR(NR_WAIT, &words[0], 0, 1, flags, &until, 99), EINVAL);
    EXPECT_ERRNO(SYS_NR(NR_WAIT, 8, 0, 1, flags, 0, 0), EFAULT);
    EXPECT_ERRNO(SYS_NR(NR_WAKE, &words[0], 0, 1, flags), EINVAL);
    EXPECT_ERRNO(SYS_NR(NR_WAKE, &words[0], 1, 1, flags | 0x40), EINVAL);
    EXPECT_ERRNO(SYS_NR(NR_WAKE, (char *)&words[0] + 1, 1, 1, flags), EINVAL);
}

TEST(requeue_moves, "futex_requeue futex_requeue:EAGAIN,EINVAL,EFAULT")
{
    struct waitv v[2] = {at(&words[0], 0), at(&words[3], 0)};
    pthread_t threads[3];

    needs(NR_REQUEUE);
    for (int i = 0; i < 3; i++)
        REQUIRE(pthread_create(&threads[i], NULL, wait_masked, (void *)1) == 0);
    guest_sleep_ms(100);
    EXPECT_EQ(SYS_NR(NR_REQUEUE, v, 0, 1, 1), 2);
    EXPECT_EQ(SYS_NR(NR_WAKE, &words[3], 1, 5, SIZE_U32 | PRIVATE), 1);
    EXPECT_EQ(SYS_NR(NR_WAKE, &words[0], 1, 5, SIZE_U32 | PRIVATE), 1);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    v[0].val = 1;
    EXPECT_ERRNO(SYS_NR(NR_REQUEUE, v, 0, 1, 1), EAGAIN);
    v[0].val = 0;
    EXPECT_ERRNO(SYS_NR(NR_REQUEUE, v, 1, 1, 1), EINVAL);
    EXPECT_ERRNO(SYS_NR(NR_REQUEUE, NULL, 0, 1, 1), EINVAL);
    EXPECT_ERRNO(SYS_NR(NR_REQUEUE, v, 0, -1, 1), EINVAL);
    EXPECT_ERRNO(SYS_NR(NR_REQUEUE, 8, 0, 1, 1), EFAULT);
}
