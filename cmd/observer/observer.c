/*
 * runsc-observer: a process in the sandbox's pid namespace that answers the Sentry's questions
 * about guest processes (observer_proto.h). It is made while the sandbox boots and does nothing
 * until the first question.
 *
 * It holds two descriptors: the socket, and a proc file system of its own that shows processes and
 * nothing else (subset=pid), which is its root as well. It has no capability; that it may look at
 * guest processes comes from the Sentry's uid, which owns their user namespace, and from their
 * uid as its file system uid. It makes the host calls of cmd/observer/seccomp.list.
 *
 * The texts that it reads contain what guests choose (names of files, of processes); the requests
 * come from a Sentry that may have been taken over. Neither gives it anything that it may not do
 * anyway. It ends with its socket, and with the pid namespace.
 */
#include "cmd/observer/observer.h"

#include "cmd/observer/parse.h"
#include "sentry/base/clean.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cmd/filter/observer_filter.h"

#define SECUREBITS \
    (SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED)

enum { SOCK_FD = 3, PROC_FD = 4, TEXT = 8192, LINE = 256 };

#define VMAS_MAX ((OBSERVER_PACKET - sizeof(struct observer_reply)) / sizeof(struct observer_vma))

static union {
    struct observer_reply head;
    u8 bytes[OBSERVER_PACKET];
    u64 aligned; /* as records are */
} answer;

static void *const records = answer.bytes + sizeof(struct observer_reply);
static char text[TEXT];

/* --- files of a process --- */

/* host-calls(observer): openat(0=4) — files of guest processes, in its own proc alone */
static int open_of(s32 pid, const char *name, int flags)
{
    char path[48];
    int fd;

    if (pid <= 1) /* the Sentry is none of its business */
        return -ESRCH;
    snprintf(path, sizeof(path), "%d/%s", pid, name);
    fd = (int)syscall(SYS_openat, PROC_FD, path, flags | O_CLOEXEC | O_NOFOLLOW);
    return fd >= 0 ? fd : errno == ENOENT ? -ESRCH : -errno;
}

/* host-calls(observer): read pread64 close — files of guest processes */
static ssize_t read_some(int fd, void *buf, size_t len)
{
    ssize_t n = read(fd, buf, len);

    return n < 0 ? -errno : n;
}

/* read_text() - a whole small file into `text`. */
static int read_text(s32 pid, const char *name)
{
    auto_fd int fd = open_of(pid, name, O_RDONLY);
    size_t len = 0;

    if (fd < 0)
        return fd;
    while (len < sizeof(text) - 1) {
        ssize_t n = read_some(fd, text + len, sizeof(text) - 1 - len);

        if (n < 0)
            return (int)n;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    text[len] = 0;
    return len ? 0 : -ESRCH;
}

/* --- answers --- */

/* host-calls(observer): sendto recvfrom — the Sentry's questions */
static void reply(int err, u32 count, size_t size, bool more)
{
    answer.head =
        (struct observer_reply){.error = err, .count = err ? 0 : count, .more = more && !err};
    if (send(SOCK_FD, answer.bytes, sizeof(answer.head) + answer.head.count * size, MSG_NOSIGNAL) <
        0)
        _exit(0);
}

static void answer_statm(const struct observer_request *req)
{
    int err = read_text(req->pid, "statm");

    if (!err)
        err = parse_statm(text, records);
    reply(err, 1, sizeof(struct observer_statm), false);
}

static void answer_stat(const struct observer_request *req)
{
    int err = read_text(req->pid, "stat");

    if (!err)
        err = parse_stat(text, records);
    reply(err, 1, sizeof(struct observer_stat), false);
}

static void answer_status(const struct observer_request *req)
{
    int err = read_text(req->pid, "status");

    if (!err)
        err = parse_status(text, records);
    reply(err, 1, sizeof(struct observer_status), false);
}

/* A walk through smaps: lines are cut to LINE, as all that counts stands at their start. */
struct smaps {
    struct observer_vma vma, *out;
    u32 n;
    char line[LINE];
    size_t len;
};

static void smaps_flush_vma(struct smaps *s)
{
    if (!s->vma.kb.rss && !s->vma.kb.swap)
        return;
    s->out[s->n++] = s->vma;
    if (s->n == VMAS_MAX) {
        reply(0, s->n, sizeof(s->vma), true);
        s->n = 0;
    }
}

static void smaps_line(struct smaps *s)
{
    struct observer_vma next;

    s->line[s->len] = 0;
    s->len = 0;
    if (!parse_smaps_head(s->line, &next)) {
        parse_smaps_line(s->line, &s->vma);
        return;
    }
    smaps_flush_vma(s);
    s->vma = next;
}

static void answer_smaps(const struct observer_request *req)
{
    auto_fd int fd = open_of(req->pid, "smaps", O_RDONLY);
    struct smaps s = {.out = records};
    ssize_t n = fd;

    while (fd >= 0 && (n = read_some(fd, text, sizeof(text))) > 0) {
        for (ssize_t i = 0; i < n; i++) {
            if (text[i] == '\n')
                smaps_line(&s);
            else if (s.len < sizeof(s.line) - 1)
                s.line[s.len++] = text[i];
        }
    }
    if (n >= 0)
        smaps_flush_vma(&s);
    reply(n < 0 ? (int)n : 0, s.n, sizeof(s.vma), false);
}

static void answer_pagemap(const struct observer_request *req)
{
    size_t bytes = min_of((size_t)req->count * sizeof(u64), OBSERVER_PACKET - sizeof(answer.head));
    auto_fd int fd = open_of(req->pid, "pagemap", O_RDONLY);
    ssize_t n = fd;

    if (fd >= 0)
        n = pread(fd, records, bytes, (off_t)(req->start * sizeof(u64)));
    if (fd >= 0 && n < 0)
        n = -errno;
    reply(n < 0 ? (int)n : 0, n < 0 ? 0 : (u32)((size_t)n / sizeof(u64)), sizeof(u64), false);
}

/* host-calls(observer): write — clear_refs of a guest process */
static void answer_clear_refs(const struct observer_request *req)
{
    auto_fd int fd = open_of(req->pid, "clear_refs", O_WRONLY);
    char what = (char)('0' + req->start % 10);
    int err = fd < 0 ? fd : write(fd, &what, 1) < 0 ? -errno : 0;

    reply(err, 0, 0, false);
}

static void serve(void)
{
    static void (*const answers[])(const struct observer_request *) = {
        [OBSERVER_STATM] = answer_statm,     [OBSERVER_STAT] = answer_stat,
        [OBSERVER_STATUS] = answer_status,   [OBSERVER_SMAPS] = answer_smaps,
        [OBSERVER_PAGEMAP] = answer_pagemap, [OBSERVER_CLEAR_REFS] = answer_clear_refs,
    };
    struct observer_request req;

    for (;;) {
        ssize_t n = recv(SOCK_FD, &req, sizeof(req), 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n != (ssize_t)sizeof(req) || req.op >= ARRAY_SIZE(answers))
            return;
        answers[req.op](&req);
    }
}

/* --- confinement --- */

/* proc_mount() - a proc of this pid namespace, processes only. Return: a descriptor, -errno. */
static int proc_mount(void)
{
    auto_fd int fs = (int)syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC);
    int fd;

    if (fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "subset", "pid", 0) < 0 ||
        syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return -errno;
    fd = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC,
                      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    return fd < 0 ? -errno : fd;
}

/* keep_two() - the socket and the proc become SOCK_FD and PROC_FD, all others are closed. */
static bool keep_two(int sock, int proc)
{
    int s = fcntl(sock, F_DUPFD, 10), p = fcntl(proc, F_DUPFD, 10);

    return s >= 0 && p >= 0 && dup2(s, SOCK_FD) == SOCK_FD && dup2(p, PROC_FD) == PROC_FD &&
           close_range(0, SOCK_FD - 1, 0) == 0 && close_range(PROC_FD + 1, ~0u, 0) == 0;
}

/* confine() - file system uid first, since it needs a capability; then nothing is left. */
static bool confine(unsigned int guest_uid)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {0};
    struct sock_fprog prog = {.len = observer_filter_len,
                              .filter = (struct sock_filter *)(uintptr_t)observer_filter};

    if (fchdir(PROC_FD) < 0 || chroot(".") < 0)
        return false;
    setfsuid(guest_uid);
    if (prctl(PR_SET_SECUREBITS, SECUREBITS, 0, 0, 0) < 0)
        return false;
    for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
        if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
            return false;
    if (syscall(SYS_capset, &head, none) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return false;
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) == 0;
}

/* host-calls(observer): exit_group restart_syscall — its end; a stop from outside */
int observer_spawn(unsigned int guest_uid)
{
    auto_fd int proc = proc_mount();
    int pair[2], pid;

    if (proc < 0)
        return proc;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    pid = (int)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) {
        prctl(PR_SET_NAME, "runsc-observer");
        if (keep_two(pair[1], proc) && confine(guest_uid))
            serve();
        _exit(1);
    }
    close(pair[1]);
    if (pid < 0) {
        int err = -errno;

        close(pair[0]);
        return err;
    }
    return pair[0];
}
