/*
 * Feeds programs to the check of seccomp filters, and runs what it lets through: it must end within
 * its own instructions, whatever they are.
 */
#include "sentry/kernel/seccomp_bpf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lx_seccomp_data call;
    struct lx_sock_filter *insns;
    u32 n;

    if (size < sizeof(call))
        return 0;
    memcpy(&call, data, sizeof(call));
    n = (u32)((size - sizeof(call)) / sizeof(*insns));
    /* Of exactly its size, so that a step beside it is seen. */
    insns = malloc(n * sizeof(*insns) + !n);
    assert(insns);
    memcpy(insns, data + sizeof(call), n * sizeof(*insns));
    if (seccomp_bpf_check(insns, n) == 0) {
        u32 verdict = seccomp_bpf_run(insns, &call);

        assert(seccomp_bpf_run(insns, &call) == verdict);
    }
    free(insns);
    return 0;
}
