/*
 * Every way into the kernel that a program may try. int 0x80 is answered either by a kernel with
 * IA32 emulation or, as by one without it, with SIGSEGV; nothing else may happen. Numbers out of
 * the table are ENOSYS; the vsyscall page works as an executable-only page.
 */
#include "tests/guest/guest.h"

#include <elf.h>
#include <signal.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#define VSYSCALL 0xffffffffff600000ul

/* raw() - a system call with rax as it is, all 64 bits of it. Return: rax, not errno */
static long raw(unsigned long rax, long a, long b, long c)
{
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(rax), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return result;
}

TEST(numbers_out_of_table)
{
    static const long numbers[] = {-1, -2, 9999, 600, 1023, 1024, 4095, 4096, 65536, 0x3fffffff,
                                   0x7fffffff, -0x7fffffff - 1};

    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        EXPECT_EQ(raw((unsigned long)numbers[i], 1, 2, 3), -ENOSYS);
    /* The hole within the table; 335 and 336 before it belong to newer kernels' probes. */
    for (unsigned long n = 337; n < 424; n++)
        EXPECT_EQ(raw(n, 0, 0, 0), -ENOSYS);
}

TEST(removed_calls)
{
    static const int removed[] = {174 /* create_module */, 177 /* get_kernel_syms */,
                                  178 /* query_module */,  180 /* nfsservctl */,
                                  181 /* getpmsg */,       182 /* putpmsg */,
                                  183 /* afs_syscall */,   184 /* tuxcall */,
                                  185 /* security */,      205 /* set_thread_area */,
                                  211 /* get_thread_area */, 214 /* epoll_ctl_old */,
                                  215 /* epoll_wait_old */, 236 /* vserver */};

    for (size_t i = 0; i < COUNT_OF(removed); i++)
        EXPECT_EQ(raw((unsigned long)removed[i], 0, 0, 0), -ENOSYS);
}

TEST(high_bits_of_number)
{
    long result = raw(0x100000000ul | __NR_getpid, 0, 0, 0);

    /* Newer kernels look at the low half alone, older ones at all of it. */
    EXPECT(result == getpid() || result == -ENOSYS);
}

TEST(x32_numbers)
{
    long result = raw(0x40000000ul | __NR_getpid, 0, 0, 0);

    /* ENOSYS, unless this very kernel was built and booted for x32. */
    EXPECT(result == -ENOSYS || (result == getpid() && !guest_sandboxed()));
    EXPECT_EQ(raw(0x40000000ul | 9999, 0, 0, 0), -ENOSYS);
    EXPECT_EQ(raw(0x40000000ul | 511, 0, 0, 0), -ENOSYS);
    EXPECT_EQ(raw(0xffffffff40000027ul, 0, 0, 0), raw(0x40000027ul, 0, 0, 0));
}

TEST(six_arguments, "mmap")
{
    char *p = (char *)SYS(mmap, 0x10000000, 8192, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

    EXPECT_EQ((uintptr_t)p, 0x10000000);
    EXPECT_OK(munmap(p, 8192));
    /* The sixth one counts: an offset that is no multiple of a page. */
    EXPECT_ERRNO(SYS(mmap, 0, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 1), EINVAL);
}

static volatile int fault_signo, fault_code;

static void on_fault(int signo, siginfo_t *info, void *context)
{
    (void)context;
    fault_signo = signo;
    fault_code = info->si_code;
    _exit(200 + (info->si_code == SI_KERNEL) + 10 * (signo != SIGSEGV));
}

static void catch_segv(void)
{
    struct sigaction act;

    memset(&act, 0, sizeof(act));
    act.sa_sigaction = on_fault;
    act.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &act, NULL);
    sigaction(SIGILL, &act, NULL);
}

TEST(int80)
{
    int status;
    pid_t pid;

    /* In the child: 20 is getpid there, 39 mkdir. */
    IN_CHILD(pid) {
        long result = 20;

        catch_segv();
        __asm__ volatile("int $0x80" : "+a"(result) : : "r8", "r9", "r10", "r11", "memory");
        EXPECT_EQ((int)result, getpid());
    }
    status = guest_wait(pid);
    EXPECT(status == 0 || status == 201 << 8);
    if (guest_sandboxed())
        EXPECT_EQ(status, 201 << 8);
    /* Without a handler. */
    IN_CHILD(pid) {
        long result = 252; /* exit_group */

        __asm__ volatile("int $0x80"
                         : "+a"(result)
                         : "b"(77l)
                         : "r8", "r9", "r10", "r11", "memory");
    }
    status = guest_wait(pid);
    EXPECT(status == 77 << 8 || (status & 0x7f) == SIGSEGV);
}

TEST(int80_numbers)
{
    static const int numbers[] = {-1, 0, 9999, 120 /* clone */, 37 /* kill */,
                                  384 /* arch_prctl */};

    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        int status;
        pid_t pid;

        IN_CHILD(pid) {
            long result = numbers[i], minus = -1;

            alarm(5);
            __asm__ volatile("int $0x80"
                             : "+a"(result)
                             : "b"(minus), "c"(minus), "d"(minus), "S"(minus), "D"(minus)
                             : "r8", "r9", "r10", "r11", "memory");
            _exit((int)result < 0 ? 33 : 34);
        }
        status = guest_wait(pid);
        if (status != 33 << 8)
            EXPECT_EQ(status & 0x7f, SIGSEGV);
    }
}

TEST(sysenter)
{
    int status;
    pid_t pid;

    /* A 32-bit entry that returns through a 32-bit vdso, which is not there: some deadly signal. */
    IN_CHILD(pid) {
        alarm(5);
        __asm__ volatile("mov %%rsp, %%rbp\n\tsysenter"
                         :
                         : "a"(20), "b"(0), "c"(0), "d"(0)
                         : "memory", "cc");
        _exit(0);
    }
    status = guest_wait(pid) & 0x7f;
    EXPECT(status == SIGSEGV || status == SIGILL || status == SIGTRAP || status == SIGBUS);
}

/* low_code() - a page below 4 GiB with this code and a stack above it */
static unsigned char *low_code(const void *code, size_t size)
{
    unsigned char *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE | PROT_EXEC,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

    REQUIRE(p != MAP_FAILED);
    memcpy(p, code, size);
    return p;
}

/* jump_32() - continue at p in 32-bit mode */
__attribute__((noreturn)) static void jump_32(unsigned char *p)
{
    struct {
        uint32_t offset;
        uint16_t selector;
    } __attribute__((packed)) target = {(uint32_t)(uintptr_t)p, 0x23};

    __asm__ volatile("mov %1, %%rsp\n\tljmp *(%0)" : : "r"(&target), "r"(p + 60000) : "memory");
    __builtin_unreachable();
}

TEST(code_segment_23)
{
    /* 32-bit code that makes no call: `mov $1,%eax; dec %eax` is `inc` and REX-free there; ud2 */
    static const unsigned char plain[] = {0xb8, 1, 0, 0, 0, 0x48, 0x0f, 0x0b};
    /* mov $252,%eax; mov $55,%ebx; int $0x80; ud2 */
    static const unsigned char call[] = {0xb8, 252, 0, 0,    0,    0xbb, 55,
                                         0,    0,   0, 0xcd, 0x80, 0x0f, 0x0b};
    /* mov $252,%eax; mov $55,%ebx; syscall; ud2 */
    static const unsigned char fast[] = {0xb8, 252, 0, 0,    0,    0xbb, 55,
                                         0,    0,   0, 0x0f, 0x05, 0x0f, 0x0b};
    int status;
    pid_t pid;

    IN_CHILD(pid) {
        jump_32(low_code(plain, sizeof(plain)));
    }
    EXPECT_KILLED(pid, SIGILL);
    IN_CHILD(pid) {
        jump_32(low_code(call, sizeof(call)));
    }
    status = guest_wait(pid);
    EXPECT(status == 55 << 8 || (status & 0x7f) == SIGSEGV);
    IN_CHILD(pid) {
        jump_32(low_code(fast, sizeof(fast)));
    }
    status = guest_wait(pid);
    EXPECT(status == 55 << 8 || (status & 0x7f) == SIGSEGV || (status & 0x7f) == SIGILL);
}

TEST(bad_selectors)
{
    pid_t pid;

    IN_CHILD(pid) {
        __asm__ volatile("mov %0, %%ds\n\tmov %0, %%es" : : "r"(0x2b));
        __asm__ volatile("mov %0, %%ds\n\tmov %0, %%es" : : "r"(0));
    }
    EXPECT_CHILD_OK(pid);
    IN_CHILD(pid) {
        __asm__ volatile("mov %0, %%ss" : : "r"(0x18));
    }
    EXPECT_KILLED(pid, SIGSEGV);
}

/* vsyscall_there() - whether calls into the page work here; many kernels are booted without it */
static bool vsyscall_there(void)
{
    int status;
    pid_t pid;

    IN_CHILD(pid) {
        ((long (*)(time_t *))(VSYSCALL + 0x400))(NULL);
    }
    status = guest_wait(pid);
    EXPECT(status == 0 || (status & 0x7f) == SIGSEGV);
    return status == 0;
}

TEST(vsyscall_calls, "gettimeofday time getcpu")
{
    struct timeval tv = {0, 0};
    unsigned int cpu = ~0u, node = ~0u;
    time_t now = time(NULL), got = 0;

    if (!vsyscall_there())
        SKIP("no vsyscall page");
    EXPECT_EQ(((long (*)(struct timeval *, void *))VSYSCALL)(&tv, NULL), 0);
    EXPECT(tv.tv_sec >= now && tv.tv_sec <= now + 5);
    EXPECT(tv.tv_usec >= 0 && tv.tv_usec < 1000000);
    EXPECT_GE(((long (*)(time_t *))(VSYSCALL + 0x400))(&got), now);
    EXPECT(got >= now && got <= now + 5);
    EXPECT_EQ(((long (*)(unsigned int *, unsigned int *, void *))(VSYSCALL + 0x800))(&cpu, &node,
                                                                                     NULL),
              0);
    EXPECT(cpu < 65536 && node < 65536);
}

TEST(vsyscall_bad_pointer)
{
    pid_t pid;

    if (!vsyscall_there())
        SKIP("no vsyscall page");
    IN_CHILD(pid) {
        ((long (*)(struct timeval *, void *))VSYSCALL)((struct timeval *)8, NULL);
    }
    EXPECT_KILLED(pid, SIGSEGV);
}

TEST(vsyscall_elsewhere)
{
    static const unsigned long offsets[] = {1, 0x10, 0x401, 0x7ff, 0xc00, 0xfff};
    pid_t pid;

    for (size_t i = 0; i < COUNT_OF(offsets); i++) {
        IN_CHILD(pid) {
            ((void (*)(void))(VSYSCALL + offsets[i]))();
        }
        EXPECT_KILLED(pid, SIGSEGV);
    }
    IN_CHILD(pid) {
        *guest_pointer(VSYSCALL) = 1;
    }
    EXPECT_KILLED(pid, SIGSEGV);
}

/* vdso_symbol() - look a function up in the vdso's dynamic symbols. Return: its address, or 0 */
static uintptr_t vdso_symbol(uintptr_t base, const char *name)
{
    Elf64_Ehdr *head = (Elf64_Ehdr *)base;
    Elf64_Phdr *phdr = (Elf64_Phdr *)(base + head->e_phoff);
    uintptr_t bias = base, symbols = 0, strings = 0;
    Elf64_Dyn *dynamic = NULL;

    for (int i = 0; i < head->e_phnum; i++) {
        if (phdr[i].p_type == PT_LOAD)
            bias = base + phdr[i].p_offset - phdr[i].p_vaddr;
        if (phdr[i].p_type == PT_DYNAMIC)
            dynamic = (Elf64_Dyn *)(base + phdr[i].p_offset);
    }
    for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++) {
        if (dynamic->d_tag == DT_SYMTAB)
            symbols = bias + dynamic->d_un.d_ptr;
        if (dynamic->d_tag == DT_STRTAB)
            strings = bias + dynamic->d_un.d_ptr;
    }
    /* The string table follows the symbol table, as linkers lay them out. */
    for (Elf64_Sym *sym = (Elf64_Sym *)symbols; (uintptr_t)sym < strings; sym++) {
        if (strcmp((char *)strings + sym->st_name, name) == 0)
            return bias + sym->st_value;
    }
    return 0;
}

TEST(vdso_clock, "clock_gettime")
{
    uintptr_t base = getauxval(AT_SYSINFO_EHDR), address;
    struct timespec before, inside, after;

    if (base == 0)
        SKIP("no vdso");
    EXPECT_MEMEQ((void *)base, ELFMAG, SELFMAG);
    address = vdso_symbol(base, "__vdso_clock_gettime");
    REQUIRE(address != 0);
    EXPECT_OK(SYS(clock_gettime, CLOCK_MONOTONIC, &before));
    EXPECT_EQ(((int (*)(clockid_t, struct timespec *))address)(CLOCK_MONOTONIC, &inside), 0);
    EXPECT_OK(SYS(clock_gettime, CLOCK_MONOTONIC, &after));
    EXPECT(inside.tv_sec > before.tv_sec ||
           (inside.tv_sec == before.tv_sec && inside.tv_nsec >= before.tv_nsec));
    EXPECT(after.tv_sec > inside.tv_sec ||
           (after.tv_sec == inside.tv_sec && after.tv_nsec >= inside.tv_nsec));
}

TEST(call_from_fresh_code)
{
    /* mov $39,%eax; syscall; ret: code that was written a moment ago, again and again. */
    static const unsigned char code[] = {0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3};
    unsigned char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    REQUIRE(p != MAP_FAILED);
    for (int i = 0; i < 50; i++) {
        memset(p, 0xcc, 4096);
        memcpy(p + i, code, sizeof(code));
        EXPECT_EQ(((int (*)(void))(p + i))(), getpid());
        EXPECT_EQ(((int (*)(void))(p + i))(), getpid());
        EXPECT_MEMEQ(p + i, code, sizeof(code));
        p[i + 1] = 102; /* getuid */
        EXPECT_EQ(((unsigned int (*)(void))(p + i))(), getuid());
    }
}

TEST(call_at_page_end)
{
    /* The instruction is the last of its page, and there is nothing after it. */
    static const unsigned char code[] = {0xb8, 231, 0, 0, 0, 0x0f, 0x05};
    unsigned char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE | PROT_EXEC,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pid_t pid;

    REQUIRE(p != MAP_FAILED);
    REQUIRE_OK(munmap(p + 4096, 4096));
    memcpy(p + 4096 - sizeof(code), code, sizeof(code));
    IN_CHILD(pid) {
        __asm__ volatile("jmp *%0" : : "r"(p + 4096 - sizeof(code)), "D"(19) : "memory");
    }
    EXPECT_EXIT(pid, 19);
}

TEST(call_over_page_boundary)
{
    static const unsigned char code[] = {0xb8, 39,   0,    0,    0,    0x0f, 0x05,
                                         0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff, 0xc3};
    unsigned char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE | PROT_EXEC,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    REQUIRE(p != MAP_FAILED);
    for (size_t cut = 1; cut < sizeof(code); cut++) {
        memset(p, 0xcc, 8192);
        memcpy(p + 4096 - cut, code, sizeof(code));
        for (int i = 0; i < 3; i++)
            EXPECT_EQ(((int (*)(void))(p + 4096 - cut))(), getpid());
    }
}

TEST(jump_onto_the_instruction)
{
    /* Whoever jumps straight onto `syscall`, past the `mov`, gets the number that is in rax. */
    static const unsigned char code[] = {0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3};
    unsigned char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    REQUIRE(p != MAP_FAILED);
    memcpy(p, code, sizeof(code));
    for (int i = 0; i < 10; i++) {
        long result = __NR_getppid;

        EXPECT_EQ(((int (*)(void))p)(), getpid());
        __asm__ volatile("call *%1" : "+a"(result) : "r"(p + 5) : "rcx", "r11", "memory");
        EXPECT_EQ(result, getppid());
    }
}
