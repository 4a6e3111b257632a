/*
 * A tracee's registers as ptrace(2) shows and sets them on x86-64: struct user word by word, the
 * general registers whole, and the extended state in XSAVE's standard format.
 *
 * Debug registers read as zero, which is what a program finds that never set one, and can't be set:
 * the host's are not handed out.
 */
#include "sentry/kernel/ptrace.h"

#include "sentry/kernel/container.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Flags that a tracer may set: CF PF AF ZF SF TF DF OF NT RF AC, as Linux's FLAG_MASK. */
#define EFLAGS_TRACER 0x00054dd5ull
#define RPL_USER      3u

static struct arch_regs *regs_of(struct task *target)
{
    return target->tg->container->platform->regs(target->thread);
}

/* set_selector() - a segment selector that user code may have; 0 where it may be none. */
static int set_selector(u64 *to, u64 value, bool may_be_null)
{
    if (value > 0xffff || (!(may_be_null && value == 0) && (value & RPL_USER) != RPL_USER))
        return -EIO;
    *to = value;
    return 0;
}

static int set_base(u64 *to, u64 value)
{
    if (value >= PLAT_TASK_SIZE)
        return -EIO;
    *to = value;
    return 0;
}

/* set_word() - one register of `r`, which is its tracee's own or a copy. */
static int set_word(struct arch_regs *r, u64 offset, u64 value)
{
    switch (offset) {
    case offsetof(struct arch_regs, cs): return set_selector(&r->cs, value, false);
    case offsetof(struct arch_regs, ss): return set_selector(&r->ss, value, false);
    case offsetof(struct arch_regs, ds): return set_selector(&r->ds, value, true);
    case offsetof(struct arch_regs, es): return set_selector(&r->es, value, true);
    case offsetof(struct arch_regs, fs): return set_selector(&r->fs, value, true);
    case offsetof(struct arch_regs, gs): return set_selector(&r->gs, value, true);
    case offsetof(struct arch_regs, fs_base): return set_base(&r->fs_base, value);
    case offsetof(struct arch_regs, gs_base): return set_base(&r->gs_base, value);
    case offsetof(struct arch_regs, eflags):
        r->eflags = (r->eflags & ~EFLAGS_TRACER) | (value & EFLAGS_TRACER);
        return 0;
    default: memcpy((u8 *)r + offset, &value, sizeof(value)); return 0;
    }
}

int trace_peek_user(struct task *target, u64 offset, u64 *word)
{
    if (offset % sizeof(u64) || offset >= LX_USER_SIZE)
        return -EIO;
    *word = 0;
    if (offset < sizeof(struct arch_regs))
        memcpy(word, (u8 *)regs_of(target) + offset, sizeof(*word));
    return 0;
}

int trace_poke_user(struct task *target, u64 offset, u64 word)
{
    if (offset % sizeof(u64) || offset >= LX_USER_SIZE)
        return -EIO;
    if (offset < sizeof(struct arch_regs))
        return set_word(regs_of(target), offset, word);
    if (offset >= LX_USER_DEBUGREG && word == 0)
        return 0; /* none is set */
    return -EIO;
}

void trace_get_regs(struct task *target, struct arch_regs *out)
{
    *out = *regs_of(target);
}

int trace_set_regs(struct task *target, const struct arch_regs *in, u32 len)
{
    struct arch_regs *r = regs_of(target);
    int err = 0;

    for (u64 at = 0; at + sizeof(u64) <= len && !err; at += sizeof(u64)) {
        u64 word;

        memcpy(&word, (const u8 *)in + at, sizeof(word));
        err = set_word(r, at, word);
    }
    return err;
}

/* --- extended state: only the tracee's own thread gets at it --- */

struct fpu_call {
    void *buf;
    const void *set;
    u32 cap, len;
    int err;
};

static void get_fpu(struct task *target, void *arg)
{
    struct fpu_call *c = arg;

    c->err = target->tg->container->platform->fpu_get(target->thread, c->buf, c->cap, &c->len);
}

static void set_fpu(struct task *target, void *arg)
{
    struct fpu_call *c = arg;

    c->err = target->tg->container->platform->fpu_set(target->thread, c->set, c->len);
}

int trace_get_fpu(struct task *target, void *buf, u32 cap, u32 *len)
{
    struct fpu_call c = {.buf = buf, .cap = cap};

    trace_call(target, get_fpu, &c);
    *len = c.len;
    return c.err;
}

int trace_set_fpu(struct task *target, const void *buf, u32 len)
{
    struct fpu_call c = {.set = buf, .len = len};

    trace_call(target, set_fpu, &c);
    return c.err;
}
