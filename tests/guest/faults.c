/*
 * Processor faults as signals: their codes and addresses, and that every register survives a
 * handler, whether a fault, a system call or the clock led into it.
 */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>

#define FLAG_TF 0x100
#define FLAG_DF 0x400
#define FLAG_AC 0x40000

struct registers {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
};

static struct {
    volatile int signo, code;
    volatile uintptr_t address, ip;
    volatile long trap, error, flags, cr2;
} seen;

static sigjmp_buf back;

/* on_fault() - note what came and leave to where the test waits */
static void on_fault(int signo, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;

    seen.signo = signo;
    seen.code = info->si_code;
    seen.address = (uintptr_t)info->si_addr;
    seen.ip = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
    seen.trap = uc->uc_mcontext.gregs[REG_TRAPNO];
    seen.error = uc->uc_mcontext.gregs[REG_ERR];
    seen.flags = uc->uc_mcontext.gregs[REG_EFL];
    seen.cr2 = uc->uc_mcontext.gregs[REG_CR2];
    siglongjmp(back, 1);
}

static void install(int signo, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction act;

    memset(&act, 0, sizeof(act));
    act.sa_sigaction = handler;
    act.sa_flags = SA_SIGINFO | flags;
    REQUIRE_OK(sigaction(signo, &act, NULL));
}

static void catch_faults(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};

    for (size_t i = 0; i < COUNT_OF(signals); i++)
        install(signals[i], on_fault, 0);
    memset((void *)&seen, 0, sizeof(seen));
}

/* FAULT(statement): run it and come back from the handler; `seen` says what was raised. */
#define FAULT(...)                                                                                 \
    do {                                                                                           \
        catch_faults();                                                                            \
        if (sigsetjmp(back, 1) == 0) {                                                             \
            __VA_ARGS__;                                                                           \
        }                                                                                          \
    } while (0)

static char *map(size_t size, int prot)
{
    char *p = mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    REQUIRE(p != MAP_FAILED);
    return p;
}

TEST(segv_maperr)
{
    char *page = map(4096, PROT_READ);
    uintptr_t address = (uintptr_t)page + 0x123;

    REQUIRE_OK(munmap(page, 4096));
    FAULT((void)*guest_pointer(address));
    EXPECT_EQ(seen.signo, SIGSEGV);
    EXPECT_EQ(seen.code, SEGV_MAPERR);
    EXPECT_EQ(seen.address, address);
    EXPECT_EQ(seen.trap, 14);
    EXPECT_EQ(seen.error & 0x17, 4);
    FAULT(*guest_pointer(address) = 1);
    EXPECT_EQ(seen.code, SEGV_MAPERR);
    EXPECT_EQ(seen.error & 0x17, 6);
    FAULT((void)*guest_pointer(8));
    EXPECT_EQ(seen.address, 8);
}

TEST(fault_registers)
{
    uintptr_t kernel = 0xffff800000001000;

    FAULT((void)*guest_pointer(0x18));
    EXPECT_EQ(seen.cr2, 0x18);
    FAULT(__asm__ volatile("int $0x58"));
    EXPECT_EQ(seen.code, SI_KERNEL);
    EXPECT_EQ(seen.address, 0);
    EXPECT_EQ(seen.trap, 13);
    EXPECT_EQ(seen.error, 0x58 * 8 + 2);
    EXPECT_EQ(seen.cr2, 0x18); /* of the last page fault */
    FAULT((void)*guest_pointer(kernel));
    EXPECT_EQ(seen.code, SEGV_MAPERR);
    EXPECT_EQ((uintptr_t)seen.cr2, kernel);
    EXPECT_EQ(seen.error & 7, 5); /* as if it were there */
}

TEST(segv_accerr)
{
    char *page = map(4096, PROT_READ);

    FAULT(*guest_pointer((uintptr_t)page + 7) = 1);
    EXPECT_EQ(seen.signo, SIGSEGV);
    EXPECT_EQ(seen.code, SEGV_ACCERR);
    EXPECT_EQ(seen.address, (uintptr_t)page + 7);
    EXPECT_EQ(seen.error & 0x16, 6);
    REQUIRE_OK(mprotect(page, 4096, PROT_NONE));
    FAULT((void)*guest_pointer((uintptr_t)page));
    EXPECT_EQ(seen.code, SEGV_ACCERR);
}

static void call(uintptr_t address)
{
    ((void (*)(void))address)();
}

TEST(segv_exec)
{
    char *page = map(4096, PROT_READ | PROT_WRITE);

    page[16] = (char)0xc3;
    FAULT(call((uintptr_t)page + 16));
    EXPECT_EQ(seen.signo, SIGSEGV);
    EXPECT_EQ(seen.code, SEGV_ACCERR);
    EXPECT_EQ(seen.address, (uintptr_t)page + 16);
    EXPECT_EQ(seen.ip, (uintptr_t)page + 16);
    REQUIRE_OK(mprotect(page, 4096, PROT_READ | PROT_EXEC));
    FAULT(call((uintptr_t)page + 16));
    EXPECT_EQ(seen.signo, 0);
    FAULT(call(0x10));
    EXPECT_EQ(seen.code, SEGV_MAPERR);
    EXPECT_EQ(seen.ip, 0x10);
}

TEST(segv_text_write)
{
    FAULT(*guest_pointer((uintptr_t)&call) = 1);
    EXPECT_EQ(seen.signo, SIGSEGV);
    EXPECT_EQ(seen.code, SEGV_ACCERR);
    EXPECT_EQ(seen.address, (uintptr_t)&call);
}

TEST(segv_noncanonical)
{
    FAULT((void)*guest_pointer(0x8000000000000000));
    EXPECT_EQ(seen.signo, SIGSEGV);
    EXPECT_EQ(seen.code, SI_KERNEL);
    EXPECT_EQ(seen.address, 0);
    EXPECT_EQ(seen.trap, 13);
}

TEST(segv_kernel_address)
{
    FAULT((void)*guest_pointer(0xffffffff81000000));
    EXPECT_EQ(seen.signo, SIGSEGV);
    EXPECT_EQ(seen.code, SEGV_MAPERR);
    EXPECT_EQ(seen.address, 0xffffffff81000000);
}

TEST(segv_privileged)
{
    FAULT(__asm__ volatile("hlt"));
    EXPECT_EQ(seen.signo, SIGSEGV);
    EXPECT_EQ(seen.code, SI_KERNEL);
    EXPECT_EQ(seen.address, 0);
    EXPECT_EQ(seen.trap, 13);
    FAULT(__asm__ volatile("cli"));
    EXPECT_EQ(seen.signo, SIGSEGV);
    FAULT(__asm__ volatile("outb %%al, $0x80" : : "a"(0)));
    EXPECT_EQ(seen.signo, SIGSEGV);
    FAULT(__asm__ volatile("mov %%cr0, %%rax" : : : "rax"));
    EXPECT_EQ(seen.signo, SIGSEGV);
    FAULT(__asm__ volatile("int $0x21"));
    EXPECT_EQ(seen.signo, SIGSEGV);
    EXPECT_EQ(seen.code, SI_KERNEL);
}

TEST(bus_past_end_of_file, "mmap")
{
    char *p;
    int fd;

    guest_scratch();
    guest_make_file("file", "abc");
    fd = (int)REQUIRE_OK(open("file", O_RDWR));
    p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    REQUIRE(p != MAP_FAILED);
    EXPECT_EQ(p[0], 'a');
    EXPECT_EQ(p[4095], 0);
    FAULT((void)*guest_pointer((uintptr_t)p + 4097));
    EXPECT_EQ(seen.signo, SIGBUS);
    EXPECT_EQ(seen.code, BUS_ADRERR);
    EXPECT_EQ(seen.address, (uintptr_t)p + 4097);
    FAULT(*guest_pointer((uintptr_t)p + 4097) = 1);
    EXPECT_EQ(seen.signo, SIGBUS);
    /* A file that grows brings the page into being; one that shrinks takes it away. */
    REQUIRE_OK(ftruncate(fd, 5000));
    FAULT(*guest_pointer((uintptr_t)p + 4097) = 1);
    EXPECT_EQ(seen.signo, 0);
    REQUIRE_OK(ftruncate(fd, 10));
    FAULT((void)*guest_pointer((uintptr_t)p + 4097));
    EXPECT_EQ(seen.signo, SIGBUS);
}

TEST(bus_alignment)
{
    static char bytes[16];

    FAULT(__asm__ volatile("pushfq\n\torq %1, (%%rsp)\n\tpopfq\n\t"
                           "movl 1(%0), %%eax"
                           :
                           : "r"(bytes), "i"(FLAG_AC)
                           : "rax", "memory", "cc"));
    __asm__ volatile("pushfq\n\tandq %0, (%%rsp)\n\tpopfq" : : "i"(~FLAG_AC) : "memory", "cc");
    EXPECT_EQ(seen.signo, SIGBUS);
    EXPECT_EQ(seen.code, BUS_ADRALN);
}

TEST(fpe_integer)
{
    volatile int zero = 0, minimum = -2147483647 - 1;

    FAULT(__asm__ volatile("cltd\n\tidivl %0" : : "r"(zero), "a"(1) : "rdx", "cc"));
    EXPECT_EQ(seen.signo, SIGFPE);
    EXPECT_EQ(seen.code, FPE_INTDIV);
    EXPECT_EQ(seen.address, seen.ip);
    FAULT(__asm__ volatile("cltd\n\tidivl %0" : : "r"(-1), "a"(minimum) : "rdx", "cc"));
    EXPECT_EQ(seen.signo, SIGFPE);
    EXPECT_EQ(seen.code, FPE_INTDIV);
}

TEST(fpe_sse)
{
    unsigned int unmasked = 0x1f80 & ~(1u << 9), masked = 0x1f80;
    double one = 1, zero = 0;

    FAULT(__asm__ volatile("ldmxcsr %0\n\tmovsd %1, %%xmm0\n\tdivsd %2, %%xmm0"
                           :
                           : "m"(unmasked), "m"(one), "m"(zero)
                           : "xmm0"));
    __asm__ volatile("ldmxcsr %0" : : "m"(masked));
    EXPECT_EQ(seen.signo, SIGFPE);
    EXPECT_EQ(seen.code, FPE_FLTDIV);
    EXPECT_EQ(seen.trap, 19);
}

TEST(fpe_x87)
{
    unsigned short unmasked = 0x37f & ~(1u << 2);

    FAULT(__asm__ volatile("fninit\n\tfldcw %0\n\tfld1\n\tfldz\n\tfdivrp\n\tfwait"
                           :
                           : "m"(unmasked)));
    __asm__ volatile("fninit");
    EXPECT_EQ(seen.signo, SIGFPE);
    EXPECT_EQ(seen.code, FPE_FLTDIV);
    EXPECT_EQ(seen.trap, 16);
}

TEST(ill_instruction)
{
    FAULT(__asm__ volatile("ud2"));
    EXPECT_EQ(seen.signo, SIGILL);
    EXPECT_EQ(seen.code, ILL_ILLOPN);
    EXPECT_EQ(seen.address, seen.ip);
    EXPECT_EQ(*guest_pointer(seen.ip) & 0xff, 0x0f);
}

TEST(trap_breakpoint)
{
    FAULT(__asm__ volatile("int3"));
    EXPECT_EQ(seen.signo, SIGTRAP);
    EXPECT_EQ(seen.code, SI_KERNEL);
    EXPECT_EQ(seen.address, 0);
    EXPECT_EQ(*guest_pointer(seen.ip - 1) & 0xff, 0xcc);
}

TEST(trap_single_step)
{
    FAULT(__asm__ volatile("pushfq\n\torq %0, (%%rsp)\n\tpopfq\n\tnop\n\tnop"
                           :
                           : "i"(FLAG_TF)
                           : "memory", "cc"));
    EXPECT_EQ(seen.signo, SIGTRAP);
    EXPECT_EQ(seen.code, TRAP_TRACE);
    EXPECT_EQ(seen.address, seen.ip);
    EXPECT_EQ(seen.flags & FLAG_TF, FLAG_TF);
}

static volatile int steps;

static void on_step(int signo, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;

    (void)signo;
    (void)info;
    if (++steps == 20)
        uc->uc_mcontext.gregs[REG_EFL] &= ~FLAG_TF;
}

TEST(trap_many_steps)
{
    uint64_t sum = 0, count = 100;

    install(SIGTRAP, on_step, 0);
    __asm__ volatile("pushfq\n\torq %2, (%%rsp)\n\tpopfq\n\t"
                     "1: add $3, %0\n\tdec %1\n\tjnz 1b"
                     : "+r"(sum), "+r"(count)
                     : "i"(FLAG_TF)
                     : "memory", "cc");
    EXPECT_EQ(sum, 300);
    EXPECT_EQ(steps, 20);
}

static char *repaired;

static void on_repair(int signo, siginfo_t *info, void *context)
{
    (void)signo;
    (void)context;
    guest_signals++;
    if (info->si_addr == repaired)
        mprotect(repaired, 4096, PROT_READ | PROT_WRITE);
    else
        _exit(1);
}

TEST(handler_repairs, "mprotect rt_sigreturn")
{
    install(SIGSEGV, on_repair, 0);
    repaired = map(4096, PROT_NONE);
    for (int i = 0; i < 100; i++) {
        REQUIRE_OK(mprotect(repaired, 4096, PROT_NONE));
        *guest_pointer((uintptr_t)repaired) = (char)i;
        EXPECT_EQ(*repaired, (char)i);
    }
    EXPECT_EQ(guest_signals, 100);
}

static void on_ud2(int signo, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;

    (void)signo;
    (void)info;
    uc->uc_mcontext.gregs[REG_RIP] += 2;
    uc->uc_mcontext.gregs[REG_RAX] = 0x1122334455667788;
    uc->uc_mcontext.gregs[REG_R15] ^= -1;
}

TEST(handler_sets_registers, "rt_sigreturn")
{
    uint64_t a = 1, b = 5;

    install(SIGILL, on_ud2, 0);
    __asm__ volatile("mov %1, %%r15\n\tud2\n\tmov %%r15, %1" : "+a"(a), "+r"(b) : : "r15");
    EXPECT_EQ(a, 0x1122334455667788);
    EXPECT_EQ(b, ~5ull);
}

/*
 * probe_call(r): load all registers from *r, execute `syscall`, store all back.
 * probe_loop(r): the same with a countdown of rax.
 */
void probe_call(struct registers *r);
void probe_loop(struct registers *r);

/* clang-format off */
__asm__(".text\n"
        ".macro PROBE_ENTER name\n"
        ".globl \\name\n.hidden \\name\n.type \\name, @function\n\\name:\n"
        "push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n push %rdi\n"
        "mov 0(%rdi), %rax\n mov 8(%rdi), %rbx\n mov 16(%rdi), %rcx\n mov 24(%rdi), %rdx\n"
        "mov 32(%rdi), %rsi\n mov 48(%rdi), %rbp\n mov 56(%rdi), %r8\n mov 64(%rdi), %r9\n"
        "mov 72(%rdi), %r10\n mov 80(%rdi), %r11\n mov 88(%rdi), %r12\n mov 96(%rdi), %r13\n"
        "mov 104(%rdi), %r14\n mov 112(%rdi), %r15\n mov 40(%rdi), %rdi\n"
        ".endm\n"
        ".macro PROBE_LEAVE name\n"
        "push %rdi\n mov 8(%rsp), %rdi\n"
        "mov %rax, 0(%rdi)\n mov %rbx, 8(%rdi)\n mov %rcx, 16(%rdi)\n mov %rdx, 24(%rdi)\n"
        "mov %rsi, 32(%rdi)\n mov %rbp, 48(%rdi)\n mov %r8, 56(%rdi)\n mov %r9, 64(%rdi)\n"
        "mov %r10, 72(%rdi)\n mov %r11, 80(%rdi)\n mov %r12, 88(%rdi)\n mov %r13, 96(%rdi)\n"
        "mov %r14, 104(%rdi)\n mov %r15, 112(%rdi)\n popq 40(%rdi)\n"
        "pop %rdi\n pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n ret\n"
        ".size \\name, . - \\name\n"
        ".endm\n"
        "PROBE_ENTER probe_call\n syscall\n PROBE_LEAVE probe_call\n"
        "PROBE_ENTER probe_loop\n 1: dec %rax\n jnz 1b\n PROBE_LEAVE probe_loop\n");
/* clang-format on */

/* fill() - a different pattern in each register */
static void fill(struct registers *r, unsigned int seed)
{
    uint64_t *word = (uint64_t *)r;

    for (unsigned int i = 0; i < sizeof(*r) / 8; i++)
        word[i] = 0x9e3779b97f4a7c15 * (i + 1 + seed * 100);
}

/* on_clobber() - a handler that spoils whatever it may */
static void on_clobber(int signo, siginfo_t *info, void *context)
{
    (void)signo;
    (void)info;
    (void)context;
    guest_signals++;
    __asm__ volatile("pxor %%xmm0, %%xmm0\n\tpcmpeqd %%xmm7, %%xmm7\n\tpcmpeqd %%xmm15, %%xmm15\n\t"
                     "xor %%r8d, %%r8d\n\txor %%r15d, %%r15d\n\txor %%ebx, %%ebx\n\tfninit\n\tfldpi"
                     :
                     :
                     : "r8", "r15", "rbx", "xmm0", "xmm7", "xmm15");
}

TEST(call_keeps_registers, "getpid")
{
    struct registers in, out;

    for (unsigned int i = 0; i < 100; i++) {
        fill(&in, i);
        in.rax = __NR_getpid;
        out = in;
        probe_call(&out);
        EXPECT_EQ(out.rax, getpid());
        /* A system call changes rax, rcx and r11, nothing else. */
        in.rax = out.rax;
        in.rcx = out.rcx;
        in.r11 = out.r11;
        EXPECT_MEMEQ(&in, &out, sizeof(in));
    }
}

TEST(signal_in_call_keeps_registers, "kill rt_sigreturn")
{
    struct registers in, out;

    install(SIGUSR1, on_clobber, 0);
    for (unsigned int i = 0; i < 100; i++) {
        fill(&in, i);
        in.rax = __NR_kill;
        in.rdi = (uint64_t)getpid();
        in.rsi = SIGUSR1;
        out = in;
        probe_call(&out);
        EXPECT_EQ(out.rax, 0);
        in.rax = out.rax;
        in.rcx = out.rcx;
        in.r11 = out.r11;
        EXPECT_MEMEQ(&in, &out, sizeof(in));
    }
    EXPECT_EQ(guest_signals, 100);
}

TEST(signal_in_loop_keeps_registers, "setitimer rt_sigreturn")
{
    struct itimerval every = {{0, 1000}, {0, 1000}};
    struct registers in, out;

    install(SIGALRM, on_clobber, SA_RESTART);
    REQUIRE_OK(setitimer(ITIMER_REAL, &every, NULL));
    for (unsigned int i = 0; i < 2000 && guest_signals < 50; i++) {
        fill(&in, i);
        in.rax = 1000000;
        out = in;
        probe_loop(&out);
        in.rax = 0;
        EXPECT_MEMEQ(&in, &out, sizeof(in));
    }
    EXPECT_GE(guest_signals, 50);
}

TEST(signal_keeps_xmm, "rt_sigreturn kill")
{
    _Alignas(16) unsigned char in[16][16], out[16][16];
    long pid = getpid(), result;

    install(SIGUSR1, on_clobber, 0);
    for (unsigned int i = 0; i < sizeof(in); i++)
        ((unsigned char *)in)[i] = (unsigned char)(i * 37 + 11);
#define LOAD(n)  "movdqa " #n "*16(%1), %%xmm" #n "\n\t"
#define STORE(n) "movdqa %%xmm" #n ", " #n "*16(%2)\n\t"
#define ALL(op)                                                                                    \
    op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10) op(11) op(12) op(13) op(14) \
        op(15)
    __asm__ volatile(ALL(LOAD) "syscall\n\t" ALL(STORE)
                     : "=a"(result)
                     : "r"(in), "r"(out), "a"(__NR_kill), "D"(pid), "S"(SIGUSR1)
                     : "rcx", "r11", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
                       "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
                       "xmm15");
    EXPECT_EQ(result, 0);
    EXPECT_EQ(guest_signals, 1);
    EXPECT_MEMEQ(in, out, sizeof(in));
}

/* on_clobber_ymm() - the same for the upper halves; only installed where there are any */
static void on_clobber_ymm(int signo, siginfo_t *info, void *context)
{
    (void)signo;
    (void)info;
    (void)context;
    guest_signals++;
    __asm__ volatile("vzeroall" : : : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
                     "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
                     "xmm15");
}

TEST(signal_keeps_ymm, "rt_sigreturn kill")
{
    _Alignas(32) unsigned char in[16][32], out[16][32];
    long pid = getpid(), result;

    if (!__builtin_cpu_supports("avx"))
        SKIP("no AVX");
    install(SIGUSR1, on_clobber_ymm, 0);
    for (unsigned int i = 0; i < sizeof(in); i++)
        ((unsigned char *)in)[i] = (unsigned char)(i * 41 + 5);
#define LOAD_YMM(n)  "vmovdqu " #n "*32(%1), %%ymm" #n "\n\t"
#define STORE_YMM(n) "vmovdqu %%ymm" #n ", " #n "*32(%2)\n\t"
    __asm__ volatile(ALL(LOAD_YMM) "syscall\n\t" ALL(STORE_YMM) "vzeroupper"
                     : "=a"(result)
                     : "r"(in), "r"(out), "a"(__NR_kill), "D"(pid), "S"(SIGUSR1)
                     : "rcx", "r11", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
                       "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
                       "xmm15");
    EXPECT_EQ(result, 0);
    EXPECT_EQ(guest_signals, 1);
    EXPECT_MEMEQ(in, out, sizeof(in));
}

static volatile unsigned int handler_mxcsr;
static volatile unsigned long handler_rflags;

static void on_control(int signo, siginfo_t *info, void *context)
{
    unsigned int mxcsr;
    unsigned long flags;

    (void)signo;
    (void)info;
    (void)context;
    __asm__ volatile("stmxcsr %0\n\tpushfq\n\tpopq %1" : "=m"(mxcsr), "=r"(flags));
    handler_mxcsr = mxcsr;
    handler_rflags = flags;
    mxcsr = 0x1f80;
    __asm__ volatile("ldmxcsr %0\n\tfninit" : : "m"(mxcsr));
}

TEST(signal_keeps_control_words, "rt_sigreturn kill")
{
    unsigned int round_up = 0x5f80, mxcsr, saved = 0x1f80;
    unsigned short fpu = 0xb7f, fpu_now;
    unsigned long flags;
    long pid = getpid(), result;

    install(SIGUSR1, on_control, 0);
    __asm__ volatile("ldmxcsr %4\n\tfldcw %5\n\tstd\n\tsyscall\n\tpushfq\n\tpopq %1\n\tcld\n\t"
                     "stmxcsr %2\n\tfnstcw %3\n\tldmxcsr %6\n\tfninit"
                     : "=&a"(result), "=&r"(flags), "=m"(mxcsr), "=m"(fpu_now)
                     : "m"(round_up), "m"(fpu), "m"(saved), "0"(__NR_kill), "D"(pid), "S"(SIGUSR1)
                     : "rcx", "r11", "memory", "cc");
    EXPECT_EQ(result, 0);
    /* The handler starts with a clean state, and what was interrupted gets its own back. */
    EXPECT_EQ(handler_rflags & FLAG_DF, 0);
    EXPECT_EQ(handler_mxcsr, 0x1f80);
    EXPECT_EQ(flags & FLAG_DF, FLAG_DF);
    EXPECT_EQ(mxcsr & 0xffc0, 0x5f80);
    EXPECT_EQ(fpu_now, 0xb7f);
}

TEST(fork_keeps_registers, "fork")
{
    struct registers in, out;

    fill(&in, 7);
    in.rax = __NR_fork;
    out = in;
    probe_call(&out);
    if (out.rax == 0) {
        in.rax = 0;
        in.rcx = out.rcx;
        in.r11 = out.r11;
        _exit(memcmp(&in, &out, sizeof(in)) ? 1 : 0);
    }
    EXPECT_CHILD_OK((pid_t)out.rax);
}

TEST(fpu_survives_switches, "sched_yield fork")
{
    pid_t pids[4];

    for (int i = 0; i < 4; i++) {
        IN_CHILD(pids[i]) {
            double sum = i + 1, want = i + 1;

            for (int n = 0; n < 2000; n++) {
                double step = (i + 1) * 0.25;

                __asm__ volatile("movsd %1, %%xmm9\n\tmov %2, %%eax\n\tsyscall\n\t"
                                 "addsd %%xmm9, %0"
                                 : "+x"(sum)
                                 : "m"(step), "i"(__NR_sched_yield)
                                 : "rax", "rcx", "r11", "xmm9", "memory");
                want += step;
            }
            EXPECT(sum == want);
        }
    }
    for (int i = 0; i < 4; i++)
        EXPECT_CHILD_OK(pids[i]);
}
