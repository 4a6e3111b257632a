/* AT_HWCAP: EDX of CPUID leaf 1, asked once, since CPUID is slow in a virtual machine. */
#include "sentry/kernel/loader.h"

#include <cpuid.h>
#include <stdatomic.h>

u64 loader_hwcap(void)
{
    static _Atomic(u64) known;
    u64 word = atomic_load(&known);
    unsigned int eax, ebx, ecx, edx;

    if (!word && __get_cpuid(1, &eax, &ebx, &ecx, &edx)) {
        word = edx;
        atomic_store(&known, word);
    }
    return word;
}
