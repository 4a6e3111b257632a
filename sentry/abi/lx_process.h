/*
 * Guest ABI: making, waiting for and measuring processes (clone(2), wait(2), waitid(2),
 * getrusage(2), prctl(2)'s process attributes).
 */
#pragma once

#include "sentry/base/types.h"

#define LX_CSIGNAL              0x000000ffull
#define LX_CLONE_NEWTIME        0x00000080ull
#define LX_CLONE_VM             0x00000100ull
#define LX_CLONE_FS             0x00000200ull
#define LX_CLONE_FILES          0x00000400ull
#define LX_CLONE_SIGHAND        0x00000800ull
#define LX_CLONE_PIDFD          0x00001000ull
#define LX_CLONE_PTRACE         0x00002000ull
#define LX_CLONE_VFORK          0x00004000ull
#define LX_CLONE_PARENT         0x00008000ull
#define LX_CLONE_THREAD         0x00010000ull
#define LX_CLONE_NEWNS          0x00020000ull
#define LX_CLONE_SYSVSEM        0x00040000ull
#define LX_CLONE_SETTLS         0x00080000ull
#define LX_CLONE_PARENT_SETTID  0x00100000ull
#define LX_CLONE_CHILD_CLEARTID 0x00200000ull
#define LX_CLONE_DETACHED       0x00400000ull
#define LX_CLONE_UNTRACED       0x00800000ull
#define LX_CLONE_CHILD_SETTID   0x01000000ull
#define LX_CLONE_NEWCGROUP      0x02000000ull
#define LX_CLONE_NEWUTS         0x04000000ull
#define LX_CLONE_NEWIPC         0x08000000ull
#define LX_CLONE_NEWUSER        0x10000000ull
#define LX_CLONE_NEWPID         0x20000000ull
#define LX_CLONE_NEWNET         0x40000000ull
#define LX_CLONE_IO             0x80000000ull
#define LX_CLONE_CLEAR_SIGHAND  0x100000000ull
#define LX_CLONE_INTO_CGROUP    0x200000000ull
#define LX_CLONE_LEGACY         0xffffffffull
#define LX_CLONE_NAMESPACES                                                                       \
    (LX_CLONE_NEWTIME | LX_CLONE_NEWNS | LX_CLONE_NEWCGROUP | LX_CLONE_NEWUTS | LX_CLONE_NEWIPC | \
     LX_CLONE_NEWUSER | LX_CLONE_NEWPID | LX_CLONE_NEWNET)

struct lx_clone_args {
    u64 flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls; /* version 0 */
    u64 set_tid, set_tid_size;                                                    /* version 1 */
    u64 cgroup;                                                                   /* version 2 */
};
#define LX_CLONE_ARGS_SIZE_VER0 64u
#define LX_CLONE_ARGS_SIZE_VER2 88u
#define LX_CLONE_SET_TID_MAX    32u
_Static_assert(sizeof(struct lx_clone_args) == LX_CLONE_ARGS_SIZE_VER2, "struct clone_args");

#define LX_WNOHANG    0x00000001u
#define LX_WUNTRACED  0x00000002u
#define LX_WSTOPPED   LX_WUNTRACED
#define LX_WEXITED    0x00000004u
#define LX_WCONTINUED 0x00000008u
#define LX_WNOWAIT    0x01000000u
#define LX_WNOTHREAD  0x20000000u
#define LX_WALL       0x40000000u
#define LX_WCLONE     0x80000000u

enum { LX_P_ALL, LX_P_PID, LX_P_PGID, LX_P_PIDFD };

/* Wait statuses, as wait4(2) stores them. */
static inline u32 lx_status_exited(u32 code)
{
    return (code & 0xff) << 8;
}

static inline u32 lx_status_stopped(u32 signo)
{
    return signo << 8 | 0x7f;
}

#define LX_STATUS_CONTINUED 0xffffu

struct lx_rusage {
    struct {
        s64 sec, usec;
    } utime, stime;
    s64 maxrss, ixrss, idrss, isrss, minflt, majflt, nswap, inblock, oublock, msgsnd, msgrcv,
        nsignals, nvcsw, nivcsw;
};
_Static_assert(sizeof(struct lx_rusage) == 144, "struct rusage is 144 bytes");

#define LX_RUSAGE_SELF     0
#define LX_RUSAGE_CHILDREN (-1)
#define LX_RUSAGE_THREAD   1

/* personality(2): what a change of privilege clears. */
#define LX_PER_UNAME26        0x0020000u
#define LX_PER_CLEAR_ON_SETID 0x00740000u /* ADDR_NO_RANDOMIZE, READ_IMPLIES_EXEC, … */

/* What "security.capability" holds (linux/capability.h). */
#define LX_XATTR_CAPS         "security.capability"
#define LX_VFS_CAP_REVISION   0xff000000u
#define LX_VFS_CAP_REVISION_1 0x01000000u
#define LX_VFS_CAP_REVISION_2 0x02000000u
#define LX_VFS_CAP_REVISION_3 0x03000000u
#define LX_VFS_CAP_EFFECTIVE  0x000001u

struct lx_vfs_cap_data {
    u32 magic;
    struct {
        u32 permitted, inheritable;
    } data[2];  /* revision 1 has one */
    u32 rootid; /* revision 3 */
};
_Static_assert(sizeof(struct lx_vfs_cap_data) == 24, "struct vfs_ns_cap_data");
