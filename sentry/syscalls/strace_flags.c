/* --strace: the names of flags and of numbers that stand for something, by set. */
#include "sentry/abi/lx_epoll.h"
#include "sentry/abi/lx_fs.h"
#include "sentry/abi/lx_mm.h"
#include "sentry/abi/lx_signal.h"
#include "sentry/abi/lx_socket.h"
#include "sentry/abi/lx_time.h"
#include "sentry/syscalls/strace_priv.h"

#include <string.h>

/* A row of a set: `value` is shown as `name` when the bits of `mask` are exactly it. */
struct flag_name {
    u64 mask, value;
    const char *name;
};

#define FLAG(prefix, n)          \
    {                            \
        prefix##n, prefix##n, #n \
    }
#define WHOLE 0xffffffffull /* an enumeration: the whole value */
#define VALUE(prefix, n)          \
    {                             \
        WHOLE, (u32)prefix##n, #n \
    }

static const struct flag_name open_names[] = {
    {LX_O_ACCMODE, LX_O_RDONLY, "O_RDONLY"},
    {LX_O_ACCMODE, LX_O_WRONLY, "O_WRONLY"},
    {LX_O_ACCMODE, LX_O_RDWR, "O_RDWR"},
    FLAG(LX_, O_CREAT),
    FLAG(LX_, O_EXCL),
    FLAG(LX_, O_NOCTTY),
    FLAG(LX_, O_TRUNC),
    FLAG(LX_, O_APPEND),
    FLAG(LX_, O_NONBLOCK),
    FLAG(LX_, O_SYNC),
    FLAG(LX_, O_DSYNC),
    FLAG(LX_, O_ASYNC),
    FLAG(LX_, O_DIRECT),
    FLAG(LX_, O_LARGEFILE),
    FLAG(LX_, O_TMPFILE),
    FLAG(LX_, O_DIRECTORY),
    FLAG(LX_, O_NOFOLLOW),
    FLAG(LX_, O_NOATIME),
    FLAG(LX_, O_CLOEXEC),
    FLAG(LX_, O_PATH),
};
/* Flags of calls that make a descriptor: no access mode among them. */
static const struct flag_name fd_names[] = {
    FLAG(LX_, O_CLOEXEC),
    FLAG(LX_, O_NONBLOCK),
    FLAG(LX_, O_DIRECT),
    {LX_EFD_SEMAPHORE, LX_EFD_SEMAPHORE, "SEMAPHORE"},
};
static const struct flag_name at_names[] = {
    FLAG(LX_, AT_SYMLINK_NOFOLLOW), FLAG(LX_, AT_EACCESS),    FLAG(LX_, AT_SYMLINK_FOLLOW),
    FLAG(LX_, AT_NO_AUTOMOUNT),     FLAG(LX_, AT_EMPTY_PATH), FLAG(LX_, AT_STATX_FORCE_SYNC),
    FLAG(LX_, AT_STATX_DONT_SYNC),
};
static const struct flag_name unlinkat_names[] = {FLAG(LX_, AT_REMOVEDIR)};
static const struct flag_name access_names[] = {VALUE(LX_, F_OK), FLAG(LX_, R_OK), FLAG(LX_, W_OK),
                                                FLAG(LX_, X_OK)};
static const struct flag_name whence_names[] = {VALUE(LX_, SEEK_SET), VALUE(LX_, SEEK_CUR),
                                                VALUE(LX_, SEEK_END), VALUE(LX_, SEEK_DATA),
                                                VALUE(LX_, SEEK_HOLE)};
static const struct flag_name fcntl_names[] = {
    VALUE(LX_, F_DUPFD),      VALUE(LX_, F_GETFD),         VALUE(LX_, F_SETFD),
    VALUE(LX_, F_GETFL),      VALUE(LX_, F_SETFL),         VALUE(LX_, F_GETLK),
    VALUE(LX_, F_SETLK),      VALUE(LX_, F_SETLKW),        VALUE(LX_, F_SETOWN),
    VALUE(LX_, F_GETOWN),     VALUE(LX_, F_SETSIG),        VALUE(LX_, F_GETSIG),
    VALUE(LX_, F_SETOWN_EX),  VALUE(LX_, F_GETOWN_EX),     VALUE(LX_, F_OFD_GETLK),
    VALUE(LX_, F_OFD_SETLK),  VALUE(LX_, F_OFD_SETLKW),    VALUE(LX_, F_SETLEASE),
    VALUE(LX_, F_GETLEASE),   VALUE(LX_, F_DUPFD_CLOEXEC), VALUE(LX_, F_SETPIPE_SZ),
    VALUE(LX_, F_GETPIPE_SZ), VALUE(LX_, F_ADD_SEALS),     VALUE(LX_, F_GET_SEALS),
};
static const struct flag_name memfd_names[] = {
    FLAG(LX_, MFD_CLOEXEC),     FLAG(LX_, MFD_ALLOW_SEALING), FLAG(LX_, MFD_HUGETLB),
    FLAG(LX_, MFD_NOEXEC_SEAL), FLAG(LX_, MFD_EXEC),
};
static const struct flag_name flock_names[] = {FLAG(LX_, LOCK_SH), FLAG(LX_, LOCK_EX),
                                               FLAG(LX_, LOCK_NB), FLAG(LX_, LOCK_UN)};
static const struct flag_name prot_names[] = {
    VALUE(LX_, PROT_NONE), FLAG(LX_, PROT_READ),      FLAG(LX_, PROT_WRITE),   FLAG(LX_, PROT_EXEC),
    FLAG(LX_, PROT_SEM),   FLAG(LX_, PROT_GROWSDOWN), FLAG(LX_, PROT_GROWSUP),
};
static const struct flag_name map_names[] = {
    {LX_MAP_TYPE, LX_MAP_SHARED, "MAP_SHARED"},
    {LX_MAP_TYPE, LX_MAP_PRIVATE, "MAP_PRIVATE"},
    {LX_MAP_TYPE, LX_MAP_SHARED_VALIDATE, "MAP_SHARED_VALIDATE"},
    FLAG(LX_, MAP_FIXED),
    FLAG(LX_, MAP_ANONYMOUS),
    FLAG(LX_, MAP_32BIT),
    FLAG(LX_, MAP_GROWSDOWN),
    FLAG(LX_, MAP_DENYWRITE),
    FLAG(LX_, MAP_EXECUTABLE),
    FLAG(LX_, MAP_LOCKED),
    FLAG(LX_, MAP_NORESERVE),
    FLAG(LX_, MAP_POPULATE),
    FLAG(LX_, MAP_NONBLOCK),
    FLAG(LX_, MAP_STACK),
    FLAG(LX_, MAP_HUGETLB),
    FLAG(LX_, MAP_FIXED_NOREPLACE),
};
static const struct flag_name mremap_names[] = {FLAG(LX_, MREMAP_MAYMOVE), FLAG(LX_, MREMAP_FIXED),
                                                FLAG(LX_, MREMAP_DONTUNMAP)};
static const struct flag_name msync_names[] = {FLAG(LX_, MS_ASYNC), FLAG(LX_, MS_INVALIDATE),
                                               FLAG(LX_, MS_SYNC)};
static const struct flag_name madvise_names[] = {
    VALUE(LX_, MADV_NORMAL),   VALUE(LX_, MADV_RANDOM),     VALUE(LX_, MADV_SEQUENTIAL),
    VALUE(LX_, MADV_WILLNEED), VALUE(LX_, MADV_DONTNEED),   VALUE(LX_, MADV_FREE),
    VALUE(LX_, MADV_REMOVE),   VALUE(LX_, MADV_DONTFORK),   VALUE(LX_, MADV_DOFORK),
    VALUE(LX_, MADV_HUGEPAGE), VALUE(LX_, MADV_NOHUGEPAGE), VALUE(LX_, MADV_DONTDUMP),
    VALUE(LX_, MADV_DODUMP),   VALUE(LX_, MADV_WIPEONFORK), VALUE(LX_, MADV_KEEPONFORK),
};
/* clone(2)'s; numbers of linux/sched.h. The low byte is the signal at exit. */
static const struct flag_name clone_names[] = {
    {0x00000100, 0x00000100, "CLONE_VM"},
    {0x00000200, 0x00000200, "CLONE_FS"},
    {0x00000400, 0x00000400, "CLONE_FILES"},
    {0x00000800, 0x00000800, "CLONE_SIGHAND"},
    {0x00001000, 0x00001000, "CLONE_PIDFD"},
    {0x00002000, 0x00002000, "CLONE_PTRACE"},
    {0x00004000, 0x00004000, "CLONE_VFORK"},
    {0x00008000, 0x00008000, "CLONE_PARENT"},
    {0x00010000, 0x00010000, "CLONE_THREAD"},
    {0x00020000, 0x00020000, "CLONE_NEWNS"},
    {0x00040000, 0x00040000, "CLONE_SYSVSEM"},
    {0x00080000, 0x00080000, "CLONE_SETTLS"},
    {0x00100000, 0x00100000, "CLONE_PARENT_SETTID"},
    {0x00200000, 0x00200000, "CLONE_CHILD_CLEARTID"},
    {0x01000000, 0x01000000, "CLONE_CHILD_SETTID"},
    {0x02000000, 0x02000000, "CLONE_NEWCGROUP"},
    {0x04000000, 0x04000000, "CLONE_NEWUTS"},
    {0x08000000, 0x08000000, "CLONE_NEWIPC"},
    {0x10000000, 0x10000000, "CLONE_NEWUSER"},
    {0x20000000, 0x20000000, "CLONE_NEWPID"},
    {0x40000000, 0x40000000, "CLONE_NEWNET"},
    {0xff, LX_SIGCHLD, "SIGCHLD"},
};
static const struct flag_name wait_names[] = {
    {1, 1, "WNOHANG"},
    {2, 2, "WUNTRACED"},
    {4, 4, "WEXITED"},
    {8, 8, "WCONTINUED"},
    {0x01000000, 0x01000000, "WNOWAIT"},
};
static const struct flag_name sigmask_names[] = {VALUE(LX_, SIG_BLOCK), VALUE(LX_, SIG_UNBLOCK),
                                                 VALUE(LX_, SIG_SETMASK)};
static const struct flag_name clock_names[] = {
    VALUE(LX_, CLOCK_REALTIME),
    VALUE(LX_, CLOCK_MONOTONIC),
    VALUE(LX_, CLOCK_PROCESS_CPUTIME_ID),
    VALUE(LX_, CLOCK_THREAD_CPUTIME_ID),
    VALUE(LX_, CLOCK_MONOTONIC_RAW),
    VALUE(LX_, CLOCK_REALTIME_COARSE),
    VALUE(LX_, CLOCK_MONOTONIC_COARSE),
    VALUE(LX_, CLOCK_BOOTTIME),
    VALUE(LX_, CLOCK_REALTIME_ALARM),
    VALUE(LX_, CLOCK_BOOTTIME_ALARM),
    VALUE(LX_, CLOCK_TAI),
};
static const struct flag_name timer_names[] = {FLAG(LX_, TIMER_ABSTIME)};
static const struct flag_name epoll_ctl_names[] = {
    VALUE(LX_, EPOLL_CTL_ADD), VALUE(LX_, EPOLL_CTL_DEL), VALUE(LX_, EPOLL_CTL_MOD)};
static const struct flag_name mount_names[] = {
    FLAG(LX_, MS_RDONLY),  FLAG(LX_, MS_NOSUID),   FLAG(LX_, MS_NODEV),       FLAG(LX_, MS_NOEXEC),
    FLAG(LX_, MS_REMOUNT), FLAG(LX_, MS_NOATIME),  FLAG(LX_, MS_BIND),        FLAG(LX_, MS_MOVE),
    FLAG(LX_, MS_REC),     FLAG(LX_, MS_SILENT),   FLAG(LX_, MS_PRIVATE),     FLAG(LX_, MS_SLAVE),
    FLAG(LX_, MS_SHARED),  FLAG(LX_, MS_RELATIME), FLAG(LX_, MS_STRICTATIME),
};
static const struct flag_name umount_names[] = {FLAG(LX_, MNT_FORCE), FLAG(LX_, MNT_DETACH),
                                                FLAG(LX_, MNT_EXPIRE), FLAG(LX_, UMOUNT_NOFOLLOW)};
static const struct flag_name rename_names[] = {
    FLAG(LX_, RENAME_NOREPLACE), FLAG(LX_, RENAME_EXCHANGE), FLAG(LX_, RENAME_WHITEOUT)};
static const struct flag_name resource_names[] = {
    {WHOLE, 0, "RLIMIT_CPU"},       {WHOLE, 1, "RLIMIT_FSIZE"},  {WHOLE, 2, "RLIMIT_DATA"},
    {WHOLE, 3, "RLIMIT_STACK"},     {WHOLE, 4, "RLIMIT_CORE"},   {WHOLE, 5, "RLIMIT_RSS"},
    {WHOLE, 6, "RLIMIT_NPROC"},     {WHOLE, 7, "RLIMIT_NOFILE"}, {WHOLE, 8, "RLIMIT_MEMLOCK"},
    {WHOLE, 9, "RLIMIT_AS"},        {WHOLE, 10, "RLIMIT_LOCKS"}, {WHOLE, 11, "RLIMIT_SIGPENDING"},
    {WHOLE, 12, "RLIMIT_MSGQUEUE"}, {WHOLE, 13, "RLIMIT_NICE"},  {WHOLE, 14, "RLIMIT_RTPRIO"},
    {WHOLE, 15, "RLIMIT_RTTIME"},
};
static const struct flag_name futex_names[] = {
    {0x7f, 0, "FUTEX_WAIT"},
    {0x7f, 1, "FUTEX_WAKE"},
    {0x7f, 3, "FUTEX_REQUEUE"},
    {0x7f, 4, "FUTEX_CMP_REQUEUE"},
    {0x7f, 5, "FUTEX_WAKE_OP"},
    {0x7f, 6, "FUTEX_LOCK_PI"},
    {0x7f, 7, "FUTEX_UNLOCK_PI"},
    {0x7f, 8, "FUTEX_TRYLOCK_PI"},
    {0x7f, 9, "FUTEX_WAIT_BITSET"},
    {0x7f, 10, "FUTEX_WAKE_BITSET"},
    {0x80, 0x80, "FUTEX_PRIVATE_FLAG"},
    {0x100, 0x100, "FUTEX_CLOCK_REALTIME"},
};
static const struct flag_name arch_prctl_names[] = {{WHOLE, 0x1001, "ARCH_SET_GS"},
                                                    {WHOLE, 0x1002, "ARCH_SET_FS"},
                                                    {WHOLE, 0x1003, "ARCH_GET_FS"},
                                                    {WHOLE, 0x1004, "ARCH_GET_GS"}};

static const struct flag_name family_names[] = {
    VALUE(LX_, AF_UNSPEC),  VALUE(LX_, AF_UNIX),   VALUE(LX_, AF_INET),  VALUE(LX_, AF_INET6),
    VALUE(LX_, AF_NETLINK), VALUE(LX_, AF_PACKET), VALUE(LX_, AF_VSOCK),
};
#define SOCK_TYPE(n)                               \
    {                                              \
        LX_SOCK_TYPE_MASK, LX_SOCK_##n, "SOCK_" #n \
    }
static const struct flag_name socktype_names[] = {
    SOCK_TYPE(STREAM), SOCK_TYPE(DGRAM),         SOCK_TYPE(RAW),
    SOCK_TYPE(RDM),    SOCK_TYPE(SEQPACKET),     SOCK_TYPE(DCCP),
    SOCK_TYPE(PACKET), FLAG(LX_, SOCK_NONBLOCK), FLAG(LX_, SOCK_CLOEXEC),
};
static const struct flag_name msg_names[] = {
    FLAG(LX_, MSG_OOB),          FLAG(LX_, MSG_PEEK),     FLAG(LX_, MSG_DONTROUTE),
    FLAG(LX_, MSG_CTRUNC),       FLAG(LX_, MSG_TRUNC),    FLAG(LX_, MSG_DONTWAIT),
    FLAG(LX_, MSG_EOR),          FLAG(LX_, MSG_WAITALL),  FLAG(LX_, MSG_CONFIRM),
    FLAG(LX_, MSG_ERRQUEUE),     FLAG(LX_, MSG_NOSIGNAL), FLAG(LX_, MSG_MORE),
    FLAG(LX_, MSG_WAITFORONE),   FLAG(LX_, MSG_ZEROCOPY), FLAG(LX_, MSG_FASTOPEN),
    FLAG(LX_, MSG_CMSG_CLOEXEC),
};
static const struct flag_name shutdown_names[] = {
    VALUE(LX_, SHUT_RD),
    VALUE(LX_, SHUT_WR),
    VALUE(LX_, SHUT_RDWR),
};
static const struct {
    const char *name;
    const struct flag_name *rows;
    size_t n;
} sets[] = {
#define SET(s)                               \
    {                                        \
#s, s##_names, ARRAY_SIZE(s##_names) \
    }
    SET(family), SET(socktype), SET(msg),      SET(shutdown), SET(open),       SET(fd),
    SET(at),     SET(unlinkat), SET(access),   SET(whence),   SET(fcntl),      SET(flock),
    SET(prot),   SET(map),      SET(mremap),   SET(msync),    SET(madvise),    SET(clone),
    SET(wait),   SET(sigmask),  SET(clock),    SET(timer),    SET(epoll_ctl),  SET(mount),
    SET(umount), SET(rename),   SET(resource), SET(futex),    SET(arch_prctl), SET(memfd),
};

void strace_put_flags(struct strace_line *l, const char *set, u64 value)
{
    const struct flag_name *rows = NULL;
    u64 left = value;
    size_t n = 0;
    bool any = false;

    for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
        if (strcmp(sets[i].name, set) == 0) {
            rows = sets[i].rows;
            n = sets[i].n;
        }
    }
    for (size_t i = 0; i < n; i++) {
        const struct flag_name *f = &rows[i];

        if ((value & f->mask) != f->value || (f->value && !(left & f->value)))
            continue;
        strace_put(l, "%s%s", any ? "|" : "", f->name);
        left &= ~f->mask;
        any = true;
    }
    if (!any || (left & WHOLE))
        strace_put(l, "%s%#lx", any ? "|" : "", (unsigned long)left);
}
