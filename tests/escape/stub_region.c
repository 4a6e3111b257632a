/*
 * Everything that a program can do to the addresses that the sandbox keeps for itself: run what is
 * there, read and write it, map over it, hand it to system calls (A9, A17, A19; I1, I2). To the
 * guest these addresses do not exist.
 */
#include "tests/escape/escape.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#define PAGE 4096ul
#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static void *return_arg(void *arg)
{
    return arg;
}

/* Interesting places of the region: its ends, and steps through it. */
static const unsigned long places[] = {
    STUB_BASE,           STUB_BASE + 16,       STUB_BASE + 0x1000,
    STUB_BASE + 0x10000, STUB_BASE + 0x100000, STUB_BASE + 0x200000,
    0x7ffff8000000,      0x7fffffff0000,       STUB_TOP - 0x1000,
    STUB_TOP - 8,        STUB_BASE - 8,        STUB_BASE - 0x10000};

/* signal_of() - what running, reading or writing an address costs a child */
static int signal_of(unsigned long address, char how)
{
    int status;
    pid_t pid;

    IN_CHILD(pid) {
        if (how == 'x')
            ((void (*)(void))address)();
        else if (how == 'r')
            (void)*guest_pointer(address);
        else
            *guest_pointer(address) = 1;
    }
    status = escape_outcome(pid, how == 'x' ? 100 : 3000);
    EXPECT_NE(status, -1);
    return status & 0x7f;
}

TEST(write_to_its_text)
{
    escape_need_sandbox();
    for (unsigned long at = STUB_BASE; at < STUB_BASE + 0x1000; at += 255) {
        int signo = signal_of(at, 'w');

        guest_check(signo == SIGSEGV, __FILE__, __LINE__, "write to 0x%lx: signal %d", at, signo);
    }
    escape_check_alive();
}

static sigjmp_buf over;

static void on_refusal(int signo)
{
    (void)signo;
    siglongjmp(over, 1);
}

/* scribble() - garbage over whatever can be written there. Return: pages that could be */
static int scribble(unsigned char seed)
{
    volatile int pages = 0;

    for (volatile unsigned long at = STUB_BASE; at < STUB_BASE + 0x400000; at += PAGE) {
        if (sigsetjmp(over, 1) == 0) {
            for (unsigned long i = 0; i < PAGE; i += 8)
                *(volatile unsigned long *)guest_pointer(at + i) = seed * 0x0101010101010101ul;
            pages++;
        }
    }
    return pages;
}

static void *scribble_on(void *arg)
{
    for (unsigned char seed = 0;; seed++)
        memset(arg, seed, PAGE);
    return NULL;
}

/* use_everything() - what needs the sandbox's help: processes, threads, memory, signals, exec */
static void use_everything(void)
{
    const char *args[] = {"self", "--helper", "seventeen", NULL};
    pthread_t thread;
    pid_t pid;

    pthread_create(&thread, NULL, return_arg, NULL);
    pthread_join(thread, NULL);
    guest_on_signal(SIGUSR1, guest_count_signal, 0);
    raise(SIGUSR1);
    munmap(mmap(NULL, 65536, RW, ANON, -1, 0), 65536);
    if ((pid = fork()) == 0)
        _exit(0);
    guest_wait(pid);
    if ((pid = fork()) == 0) {
        SYS(execve, guest_self, args, NULL);
        _exit(0);
    }
    guest_wait(pid);
}

TEST_SLOW(scribble_over_its_data, 120)
{
    pid_t pid;

    /*
     * What a process can write there is its own: it may break itself, and the next program that it
     * executes starts clean. Nobody else notices.
     */
    escape_need_sandbox();
    for (int seed = 0; seed < 256; seed += 51) {
        int status;

        IN_CHILD(pid) {
            guest_on_signal(SIGSEGV, on_refusal, 0);
            scribble((unsigned char)seed);
            use_everything();
            _exit(0);
        }
        EXPECT(escape_harmless(escape_outcome(pid, 5000)));
        IN_CHILD(pid) {
            const char *args[] = {"self", "--helper", "seventeen", NULL};

            guest_on_signal(SIGSEGV, on_refusal, 0);
            scribble((unsigned char)seed);
            SYS(execve, guest_self, args, NULL);
        }
        status = escape_outcome(pid, 5000);
        EXPECT(status == 17 << 8 || escape_harmless(status));
    }
    escape_check_alive();
}

TEST_SLOW(scribble_during_calls, 120)
{
    int64_t end = escape_end_ns();
    pid_t pid;

    escape_need_sandbox();
    while (guest_now_ns() < end) {
        IN_CHILD(pid) {
            pthread_t thread;

            alarm(3);
            guest_on_signal(SIGSEGV, SIG_DFL, 0);
            pthread_create(&thread, NULL, scribble_on, (void *)(STUB_BASE + 0x100000));
            for (int i = 0; i < 20; i++)
                use_everything();
            _exit(0);
        }
        EXPECT_NE(escape_outcome(pid, 6000), -1);
    }
    escape_check_alive();
}

HELPER(seventeen)
{
    return 17;
}

TEST_SLOW(jump_anywhere, 120)
{
    escape_need_sandbox();
    /*
     * A jump may do what the filter lets through, to the child alone; it ends one way or
     * another.
     */
    for (size_t i = 0; i < COUNT_OF(places); i++)
        signal_of(places[i], 'x');
    for (unsigned long offset = 0; offset < 0x2000; offset += 127)
        signal_of(STUB_BASE + offset, 'x');
    escape_check_alive();
}

/* jump_with() - jump to address with all registers chosen by the attacker */
static void jump_with(unsigned long address, const unsigned long *r)
{
    __asm__ volatile("mov %0, %%r11\n\t"
                     "mov 0(%1), %%rax\n\tmov 8(%1), %%rdi\n\tmov 16(%1), %%rsi\n\t"
                     "mov 24(%1), %%rdx\n\tmov 32(%1), %%r10\n\tmov 40(%1), %%r8\n\t"
                     "mov 48(%1), %%r9\n\tjmp *%%r11"
                     :
                     : "r"(address), "r"(r)
                     : "rax", "rdi", "rsi", "rdx", "r8", "r9", "r10", "r11", "memory");
}

TEST_SLOW(jump_with_chosen_registers, 300)
{
    /* Host calls that would matter: whatever `syscall` they find there, the filter decides. */
    static const unsigned long calls[][7] = {
        {62, 1, 9},                                  /* kill(1, SIGKILL) */
        {62, -1ul, 9},                               /* kill(-1, SIGKILL) */
        {234, 1, 1, 9},                              /* tgkill */
        {101, 16, 1},                                /* ptrace(ATTACH, 1) */
        {310, 1, 0, 0, 0, 0},                        /* process_vm_readv */
        {157, 22, 1},                                /* prctl(SET_SECCOMP, STRICT) */
        {2, 0, 2},                                   /* open */
        {41, 1, 1, 0},                               /* socket */
        {56, 0x10d0f00, 0, 0, 0, 0},                 /* clone */
        {57},                                        /* fork */
        {59, 0, 0, 0},                               /* execve */
        {9, STUB_BASE, 0x1000, 7, 0x32, -1ul, 0},    /* mmap over the region */
        {11, STUB_BASE, 0x100000},                   /* munmap it */
        {10, STUB_BASE, 0x1000, 7},                  /* mprotect it */
        {25, STUB_BASE, 0x1000, 0x1000, 3, 0x10000}, /* mremap it */
        {28, STUB_BASE, 0x1000, 4},                  /* madvise(DONTNEED) */
        {231, 0},                                    /* exit_group */
        {0x3fff0000, 1, 0},                          /* the check-in */
        {0x3fff0000, 2, 0},
        {202, STUB_BASE, 0, 0, 0, 0},                /* futex wait */
    };

    escape_need_sandbox();
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        for (unsigned long offset = 0; offset < 0x1000; offset += 389) {
            pid_t pid;

            IN_CHILD(pid) {
                jump_with(STUB_BASE + offset, calls[i]);
            }
            EXPECT_NE(escape_outcome(pid, 100), -1);
        }
    }
    escape_check_alive();
}

TEST(map_over_it, "mmap munmap")
{
    escape_need_sandbox();
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        unsigned long at = places[i] & ~(PAGE - 1);

        if (places[i] < STUB_BASE)
            continue;
        EXPECT_ERRNO(SYS(mmap, at, PAGE, RW, ANON | MAP_FIXED, -1, 0), ENOMEM);
        EXPECT_ERRNO(SYS(mmap, at, PAGE, RW, ANON | 0x100000, -1, 0), ENOMEM);
        /* As a hint it is as good as none. */
        EXPECT_LT((unsigned long)SYS(mmap, at, PAGE, RW, ANON, -1, 0), STUB_BASE);
        EXPECT_NE(SYS(munmap, at, PAGE), 0);
        EXPECT_NE(SYS(mprotect, at, PAGE, RW | PROT_EXEC), 0);
        EXPECT_NE(SYS(madvise, at, PAGE, MADV_DONTNEED), 0);
        EXPECT_NE(SYS(mremap, at, PAGE, 2 * PAGE, MREMAP_MAYMOVE), 0);
        EXPECT_NE(SYS(msync, at, PAGE, MS_SYNC), 0);
    }
    escape_check_alive();
}

TEST(map_across_its_edge, "mmap munmap mprotect mremap")
{
    static const unsigned long sizes[] = {PAGE, 2 * PAGE, 0x30000, 0x100000, 1ul << 30, 1ul << 46};
    char *page = mmap(NULL, PAGE, RW, ANON, -1, 0);

    escape_need_sandbox();
    REQUIRE(page != MAP_FAILED);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        unsigned long at = STUB_BASE - PAGE;

        EXPECT_EQ(SYS(mmap, at, sizes[i] + PAGE, RW, ANON | MAP_FIXED, -1, 0), -1);
        EXPECT_NE(SYS(munmap, at, sizes[i] + PAGE), 0);
        EXPECT_NE(SYS(mprotect, at, sizes[i] + PAGE, RW), 0);
        EXPECT_EQ(SYS(mremap, page, PAGE, sizes[i] + PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at), -1);
        EXPECT_EQ(SYS(mremap, page, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, STUB_BASE), -1);
    }
    /* Lengths that wrap around. */
    EXPECT_EQ(SYS(mmap, PAGE * 16, -PAGE, RW, ANON | MAP_FIXED, -1, 0), -1);
    EXPECT_NE(SYS(munmap, STUB_BASE - PAGE, -STUB_BASE), 0);
    EXPECT_NE(SYS(mprotect, PAGE * 16, STUB_BASE, PROT_NONE), 0);
    *page = 1;
    escape_check_alive();
}

TEST(unmap_everything)
{
    int status;
    pid_t pid;

    escape_need_sandbox();
    /* All that a program has; what it can't name stays, and its next instruction is its last. */
    IN_CHILD(pid) {
        SYS(munmap, 0, STUB_BASE);
        SYS(munmap, 0, STUB_BASE - 0x20000);
        SYS(munmap, 0x10000, STUB_BASE - 0x30000);
        SYS(munmap, 0, STUB_TOP);
        _exit(0);
    }
    status = escape_outcome(pid, 3000);
    EXPECT_NE(status, -1);
    EXPECT((status & 0x7f) == SIGSEGV || status == 0);
    IN_CHILD(pid) {
        SYS(mprotect, 0x400000, 1ul << 24, PROT_NONE);
        _exit(0);
    }
    EXPECT(escape_harmless(escape_outcome(pid, 3000)));
    escape_check_alive();
}

TEST_SLOW(fill_the_address_space, 120, "mmap:ENOMEM")
{
    pid_t pid;

    escape_need_sandbox();
    IN_CHILD(pid) {
        int count = 0;

        for (unsigned long size = 1ul << 45; size >= 1 << 21; size /= 2) {
            for (;;) {
                char *p = mmap(NULL, size, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);

                if (p == MAP_FAILED || ++count > 20000)
                    break;
                REQUIRE((unsigned long)p + size <= STUB_BASE);
            }
        }
        EXPECT_EQ(errno, ENOMEM);
        _exit(0);
    }
    EXPECT_CHILD_OK(pid);
    escape_check_alive();
}

/* expect_efault() - calls that take a pointer, given one into the region */
static void expect_efault(unsigned long at, int fd, int rd, int wr)
{
    struct iovec iov = {(void *)at, 64};
    struct stat st;

    EXPECT_ERRNO(SYS(write, wr, at, 64), EFAULT);
    EXPECT_ERRNO(SYS(pread64, fd, at, 64, 0), EFAULT);
    EXPECT_ERRNO(SYS(read, rd, at, 64), EFAULT);
    EXPECT_ERRNO(SYS(pwrite64, fd, at, 64, 0), EFAULT);
    EXPECT_ERRNO(SYS(writev, wr, &iov, 1), EFAULT);
    EXPECT_ERRNO(SYS(readv, rd, &iov, 1), EFAULT);
    EXPECT_ERRNO(SYS(writev, wr, at, 1), EFAULT);
    EXPECT_ERRNO(SYS(stat, at, &st), EFAULT);
    EXPECT_ERRNO(SYS(stat, "/", at), EFAULT);
    EXPECT_ERRNO(SYS(open, at, O_RDONLY), EFAULT);
    EXPECT_ERRNO(SYS(getcwd, at, 4096), EFAULT);
    EXPECT_ERRNO(SYS(pipe, at), EFAULT);
    EXPECT_ERRNO(SYS(clock_gettime, CLOCK_MONOTONIC, at), EFAULT);
    EXPECT_ERRNO(SYS(nanosleep, at, NULL), EFAULT);
    EXPECT_ERRNO(SYS(uname, at), EFAULT);
    EXPECT_ERRNO(SYS(getrandom, at, 64, 0), EFAULT);
    EXPECT_ERRNO(SYS(execve, at, NULL, NULL), EFAULT);
    EXPECT_ERRNO(SYS(execve, guest_self, at, NULL), EFAULT);
    EXPECT_ERRNO(SYS(poll, at, 1, 0), EFAULT);
    EXPECT_ERRNO(SYS(rt_sigaction, SIGUSR1, at, NULL, 8), EFAULT);
    EXPECT_ERRNO(SYS(rt_sigprocmask, SIG_BLOCK, NULL, at, 8), EFAULT);
}

TEST(pointers_into_it, "read:EFAULT write:EFAULT execve:EFAULT")
{
    int ends[2], fd;

    escape_need_sandbox();
    guest_scratch();
    guest_make_file("file", "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 ");
    fd = (int)REQUIRE_OK(open("file", O_RDWR));
    REQUIRE_OK(pipe(ends));
    REQUIRE(write(ends[1], "some bytes that stay there", 26) == 26);
    for (size_t i = 0; i < COUNT_OF(places) - 2; i++)
        expect_efault(places[i] & ~7ul, fd, ends[0], ends[1]);
    /* Shared futexes there belong to nobody; private ones have an address only. */
    EXPECT_ERRNO(SYS(futex, STUB_BASE, FUTEX_WAIT, 0, NULL, NULL, 0), EFAULT);
    EXPECT_EQ(SYS(futex, STUB_BASE, FUTEX_WAKE_OP, 1, 1, STUB_BASE, FUTEX_OP(0, 1, 0, 0)), -1);
    EXPECT_EQ(SYS(futex, STUB_BASE, FUTEX_REQUEUE, 1, 1, STUB_BASE + 64, 0), -1);
    escape_check_alive();
}

TEST(buffers_across_its_edge, "read:EFAULT write:EFAULT")
{
    int zero = (int)REQUIRE_OK(open("/dev/zero", O_RDONLY)),
        null = (int)open("/dev/null", O_WRONLY);
    unsigned long edge = STUB_BASE;
    char *last = MAP_FAILED;
    int ends[2];
    long n;

    escape_need_sandbox();
    REQUIRE_OK(pipe2(ends, O_NONBLOCK));
    /* The last page that a program can have, wherever the sandbox draws its line. */
    while (last == MAP_FAILED && edge > STUB_BASE - 0x100000) {
        edge -= PAGE;
        last = mmap((void *)edge, PAGE, RW, ANON | MAP_FIXED, -1, 0);
    }
    REQUIRE(last != MAP_FAILED);
    n = SYS(read, zero, last, 0x400000);
    EXPECT(n == (long)PAGE || (n == -1 && errno == EFAULT));
    n = SYS(write, ends[1], last, 0x400000);
    EXPECT(n == (long)PAGE || (n == -1 && errno == EFAULT));
    /* A string without an end. */
    memset(last, 'x', PAGE);
    EXPECT_ERRNO(SYS(open, last + PAGE - 100, O_RDONLY), EFAULT);
    EXPECT_ERRNO(SYS(execve, last + PAGE - 8, NULL, NULL), EFAULT);
    EXPECT_EQ(SYS(write, null, last, PAGE), PAGE);
    escape_check_alive();
}

TEST(stack_in_it)
{
    pid_t pid;

    escape_need_sandbox();
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        IN_CHILD(pid) {
            /* A system call, then a signal, with the stack pointer in there. */
            __asm__ volatile("mov %0, %%rsp\n\tmov $39, %%eax\n\tsyscall\n\t"
                             "mov %%eax, %%edi\n\tmov $10, %%esi\n\tmov $62, %%eax\n\tsyscall\n\t"
                             "push %%rax\n\tud2"
                             :
                             : "r"(places[i])
                             : "memory");
        }
        EXPECT(escape_harmless(escape_outcome(pid, 3000)));
    }
    escape_check_alive();
}

TEST(handlers_and_stacks_in_it, "sigaltstack rt_sigaction")
{
    pid_t pid;

    escape_need_sandbox();
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        IN_CHILD(pid) {
            stack_t ss = {.ss_sp = (void *)places[i], .ss_size = 65536};

            SYS(sigaltstack, &ss, NULL);
            guest_on_signal(SIGUSR1, guest_count_signal, SA_ONSTACK);
            raise(SIGUSR1);
        }
        EXPECT(escape_harmless(escape_outcome(pid, 3000)));
        IN_CHILD(pid) {
            guest_on_signal(SIGUSR1, (void (*)(int))places[i], 0);
            raise(SIGUSR1);
        }
        EXPECT_NE(escape_outcome(pid, 300), -1);
    }
    escape_check_alive();
}

TEST(thread_areas_in_it, "arch_prctl set_tid_address set_robust_list")
{
    pid_t pid;

    escape_need_sandbox();
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        IN_CHILD(pid) {
            SYS(set_tid_address, places[i]);
            SYS(set_robust_list, places[i], 24);
        }
        EXPECT(escape_harmless(escape_outcome(pid, 3000)));
        IN_CHILD(pid) {
            SYS(arch_prctl, 0x1001 /* ARCH_SET_GS */, places[i]);
            SYS(getpid);
            SYS(arch_prctl, 0x1002 /* ARCH_SET_FS */, places[i]);
            __asm__ volatile("mov $39, %%eax\n\tsyscall\n\tmov $231, %%eax\n\txor %%edi, %%edi\n\t"
                             "syscall"
                             :
                             :
                             : "rax", "rdi", "rcx", "r11", "memory");
        }
        EXPECT(escape_harmless(escape_outcome(pid, 3000)));
    }
    escape_check_alive();
}

TEST(image_loaded_into_it, "execve")
{
    /* An executable whose segment wants to lie there: see exec_bad_elf for all other addresses. */
    static const unsigned char head[] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
    unsigned char image[0x1000] = {0};
    const char *args[] = {"x", NULL};
    unsigned long *word = (unsigned long *)image;
    int fd;
    pid_t pid;

    escape_need_sandbox();
    guest_scratch();
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        unsigned long at = places[i] & ~(PAGE - 1);

        memcpy(image, head, sizeof(head));
        image[16] = 2;
        image[18] = 62;
        image[20] = 1;
        word[3] = at + 0x100;
        word[4] = 64;
        image[54] = 56;
        image[56] = 1;
        image[64] = 1;
        image[68] = 5;
        word[10] = at;
        word[12] = word[13] = sizeof(image);
        fd = (int)REQUIRE_OK(open("image", O_WRONLY | O_CREAT | O_TRUNC, 0755));
        REQUIRE(write(fd, image, sizeof(image)) == (ssize_t)sizeof(image));
        close(fd);
        IN_CHILD(pid) {
            SYS(execve, "image", args, NULL);
            _exit(0);
        }
        EXPECT(escape_harmless(escape_outcome(pid, 3000)));
    }
    escape_check_alive();
}
