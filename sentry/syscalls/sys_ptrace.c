/*
 * ptrace(2): the requests. Each that needs a stopped tracee holds it (trace_hold()), works on it
 * and lets it be or resumes it; what goes to or comes from the tracer's own memory is copied while
 * nothing but the tracee is held.
 */
#include "sentry/kernel/ptrace.h"

#include "sentry/base/clean.h"
#include "sentry/kernel/container.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FXSAVE_BYTES = 512, PEEK_SIGNALS_MAX = 64 };

/* --- memory --- */

static s64 peek(struct task *t, struct task *target, u64 addr, u64 data)
{
    u64 word;

    if (usermem_get(target->mm, &word, addr) < 0 &&
        trace_force(target, addr, &word, sizeof(word), false) < 0)
        return -EIO;
    return usermem_put(t->mm, data, &word);
}

static s64 poke(struct task *target, u64 addr, u64 word)
{
    if (usermem_put(target->mm, addr, &word) < 0 &&
        trace_force(target, addr, &word, sizeof(word), true) < 0)
        return -EIO;
    return 0;
}

/* --- registers --- */

static s64 peek_user(struct task *t, struct task *target, u64 offset, u64 data)
{
    u64 word;
    int err = trace_peek_user(target, offset, &word);

    return err ? err : usermem_put(t->mm, data, &word);
}

static s64 get_regs(struct task *t, struct task *target, u64 data, u64 len)
{
    struct arch_regs regs;

    trace_get_regs(target, &regs);
    return usermem_out(t->mm, data, &regs, min_of(len, sizeof(regs)));
}

static s64 set_regs(struct task *t, struct task *target, u64 data, u64 len)
{
    struct arch_regs regs;

    len = min_of(len, sizeof(regs));
    if (usermem_in(t->mm, &regs, data, len) < 0)
        return -EFAULT;
    return trace_set_regs(target, &regs, (u32)len);
}

/* fpu() - get or set the first `len` bytes of at most `most` of the extended state. *len: how many it
 * was. */
static s64 fpu(struct task *t, struct task *target, u64 data, u64 most, u64 *len, bool set)
{
    u32 cap = t->tg->container->platform->fpu_size(), have = 0;
    auto_free u8 *buf = calloc(1, cap);
    int err = buf ? trace_get_fpu(target, buf, cap, &have) : -ENOMEM;

    if (err)
        return err;
    most = min_of(most, (u64)have);
    *len = min_of(*len, most);
    if (!set)
        return usermem_out(t->mm, data, buf, *len);
    if (*len != most)
        return -EFAULT; /* the whole of it or nothing */
    if (usermem_in(t->mm, buf, data, *len) < 0)
        return -EFAULT;
    return trace_set_fpu(target, buf, have);
}

/* regset() - GETREGSET and SETREGSET: `vec` is a struct iovec whose length is set to what it was. */
static s64 regset(struct task *t, struct task *target, u64 type, u64 vec, bool set)
{
    struct {
        u64 base, len;
    } v;
    s64 rc;

    if (usermem_get(t->mm, &v, vec) < 0)
        return -EFAULT;
    if (v.len % sizeof(u64))
        return -EINVAL;
    switch (type) {
    case LX_NT_PRSTATUS:
        v.len = min_of(v.len, sizeof(struct arch_regs));
        rc = set ? set_regs(t, target, v.base, v.len) : get_regs(t, target, v.base, v.len);
        break;
    case LX_NT_PRFPREG:
    case LX_NT_X86_XSTATE: {
        u64 most = type == LX_NT_PRFPREG ? (u64)FXSAVE_BYTES : UINT64_MAX;

        rc = fpu(t, target, v.base, most, &v.len, set);
        break;
    }
    default: return -EINVAL;
    }
    return rc ? rc : usermem_put(t->mm, vec + sizeof(v.base), &v.len);
}

/* --- the stop --- */

static s64 get_siginfo(struct task *t, struct task *target, u64 data)
{
    const struct tracee *p = target->tracee;

    return p->has_info ? usermem_put(t->mm, data, &p->info) : -EINVAL;
}

static s64 set_siginfo(struct task *t, struct task *target, u64 data)
{
    struct tracee *p = target->tracee;
    struct lx_siginfo info;

    if (usermem_get(t->mm, &info, data) < 0)
        return -EFAULT;
    if (!p->has_info)
        return -EINVAL;
    mutex_lock(&target->tg->lock);
    p->info = info;
    mutex_unlock(&target->tg->lock);
    return 0;
}

/* copy_queue() - up to n siginfos of a queue from number `off` on. Return: how many. */
static s32 copy_queue(struct task *target, const struct lx_ptrace_peeksiginfo_args *args, s32 n,
                      struct lx_siginfo *out)
{
    struct sigpending *p =
        args->flags & LX_PTRACE_PEEKSIGINFO_SHARED ? &target->tg->pending : &target->pending;
    u64 at = 0;
    s32 found = 0;
    struct sigqueue *q;

    mutex_lock(&target->tg->lock);
    list_for_each(q, &p->queue, node) {
        if (at++ >= args->off && found < n)
            out[found++] = q->info;
    }
    mutex_unlock(&target->tg->lock);
    return found;
}

static s64 peek_siginfo(struct task *t, struct task *target, u64 addr, u64 data)
{
    struct lx_ptrace_peeksiginfo_args args;
    auto_free struct lx_siginfo *out = NULL;
    s32 n;

    if (usermem_get(t->mm, &args, addr) < 0)
        return -EFAULT;
    if ((args.flags & ~LX_PTRACE_PEEKSIGINFO_SHARED) || args.nr < 0)
        return -EINVAL;
    n = min_of(args.nr, (s32)PEEK_SIGNALS_MAX);
    out = calloc((size_t)n + 1, sizeof(*out));
    if (!out)
        return -ENOMEM;
    n = copy_queue(target, &args, n, out);
    return usermem_out(t->mm, data, out, (size_t)n * sizeof(*out)) < 0 ? -EFAULT : n;
}

static s64 get_sigmask(struct task *t, struct task *target, u64 size, u64 data)
{
    u64 mask;

    if (size != sizeof(mask))
        return -EINVAL;
    mutex_lock(&target->tg->lock);
    mask = target->restore_blocked ? target->saved_blocked : target->blocked;
    mutex_unlock(&target->tg->lock);
    return usermem_put(t->mm, data, &mask);
}

/* set_mask() - on the tracee's own thread, whose mask it is. */
static void set_mask(struct task *target, void *arg)
{
    target->restore_blocked = false;
    signal_set_blocked(target, *(u64 *)arg);
}

static s64 set_sigmask(struct task *t, struct task *target, u64 size, u64 data)
{
    u64 mask;

    if (size != sizeof(mask))
        return -EINVAL;
    if (usermem_get(t->mm, &mask, data) < 0)
        return -EFAULT;
    trace_call(target, set_mask, &mask);
    return 0;
}

/* syscall_info() - what GET_SYSCALL_INFO says. Return: its size (linux/ptrace.h). */
static u32 syscall_info(struct task *target, struct lx_ptrace_syscall_info *info)
{
    const struct tracee *p = target->tracee;
    s32 code = p->has_info ? p->info.code : 0;
    struct arch_regs r;

    trace_get_regs(target, &r);
    *info = (struct lx_ptrace_syscall_info){
        .arch = ARCH_AUDIT, .instruction_pointer = arch_syscall_ip(&r), .stack_pointer = r.rsp};
    if (code == (LX_SIGTRAP | 0x80) && p->message == LX_PTRACE_EVENTMSG_SYSCALL_EXIT) {
        info->op = LX_PTRACE_SYSCALL_INFO_EXIT;
        info->exit.rval = arch_syscall_result(&r);
        info->exit.is_error = info->exit.rval < 0 && info->exit.rval >= -4095;
        return offsetof(struct lx_ptrace_syscall_info, exit.is_error) + 1;
    }
    if (code == (LX_SIGTRAP | 0x80) && p->message == LX_PTRACE_EVENTMSG_SYSCALL_ENTRY)
        info->op = LX_PTRACE_SYSCALL_INFO_ENTRY;
    else if (code == (s32)(LX_SIGTRAP | LX_PTRACE_EVENT_SECCOMP << 8))
        info->op = LX_PTRACE_SYSCALL_INFO_SECCOMP;
    else
        return offsetof(struct lx_ptrace_syscall_info, entry);
    info->entry.nr = (u64)arch_syscall_nr(&r);
    arch_syscall_args(&r, info->entry.args);
    if (info->op == LX_PTRACE_SYSCALL_INFO_ENTRY)
        return offsetof(struct lx_ptrace_syscall_info, entry.ret_data);
    info->entry.ret_data = (u32)p->message;
    return offsetof(struct lx_ptrace_syscall_info, entry.ret_data) + (u32)sizeof(u32);
}

static s64 get_syscall_info(struct task *t, struct task *target, u64 size, u64 data)
{
    struct lx_ptrace_syscall_info info;
    u32 actual = syscall_info(target, &info);

    return usermem_out(t->mm, data, &info, min_of(size, (u64)actual)) < 0 ? -EFAULT : (s64)actual;
}

static s64 set_options(struct task *target, u64 options)
{
    if (options & ~(u64)LX_PTRACE_O_MASK)
        return -EINVAL;
    mutex_lock(&target->tg->lock);
    target->tracee->options = (u32)options;
    mutex_unlock(&target->tg->lock);
    return 0;
}

static s64 arch_prctl(struct task *t, struct task *target, u64 addr, u64 code)
{
    const u64 fs = offsetof(struct arch_regs, fs_base), gs = offsetof(struct arch_regs, gs_base);

    switch (code) {
    case 0x1001: return trace_poke_user(target, gs, addr) < 0 ? -EPERM : 0;
    case 0x1002: return trace_poke_user(target, fs, addr) < 0 ? -EPERM : 0;
    case 0x1003: return peek_user(t, target, fs, addr);
    case 0x1004: return peek_user(t, target, gs, addr);
    default: return -EINVAL;
    }
}

/* --- requests --- */

/* look() - requests that leave a held tracee stopped. */
static s64 look(struct task *t, struct task *target, u64 request, u64 addr, u64 data)
{
    u64 fx = FXSAVE_BYTES;

    switch (request) {
    case LX_PTRACE_PEEKTEXT:
    case LX_PTRACE_PEEKDATA: return peek(t, target, addr, data);
    case LX_PTRACE_POKETEXT:
    case LX_PTRACE_POKEDATA: return poke(target, addr, data);
    case LX_PTRACE_PEEKUSR: return peek_user(t, target, addr, data);
    case LX_PTRACE_POKEUSR: return trace_poke_user(target, addr, data);
    case LX_PTRACE_GETREGS: return get_regs(t, target, data, sizeof(struct arch_regs));
    case LX_PTRACE_SETREGS: return set_regs(t, target, data, sizeof(struct arch_regs));
    case LX_PTRACE_GETFPREGS: return fpu(t, target, data, fx, &fx, false);
    case LX_PTRACE_SETFPREGS: return fpu(t, target, data, fx, &fx, true);
    case LX_PTRACE_GETREGSET: return regset(t, target, addr, data, false);
    case LX_PTRACE_SETREGSET: return regset(t, target, addr, data, true);
    case LX_PTRACE_ARCH_PRCTL: return arch_prctl(t, target, addr, data);
    case LX_PTRACE_SETOPTIONS: return set_options(target, data);
    case LX_PTRACE_GETEVENTMSG: return usermem_put(t->mm, data, &target->tracee->message);
    case LX_PTRACE_GETSIGINFO: return get_siginfo(t, target, data);
    case LX_PTRACE_SETSIGINFO: return set_siginfo(t, target, data);
    case LX_PTRACE_PEEKSIGINFO: return peek_siginfo(t, target, addr, data);
    case LX_PTRACE_GETSIGMASK: return get_sigmask(t, target, addr, data);
    case LX_PTRACE_SETSIGMASK: return set_sigmask(t, target, addr, data);
    case LX_PTRACE_GET_SYSCALL_INFO: return get_syscall_info(t, target, addr, data);
    case LX_PTRACE_LISTEN: return trace_listen(target);
    default: return -EIO;
    }
}

/* resume() - requests that run a held tracee on. Return: it was one, with its result in *rc. */
static bool resume(struct task *t, struct task *target, u64 request, u64 data, s64 *rc)
{
    enum trace_mode mode = TRACE_CONT;
    bool step = request == LX_PTRACE_SINGLESTEP || request == LX_PTRACE_SYSEMU_SINGLESTEP;

    switch (request) {
    case LX_PTRACE_SYSCALL: mode = TRACE_SYSCALL; break;
    case LX_PTRACE_SYSEMU:
    case LX_PTRACE_SYSEMU_SINGLESTEP: mode = TRACE_SYSEMU; break;
    case LX_PTRACE_CONT:
    case LX_PTRACE_SINGLESTEP:
    case LX_PTRACE_DETACH: break;
    default: return false;
    }
    *rc = data > LX_NSIG ? -EIO : 0;
    if (*rc < 0)
        trace_release(target);
    else if (request == LX_PTRACE_DETACH)
        trace_detach(t, target, (u32)data);
    else
        trace_resume(target, mode, step, (u32)data);
    return true;
}

static s64 attach(struct task *t, struct task *target, u64 request, u64 addr, u64 data)
{
    bool seize = request == LX_PTRACE_SEIZE;

    if (seize && (addr || (data & ~(u64)LX_PTRACE_O_MASK)))
        return -EIO;
    return trace_attach(t, target, seize, seize ? (u32)data : 0);
}

/* anytime() - requests that don't want their tracee stopped. */
static s64 anytime(struct task *t, struct task *target, u64 request)
{
    struct lx_siginfo kill = siginfo_user(t, target, LX_SIGKILL, LX_SI_USER);
    int err = trace_hold(t, target, true);

    if (err)
        return err;
    if (request == LX_PTRACE_INTERRUPT)
        return trace_interrupt(target);
    signal_send_task(target, &kill);
    return 0;
}

s64 sys_ptrace(struct task *t, const u64 a[6])
{
    u64 request = a[0];
    auto_put(task) struct task *target = NULL;
    s64 rc;

    if (request == LX_PTRACE_TRACEME)
        return trace_traceme(t);
    target = pid_find_task(t->pid->ns, (s32)a[1]);
    if (!target)
        return -ESRCH;
    if (request == LX_PTRACE_ATTACH || request == LX_PTRACE_SEIZE)
        return attach(t, target, request, a[2], a[3]);
    if (request == LX_PTRACE_KILL || request == LX_PTRACE_INTERRUPT)
        return anytime(t, target, request);
    rc = trace_hold(t, target, false);
    if (rc < 0 || resume(t, target, request, a[3], &rc))
        return rc;
    rc = look(t, target, request, a[2], a[3]);
    trace_release(target);
    return rc;
}
