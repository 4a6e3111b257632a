/* A guest task's general registers on x86-64, in the order of the host's user_regs_struct. */
#pragma once

#include "sentry/base/types.h"

struct arch_regs {
    u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    u64 orig_rax; /* the system call's number at a PLAT_SYSCALL stop, else -1 */
    u64 rip, cs, eflags, rsp, ss, fs_base, gs_base, ds, es, fs, gs;
};

_Static_assert(sizeof(struct arch_regs) == 27 * 8, "as PTRACE_GETREGS lays it out");

/* arch_syscall_*() - the system call that a stop carries: number (sign-extended 32 bits, as
 * Linux takes it), arguments, result. */
static inline s64 arch_syscall_nr(const struct arch_regs *r)
{
    return (s32)r->orig_rax;
}

static inline void arch_syscall_args(const struct arch_regs *r, u64 args[6])
{
    args[0] = r->rdi;
    args[1] = r->rsi;
    args[2] = r->rdx;
    args[3] = r->r10;
    args[4] = r->r8;
    args[5] = r->r9;
}

static inline void arch_syscall_return(struct arch_regs *r, s64 value)
{
    r->rax = (u64)value;
}

static inline s64 arch_syscall_result(const struct arch_regs *r)
{
    return (s64)r->rax;
}

/* arch_syscall_ip() - where the task goes on after its system call. */
static inline uaddr_t arch_syscall_ip(const struct arch_regs *r)
{
    return r->rip;
}

#define ARCH_AUDIT 0xc000003eu /* AUDIT_ARCH_X86_64 */

/* arch_syscall_rewind() - make the task execute its system call again, as number `nr`. */
static inline void arch_syscall_rewind(struct arch_regs *r, u64 nr)
{
    r->rax = nr;
    r->rip -= 2;
}

#define ARCH_SYSCALL_INSN_LEN 2

#define ARCH_EFLAGS_TF 0x100ull

/* arch_regs_step() - would the CPU trap after the next instruction? arch_regs_set_step(): it shall. */
static inline bool arch_regs_step(const struct arch_regs *r)
{
    return r->eflags & ARCH_EFLAGS_TF;
}

static inline void arch_regs_set_step(struct arch_regs *r, bool step)
{
    r->eflags = step ? r->eflags | ARCH_EFLAGS_TF : r->eflags & ~ARCH_EFLAGS_TF;
}

/* arch_regs_exec() - a program's first registers: `start` says where it begins, the rest is as
 * Linux has it after execve(2), which is system call `nr` to who traces it. */
static inline void arch_regs_exec(struct arch_regs *r, const struct arch_regs *start, s64 nr)
{
    *r = (struct arch_regs){
        .rip = start->rip,
        .rsp = start->rsp,
        .orig_rax = (u64)nr,
        .cs = 0x33,
        .ss = 0x2b,
        .eflags = 0x202,
    };
}

/* arch_regs_clone() - a child's registers, from its parent's at the call. stack 0: the parent's. */
static inline void arch_regs_clone(struct arch_regs *r, uaddr_t stack)
{
    r->rax = 0;
    r->orig_rax = (u64)-1;
    if (stack)
        r->rsp = stack;
}

static inline void arch_regs_set_tls(struct arch_regs *r, uaddr_t tls)
{
    r->fs_base = tls;
}
