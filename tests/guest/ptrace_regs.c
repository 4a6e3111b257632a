/* ptrace: memory, registers and single steps of a stopped tracee. */
#include "tests/guest/tracer.h"

#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/uio.h>

#define KERNEL_USER_SIZE (sizeof(struct user) + 16) /* two words that the C library doesn't know */
static volatile long word = 0x1122334455667788;
static const volatile long constant = 0x0a0b0c0d0e0f;

TEST(peek_and_poke, "ptrace:EIO,EFAULT")
{
    long got;
    pid_t pid;

    TRACED_CHILD(pid)
    {
        EXPECT_EQ(word, 42);
    }
    EXPECT_OK(PT(PEEKDATA, pid, &word, &got));
    EXPECT_EQ(got, word);
    EXPECT_OK(PT(PEEKTEXT, pid, &constant, &got));
    EXPECT_EQ(got, constant);
    EXPECT_OK(PT(POKEDATA, pid, &word, 42));
    EXPECT_EQ(word, 0x1122334455667788); /* ours is another */
    EXPECT_ERRNO(PT(PEEKDATA, pid, 8, &got), EIO);
    EXPECT_ERRNO(PT(POKEDATA, pid, 8, 1), EIO);
    EXPECT_ERRNO(PT(PEEKDATA, pid, &word, 8), EFAULT);
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_CHILD_OK(pid);
}

/* What the tracee itself may not touch its tracer may, but for shared memory that is read-only. */
TEST(poke_of_protected_memory, "ptrace")
{
    char *none, *shared;
    long got;
    pid_t pid;

    none = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    shared = mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    TRACED_CHILD(pid)
    {
        EXPECT_OK(mprotect(none, 4096, PROT_READ));
        EXPECT_EQ(*(long *)none, 7);
    }
    EXPECT_OK(PT(POKEDATA, pid, none, 7));
    EXPECT_OK(PT(PEEKDATA, pid, none, &got));
    EXPECT_EQ(got, 7);
    EXPECT_ERRNO(PT(POKEDATA, pid, shared, 7), EIO);
    EXPECT_OK(PT(PEEKDATA, pid, shared, &got));
    EXPECT_EQ(got, 0);
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_CHILD_OK(pid);
}

/* The same by /proc/PID/mem, one's own too; debuggers write text so. */
TEST(proc_mem_of_protected_memory, "pread64 pwrite64")
{
    char *none = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), path[64];
    char *shared = mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char text[16], got[16];
    pid_t pid;
    int fd;

    fd = (int)REQUIRE_OK(open("/proc/self/mem", O_RDWR));
    EXPECT_EQ(pwrite(fd, "across pages", 12, (off_t)(none + 4090)), 12);
    EXPECT_EQ(pread(fd, got, 12, (off_t)(none + 4090)), 12);
    EXPECT_MEMEQ(got, "across pages", 12);
    EXPECT_ERRNO(pwrite(fd, "x", 1, (off_t)shared), EIO);
    EXPECT_ERRNO(pread(fd, got, 1, 8), EIO);
    close(fd);
    TRACED_CHILD(pid)
    {
        EXPECT_OK(mprotect(none, 8192, PROT_READ));
        EXPECT_MEMEQ(none + 4090, "of a tracee ", 12);
    }
    snprintf(path, sizeof(path), "/proc/%d/mem", pid);
    fd = (int)REQUIRE_OK(open(path, O_RDWR));
    EXPECT_EQ(pwrite(fd, "of a tracee ", 12, (off_t)(none + 4090)), 12);
    EXPECT_EQ(pread(fd, text, 12, (off_t)(none + 4090)), 12);
    EXPECT_MEMEQ(text, "of a tracee ", 12);
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_CHILD_OK(pid);
}

__attribute__((noinline, noclone)) static int marked(int x)
{
    __asm__ volatile("" : "+r"(x));
    return x + 1;
}

/* A breakpoint as a debugger sets it: an int3 in text, and back again. */
TEST(breakpoint, "ptrace")
{
    struct user_regs_struct regs;
    siginfo_t info;
    long text;
    pid_t pid;

    TRACED_CHILD(pid)
    {
        int (*volatile call)(int) = marked;

        EXPECT_EQ(call(1), 2);
        EXPECT_EQ(call(2), 3);
    }
    REQUIRE_OK(PT(PEEKTEXT, pid, marked, &text));
    REQUIRE_OK(PT(POKETEXT, pid, marked, (text & ~0xffl) | 0xcc));
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGTRAP));
    EXPECT_OK(PT(GETSIGINFO, pid, 0, &info));
    EXPECT_EQ(info.si_code, SI_KERNEL);
    REQUIRE_OK(PT(GETREGS, pid, 0, &regs));
    EXPECT_EQ(regs.rip, (unsigned long)marked + 1);
    EXPECT_EQ((int)regs.rdi, 1);
    REQUIRE_OK(PT(POKETEXT, pid, marked, text));
    regs.rip--;
    EXPECT_OK(PT(SETREGS, pid, 0, &regs));
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_CHILD_OK(pid);
}

/* nop; nop; getppid; nop: addresses of each instruction are known. */
__asm__(".globl steps_begin, steps_call, steps_end\n"
        ".text\n"
        "steps_begin: nop\n"
        "nop\n"
        "mov $110, %eax\n"
        "steps_call: syscall\n"
        "nop\n"
        "pushf\n"
        "pop %rcx\n"
        "steps_end: ret\n");
extern char steps_begin[], steps_call[], steps_end[];

TEST(single_steps, "ptrace")
{
    static const int lengths[] = {1, 1, 5, 2, 1, 1, 1};
    unsigned long at = (unsigned long)steps_begin;
    struct user_regs_struct regs;
    siginfo_t info;
    pid_t pid;

    TRACED_CHILD(pid)
    {
        __asm__ volatile("int3; call steps_begin" ::: "rax", "rcx", "r11", "memory");
    }
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGTRAP));
    EXPECT_OK(PT(SINGLESTEP, pid, 0, 0));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGTRAP));
    EXPECT_OK(PT(GETSIGINFO, pid, 0, &info));
    EXPECT_EQ(info.si_code, TRAP_TRACE);
    REQUIRE_OK(PT(GETREGS, pid, 0, &regs));
    EXPECT_EQ(regs.rip, at);
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        at += (unsigned long)lengths[i];
        EXPECT_OK(PT(SINGLESTEP, pid, 0, 0));
        EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGTRAP));
        REQUIRE_OK(PT(GETREGS, pid, 0, &regs));
        EXPECT_EQ(regs.rip - (unsigned long)steps_begin, at - (unsigned long)steps_begin);
        EXPECT_EQ(regs.eflags & 0x100, 0); /* the trap flag is the tracer's business */
    }
    EXPECT_EQ(regs.rax, getpid());
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_CHILD_OK(pid);
}

/* The first step after a signal was given stops at the handler's first instruction. */
TEST(step_into_handler, "ptrace")
{
    struct user_regs_struct regs;
    pid_t pid;

    TRACED_CHILD(pid)
    {
        guest_on_signal(SIGUSR1, guest_count_signal, 0);
        raise(SIGUSR1);
        EXPECT_EQ(guest_signals, 1);
    }
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGUSR1));
    EXPECT_OK(PT(SINGLESTEP, pid, 0, SIGUSR1));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGTRAP));
    REQUIRE_OK(PT(GETREGS, pid, 0, &regs));
    EXPECT_EQ(regs.rip, (unsigned long)guest_count_signal);
    EXPECT_EQ((int)regs.rdi, SIGUSR1);
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_CHILD_OK(pid);
}

TEST(registers, "ptrace:EIO,EINVAL")
{
    struct user_regs_struct regs, set;
    struct iovec v = {&set, sizeof(set)};
    long got;
    pid_t pid;

    TRACED_CHILD(pid)
    {
        register long r12 __asm__("r12") = 1, r13 __asm__("r13") = 2;

        __asm__ volatile("int3" : "+r"(r12), "+r"(r13));
        EXPECT_EQ(r12, 100);
        EXPECT_EQ(r13, 200);
    }
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGTRAP));
    REQUIRE_OK(PT(GETREGS, pid, 0, &regs));
    EXPECT_EQ(regs.r12, 1);
    EXPECT_EQ(regs.orig_rax, -1);
    EXPECT_EQ(regs.cs, 0x33);
    EXPECT_OK(PT(GETREGSET, pid, NT_PRSTATUS, &v));
    EXPECT_EQ(v.iov_len, sizeof(regs));
    EXPECT_MEMEQ(&regs, &set, sizeof(regs));
    EXPECT_OK(PT(PEEKUSER, pid, offsetof(struct user_regs_struct, r13), &got));
    EXPECT_EQ(got, 2);
    EXPECT_OK(PT(POKEUSER, pid, offsetof(struct user_regs_struct, r13), 200));
    v.iov_len = 32; /* r15, r14, r13, r12 */
    REQUIRE_OK(PT(GETREGSET, pid, NT_PRSTATUS, &v));
    set.r12 = 100;
    EXPECT_OK(PT(SETREGSET, pid, NT_PRSTATUS, &v));
    EXPECT_ERRNO(PT(PEEKUSER, pid, 3, &got), EIO);
    EXPECT_ERRNO(PT(PEEKUSER, pid, KERNEL_USER_SIZE, &got), EIO);
    EXPECT_ERRNO(PT(POKEUSER, pid, KERNEL_USER_SIZE, 0), EIO);
    EXPECT_ERRNO(PT(POKEUSER, pid, offsetof(struct user_regs_struct, cs), 0), EIO);
    EXPECT_ERRNO(PT(POKEUSER, pid, offsetof(struct user_regs_struct, fs_base), -1), EIO);
    EXPECT_OK(PT(PEEKUSER, pid, offsetof(struct user, u_debugreg[7]), &got));
    EXPECT_EQ(got, 0);
    v.iov_len = 33;
    EXPECT_ERRNO(PT(GETREGSET, pid, NT_PRSTATUS, &v), EINVAL);
    v.iov_len = 32;
    EXPECT_ERRNO(PT(GETREGSET, pid, 0x7777, &v), EINVAL);
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_CHILD_OK(pid);
}

TEST(extended_state, "ptrace")
{
    static unsigned char state[16384];
    struct user_fpregs_struct fp;
    struct iovec v = {state, sizeof(state)};
    pid_t pid;

    TRACED_CHILD(pid)
    {
        long low = 0x5555, out;

        __asm__ volatile("movq %1, %%xmm3; int3; movq %%xmm3, %0" : "=r"(out) : "r"(low) : "xmm3");
        EXPECT_EQ(out, 0x6666);
        __asm__ volatile("int3; movq %%xmm3, %0" : "=r"(out) : : "xmm3");
        EXPECT_EQ(out, 0x7777);
    }
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGTRAP));
    REQUIRE_OK(PT(GETFPREGS, pid, 0, &fp));
    EXPECT_EQ(fp.xmm_space[12], 0x5555);
    fp.xmm_space[12] = 0x6666;
    EXPECT_OK(PT(SETFPREGS, pid, 0, &fp));
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGTRAP));
    REQUIRE_OK(PT(GETREGSET, pid, NT_X86_XSTATE, &v));
    EXPECT_GT(v.iov_len, sizeof(fp));
    ((struct user_fpregs_struct *)state)->xmm_space[12] = 0x7777;
    EXPECT_OK(PT(SETREGSET, pid, NT_X86_XSTATE, &v));
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_CHILD_OK(pid);
}

/* Faults reach the tracer with their address, and may be mended there. */
TEST(fault_of_a_tracee, "ptrace")
{
    struct user_regs_struct regs;
    char *bad = guest_bad_page();
    siginfo_t info;
    pid_t pid;

    TRACED_CHILD(pid)
    {
        register char *p __asm__("rbx") = bad;
        long got;

        word = 5;
        __asm__ volatile("movzbl (%1), %k0" : "=r"(got) : "r"(p) : "memory");
        EXPECT_EQ(got, 5);
    }
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_EQ(tracer_next_stop(pid), STOPPED(SIGSEGV));
    EXPECT_OK(PT(GETSIGINFO, pid, 0, &info));
    EXPECT_EQ((long)info.si_addr, (long)bad);
    REQUIRE_OK(PT(GETREGS, pid, 0, &regs));
    regs.rbx = (unsigned long)&word;
    EXPECT_OK(PT(SETREGS, pid, 0, &regs));
    EXPECT_OK(PT(CONT, pid, 0, 0));
    EXPECT_CHILD_OK(pid);
}
