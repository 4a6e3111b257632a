/*
 * Making a zygote. Runs before the Sentry confines itself and is the only part of the platform that
 * forks, executes and opens files; none of its calls is in the Sentry's filter.
 *
 * The zygote lives in a user namespace of its own whose owner is the Sentry's uid, and runs there as
 * another uid: so the Sentry, without holding a capability, may trace, copy and kill, and no guest
 * process shares a uid with the Sentry. It is executed from a sealed memfd, without address
 * randomisation (its own image must not collide with its first stack; what guests see is placed by
 * the Sentry).
 */
#include "platform/zygote.h"

#include "zygote_image.h"
#include "sentry/base/clean.h"
#include "sentry/base/host_fd.h"
#include "sentry/base/host_thread.h"
#include "sentry/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* Of linux/seccomp.h since 6.6. */
#define NOTIF_SET_FLAGS    _IOW('!', 4, u64)
#define NOTIF_SYNC_WAKE_UP 1ul

enum { GUEST_UID_INSIDE = 1, SYNC_FD = 3, IMAGE_FD = 200, OOM_SCORE_ADJ = 500 };

static struct vdso_layout vdso;

const struct vdso_layout *vdso_layout_get(void)
{
    return &vdso;
}

/* read_vdso_layout() - lengths of vvar and vdso from the Sentry's own maps: the host kernel gives
 * every process the same. */
static void read_vdso_layout(void)
{
    FILE *f = fopen("/proc/self/maps", "re");
    char line[256];

    vdso = (struct vdso_layout){0};
    while (f && fgets(line, sizeof(line), f)) {
        unsigned long start, end;

        if (!strstr(line, "[vvar") && !strstr(line, "[vdso]"))
            continue;
        if (sscanf(line, "%lx-%lx", &start, &end) != 2 || vdso.n == VDSO_PARTS_MAX)
            continue;
        vdso.part[vdso.n++] = (struct vdso_part){STUB_VDSO_STASH + vdso.len, end - start};
        vdso.len += end - start;
    }
    if (f)
        fclose(f);
}

/* image_memfd() - the zygote's ELF file, sealed. */
static int image_memfd(void)
{
    auto_fd int fd = memfd_create("runsc-guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return -errno;
    if (write(fd, zygote_image, sizeof(zygote_image)) != (ssize_t)sizeof(zygote_image))
        return -EIO;
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
        return -errno;
    return take_fd(fd);
}

/* child_ids() - become the guests' uid, without any capability for ever. */
static void child_ids(void)
{
    cap_t none = cap_init();

    if (setresgid(GUEST_UID_INSIDE, GUEST_UID_INSIDE, GUEST_UID_INSIDE) < 0 ||
        setgroups(0, NULL) < 0)
        _exit(102);
    for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
        if (prctl(PR_CAPBSET_DROP, cap) < 0)
            _exit(103);
    if (prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
                                     SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED) < 0)
        _exit(104);
    if (setresuid(GUEST_UID_INSIDE, GUEST_UID_INSIDE, GUEST_UID_INSIDE) < 0 || !none ||
        cap_set_proc(none) < 0)
        _exit(105);
    cap_free(none);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        _exit(106);
}

/* child_limits() - what a hostile guest process may cost the host beyond its cgroup. */
static void child_limits(int proc_self)
{
    int fd = openat(proc_self, "oom_score_adj", O_WRONLY | O_CLOEXEC);
    char text[16];

    snprintf(text, sizeof(text), "%d", OOM_SCORE_ADJ);
    if (fd >= 0) {
        if (write(fd, text, strlen(text)) < 0)
            _exit(107);
        close(fd);
    }
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    setrlimit(RLIMIT_STACK, &(struct rlimit){8 << 20, 8 << 20});
}

static void child_signals(void)
{
    sigset_t none;

    for (int sig = 1; sig < NSIG; sig++)
        signal(sig, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* child_main() - between clone and exec. `sock`: to and from the parent; `sync`: the zygote's
 * pipe. */
static _Noreturn void child_main(int sock, int sync, int image)
{
    static char lengths[VDSO_PARTS_MAX][20];
    static char name[] = "runsc-guest", hello = 'p';
    char *argv[VDSO_PARTS_MAX + 2] = {name};
    char *envp[] = {NULL};
    char go;
    int proc_self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
    union {
        struct cmsghdr hdr;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {.hdr = {.cmsg_len = CMSG_LEN(sizeof(int)),
                         .cmsg_level = SOL_SOCKET,
                         .cmsg_type = SCM_RIGHTS}};
    struct iovec iov = {.iov_base = &hello, .iov_len = 1};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = sizeof(control)};

    memcpy(CMSG_DATA(&control.hdr), &proc_self, sizeof(int));
    if (proc_self < 0 || sendmsg(sock, &msg, 0) != 1 || read(sock, &go, 1) != 1)
        _exit(101);
    child_limits(proc_self);
    child_ids();
    child_signals();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    personality(ADDR_NO_RANDOMIZE);
    setsid();
    for (u32 i = 0; i < vdso.n; i++) {
        snprintf(lengths[i], sizeof(lengths[i]), "%lx", (unsigned long)vdso.part[i].len);
        argv[i + 1] = lengths[i];
    }
    if (dup2(image, IMAGE_FD) < 0 || dup2(sync, SYNC_FD) < 0)
        _exit(108);
    fcntl(IMAGE_FD, F_SETFD, FD_CLOEXEC);
    close_range(0, SYNC_FD - 1, 0);
    close_range(SYNC_FD + 1, IMAGE_FD - 1, 0);
    close_range(IMAGE_FD + 1, ~0u, 0);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){16, 16});
    syscall(SYS_execveat, IMAGE_FD, "", argv, envp, AT_EMPTY_PATH);
    _exit(109);
}

static int write_map(int proc, const char *name, const char *text)
{
    int fd = openat(proc, name, O_WRONLY | O_CLOEXEC);
    int err;

    if (fd < 0)
        return -errno;
    err = write(fd, text, strlen(text)) < 0 ? -errno : 0;
    close(fd);
    return err;
}

/* write_maps() - receive the child's /proc folder and map the guests' ids. */
static int write_maps(int sock, const struct plat_config *config)
{
    union {
        struct cmsghdr hdr;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    char byte, text[64];
    struct iovec iov = {.iov_base = &byte, .iov_len = 1};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = sizeof(control)};
    auto_fd int proc = -1;
    int err;

    if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) != 1 || msg.msg_controllen < sizeof(control.hdr))
        return -EPROTO;
    memcpy(&proc, CMSG_DATA(&control.hdr), sizeof(int));
    snprintf(text, sizeof(text), "%d %d 1", GUEST_UID_INSIDE, config->uid);
    err = write_map(proc, "uid_map", text);
    if (err < 0)
        return err;
    snprintf(text, sizeof(text), "%d %d 1", GUEST_UID_INSIDE, config->gid);
    err = write_map(proc, "gid_map", text);
    if (err < 0)
        return err;
    return write(sock, "g", 1) == 1 ? 0 : -EPIPE;
}

/* fetch_listener() - the zygote's descriptor 0, as soon as it is there: the zygote is between two
 * system calls, or waits for the answer to its first notification. */
static int fetch_listener(int pid)
{
    auto_fd int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

    if (pidfd < 0)
        return -errno;
    for (;;) {
        int fd = (int)syscall(SYS_pidfd_getfd, pidfd, 0, 0);
        siginfo_t dead = {0};

        if (fd >= 0)
            return fd;
        if (errno != EBADF)
            return -errno;
        if (waitid(P_PID, (id_t)pid, &dead, WEXITED | WNOHANG | WNOWAIT) == 0 && dead.si_pid)
            return -ECHILD;
        sched_yield();
    }
}

static int spawn(const struct plat_config *config, int image, int *listener)
{
    int sock[2], sync[2], pid, err;
    char byte;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock) < 0)
        return -errno;
    if (pipe2(sync, O_CLOEXEC) < 0)
        return -errno;
    pid = (int)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0)
        child_main(sock[1], sync[1], image);
    err = pid < 0 ? -errno : 0;
    close(sock[1]);
    close(sync[1]);
    if (!err)
        err = write_maps(sock[0], config);
    if (!err && read(sync[0], &byte, 1) != 1)
        err = -ECHILD;
    close(sock[0]);
    close(sync[0]);
    if (!err) {
        *listener = fetch_listener(pid);
        err = *listener < 0 ? *listener : 0;
    }
    /* Who answers a notification waits next: let the guest thread have its CPU. Since Linux 6.6. */
    if (!err)
        ioctl(*listener, NOTIF_SET_FLAGS, NOTIF_SYNC_WAKE_UP);
    if (err && pid > 0) {
        int status = 0;

        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        log_error("the guest zygote did not start: %s (wait status %#x)", strerror(-err), status);
    }
    return err ? err : pid;
}

int zygote_boot(const struct plat_config *config, struct plat_zygote **out)
{
    auto_free struct plat_zygote *z = calloc(1, sizeof(*z));
    auto_fd int image = image_memfd();
    int listener = -1, pidfd, err;

    if (!z)
        return -ENOMEM;
    if (image < 0)
        return image;
    read_vdso_layout();
    mutex_init(&z->lock, LOCK_PLATFORM_ZYGOTE);
    z->pid = spawn(config, image, &listener);
    if (z->pid < 0)
        return z->pid;
    pidfd = (int)syscall(SYS_pidfd_open, z->pid, 0);
    err = pidfd < 0 ? -errno : notify_new(listener, z->pid, pidfd, &z->notify);
    if (err < 0) {
        kill(z->pid, SIGKILL);
        return err;
    }
    zygote_register(z);
    *out = take(z);
    return 0;
}
