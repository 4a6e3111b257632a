/*
 * CPU time and memory use of a task: its own host thread's CPU time is its user time, its Sentry
 * thread's is its system time. Linux tells the clock of a thread to that thread alone, so the guest
 * thread is ordered to read it; other tasks get what was read last.
 */
#include "platform/ptrace/ptrace_priv.h"

#include "platform/stub/stub.h"
#include "sentry/base/host_thread.h"

#include <sys/resource.h>

enum { HOST_SYS_CLOCK_GETTIME = 228, THREAD_CPUTIME = 3 };
enum { HOST_SYS_GETRUSAGE = 98, HOST_RUSAGE_THREAD = 1 };
enum { SLOT_BYTES = 256 };

/* A thread's slot of the scratch area; threads that share one spoil only each other's figures. */
static u64 slot_of(const struct plat_thread *th)
{
    return STUB_SCRATCH + (u64)th->tid * SLOT_BYTES % STUB_SCRATCH_BYTES;
}

/* set_user() - take a guest thread's claim of its CPU time if it can be true. */
static bool set_user(struct plat_thread *th, u64 sec, u64 ns)
{
    if (sec >= UINT32_MAX || ns >= 2 * NS_PER_SEC)
        return false;
    th->user_ns = th->user_base_ns + sec * NS_PER_SEC + ns;
    return true;
}

/* read_user() - order the guest thread to read its clock into its slot of the scratch area. */
static void read_user(struct plat_thread *th)
{
    u64 slot = slot_of(th);
    u64 ts[2];

    if (ptrace_order_call(th, HOST_SYS_CLOCK_GETTIME, THREAD_CPUTIME, slot, 0, 0, 0, 0) == 0 &&
        host_guest_copy_in(th->mm->pid, ts, slot, sizeof(ts)) == sizeof(ts))
        set_user(th, ts[0], ts[1]);
}

/* serves() - is this th's Sentry thread? Asked for each thread of a process: without a host call. */
static bool serves(const struct plat_thread *th)
{
    static _Thread_local int own;

    if (unlikely(!own))
        own = host_gettid();
    return th->server == own;
}

int ptrace_times(struct plat_thread *th, u64 *user_ns, u64 *system_ns)
{
    if (serves(th)) {
        if (!th->dead)
            read_user(th);
        th->system_ns = host_clock(CLOCK_THREAD_CPUTIME_ID);
    }
    *user_ns = th->user_ns;
    *system_ns = th->system_ns;
    return 0;
}

int ptrace_usage(struct plat_thread *th, struct plat_usage *out)
{
    struct rusage r;
    u64 slot = slot_of(th);

    *out = (struct plat_usage){0};
    th->system_ns = host_clock(CLOCK_THREAD_CPUTIME_ID);
    if (!th->dead &&
        ptrace_order_call(th, HOST_SYS_GETRUSAGE, HOST_RUSAGE_THREAD, slot, 0, 0, 0, 0) == 0 &&
        host_guest_copy_in(th->mm->pid, &r, slot, sizeof(r)) == sizeof(r) &&
        set_user(th, (u64)r.ru_utime.tv_sec + (u64)r.ru_stime.tv_sec,
                 ((u64)r.ru_utime.tv_usec + (u64)r.ru_stime.tv_usec) * 1000)) {
        out->max_rss_kb = (u64)r.ru_maxrss & UINT32_MAX;
        out->minor_faults = (u64)r.ru_minflt & UINT32_MAX;
        out->major_faults = (u64)r.ru_majflt & UINT32_MAX;
    }
    out->user_ns = th->user_ns;
    out->system_ns = th->system_ns;
    return 0;
}
