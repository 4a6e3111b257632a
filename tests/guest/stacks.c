/*
 * Stacks: a mapping that grows down when it is touched below its start, by the program or by the
 * kernel for it, within RLIMIT_STACK and away from what lies below.
 */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define PAGE 4096ul
#define MIB  (1ul << 20)
#define GAP  (256 * PAGE) /* stack_guard_gap */
#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

/* span_at() - start of the mapping that holds addr, as /proc/self/maps has it. Return: 0: none */
static uintptr_t span_at(uintptr_t addr, uintptr_t *end)
{
    static char text[65536];
    char *line = text;

    REQUIRE(guest_slurp("/proc/self/maps", text, sizeof(text)) >= 0);
    while (*line) {
        uintptr_t from = strtoul(line, &line, 16), to = strtoul(line + 1, &line, 16);

        if (addr >= from && addr < to) {
            *end = to;
            return from;
        }
        line = strchr(line, '\n') + 1;
    }
    return 0;
}

static uintptr_t start_at(uintptr_t addr)
{
    uintptr_t end;

    return span_at(addr, &end);
}

static uintptr_t here(void)
{
    return (uintptr_t)__builtin_frame_address(0);
}

static uintptr_t stack_start(void)
{
    return start_at(here());
}

/* vm_stk() - kB of stacks, as /proc/self/status counts them */
static long vm_stk(void)
{
    char text[8192];
    const char *line;

    REQUIRE(guest_slurp("/proc/self/status", text, sizeof(text)) >= 0);
    line = strstr(text, "VmStk:");
    REQUIRE(line);
    return strtol(line + 6, NULL, 10);
}

static void limit(int what, rlim_t soft)
{
    struct rlimit l;

    REQUIRE_OK(getrlimit(what, &l));
    if (l.rlim_max < soft)
        SKIP("the hard limit %d is too low", what);
    l.rlim_cur = soft;
    REQUIRE_OK(setrlimit(what, &l));
}

static volatile char *at(uintptr_t addr)
{
    return guest_pointer(addr);
}

/* --- how an access ends, without a process for each --- */

static sigjmp_buf back;
static volatile int fault_code;
static void *volatile fault_addr;

static void on_segv(int signo, siginfo_t *info, void *context)
{
    (void)signo, (void)context;
    fault_code = info->si_code;
    fault_addr = info->si_addr;
    siglongjmp(back, 1);
}

/* Faults are caught on a stack of their own, since it is the other that can't grow. */
static void catch_faults(void)
{
    static char memory[65536];
    stack_t alternate = {.ss_sp = memory, .ss_size = sizeof(memory)};
    struct sigaction act = {.sa_sigaction = on_segv, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    REQUIRE_OK(sigaltstack(&alternate, NULL));
    REQUIRE_OK(sigaction(SIGSEGV, &act, NULL));
}

/* faults() - does a write there fault? */
static bool faults(uintptr_t addr)
{
    if (sigsetjmp(back, 1))
        return true;
    *at(addr) = 1;
    return false;
}

static bool read_faults(uintptr_t addr)
{
    if (sigsetjmp(back, 1))
        return true;
    (void)*at(addr);
    return false;
}

/* --- the main thread's stack --- */

TEST(stack_starts_small, "mmap")
{
    uintptr_t end, start = span_at(here(), &end);

    EXPECT_LT(end - start, 2 * MIB);
    EXPECT_GE(end - start, 128ul << 10);
    EXPECT_LE(vm_stk(), 2048);
}

TEST(stack_grows_by_touch, "mmap")
{
    uintptr_t low = here() - 4 * MIB;

    catch_faults();
    EXPECT(!faults(low));
    EXPECT_LE(stack_start(), low);
    EXPECT_GE(vm_stk(), 4096);
    EXPECT_EQ(*at(low + PAGE), 0);
    low = here() - 6 * MIB;
    EXPECT(!read_faults(low));
    EXPECT_LE(stack_start(), low);
}

TEST(stack_grows_for_the_kernel, "read pipe write")
{
    uintptr_t low = here() - 5 * MIB;
    int ends[2];

    REQUIRE_OK(pipe(ends));
    REQUIRE(write(ends[1], "12345678", 8) == 8);
    EXPECT_EQ(SYS(read, ends[0], low, 8), 8);
    EXPECT_MEMEQ((const char *)low, "12345678", 8);
    EXPECT_LE(stack_start(), low);
    /* And for what the kernel reads there: zeros. */
    low -= MIB;
    EXPECT_EQ(SYS(write, ends[1], low, 8), 8);
    EXPECT_LE(stack_start(), low);
}

TEST(stack_grows_across_a_long_read, "read open")
{
    size_t size = 3 * MIB;
    uintptr_t low = here() - size - 2 * PAGE;
    int fd = (int)REQUIRE_OK(open("/dev/zero", O_RDONLY));

    EXPECT_EQ(SYS(read, fd, low, size), (long)size);
    EXPECT_LE(stack_start(), low);
}

static volatile sig_atomic_t handled;

static void on_usr1(int signo)
{
    (void)signo;
    handled++;
}

/* A signal frame that begins below the mapping. */
TEST(stack_grows_for_a_signal_frame, "kill rt_sigreturn")
{
    uintptr_t start = stack_start();
    long rc;

    guest_on_signal(SIGUSR1, on_usr1, 0);
    __asm__ volatile("mov %%rsp, %%r12\n\t"
                     "mov %[low], %%rsp\n\t"
                     "syscall\n\t"
                     "mov %%r12, %%rsp"
                     : "=a"(rc)
                     : "a"(SYS_kill), "D"(getpid()), "S"(SIGUSR1), [low] "r"(start + 128)
                     : "rcx", "r11", "r12", "memory");
    EXPECT_EQ(rc, 0);
    EXPECT_EQ(handled, 1);
    EXPECT_LT(stack_start(), start);
}

TEST(stack_limit_is_raised, "setrlimit mmap")
{
    catch_faults();
    limit(RLIMIT_STACK, 8 * MIB);
    EXPECT(faults(here() - 9 * MIB));
    EXPECT_EQ(fault_code, SEGV_MAPERR);
    limit(RLIMIT_STACK, 32 * MIB);
    EXPECT(!faults(here() - 9 * MIB));
    EXPECT(!faults(here() - 31 * MIB));
    EXPECT(faults(here() - 33 * MIB));
}

TEST(stack_limit_is_lowered, "setrlimit mmap")
{
    uintptr_t end, start = span_at(here(), &end);

    catch_faults();
    limit(RLIMIT_STACK, 2 * MIB);
    EXPECT(faults(end - 2 * MIB - 1));
    EXPECT_EQ(fault_code, SEGV_MAPERR);
    EXPECT(fault_addr == (void *)(end - 2 * MIB - 1));
    EXPECT(!faults(end - 2 * MIB));
    EXPECT_EQ(stack_start(), end - 2 * MIB);
    /* What has grown stays. */
    limit(RLIMIT_STACK, end - start);
    EXPECT(!faults(end - 2 * MIB));
    EXPECT_ERRNO(SYS(read, (int)REQUIRE_OK(open("/dev/zero", O_RDONLY)), end - 3 * MIB, 8), EFAULT);
}

TEST(stack_counts_with_address_space, "setrlimit mmap")
{
    catch_faults();
    limit(RLIMIT_AS, 4 * MIB);
    EXPECT(faults(here() - 6 * MIB));
    limit(RLIMIT_AS, 64 * MIB);
    EXPECT(!faults(here() - 6 * MIB));
}

TEST(stack_keeps_a_gap, "mmap munmap")
{
    uintptr_t end, start = span_at(here(), &end), page = start - 3 * MIB;

    catch_faults();
    REQUIRE(mmap((void *)page, PAGE, RW, ANON | MAP_FIXED, -1, 0) == (void *)page);
    EXPECT(faults(page + PAGE + GAP - 1));
    EXPECT_EQ(fault_code, SEGV_MAPERR);
    EXPECT(!faults(page + PAGE + GAP));
    /* What can't be touched keeps nobody away. */
    REQUIRE_OK(mprotect((void *)page, PAGE, PROT_NONE));
    EXPECT(!faults(page + PAGE));
    EXPECT(faults(page));
    EXPECT_EQ(fault_code, SEGV_ACCERR);
    REQUIRE_OK(munmap((void *)page, PAGE));
    EXPECT(!faults(page));
}

TEST(stack_survives_fork_and_grows, "fork")
{
    uintptr_t low = here() - 3 * MIB;
    pid_t pid;

    IN_CHILD(pid)
    {
        catch_faults();
        EXPECT(!faults(low));
        EXPECT_LE(stack_start(), low);
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_GT(stack_start(), low);
}

TEST(stack_over_memlock, "mlockall setrlimit munlockall")
{
    if (guest_has_cap(14 /* CAP_IPC_LOCK */))
        SKIP("CAP_IPC_LOCK knows no limit");
    catch_faults();
    limit(RLIMIT_MEMLOCK, 64 << 10);
    REQUIRE_OK(SYS(mlockall, MCL_FUTURE));
    EXPECT(!faults(here() - 2 * MIB)); /* it isn't locked itself */
}

/* --- MAP_GROWSDOWN --- */

/* grower() - a mapping that grows down, with nothing for `room` bytes below it */
static uintptr_t grower(size_t size, size_t room)
{
    char *area = mmap(NULL, room + size + GAP, PROT_NONE, ANON, -1, 0), *p;

    REQUIRE(area != MAP_FAILED);
    REQUIRE_OK(munmap(area, room + size));
    p = mmap(area + room, size, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
    REQUIRE(p == area + room);
    return (uintptr_t)p;
}

TEST(growsdown_grows, "mmap")
{
    uintptr_t p = grower(4 * PAGE, 64 * MIB), end;

    catch_faults();
    EXPECT(!faults(p - PAGE));
    EXPECT_EQ(span_at(p, &end), p - PAGE);
    EXPECT_EQ(end, p + 4 * PAGE);
    EXPECT(!faults(p - 5 * PAGE + 9));
    EXPECT_EQ(start_at(p), p - 5 * PAGE);
    EXPECT_EQ(SYS(read, (int)REQUIRE_OK(open("/dev/zero", O_RDONLY)), p - 9 * PAGE, 8), 8);
    EXPECT_EQ(start_at(p), p - 9 * PAGE);
}

TEST(growsdown_within_the_stack_limit, "mmap setrlimit")
{
    uintptr_t p = grower(4 * PAGE, 64 * MIB);

    catch_faults();
    limit(RLIMIT_STACK, 2 * MIB);
    EXPECT(faults(p + 4 * PAGE - 2 * MIB - PAGE));
    EXPECT(!faults(p + 4 * PAGE - 2 * MIB));
    EXPECT(faults(p + 4 * PAGE - 2 * MIB - 1));
}

TEST(growsdown_without_rights, "mmap mprotect")
{
    uintptr_t p = grower(4 * PAGE, 64 * MIB);

    catch_faults();
    REQUIRE_OK(mprotect((void *)p, PAGE, PROT_READ));
    /* It grows as it is, which is not writable. */
    EXPECT(faults(p - PAGE));
    EXPECT_EQ(fault_code, SEGV_ACCERR);
    EXPECT(!read_faults(p - PAGE));
    EXPECT_EQ(start_at(p), p - PAGE);
    REQUIRE_OK(SYS(mprotect, p - PAGE, PAGE, RW | PROT_GROWSDOWN));
    EXPECT(!faults(p - 2 * PAGE));
}

TEST(growsdown_is_left_room, "mmap munmap")
{
    uintptr_t p = grower(4 * PAGE, 64 * MIB);
    char *hint;

    /* A hint inside the gap is none. */
    hint = mmap((void *)(p - 2 * PAGE), PAGE, RW, ANON, -1, 0);
    EXPECT(hint != MAP_FAILED && hint != (char *)p - 2 * PAGE);
    REQUIRE_OK(munmap(hint, PAGE));
    hint = mmap((void *)(p - GAP - PAGE), PAGE, RW, ANON, -1, 0);
    EXPECT(hint == (char *)p - GAP - PAGE);
    /* It could grow by nothing now. */
    catch_faults();
    EXPECT(faults(p - 1));
    REQUIRE_OK(munmap(hint, PAGE));
    EXPECT(!faults(p - 1));
}

static struct {
    uintptr_t low;
    pthread_barrier_t barrier;
} race;

static void *grow_all(void *step)
{
    for (int i = 1; i <= 64; i++) {
        pthread_barrier_wait(&race.barrier);
        *at(race.low - (size_t)i * PAGE + (uintptr_t)step) = 1;
    }
    return NULL;
}

TEST(growsdown_by_several_threads, "mmap clone")
{
    pthread_t threads[3];

    REQUIRE(pthread_barrier_init(&race.barrier, NULL, COUNT_OF(threads) + 1) == 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        REQUIRE(pthread_create(&threads[i], NULL, grow_all, (void *)i) == 0);
    race.low = grower(4 * PAGE, 64 * MIB); /* after the threads' own stacks */
    grow_all((void *)COUNT_OF(threads));
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        REQUIRE(pthread_join(threads[i], NULL) == 0);
    EXPECT_EQ(start_at(race.low), race.low - 64 * PAGE);
}
