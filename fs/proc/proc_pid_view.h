/* One moment of a process, from which stat, statm and status are made. */
#pragma once

#include "fs/proc/proc_priv.h"

struct proc_view {
    s32 pid, tgid, ppid, tracer, pgid, sid, tpgid;
    u32 tty;
    char state;
    char comm[16];
    u32 threads, flags; /* PF_* as stat shows them */
    s32 exit_signal;
    s32 nice;
    u32 policy, rt_priority;
    u64 utime, stime; /* stat alone */
    u64 child_utime, child_stime, start;
    u64 min_flt, maj_flt, child_min_flt, child_maj_flt;
    u64 exec_min_flt, exec_maj_flt; /* of earlier programs */
    u64 pending, group_pending, blocked, ignored, caught;
    u32 nqueued;
    u64 sigqueue_max, rss_max;
    u32 exit_code;
};

/* proc_view_take() - all but its own times. Return: 0, -ESRCH. */
int proc_view_take(struct proc_view *v, const struct proc_node *n);

/*
 * What of an address space the numbers tell, in bytes. What is there of it only the host knows; where
 * it can't be asked, all counts that is mapped and accessible but for stacks and reservations.
 */
struct proc_sizes {
    u64 total, peak, text, lib, data, stack, locked;
    u64 resident, shared, anon, file, shmem, high, page_tables, swap;
    u64 min_flt, maj_flt;       /* PROC_SIZES_STAT */
    u64 voluntary, involuntary; /* PROC_SIZES_STATUS */
    uaddr_t start_code, end_code, stack_top, start_data, end_data, brk_start;
    uaddr_t arg_start, arg_end, env_start, env_end;
};

/* proc_sizes_take() - `for_file`: which of the host's files has what is wanted. All 0 for a process
 * without memory. */
enum proc_sizes_for { PROC_SIZES_STATM, PROC_SIZES_STAT, PROC_SIZES_STATUS };
void proc_sizes_take(struct proc_sizes *z, const struct proc_node *n, enum proc_sizes_for for_file);
