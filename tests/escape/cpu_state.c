/*
 * Processor state at the moment of a system call or fault (A9 to A12; I1): flags, segments,
 * protection keys, stack pointers that lead nowhere; and code that changes while it runs.
 */
#include "tests/escape/escape.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define PAGE 4096ul

/* getpid_with_flags() - a system call with these bits set in the flags. Return: its result */
static long getpid_with_flags(unsigned long flags)
{
    long result;

    __asm__ volatile("pushfq\n\torq %1, (%%rsp)\n\tpopfq\n\t"
                     "mov $39, %%eax\n\tsyscall\n\t"
                     "pushfq\n\tandq %2, (%%rsp)\n\tpopfq"
                     : "=&a"(result)
                     : "r"(flags), "r"(~flags)
                     : "rcx", "r11", "memory", "cc");
    return result;
}

TEST(call_with_flags)
{
    /* Direction, alignment check, identification, nested task, resume, and the arithmetic ones. */
    static const unsigned long flags[] = {0x400, 0x200000, 0x8d5, 0x10000};

    for (size_t i = 0; i < COUNT_OF(flags); i++)
        EXPECT_EQ(getpid_with_flags(flags[i]), getpid());
    for (int bit = 0; bit < 22; bit++) {
        pid_t pid;

        IN_CHILD(pid) {
            alarm(3);
            getpid_with_flags(1ul << bit);
            _exit(0);
        }
        EXPECT(escape_harmless(escape_outcome(pid, 5000)));
    }
    escape_check_alive();
}

static atomic_int traps;

static void on_trap(int signo)
{
    (void)signo;
    traps++;
}

TEST(step_through_calls, "rt_sigreturn")
{
    /* Single steps across system calls, one trap each instruction and no crash. */
    guest_on_signal(SIGTRAP, on_trap, 0);
    for (int i = 0; i < 20; i++)
        EXPECT_EQ(getpid_with_flags(0x100), getpid());
    EXPECT_GE(traps, 20);
    escape_check_alive();
}

TEST(call_with_any_stack)
{
    static const unsigned long stacks[] = {0,
                                           8,
                                           0x1001,
                                           0x7ffff0000000,
                                           0x7ffffffff000,
                                           0x800000000000,
                                           0x8000000000000000,
                                           0xffff888000000000,
                                           ~0ul,
                                           -16ul};

    for (size_t i = 0; i < COUNT_OF(stacks); i++) {
        long result = 0;

        /* No frame is pushed by a system call: its stack pointer does not matter. */
        __asm__ volatile("mov %%rsp, %%rbx\n\tmov %1, %%rsp\n\tmov $39, %%eax\n\tsyscall\n\t"
                         "mov %%rbx, %%rsp"
                         : "=&a"(result)
                         : "r"(stacks[i])
                         : "rbx", "rcx", "r11", "memory");
        EXPECT_EQ(result, getpid());
    }
    escape_check_alive();
}

TEST(segment_registers)
{
    pid_t pid;

    for (unsigned int selector = 0; selector < 0x100; selector++) {
        IN_CHILD(pid) {
            alarm(3);
            __asm__ volatile("mov %0, %%ds\n\tmov %0, %%es\n\tmov $39, %%eax\n\tsyscall"
                             :
                             : "r"(selector)
                             : "rax", "rcx", "r11", "memory");
            __asm__ volatile("mov %0, %%gs\n\tmov $39, %%eax\n\tsyscall\n\t"
                             "mov $231, %%eax\n\txor %%edi, %%edi\n\tsyscall"
                             :
                             : "r"(selector)
                             : "rax", "rdi", "rcx", "r11", "memory");
        }
        EXPECT(escape_harmless(escape_outcome(pid, 5000)));
        selector += selector > 0x40 ? 6 : 0;
    }
    escape_check_alive();
}

TEST(segment_bases)
{
    static const unsigned long bases[] = {0, 0x1000, 0x7ffff0000000, 0x7fffffffe000, 0x800000000000,
                                          0xffff888000000000, 0xffffffffff600000};
    pid_t pid;

    for (size_t i = 0; i < COUNT_OF(bases); i++) {
        /* By the call, then by the instruction, which the processor may not offer. */
        IN_CHILD(pid) {
            alarm(3);
            SYS(arch_prctl, 0x1001, bases[i]);
            EXPECT_EQ(SYS(getppid), getppid());
            _exit(0);
        }
        EXPECT(escape_harmless(escape_outcome(pid, 5000)));
        IN_CHILD(pid) {
            alarm(3);
            __asm__ volatile(".byte 0xf3, 0x48, 0x0f, 0xae, 0xd8" /* wrgsbase %rax */
                             :
                             : "a"(bases[i]));
            EXPECT_EQ(SYS(getppid), getppid());
            _exit(0);
        }
        EXPECT(escape_harmless(escape_outcome(pid, 5000)));
        IN_CHILD(pid) {
            alarm(3);
            __asm__ volatile(".byte 0xf3, 0x48, 0x0f, 0xae, 0xd0\n\t" /* wrfsbase %rax */
                             "mov $39, %%eax\n\tsyscall\n\tmov $231, %%eax\n\txor %%edi, %%edi\n\t"
                             "syscall"
                             :
                             : "a"(bases[i])
                             : "rdi", "rcx", "r11", "memory");
        }
        EXPECT(escape_harmless(escape_outcome(pid, 5000)));
    }
    escape_check_alive();
}

TEST(protection_keys)
{
    pid_t pid;

    /* All keys closed, then calls with pointers. Without the feature: SIGILL. */
    IN_CHILD(pid) {
        alarm(3);
        __asm__ volatile("xor %%ecx, %%ecx\n\txor %%edx, %%edx\n\tmov $0x55555554, %%eax\n\t"
                         ".byte 0x0f, 0x01, 0xef\n\t" /* wrpkru */
                         "mov $39, %%eax\n\tsyscall\n\t"
                         "mov $63, %%eax\n\tmov %%rsp, %%rdi\n\tsub $4096, %%rdi\n\tsyscall\n\t"
                         "mov $231, %%eax\n\txor %%edi, %%edi\n\tsyscall"
                         :
                         :
                         : "rax", "rcx", "rdx", "rdi", "r11", "memory");
    }
    EXPECT(escape_harmless(escape_outcome(pid, 5000)));
    IN_CHILD(pid) {
        alarm(3);
        __asm__ volatile("xor %%ecx, %%ecx\n\txor %%edx, %%edx\n\tmov $0xffffffff, %%eax\n\t"
                         ".byte 0x0f, 0x01, 0xef\n\t"
                         "mov $39, %%eax\n\tsyscall\n\t"
                         "mov $231, %%eax\n\txor %%edi, %%edi\n\tsyscall"
                         :
                         :
                         : "rax", "rcx", "rdx", "rdi", "r11", "memory");
    }
    EXPECT(escape_harmless(escape_outcome(pid, 5000)));
    escape_check_alive();
}

TEST(odd_instructions)
{
    static const unsigned char codes[][8] = {
        {0x0f, 0x34},                               /* sysenter */
        {0x0f, 0x35},                               /* sysexit */
        {0x0f, 0x07},                               /* sysret */
        {0x48, 0x0f, 0x07},                         /* sysretq */
        {0xcd, 0x80},                               /* int 0x80 */
        {0xcd, 0x81},                               /* int 0x81 */
        {0xcd, 0x01},                               /* int 1 */
        {0xf1},                                     /* int1 */
        {0xcd, 0x02},                               /* int 2 */
        {0xcd, 0x08},                               /* int 8 */
        {0xcf},                                     /* iret */
        {0x48, 0xcf},                               /* iretq */
        {0xcb},                                     /* far return */
        {0x0f, 0x01, 0xf8},                         /* swapgs */
        {0x0f, 0x01, 0xc1},                         /* vmcall */
        {0x0f, 0x01, 0xd9},                         /* vmmcall */
        {0x0f, 0x01, 0xd7},                         /* enclu */
        {0x0f, 0x30},                               /* wrmsr */
        {0x0f, 0x32},                               /* rdmsr */
        {0x0f, 0x33},                               /* rdpmc */
        {0x0f, 0x00, 0xd8},                         /* ltr */
        {0x0f, 0x01, 0x18},                         /* lidt */
        {0x0f, 0x22, 0xc0},                         /* mov cr0 */
        {0x0f, 0x23, 0xc0},                         /* mov dr0 */
        {0x0f, 0x01, 0x38},                         /* invlpg */
        {0x0f, 0x09},                               /* wbinvd */
        {0xf4},                                     /* hlt */
        {0x0f, 0x05},                               /* syscall, rax as it is */
        {0x0f, 0x01, 0xd0},                         /* xgetbv */
        {0x0f, 0x01, 0xd1},                         /* xsetbv */
        {0x0f, 0x01, 0xcb},                         /* stac */
        {0xf3, 0x0f, 0xc7, 0xf8},                   /* rdpid */
        {0x0f, 0x0b},                               /* ud2 */
        {0xc4, 0xe2, 0x7b, 0xf0, 0xc0},             /* a vex form that does not exist */
        {0x62, 0xf1, 0x7c, 0x48, 0x6f, 0xc0},       /* evex */
        {0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x0f}};
    pid_t pid;

    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        IN_CHILD(pid) {
            unsigned char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
                                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

            REQUIRE(p != MAP_FAILED);
            alarm(3);
            memset(p, 0xcc, PAGE);
            memcpy(p + 64, codes[i], sizeof(codes[i]));
            __asm__ volatile("xor %%edi, %%edi\n\txor %%esi, %%esi\n\txor %%edx, %%edx\n\t"
                             "mov $231, %%eax\n\tjmp *%0"
                             :
                             : "r"(p + 64)
                             : "rax", "rdi", "rsi", "rdx", "memory");
        }
        EXPECT(escape_harmless(escape_outcome(pid, 5000)));
    }
    escape_check_alive();
}

/* Code that a thread rewrites while another runs it: mov $n, %eax; syscall; ret, n changing. */
static unsigned char *volatile code;
static atomic_bool stop;

static void *rewrite(void *arg)
{
    (void)arg;
    while (!stop) {
        code[1] = 39;
        code[1] = 110;
    }
    return NULL;
}

TEST_SLOW(code_in_flight, 60)
{
    static const unsigned char call[] = {0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3};
    int64_t end = escape_end_ns();
    long self = getpid(), parent = getppid();
    pthread_t thread;

    code = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(code != MAP_FAILED);
    memcpy(code, call, sizeof(call));
    REQUIRE(pthread_create(&thread, NULL, rewrite, NULL) == 0);
    while (guest_now_ns() < end) {
        long got = ((int (*)(void))code)();

        REQUIRE(got == self || got == parent);
    }
    stop = true;
    pthread_join(thread, NULL);
    escape_check_alive();
}

static void *unmap_and_map(void *arg)
{
    static const unsigned char call[] = {0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3};

    (void)arg;
    while (!stop) {
        unsigned char *p = mmap(code, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

        if (p != MAP_FAILED)
            memcpy(p, call, sizeof(call));
    }
    return NULL;
}

TEST_SLOW(code_comes_and_goes, 60, "mmap")
{
    int64_t end = escape_end_ns();

    while (guest_now_ns() < end) {
        pid_t pid;

        IN_CHILD(pid) {
            pthread_t thread;

            alarm(3);
            code = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
                        -1, 0);
            pthread_create(&thread, NULL, unmap_and_map, NULL);
            guest_sleep_ms(2);
            for (int i = 0; i < 2000; i++)
                ((int (*)(void))code)();
            _exit(0);
        }
        EXPECT(escape_harmless(escape_outcome(pid, 5000)));
    }
    escape_check_alive();
}

TEST_SLOW(call_from_odd_pages, 60, "mprotect")
{
    static const unsigned char call[] = {0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3};
    static const int protections[] = {PROT_EXEC, PROT_READ | PROT_EXEC,
                                      PROT_READ | PROT_WRITE | PROT_EXEC};
    int fd;

    guest_scratch();
    fd = (int)REQUIRE_OK(open("code", O_RDWR | O_CREAT, 0700));
    REQUIRE(pwrite(fd, call, sizeof(call), 0) == (ssize_t)sizeof(call));
    REQUIRE_OK(ftruncate(fd, PAGE));
    /* Code in a shared file must stay what it is in the file, whatever runs it. */
    for (size_t i = 0; i < COUNT_OF(protections); i++) {
        unsigned char now[8];

        for (int shared = 0; shared < 2; shared++) {
            void *p = mmap(NULL, PAGE, protections[i], shared ? MAP_SHARED : MAP_PRIVATE, fd, 0);

            if (p == MAP_FAILED) {
                /* A file system that is mounted noexec. */
                EXPECT_EQ(errno, EPERM);
                continue;
            }
            for (int n = 0; n < 50; n++)
                EXPECT_EQ(((int (*)(void))(unsigned long)p)(), getpid());
            munmap(p, PAGE);
        }
        EXPECT_EQ(pread(fd, now, sizeof(now), 0), sizeof(now));
        EXPECT_MEMEQ(now, call, sizeof(call));
    }
    escape_check_alive();
}
