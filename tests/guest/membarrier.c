/* membarrier(2): what it offers, registration, and that a barrier really is one. */
#include "tests/guest/guest.h"

#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>

static long membarrier(int cmd, unsigned int flags)
{
    return SYS(membarrier, cmd, flags, 0);
}

TEST(membarrier_query, "membarrier")
{
    long offered = EXPECT_OK(membarrier(MEMBARRIER_CMD_QUERY, 0));
    long needed = MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_PRIVATE_EXPEDITED |
                  MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED;

    EXPECT_EQ(offered & needed, needed);
}

TEST(membarrier_bad_arguments, "membarrier:EINVAL")
{
    EXPECT_ERRNO(membarrier(MEMBARRIER_CMD_QUERY, 2), EINVAL);
    EXPECT_ERRNO(membarrier(MEMBARRIER_CMD_GLOBAL, 1), EINVAL);
    EXPECT_ERRNO(membarrier(1 << 30, 0), EINVAL);
    EXPECT_ERRNO(membarrier(-1, 0), EINVAL);
    EXPECT_ERRNO(membarrier(MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0), EINVAL);
}

TEST(membarrier_must_register, "membarrier membarrier:EPERM")
{
    pid_t pid;

    EXPECT_ERRNO(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0), EPERM);
    EXPECT_EQ(membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0), 0);
    EXPECT_EQ(membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0), 0);
    EXPECT_EQ(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0), 0);
    EXPECT_EQ(membarrier(MEMBARRIER_CMD_GLOBAL, 0), 0);
    IN_CHILD(pid)
    EXPECT_EQ(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0), 0);
    EXPECT_CHILD_OK(pid);
}

/* The two halves of a flag protocol: one side orders itself by membarrier, the other by nothing. */
static volatile int flag_fast, flag_slow, seen_fast, seen_slow;
static volatile unsigned int turn, done;

static void *fast_side(void *rounds)
{
    for (unsigned int round = 1; round <= (uintptr_t)rounds; round++) {
        while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) < round)
            sched_yield();
        flag_fast = 1;
        __asm__ volatile("" ::: "memory");
        seen_slow = flag_slow;
        __atomic_store_n(&done, round, __ATOMIC_RELEASE);
    }
    return NULL;
}

TEST(membarrier_orders_other_threads, "membarrier")
{
    const uintptr_t rounds = 100;
    pthread_t thread;
    int both_missed = 0;

    REQUIRE(membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0) == 0);
    REQUIRE(pthread_create(&thread, NULL, fast_side, (void *)rounds) == 0);
    for (unsigned int round = 1; round <= rounds; round++) {
        flag_fast = flag_slow = 0;
        __atomic_store_n(&turn, round, __ATOMIC_RELEASE);
        flag_slow = 1;
        EXPECT_EQ(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0), 0);
        seen_fast = flag_fast;
        while (__atomic_load_n(&done, __ATOMIC_ACQUIRE) < round)
            sched_yield();
        both_missed += !seen_fast && !seen_slow;
    }
    pthread_join(thread, NULL);
    EXPECT_EQ(both_missed, 0);
}
