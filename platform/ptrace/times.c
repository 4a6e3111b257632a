/*
 * CPU time of a task: its own host thread's is its user time, its Sentry thread's is its system
 * time. Linux tells the clock of a thread to that thread alone, so the guest thread is ordered to
 * read it; other tasks get what was read last.
 */
#include "platform/ptrace/ptrace_priv.h"

#include "platform/stub/stub.h"
#include "sentry/base/host_thread.h"

enum { HOST_SYS_CLOCK_GETTIME = 228, THREAD_CPUTIME = 3, SLOT_BYTES = 16 };

/* read_user() - order the guest thread to read its clock into its slot of the scratch area. */
static void read_user(struct plat_thread *th)
{
    u64 slot = STUB_SCRATCH + (u64)th->tid * SLOT_BYTES % STUB_SCRATCH_BYTES;
    u64 ts[2];

    if (ptrace_order_call(th, HOST_SYS_CLOCK_GETTIME, THREAD_CPUTIME, slot, 0, 0, 0, 0) == 0 &&
        host_guest_copy_in(th->mm->pid, ts, slot, sizeof(ts)) == sizeof(ts) &&
        ts[1] < NS_PER_SEC && ts[0] < UINT32_MAX)
        th->user_ns = th->user_base_ns + ts[0] * NS_PER_SEC + ts[1];
}

int ptrace_times(struct plat_thread *th, u64 *user_ns, u64 *system_ns)
{
    if (th->server == host_gettid()) {
        if (!th->dead)
            read_user(th);
        th->system_ns = host_clock(CLOCK_THREAD_CPUTIME_ID);
    }
    *user_ns = th->user_ns;
    *system_ns = th->system_ns;
    return 0;
}
