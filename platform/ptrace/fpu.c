/* The extended state of a stopped guest thread, as XSAVE's standard format (PTRACE_GETREGSET). */
#include "platform/ptrace/ptrace_priv.h"

#include "sentry/base/clean.h"

#include <cpuid.h>
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

enum {
    NT_XSTATE = 0x202,
    FXSAVE_BYTES = 512,
    XSAVE_HEADER = 64,
    FCW_OFFSET = 0,
    MXCSR_OFFSET = 24,
    XSTATE_BV = 512,
    XCOMP_BV = 520,
    FCW_INITIAL = 0x37f,
    MXCSR_INITIAL = 0x1f80,
    MXCSR_RESERVED = ~0xffff,
};

u32 ptrace_fpu_size(void)
{
    static _Atomic(u32) size;
    u32 a, b, c, d;

    if (size)
        return size;
    size = __get_cpuid_count(0xd, 0, &a, &b, &c, &d) ? max_of(b, c) : FXSAVE_BYTES;
    return size;
}

int ptrace_fpu_get(struct plat_thread *th, void *buf, u32 cap, u32 *len)
{
    struct iovec iov = {buf, cap};
    long err = host_ptrace(PTRACE_GETREGSET, th->tid, NT_XSTATE, &iov);

    if (err < 0)
        return (int)err;
    *len = (u32)iov.iov_len;
    return 0;
}

/* check_header() - what the host would refuse or what must not be set. */
static int check_header(const u8 *state, u32 len, u64 supported)
{
    u64 bv, comp;
    u32 mxcsr;

    memcpy(&mxcsr, state + MXCSR_OFFSET, sizeof(mxcsr));
    if (mxcsr & (u32)MXCSR_RESERVED)
        return -EINVAL;
    if (len < FXSAVE_BYTES + XSAVE_HEADER)
        return 0;
    memcpy(&bv, state + XSTATE_BV, sizeof(bv));
    memcpy(&comp, state + XCOMP_BV, sizeof(comp));
    return (bv & ~supported) || comp ? -EINVAL : 0;
}

int ptrace_fpu_set(struct plat_thread *th, const void *buf, u32 len)
{
    u32 cap = ptrace_fpu_size(), have;
    auto_free u8 *state = calloc(1, cap);
    u64 supported;
    int err;

    if (!state)
        return -ENOMEM;
    err = ptrace_fpu_get(th, state, cap, &have);
    if (err < 0)
        return err;
    if (len > have)
        return -EINVAL;
    memcpy(&supported, state + 464, sizeof(supported)); /* the host's feature mask */
    memset(state, 0, have);
    if (len) {
        memcpy(state, buf, len);
    } else {
        u16 fcw = FCW_INITIAL;
        u32 mxcsr = MXCSR_INITIAL;

        memcpy(state + FCW_OFFSET, &fcw, sizeof(fcw));
        memcpy(state + MXCSR_OFFSET, &mxcsr, sizeof(mxcsr));
    }
    err = check_header(state, have, supported);
    if (err < 0)
        return err;
    return (int)host_ptrace(PTRACE_SETREGSET, th->tid, NT_XSTATE,
                            &(struct iovec){state, have});
}
