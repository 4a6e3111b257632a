/*
 * What a signal stop of guest code means: a fault to report, a call of the vsyscall page, or
 * nothing. And system call stops that no 64-bit `syscall` instruction made.
 *
 * int 0x80 and 32-bit code. `syscall` leaves rip in rcx and rflags in r11; the host's other entries
 * don't. A guest that fakes both before an int 0x80 gets the call of the 64-bit table instead of a
 * fault, which it could have made anyway. Everything else becomes what a kernel without 32-bit
 * emulation makes of it: a general protection fault at the instruction.
 *
 * The vsyscall page. The host's emulation asks seccomp first; the guest filter says TRAP, so the
 * host returns to the caller without having done anything and sends SIGSYS, whose call address is
 * in the page. Where the host has no vsyscall page the jump is a page fault there.
 */
#include "platform/ptrace/ptrace_priv.h"

#include "platform/x86_64/insn.h"
#include "sentry/base/clean.h"

#include <signal.h>
#include <sys/ptrace.h>

#define USER_CS 0x33
#define HOST_TASK_SIZE 0x7ffffffff000ull
#define VSYSCALL_PAGE 0xffffffffff600000ull
#define X87_ERROR_SUMMARY 0x80
enum {
    TRAP_DIVIDE = 0,
    TRAP_DEBUG = 1,
    TRAP_BREAKPOINT = 3,
    TRAP_INVALID_OPCODE = 6,
    TRAP_PROTECTION = 13,
    TRAP_PAGE_FAULT = 14,
    TRAP_X87 = 16,
    TRAP_SSE = 19,
};
#define ERR_WRITE 2
#define ERR_USER 4
#define ERR_FETCH 16
#define ERR_PRESENT 1
#define ERR_IDT 2
#define INT_N 0xcd

bool ptrace_foreign_entry(struct plat_thread *th, struct plat_stop *stop)
{
    struct arch_regs *r = &th->regs;

    if (likely(r->rcx == r->rip && r->r11 == r->eflags && r->cs == USER_CS))
        return false;
    r->rax = r->orig_rax;
    r->orig_rax = (u64)-1;
    r->rip -= 2;
    th->regs_dirty = true;
    *stop = (struct plat_stop){
        .event = PLAT_FAULT,
        .fault = {.signo = SIGSEGV, .code = SI_KERNEL, .trapno = TRAP_PROTECTION},
    };
    return true;
}

static u64 vsyscall_nr(u64 addr)
{
    static const u64 nr[] = {96 /* gettimeofday */, 201 /* time */, 309 /* getcpu */};
    u64 slot = (addr - VSYSCALL_PAGE) / 1024;

    return (addr & 1023) == 0 && slot < 3 ? nr[slot] : (u64)-1;
}

static bool in_vsyscall_page(u64 addr)
{
    return (addr & ~0xfffull) == VSYSCALL_PAGE;
}

/* vsyscall_stop() - report a vsyscall as the system call that it is. */
static bool vsyscall_stop(struct plat_thread *th, u64 addr, struct plat_stop *stop)
{
    th->regs.orig_rax = vsyscall_nr(addr);
    if (th->regs.orig_rax == (u64)-1)
        return false;
    th->regs_dirty = true;
    *stop = (struct plat_stop){.event = PLAT_SYSCALL, .vsyscall = true};
    return true;
}

/* vsyscall_fault() - no page on this host: pop the return address as the page's ret would. */
static bool vsyscall_fault(struct plat_thread *th, struct plat_stop *stop)
{
    u64 addr = th->regs.rip, ret;

    if (vsyscall_nr(addr) == (u64)-1 ||
        ptrace_copy_in(th->mm, &ret, th->regs.rsp, sizeof(ret)) != sizeof(ret))
        return false;
    th->regs.rip = ret;
    th->regs.rsp += sizeof(ret);
    return vsyscall_stop(th, addr, stop);
}

/* page_fault_error() - the error code. The host keeps it from a tracer: whether the page was there
 * is in si_code, whether it was a write is in the instruction. */
static u32 page_fault_error(struct plat_thread *th, int code, uaddr_t addr)
{
    u32 err = ERR_USER | (code == SEGV_ACCERR || addr >= HOST_TASK_SIZE ? ERR_PRESENT : 0);
    u8 insn[INSN_BYTES_MAX];
    ssize_t n;

    if (addr == th->regs.rip)
        return err | ERR_FETCH;
    n = ptrace_copy_in(th->mm, insn, th->regs.rip, sizeof(insn));
    if (n > 0 && insn_writes(insn, (u32)n, &th->regs, addr))
        err |= ERR_WRITE;
    return err;
}

/* protection_error() - a general protection fault's error code: what `int n` asked for; of what
 * loads selectors it is not known. */
static u32 protection_error(struct plat_thread *th)
{
    u8 insn[2];

    if (ptrace_copy_in(th->mm, insn, th->regs.rip, sizeof(insn)) != sizeof(insn) || insn[0] != INT_N)
        return 0;
    return insn[1] * 8u + ERR_IDT;
}

/* fpe_trap() - which unit raised a SIGFPE: divide error, x87 (its status word says so) or SSE. */
static u32 fpe_trap(struct plat_thread *th, int code)
{
    u16 status[2];
    auto_free u8 *state = calloc(1, ptrace_fpu_size());
    u32 len;

    if (code == FPE_INTDIV || code == FPE_INTOVF || !state ||
        ptrace_fpu_get(th, state, ptrace_fpu_size(), &len) < 0)
        return TRAP_DIVIDE;
    __builtin_memcpy(status, state, sizeof(status)); /* control word, status word */
    return status[1] & X87_ERROR_SUMMARY ? TRAP_X87 : TRAP_SSE;
}

static u32 other_trap(struct plat_thread *th, int signo, int code)
{
    switch (signo) {
    case SIGFPE:
        return fpe_trap(th, code);
    case SIGILL:
        return TRAP_INVALID_OPCODE;
    default:
        return code == SI_KERNEL ? TRAP_BREAKPOINT : TRAP_DEBUG;
    }
}

bool ptrace_fault(struct plat_thread *th, int signo, struct plat_stop *stop)
{
    siginfo_t si;
    struct plat_fault *f = &stop->fault;

    if (host_ptrace(PTRACE_GETSIGINFO, th->tid, 0, &si) < 0)
        return false;
    if (signo == SIGSYS) {
        if (in_vsyscall_page((u64)(uintptr_t)si.si_call_addr))
            return vsyscall_stop(th, (u64)(uintptr_t)si.si_call_addr, stop);
        return false;
    }
    if (signo != SIGSEGV && signo != SIGBUS && signo != SIGFPE && signo != SIGILL &&
        signo != SIGTRAP)
        return false; /* sent by somebody on the host: guests have signals of their own */
    if (si.si_code <= 0)
        return false;
    if (signo == SIGSEGV && in_vsyscall_page(th->regs.rip) && vsyscall_fault(th, stop))
        return true;
    *stop = (struct plat_stop){.event = PLAT_FAULT};
    f->signo = signo;
    f->code = si.si_code;
    f->addr = si.si_code == SI_KERNEL ? 0 : (u64)(uintptr_t)si.si_addr;
    if (signo == SIGSEGV && si.si_code != SI_KERNEL) {
        f->trapno = TRAP_PAGE_FAULT;
        f->err = page_fault_error(th, si.si_code, f->addr);
        th->cr2 = f->addr;
    } else if (signo == SIGSEGV) {
        f->trapno = TRAP_PROTECTION;
        f->err = protection_error(th);
    } else if (signo == SIGBUS) {
        f->trapno = TRAP_PAGE_FAULT;
        f->err = ERR_USER;
        th->cr2 = f->addr;
    } else {
        f->trapno = other_trap(th, signo, si.si_code);
    }
    f->cr2 = th->cr2;
    return true;
}
