/* membarrier(2): what it offers, registration, and that a barrier really is one. */
#include "tests/guest/guest.h"

#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

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

TEST(membarrier_sync_core, "membarrier membarrier:EPERM")
{
    const int both = MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE |
                     MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE;
    pid_t pid;

    EXPECT_EQ(membarrier(MEMBARRIER_CMD_QUERY, 0) & both, both);
    EXPECT_EQ(membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0), 0);
    EXPECT_ERRNO(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0), EPERM);
    EXPECT_EQ(membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0), 0);
    EXPECT_EQ(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0), 0);
    EXPECT_EQ(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0), 0);
    EXPECT_ERRNO(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 1), EINVAL);
    IN_CHILD(pid)
    EXPECT_EQ(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0), 0);
    EXPECT_CHILD_OK(pid);
    IN_CHILD(pid)
    {
        const char *args[] = {guest_self, "--helper", "unregistered", NULL};

        SYS(execve, guest_self, args, NULL);
    }
    EXPECT_CHILD_OK(pid);
}

/* unregistered - exit status 0 if a new program has no registration of the old one's */
HELPER(unregistered)
{
    return membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0) < 0 && errno == EPERM ? 0 : 1;
}

/* Code that one thread writes and another runs: once the barrier is over, the old is run no more. */
static unsigned char *code;

static void *run_code(void *rounds)
{
    int wrong = 0;

    for (unsigned int round = 1; round <= (uintptr_t)rounds; round++) {
        while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) < round)
            sched_yield();
        wrong += ((int (*)(void))(uintptr_t)code)() != (int)round;
        __atomic_store_n(&done, round, __ATOMIC_RELEASE);
    }
    return (void *)(intptr_t)wrong;
}

TEST(membarrier_code_of_other_threads, "membarrier mmap")
{
    static const unsigned char returns[] = {0xb8, 0, 0, 0, 0, 0xc3}; /* mov $0, %eax; ret */
    const uintptr_t rounds = 200;
    pthread_t thread;
    void *wrong;

    code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(code != MAP_FAILED);
    memcpy(code, returns, sizeof(returns));
    REQUIRE(membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0) == 0);
    REQUIRE(pthread_create(&thread, NULL, run_code, (void *)rounds) == 0);
    for (unsigned int round = 1; round <= rounds; round++) {
        memcpy(code + 1, &round, sizeof(round));
        EXPECT_EQ(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0), 0);
        __atomic_store_n(&turn, round, __ATOMIC_RELEASE);
        while (__atomic_load_n(&done, __ATOMIC_ACQUIRE) < round)
            sched_yield();
    }
    pthread_join(thread, &wrong);
    EXPECT(!wrong);
}
