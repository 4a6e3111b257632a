/*
 * Signal frames on x86-64: struct rt_sigframe as Linux lays it out, so that libraries, unwinders
 * and garbage collectors that look into it find what they expect.
 *
 * From high to low addresses: (red zone) | extended state, 64-byte aligned, with Linux's software
 * bytes and trailing magic | siginfo, ucontext, return address; the frame's address is 8 below a
 * multiple of 16, as after a call instruction.
 */
#include "sentry/abi/lx_signal.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FP_XSTATE_MAGIC1 0x46505853u
#define FP_XSTATE_MAGIC2 0x46505845u
#define FXSAVE_BYTES 512u
#define SW_RESERVED_OFFSET 464u
#define XSTATE_BV_OFFSET 512u
#define RED_ZONE 128
#define USER_CS 0x33
#define USER_DS 0x2b

/* Flags that a frame may set: OF DF TF SF ZF AF PF CF AC RF. */
#define EFLAGS_USER 0x00050dd5u
#define EFLAGS_DF 0x400u
#define EFLAGS_TF 0x100u
#define EFLAGS_RF 0x10000u

struct rt_sigframe {
    u64 pretcode;
    struct lx_ucontext uc;
    struct lx_siginfo info;
};

struct fpx_sw_bytes {
    u32 magic1, extended_size;
    u64 xfeatures;
    u32 xstate_size;
    u32 padding[7];
};

_Static_assert(sizeof(struct fpx_sw_bytes) == 48, "as in asm/sigcontext.h");

static const struct platform_ops *ops_of(const struct task *t)
{
    return t->tg->container->platform;
}

static bool on_altstack(const struct task *t, u64 sp)
{
    return t->altstack.size && sp > t->altstack.sp && sp - t->altstack.sp <= t->altstack.size;
}

/* frame_top() - where the frame grows down from; 0: the alternate stack is too small. */
static u64 frame_top(struct task *t, const struct lx_sigaction *sa, u64 sp)
{
    sp -= RED_ZONE;
    if ((sa->flags & LX_SA_ONSTACK) && t->altstack.size && !on_altstack(t, sp + RED_ZONE))
        return t->altstack.sp + t->altstack.size;
    return sp;
}

/* push_fpu() - write the extended state below *sp. Return: 0 and *fp, or -EFAULT. */
static int push_fpu(struct task *t, u64 *sp, u64 *fp)
{
    const struct platform_ops *ops = ops_of(t);
    u32 size = ops->fpu_size(), len = 0, magic2 = FP_XSTATE_MAGIC2;
    struct fpx_sw_bytes sw = {0};
    u8 *buf = malloc(size + sizeof(magic2));
    int err;

    if (!buf)
        return -EFAULT;
    err = ops->fpu_get(t->thread, buf, size, &len);
    if (!err) {
        if (len > FXSAVE_BYTES) {
            sw.magic1 = FP_XSTATE_MAGIC1;
            sw.extended_size = len + (u32)sizeof(magic2);
            /* What PTRACE_GETREGSET says of the features stands in the same software bytes. */
            memcpy(&sw.xfeatures, buf + SW_RESERVED_OFFSET, sizeof(sw.xfeatures));
            sw.xstate_size = len;
            memcpy(buf + len, &magic2, sizeof(magic2));
        }
        memcpy(buf + SW_RESERVED_OFFSET, &sw, sizeof(sw));
        *sp = (*sp - len - sizeof(magic2)) & ~63ull;
        *fp = *sp;
        err = usermem_out(t->mm, *fp, buf, len + (len > FXSAVE_BYTES ? sizeof(magic2) : 0));
        if (!err)
            err = ops->fpu_set(t->thread, NULL, 0); /* a handler starts with a fresh one */
    }
    free(buf);
    return err ? -EFAULT : 0;
}

static void fill_context(struct lx_sigcontext *c, const struct arch_regs *r)
{
    c->r8 = r->r8, c->r9 = r->r9, c->r10 = r->r10, c->r11 = r->r11;
    c->r12 = r->r12, c->r13 = r->r13, c->r14 = r->r14, c->r15 = r->r15;
    c->rdi = r->rdi, c->rsi = r->rsi, c->rbp = r->rbp, c->rbx = r->rbx;
    c->rdx = r->rdx, c->rax = r->rax, c->rcx = r->rcx, c->rsp = r->rsp;
    c->rip = r->rip, c->eflags = r->eflags;
    c->cs = USER_CS, c->ss = USER_DS;
}

int sigframe_push(struct task *t, const struct lx_sigaction *sa, const struct lx_siginfo *info,
                  u64 mask)
{
    struct arch_regs *r = ops_of(t)->regs(t->thread);
    struct rt_sigframe frame = {.pretcode = sa->restorer, .info = *info};
    u64 sp = frame_top(t, sa, r->rsp), fp = 0;
    bool nested = on_altstack(t, r->rsp);

    if (!(sa->flags & LX_SA_RESTORER))
        return -EFAULT; /* x86-64 has no other way back */
    if (push_fpu(t, &sp, &fp) < 0)
        return -EFAULT;
    sp = ((sp - sizeof(frame)) & ~15ull) - 8;
    if (on_altstack(t, r->rsp) && (sa->flags & LX_SA_ONSTACK) && !on_altstack(t, sp))
        return -EFAULT; /* it would run over the end of the alternate stack */
    frame.uc.flags = LX_UC_FP_XSTATE | LX_UC_SIGCONTEXT_SS | LX_UC_STRICT_RESTORE_SS;
    frame.uc.stack.sp = t->altstack.sp;
    frame.uc.stack.size = t->altstack.size;
    frame.uc.stack.flags = t->altstack.size ? (nested ? LX_SS_ONSTACK : 0) : LX_SS_DISABLE;
    frame.uc.stack.flags |= (s32)(t->altstack.flags & LX_SS_AUTODISARM);
    frame.uc.sigmask = mask;
    fill_context(&frame.uc.mcontext, r);
    frame.uc.mcontext.err = t->fault.err;
    frame.uc.mcontext.trapno = t->fault.trapno;
    frame.uc.mcontext.cr2 = t->fault.cr2;
    frame.uc.mcontext.oldmask = mask;
    frame.uc.mcontext.fpstate = fp;
    if (usermem_put(t->mm, sp, &frame) < 0)
        return -EFAULT;
    if (t->altstack.flags & LX_SS_AUTODISARM)
        t->altstack = (struct sigaltstack_state){0};
    r->rdi = (u64)info->signo;
    r->rsi = sp + offsetof(struct rt_sigframe, info);
    r->rdx = sp + offsetof(struct rt_sigframe, uc);
    r->rax = 0;
    r->rip = sa->handler;
    r->rsp = sp;
    r->cs = USER_CS;
    r->ss = USER_DS;
    r->eflags &= ~(u64)(EFLAGS_DF | EFLAGS_TF | EFLAGS_RF);
    return 0;
}

static void restore_context(struct arch_regs *r, const struct lx_sigcontext *c)
{
    r->r8 = c->r8, r->r9 = c->r9, r->r10 = c->r10, r->r11 = c->r11;
    r->r12 = c->r12, r->r13 = c->r13, r->r14 = c->r14, r->r15 = c->r15;
    r->rdi = c->rdi, r->rsi = c->rsi, r->rbp = c->rbp, r->rbx = c->rbx;
    r->rdx = c->rdx, r->rax = c->rax, r->rcx = c->rcx, r->rsp = c->rsp;
    r->rip = c->rip;
    r->eflags = (r->eflags & ~(u64)EFLAGS_USER) | (c->eflags & EFLAGS_USER);
    r->cs = USER_CS;
    r->ss = USER_DS;
    r->orig_rax = (u64)-1;
}

/* restore_fpu() - from a frame's fpstate pointer; 0 is the initial state. */
static int restore_fpu(struct task *t, u64 fp)
{
    const struct platform_ops *ops = ops_of(t);
    u32 size = ops->fpu_size(), len = FXSAVE_BYTES;
    struct fpx_sw_bytes sw;
    u8 *buf;
    int err;

    if (!fp)
        return ops->fpu_set(t->thread, NULL, 0);
    buf = calloc(1, size);
    if (!buf)
        return -EFAULT;
    err = usermem_in(t->mm, buf, fp, FXSAVE_BYTES);
    memcpy(&sw, buf + SW_RESERVED_OFFSET, sizeof(sw));
    if (!err && sw.magic1 == FP_XSTATE_MAGIC1 && sw.xstate_size > FXSAVE_BYTES &&
        sw.xstate_size <= size) {
        len = sw.xstate_size;
        err = usermem_in(t->mm, buf + FXSAVE_BYTES, fp + FXSAVE_BYTES, len - FXSAVE_BYTES);
    } else if (!err && size >= XSTATE_BV_OFFSET + 8) {
        buf[XSTATE_BV_OFFSET] = 3; /* x87 and SSE only: a frame without extended state */
        len = size;
    }
    if (!err)
        err = ops->fpu_set(t->thread, buf, len);
    free(buf);
    return err;
}

int sigframe_pop(struct task *t)
{
    struct arch_regs *r = ops_of(t)->regs(t->thread);
    u64 frame = r->rsp - 8;
    struct lx_ucontext uc;

    if (usermem_in(t->mm, &uc, frame + offsetof(struct rt_sigframe, uc), sizeof(uc)) < 0)
        return -EFAULT;
    if (restore_fpu(t, uc.mcontext.fpstate) < 0)
        return -EFAULT;
    restore_context(r, &uc.mcontext);
    signal_set_blocked(t, uc.sigmask);
    if (!on_altstack(t, r->rsp)) {
        t->altstack = (struct sigaltstack_state){0};
        if (!(uc.stack.flags & LX_SS_DISABLE)) {
            t->altstack.sp = uc.stack.sp;
            t->altstack.size = uc.stack.size;
            t->altstack.flags = (u32)uc.stack.flags & LX_SS_AUTODISARM;
        }
    }
    return 0;
}
