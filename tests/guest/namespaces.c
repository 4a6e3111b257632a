/*
 * Namespaces: clone, unshare, setns; user namespaces and their maps; nested pid namespaces; mount
 * namespaces and pivot_root; /proc/PID/ns.
 */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#define NS_GET_USERNS    0xb701
#define NS_GET_PARENT    0xb702
#define NS_GET_NSTYPE    0xb703
#define NS_GET_OWNER_UID 0xb704

static void need_admin(void)
{
    if (!guest_has_cap(CAP_SYS_ADMIN))
        SKIP("needs CAP_SYS_ADMIN");
}

static void need_setid(void)
{
    if (geteuid() != 0 || !guest_has_cap(CAP_SETUID) || !guest_has_cap(CAP_SETGID))
        SKIP("needs root");
}

static void become(int id)
{
    REQUIRE_OK(SYS(setgroups, 0, NULL));
    REQUIRE_OK(SYS(setresgid, id, id, id));
    REQUIRE_OK(SYS(setresuid, id, id, id));
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static long put_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);
    long n;
    int error;

    if (fd < 0)
        return -1;
    n = write(fd, text, strlen(text));
    error = errno;
    close(fd);
    errno = error;
    return n;
}

/* "pid:[4026531836]" of a process ("self" or a number). */
static const char *ns_link(const char *who, const char *name)
{
    static char texts[4][64];
    static int at;
    char path[64], *text = texts[at++ % 4];
    ssize_t n;

    snprintf(path, sizeof(path), "/proc/%s/ns/%s", who, name);
    n = readlink(path, text, 63);
    REQUIRE(n > 0);
    text[n] = 0;
    return text;
}

static long clone_process(unsigned long flags)
{
    return SYS(clone, flags | SIGCHLD, 0, NULL, NULL, 0);
}

TEST(links, "readlink open fstat")
{
    static const char *const names[] = {"cgroup",           "ipc",  "mnt", "net", "pid",
                                        "pid_for_children", "user", "uts"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char want[64], path[64];
        struct stat st, again;
        int fd;

        snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
        fd = (int)REQUIRE_OK(open(path, O_RDONLY));
        EXPECT_OK(fstat(fd, &st));
        EXPECT_OK(stat(path, &again));
        EXPECT_EQ(st.st_ino, again.st_ino);
        EXPECT_EQ(st.st_dev, again.st_dev);
        EXPECT(S_ISREG(st.st_mode));
        snprintf(want, sizeof(want), "%s:[%lu]", i == 5 ? "pid" : names[i],
                 (unsigned long)st.st_ino);
        EXPECT_STREQ(ns_link("self", names[i]), want);
        EXPECT_STREQ(ns_link("thread-self", names[i]), want);
        EXPECT_GT(ioctl(fd, NS_GET_NSTYPE), 0);
        EXPECT_ERRNO(ioctl(fd, 0xb7ff), ENOTTY);
        close(fd);
        EXPECT_EQ(open(path, O_RDWR), -1);
    }
}

TEST(uts, "unshare sethostname clone")
{
    struct utsname before, after;
    pid_t pid;

    need_admin();
    uname(&before);
    IN_CHILD(pid)
    {
        char own[64];

        snprintf(own, sizeof(own), "%s", ns_link("self", "uts"));
        REQUIRE_OK(SYS(unshare, CLONE_NEWUTS));
        EXPECT(strcmp(own, ns_link("self", "uts")) != 0);
        uname(&after);
        EXPECT_STREQ(after.nodename, before.nodename);
        EXPECT_OK(sethostname("inner", 5));
        uname(&after);
        EXPECT_STREQ(after.nodename, "inner");
    }
    EXPECT_CHILD_OK(pid);
    uname(&after);
    EXPECT_STREQ(after.nodename, before.nodename);
    pid = (pid_t)clone_process(CLONE_NEWUTS);
    if (!pid) {
        EXPECT_OK(sethostname("other", 5));
        guest_finish();
    }
    EXPECT_CHILD_OK(pid);
    uname(&after);
    EXPECT_STREQ(after.nodename, before.nodename);
}

TEST(ipc, "unshare msgget")
{
    pid_t pid;
    int id;

    need_admin();
    id = (int)REQUIRE_OK(SYS(msgget, 0x54000000 + getpid(), IPC_CREAT | IPC_EXCL | 0600));
    IN_CHILD(pid)
    {
        REQUIRE_OK(SYS(unshare, CLONE_NEWIPC));
        EXPECT_ERRNO(SYS(msgget, 0x54000000 + getppid(), 0), ENOENT);
        EXPECT_OK(SYS(msgget, 0x54000000 + getppid(), IPC_CREAT | 0600));
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_OK(SYS(msgctl, id, IPC_RMID, NULL));
}

TEST(flags, "unshare:EINVAL,EPERM clone:EINVAL,EPERM setns:EINVAL,EBADF")
{
    pid_t pid;
    int fd;

    EXPECT_OK(SYS(unshare, 0));
    EXPECT_OK(SYS(unshare, CLONE_FILES | CLONE_FS | CLONE_SYSVSEM));
    EXPECT_ERRNO(SYS(unshare, CLONE_VFORK), EINVAL);
    EXPECT_ERRNO(SYS(unshare, 1), EINVAL);
    EXPECT_EQ(clone_process(CLONE_NEWNS | CLONE_FS), -1);
    EXPECT_EQ(errno, EINVAL);
    EXPECT_EQ(clone_process(CLONE_NEWUSER | CLONE_FS), -1);
    EXPECT_EQ(errno, EINVAL);
    EXPECT_ERRNO(SYS(setns, -1, 0), EBADF);
    fd = (int)REQUIRE_OK(open("/proc/self/status", O_RDONLY));
    EXPECT_ERRNO(SYS(setns, fd, 0), EINVAL);
    fd = (int)REQUIRE_OK(open("/proc/self/ns/uts", O_RDONLY));
    EXPECT_ERRNO(SYS(setns, fd, CLONE_NEWIPC), EINVAL);
    fd = (int)REQUIRE_OK(open("/proc/self/ns/user", O_RDONLY));
    EXPECT_ERRNO(SYS(setns, fd, CLONE_NEWUSER), EINVAL);
    need_setid();
    IN_CHILD(pid)
    {
        become(1234);
        EXPECT_ERRNO(SYS(unshare, CLONE_NEWUTS), EPERM);
        EXPECT_ERRNO(SYS(unshare, CLONE_NEWNS), EPERM);
        EXPECT_EQ(clone_process(CLONE_NEWPID), -1);
        EXPECT_EQ(errno, EPERM);
        fd = (int)REQUIRE_OK(open("/proc/self/ns/uts", O_RDONLY));
        EXPECT_ERRNO(SYS(setns, fd, 0), EPERM);
        EXPECT_ERRNO(SYS(pivot_root, "/", "/"), EPERM);
    }
    EXPECT_CHILD_OK(pid);
}

static void *asleep(void *arg)
{
    pause();
    return arg;
}

TEST(threads_cannot, "unshare:EINVAL")
{
    pid_t pid;

    IN_CHILD(pid)
    {
        pthread_t th;

        REQUIRE(pthread_create(&th, NULL, asleep, NULL) == 0);
        EXPECT_ERRNO(SYS(unshare, CLONE_NEWUSER), EINVAL);
        EXPECT_ERRNO(SYS(unshare, CLONE_THREAD), EINVAL);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(setns_back, "setns unshare")
{
    struct utsname name;
    pid_t pid;

    need_admin();
    IN_CHILD(pid)
    {
        int fd = (int)REQUIRE_OK(open("/proc/self/ns/uts", O_RDONLY));
        char old[64];

        snprintf(old, sizeof(old), "%s", ns_link("self", "uts"));
        REQUIRE_OK(SYS(unshare, CLONE_NEWUTS));
        EXPECT_OK(sethostname("inner", 5));
        EXPECT_OK(SYS(setns, fd, CLONE_NEWUTS));
        EXPECT_STREQ(ns_link("self", "uts"), old);
        uname(&name);
        EXPECT(strcmp(name.nodename, "inner") != 0);
    }
    EXPECT_CHILD_OK(pid);
}

/* --- user namespaces --- */

/* Who maps its parent's root must have had this. */
static void need_setfcap(void)
{
    if (!guest_has_cap(CAP_SETFCAP))
        SKIP("needs CAP_SETFCAP");
}

static void skip_without_user_ns(void)
{
    pid_t pid;
    int status;

    IN_CHILD(pid)
    {
        _exit(SYS(unshare, CLONE_NEWUSER) == 0 ? 0 : errno == EPERM || errno == ENOSPC ? 7 : 1);
    }
    status = guest_wait(pid);
    if (status == 7 << 8)
        SKIP("user namespaces are not allowed here");
    EXPECT_EQ(status, 0);
}

/* Map one's own ids to root, as anybody may. */
static void map_own(int uid, int gid)
{
    char text[32];

    EXPECT_GT(put_text("/proc/self/setgroups", "deny"), 0);
    snprintf(text, sizeof(text), "0 %d 1", gid);
    EXPECT_GT(put_text("/proc/self/gid_map", text), 0);
    snprintf(text, sizeof(text), "0 %d 1", uid);
    EXPECT_GT(put_text("/proc/self/uid_map", text), 0);
}

TEST(user_unmapped, "unshare clone capget")
{
    pid_t pid;

    skip_without_user_ns();
    IN_CHILD(pid)
    {
        char old[64], text[256];

        snprintf(old, sizeof(old), "%s", ns_link("self", "user"));
        REQUIRE_OK(SYS(unshare, CLONE_NEWUSER));
        EXPECT(strcmp(old, ns_link("self", "user")) != 0);
        EXPECT_EQ(getuid(), 65534);
        EXPECT_EQ(getgid(), 65534);
        EXPECT(guest_has_cap(CAP_SYS_ADMIN));
        EXPECT(guest_has_cap(CAP_SETUID));
        EXPECT_EQ(guest_slurp("/proc/self/uid_map", text, sizeof(text)), 0);
        EXPECT_EQ(SYS(setuid, 0), -1);
        EXPECT_EQ(errno, EINVAL);
        EXPECT_EQ(SYS(setgroups, 0, NULL), -1);
        EXPECT_EQ(errno, EPERM);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(user_maps_itself, "unshare write")
{
    pid_t pid;

    need_setid();
    skip_without_user_ns();
    IN_CHILD(pid)
    {
        char text[256];
        struct stat st;

        become(1234);
        REQUIRE_OK(SYS(unshare, CLONE_NEWUSER));
        EXPECT_EQ(put_text("/proc/self/gid_map", "0 1234 1\n"), -1);
        EXPECT_EQ(errno, EPERM);
        EXPECT_EQ(put_text("/proc/self/uid_map", "0 1235 1\n"), -1);
        EXPECT_EQ(errno, EPERM);
        EXPECT_EQ(put_text("/proc/self/uid_map", "0 1234 2\n"), -1);
        EXPECT_EQ(errno, EPERM);
        EXPECT_EQ(put_text("/proc/self/uid_map", "0 x 1\n"), -1);
        EXPECT_EQ(errno, EINVAL);
        EXPECT_EQ(put_text("/proc/self/uid_map", "0 1234 0\n"), -1);
        EXPECT_EQ(errno, EINVAL);
        EXPECT_EQ(put_text("/proc/self/uid_map", "0 1234 1\n0 1235 1\n"), -1);
        EXPECT_EQ(put_text("/proc/self/uid_map", "0 1234 1"), 8);
        EXPECT_EQ(put_text("/proc/self/uid_map", "0 1234 1"), -1);
        EXPECT_EQ(errno, EPERM);
        REQUIRE(guest_slurp("/proc/self/setgroups", text, sizeof(text)) > 0);
        EXPECT_STREQ(text, "allow\n");
        EXPECT_EQ(put_text("/proc/self/setgroups", "nonsense"), -1);
        EXPECT_EQ(errno, EINVAL);
        EXPECT_EQ(put_text("/proc/self/setgroups", "deny"), 4);
        EXPECT_EQ(put_text("/proc/self/setgroups", "allow"), -1);
        EXPECT_EQ(errno, EPERM);
        EXPECT_EQ(put_text("/proc/self/gid_map", "0 1234 1\n"), 9);
        EXPECT_EQ(getuid(), 0);
        EXPECT_EQ(getgid(), 0);
        REQUIRE(guest_slurp("/proc/self/uid_map", text, sizeof(text)) > 0);
        EXPECT_STREQ(text, "         0       1234          1\n");
        EXPECT_EQ(SYS(setgroups, 0, NULL), -1);
        EXPECT_EQ(errno, EPERM);
        /* Others' files belong to nobody here. */
        EXPECT_OK(stat("/proc/1", &st));
        EXPECT_OK(stat("/", &st));
        EXPECT_EQ(st.st_uid, 65534);
        EXPECT_EQ(SYS(chown, "/", 0, 0), -1);
        /* Root here is nobody special outside. */
        EXPECT_EQ(sethostname("x", 1), -1);
        EXPECT_EQ(errno, EPERM);
        EXPECT_OK(SYS(unshare, CLONE_NEWUTS));
        EXPECT_OK(sethostname("x", 1));
    }
    EXPECT_CHILD_OK(pid);
}

TEST(user_mapped_by_parent, "clone write setuid setgroups kill")
{
    int go[2];
    pid_t pid;
    char path[64], byte;

    need_setid();
    need_setfcap();
    skip_without_user_ns();
    REQUIRE_OK(pipe(go));
    pid = (pid_t)REQUIRE_OK(clone_process(CLONE_NEWUSER));
    if (!pid) {
        gid_t groups[1] = {5};

        EXPECT_EQ(read(go[0], &byte, 1), 1);
        EXPECT_EQ(getuid(), 100);
        EXPECT_EQ(getgid(), 100);
        EXPECT_OK(SYS(setgroups, 1, groups));
        EXPECT_OK(SYS(setresgid, 7, 7, 7));
        EXPECT_OK(SYS(setresuid, 7, 7, 7));
        EXPECT_EQ(getuid(), 7);
        EXPECT_ERRNO(SYS(kill, getppid(), 0), EPERM);
        guest_finish();
    }
    snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
    EXPECT_GT(put_text(path, "0 5000 100\n100 0 1\n"), 0);
    snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
    EXPECT_GT(put_text(path, "0 5000 100\n100 0 1\n"), 0);
    EXPECT_EQ(write(go[1], "g", 1), 1);
    EXPECT_CHILD_OK(pid);
}

/* Who opens a map and who is made to write to it are two: the rights are the opener's. */
TEST(user_map_opener, "open write")
{
    int go[2], fd;
    pid_t owner, pid;
    char path[64], byte;

    need_setid();
    need_setfcap();
    skip_without_user_ns();
    REQUIRE_OK(pipe(go));
    IN_CHILD(owner)
    {
        become(1234);
        REQUIRE_OK(SYS(unshare, CLONE_NEWUSER));
        fd = (int)REQUIRE_OK(open("/proc/self/uid_map", O_RDWR));
        IN_CHILD(pid)
        {
            EXPECT_ERRNO(write(fd, "0 0 1\n", 6), EPERM);
        }
        EXPECT_CHILD_OK(pid);
        EXPECT_EQ(write(go[1], "g", 1), 1);
        pause();
    }
    EXPECT_EQ(read(go[0], &byte, 1), 1);
    snprintf(path, sizeof(path), "/proc/%d/uid_map", owner);
    IN_CHILD(pid)
    {
        REQUIRE_OK(SYS(setresgid, -1, 1234, -1));
        REQUIRE_OK(SYS(setresuid, -1, 1234, -1));
        fd = (int)REQUIRE_OK(open(path, O_RDWR));
        REQUIRE_OK(SYS(setresuid, -1, 0, -1));
        EXPECT_ERRNO(write(fd, "0 0 1\n", 6), EPERM);
        EXPECT_ERRNO(write(fd, "0 5000 10\n", 10), EPERM);
        close(fd);
        fd = (int)REQUIRE_OK(open(path, O_RDWR));
        REQUIRE_OK(SYS(setresuid, -1, 1234, -1));
        EXPECT_ERRNO(write(fd, "0 5000 10\n", 10), EPERM);
        REQUIRE_OK(SYS(setresuid, -1, 0, -1));
        EXPECT_EQ(write(fd, "0 5000 10\n", 10), 10);
    }
    EXPECT_CHILD_OK(pid);
    guest_end(owner);
}

/* Every capability in a namespace of one's own is none over what belongs to the machine. */
TEST(user_root_is_not_root,
     "mknod:EPERM setrlimit:EPERM setxattr:EPERM msgctl:EPERM mount:EPERM timerfd_create:EPERM")
{
    const char *dir = guest_scratch();
    pid_t pid;

    need_setid();
    need_setfcap();
    skip_without_user_ns();
    guest_make_file("file", "x");
    IN_CHILD(pid)
    {
        struct rlimit core = {0, 0}, more = {0, 4096};
        struct msqid_ds ds;
        int id;

        REQUIRE_OK(SYS(setrlimit, RLIMIT_CORE, &core));
        REQUIRE_OK(SYS(unshare, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWIPC));
        map_own(0, 0);
        EXPECT(guest_has_cap(CAP_SYS_RESOURCE));
        EXPECT_ERRNO(SYS(setrlimit, RLIMIT_CORE, &more), EPERM);
        EXPECT_ERRNO(SYS(mknod, "null", S_IFCHR | 0666, makedev(1, 3)), EPERM);
        EXPECT_OK(SYS(mknod, "fifo", S_IFIFO | 0666, 0));
        EXPECT_ERRNO(SYS(setxattr, "file", "trusted.x", "y", 1, 0), EPERM);
        EXPECT_ERRNO(SYS(timerfd_create, CLOCK_BOOTTIME_ALARM, 0), EPERM);
        id = (int)REQUIRE_OK(SYS(msgget, IPC_PRIVATE, 0600));
        EXPECT_OK(SYS(msgctl, id, IPC_STAT, &ds));
        EXPECT_OK(SYS(msgctl, id, IPC_SET, &ds));
        ds.msg_qbytes = 1 << 30;
        EXPECT_ERRNO(SYS(msgctl, id, IPC_SET, &ds), EPERM);
        /* Neither the file systems that were there, nor what shows somebody else's namespaces. */
        EXPECT_ERRNO(SYS(mount, NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL), EPERM);
        EXPECT_ERRNO(SYS(mount, "none", dir, "proc", 0, NULL), EPERM);
        EXPECT_ERRNO(SYS(mount, "none", dir, "sysfs", 0, NULL), EPERM);
        EXPECT_OK(SYS(mount, "none", dir, "tmpfs", 0, NULL));
        EXPECT_OK(SYS(mount, NULL, dir, NULL, MS_REMOUNT | MS_RDONLY, NULL));
    }
    EXPECT_CHILD_OK(pid);
}

TEST(user_owner, "ioctl")
{
    pid_t pid;

    need_setfcap();
    skip_without_user_ns();
    IN_CHILD(pid)
    {
        uid_t uid = 77, me = geteuid();
        gid_t group = getegid();
        int before = (int)REQUIRE_OK(open("/proc/self/ns/user", O_RDONLY)), fd, parent;
        struct stat a, b;

        REQUIRE_OK(SYS(unshare, CLONE_NEWUSER));
        map_own((int)me, (int)group);
        fd = (int)REQUIRE_OK(open("/proc/self/ns/user", O_RDONLY));
        EXPECT_OK(ioctl(fd, NS_GET_OWNER_UID, &uid));
        EXPECT_EQ(uid, 0);
        EXPECT_EQ(ioctl(fd, NS_GET_NSTYPE), CLONE_NEWUSER);
        EXPECT_EQ(ioctl(fd, NS_GET_PARENT), -1); /* it is outside */
        EXPECT_EQ(errno, EPERM);
        EXPECT_OK(SYS(unshare, CLONE_NEWUSER));
        parent = (int)open("/proc/self/ns/user", O_RDONLY);
        EXPECT_EQ(ioctl(parent, NS_GET_PARENT), -1);
        EXPECT_OK(fstat(before, &a));
        EXPECT_OK(fstat(fd, &b));
        EXPECT_NE(a.st_ino, b.st_ino);
        EXPECT_ERRNO(ioctl((int)open("/proc/self/ns/uts", O_RDONLY), NS_GET_PARENT), EINVAL);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(user_depth, "unshare:ENOSPC")
{
    pid_t pid;

    need_setid();
    need_setfcap();
    skip_without_user_ns();
    IN_CHILD(pid)
    {
        int depth = 0;

        while (depth < 40 && SYS(unshare, CLONE_NEWUSER) == 0) {
            map_own(0, 0);
            depth++;
        }
        EXPECT_ERRNO(SYS(unshare, CLONE_NEWUSER), ENOSPC);
        EXPECT_GE(depth, 20);
        EXPECT_LE(depth, 33);
    }
    EXPECT_CHILD_OK(pid);
}

/* --- pid namespaces --- */

TEST(pid_init, "clone getpid getppid kill wait4 fork")
{
    pid_t pid, inner;

    need_admin();
    pid = (pid_t)REQUIRE_OK(clone_process(CLONE_NEWPID));
    if (!pid) {
        EXPECT_EQ(SYS(getpid), 1);
        EXPECT_EQ(SYS(gettid), 1);
        EXPECT_EQ(SYS(getppid), 0);
        EXPECT_EQ(SYS(kill, 1, SIGKILL), 0); /* an init can't kill itself */
        EXPECT_EQ(SYS(kill, 1, SIGTERM), 0);
        IN_CHILD(inner)
        {
            EXPECT_EQ(SYS(getpid), 2);
            EXPECT_EQ(SYS(getppid), 1);
            EXPECT_OK(SYS(kill, 1, SIGKILL));
            EXPECT_ERRNO(SYS(kill, 3, 0), ESRCH);
        }
        EXPECT_EQ(inner, 2);
        EXPECT_CHILD_OK(inner);
        guest_finish();
    }
    EXPECT_GT(pid, 1);
    EXPECT_CHILD_OK(pid);
}

TEST(pid_killed_from_outside, "clone kill")
{
    pid_t pid = 0;

    need_admin();
    pid = (pid_t)REQUIRE_OK(clone_process(CLONE_NEWPID));
    if (!pid) {
        pause();
        guest_finish();
    }
    EXPECT_OK(SYS(kill, pid, SIGTERM)); /* no handler: nothing happens */
    guest_sleep_ms(20);
    EXPECT_EQ(SYS(wait4, pid, NULL, WNOHANG, NULL), 0);
    EXPECT_OK(SYS(kill, pid, SIGKILL));
    EXPECT_KILLED(pid, SIGKILL);
}

TEST(pid_init_takes_all_with_it, "clone exit kill")
{
    int *seen = guest_shared(sizeof(int)), ends[2];
    char byte;
    pid_t pid;

    need_admin();
    REQUIRE_OK(pipe(ends));
    pid = (pid_t)REQUIRE_OK(clone_process(CLONE_NEWPID));
    if (!pid) {
        if (!fork()) {
            /* The write end goes with the last process. */
            signal(SIGTERM, SIG_IGN);
            *seen = 1;
            pause();
        }
        while (!*(volatile int *)seen)
            guest_sleep_ms(1);
        guest_finish();
    }
    close(ends[1]);
    EXPECT_CHILD_OK(pid);
    EXPECT_EQ(read(ends[0], &byte, 1), 0);
    EXPECT_EQ(*seen, 1);
}

TEST(pid_orphans, "clone fork wait4")
{
    pid_t pid;

    need_admin();
    pid = (pid_t)REQUIRE_OK(clone_process(CLONE_NEWPID));
    if (!pid) {
        pid_t child;
        int status;

        IN_CHILD(child)
        {
            if (!fork()) {
                while (SYS(getppid) != 1)
                    guest_sleep_ms(1);
                _exit(9);
            }
        }
        EXPECT_CHILD_OK(child);
        EXPECT_EQ(SYS(wait4, -1, &status, 0, NULL), 3);
        EXPECT_EQ(status, 9 << 8);
        guest_finish();
    }
    EXPECT_CHILD_OK(pid);
}

TEST(pid_for_children, "unshare fork clone:EINVAL fork:ENOMEM")
{
    pid_t pid;

    need_admin();
    IN_CHILD(pid)
    {
        pid_t child;
        char own[64];

        snprintf(own, sizeof(own), "%s", ns_link("self", "pid"));
        REQUIRE_OK(SYS(unshare, CLONE_NEWPID));
        EXPECT_STREQ(ns_link("self", "pid"), own);
        EXPECT_ERRNO(SYS(unshare, CLONE_NEWPID), EINVAL);
        EXPECT_EQ(SYS(clone, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, 0, NULL, NULL, 0), -1);
        EXPECT_EQ(errno, EINVAL);
        IN_CHILD(child)
        {
            EXPECT_EQ(SYS(getpid), 1);
            EXPECT_EQ(SYS(getppid), 0);
        }
        EXPECT_CHILD_OK(child);
        /* Its init is gone: nothing is born there any more. */
        EXPECT_EQ(SYS(fork), -1);
        EXPECT_EQ(errno, ENOMEM);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(pid_setns, "setns fork")
{
    char path[64];
    pid_t pid, child;
    int fd;

    need_admin();
    pid = (pid_t)REQUIRE_OK(clone_process(CLONE_NEWPID));
    if (!pid) {
        pause();
        guest_finish();
    }
    snprintf(path, sizeof(path), "/proc/%d/ns/pid", pid);
    fd = (int)REQUIRE_OK(open(path, O_RDONLY));
    IN_CHILD(child)
    {
        pid_t grand;

        EXPECT_OK(SYS(setns, fd, CLONE_NEWPID));
        IN_CHILD(grand)
        {
            EXPECT_EQ(SYS(getpid), 2);
            EXPECT_EQ(SYS(getppid), 0);
            EXPECT_OK(SYS(kill, 1, 0));
        }
        EXPECT_CHILD_OK(grand);
    }
    EXPECT_CHILD_OK(child);
    EXPECT_OK(SYS(kill, pid, SIGKILL));
    EXPECT_KILLED(pid, SIGKILL);
}

TEST(pid_proc, "clone mount readlink")
{
    pid_t pid;

    need_admin();
    pid = (pid_t)REQUIRE_OK(clone_process(CLONE_NEWPID | CLONE_NEWNS));
    if (!pid) {
        char text[64] = {0}, status[4096];

        REQUIRE_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
        REQUIRE_OK(mount("proc", "/proc", "proc", 0, NULL));
        EXPECT_EQ(readlink("/proc/self", text, sizeof(text)), 1);
        EXPECT_STREQ(text, "1");
        REQUIRE(guest_slurp("/proc/1/status", status, sizeof(status)) > 0);
        EXPECT(strstr(status, "\nPid:\t1\n") != NULL);
        EXPECT(strstr(status, "\nNSpid:\t1\n") != NULL);
        EXPECT_ERRNO(open("/proc/2", O_RDONLY), ENOENT);
        guest_finish();
    }
    EXPECT_CHILD_OK(pid);
}

/* --- mount namespaces --- */

TEST(mount_copy, "unshare mount umount2")
{
    const char *dir = guest_scratch();
    pid_t pid;

    need_admin();
    IN_CHILD(pid)
    {
        REQUIRE_OK(SYS(unshare, CLONE_NEWNS));
        REQUIRE_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
        REQUIRE_OK(mount("none", dir, "tmpfs", 0, NULL));
        REQUIRE_OK(chdir(dir));
        guest_make_file("inside", "x");
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_ERRNO(open("inside", O_RDONLY), ENOENT);
}

TEST(mount_setns, "setns open")
{
    const char *dir = guest_scratch();
    int fd, up[2], down[2];
    char path[64], byte;
    pid_t pid, child;

    need_admin();
    REQUIRE_OK(pipe(up));
    REQUIRE_OK(pipe(down));
    IN_CHILD(pid)
    {
        REQUIRE_OK(SYS(unshare, CLONE_NEWNS));
        REQUIRE_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
        REQUIRE_OK(mount("none", dir, "tmpfs", 0, NULL));
        REQUIRE_OK(chdir(dir));
        guest_make_file("inside", "x");
        REQUIRE(write(up[1], "u", 1) == 1);
        REQUIRE(read(down[0], &byte, 1) == 1);
    }
    EXPECT_EQ(read(up[0], &byte, 1), 1);
    snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
    fd = (int)REQUIRE_OK(open(path, O_RDONLY));
    IN_CHILD(child)
    {
        REQUIRE_OK(SYS(setns, fd, CLONE_NEWNS));
        REQUIRE_OK(chdir(dir));
        EXPECT_OK(open("inside", O_RDONLY));
    }
    EXPECT_CHILD_OK(child);
    EXPECT_EQ(write(down[1], "d", 1), 1);
    EXPECT_CHILD_OK(pid);
}

TEST(pivot, "pivot_root pivot_root:EINVAL,EBUSY,ENOENT,ENOTDIR umount2")
{
    const char *dir = guest_scratch();
    pid_t pid;

    need_admin();
    IN_CHILD(pid)
    {
        REQUIRE_OK(SYS(unshare, CLONE_NEWNS));
        REQUIRE_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
        EXPECT_ERRNO(SYS(pivot_root, "nothing", "nothing"), ENOENT);
        guest_make_file("file", "x");
        EXPECT_ERRNO(SYS(pivot_root, "file", "file"), ENOTDIR);
        REQUIRE_OK(mkdir("plain", 0755));
        EXPECT_EQ(SYS(pivot_root, "plain", "plain"), -1);
        EXPECT(errno == EINVAL || errno == EBUSY);
        EXPECT_ERRNO(SYS(pivot_root, "/", "/"), EBUSY);
        REQUIRE_OK(mount("none", dir, "tmpfs", 0, NULL));
        REQUIRE_OK(chdir(dir));
        REQUIRE_OK(mkdir("old", 0755));
        guest_make_file("marker", "x");
        EXPECT_ERRNO(SYS(pivot_root, ".", "/"), EBUSY);
        REQUIRE_OK(SYS(pivot_root, ".", "old"));
        EXPECT_OK(access("/marker", F_OK));
        EXPECT_OK(access("/old/proc", F_OK));
        EXPECT_OK(chdir("/"));
        EXPECT_OK(access("marker", F_OK));
        EXPECT_OK(access("old/dev/null", F_OK));
        EXPECT_OK(SYS(umount2, "/old", MNT_DETACH));
        EXPECT_ERRNO(open("/old/proc", O_RDONLY), ENOENT);
        EXPECT_OK(rmdir("/old"));
        EXPECT_OK(mkdir("/again", 0755));
        EXPECT_OK(mount("none", "/again", "tmpfs", 0, NULL));
        /* Once more, onto itself, as container managers do. */
        EXPECT_OK(chdir("/again"));
        EXPECT_OK(SYS(pivot_root, ".", "."));
        EXPECT_OK(SYS(umount2, ".", MNT_DETACH));
        EXPECT_OK(chdir("/"));
        EXPECT_ERRNO(open("/marker", O_RDONLY), ENOENT);
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_OK(access(dir, F_OK));
    EXPECT_ERRNO(open("/marker", O_RDONLY), ENOENT);
}

TEST(unprivileged_sandbox, "unshare mount umount2:EINVAL mount:EPERM")
{
    const char *dir = guest_scratch();
    pid_t pid;

    need_setid();
    need_admin();
    skip_without_user_ns();
    REQUIRE_OK(chmod(".", 0777));
    IN_CHILD(pid)
    {
        REQUIRE_OK(SYS(unshare, CLONE_NEWNS));
        REQUIRE_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
        REQUIRE_OK(mkdir("hidden", 0777));
        REQUIRE_OK(mkdir("own", 0777));
        guest_make_file("hidden/secret", "x");
        REQUIRE_OK(mount("none", "hidden", "tmpfs", MS_RDONLY, NULL));
        become(1234);
        REQUIRE_OK(SYS(unshare, CLONE_NEWUSER | CLONE_NEWNS));
        map_own(1234, 1234);
        /* What was mounted hides what is below it, and stays read-only. */
        EXPECT_ERRNO(SYS(umount2, "hidden", MNT_DETACH), EINVAL);
        EXPECT_EQ(mount(NULL, "hidden", NULL, MS_REMOUNT | MS_BIND, NULL), -1);
        EXPECT_EQ(errno, EPERM);
        EXPECT_EQ(mount(dir, "own", NULL, MS_BIND, NULL), -1);
        EXPECT_EQ(errno, EINVAL);
        EXPECT_OK(mount(dir, "own", NULL, MS_BIND | MS_REC, NULL));
        EXPECT_OK(SYS(umount2, "own", MNT_DETACH));
        EXPECT_OK(mount("none", "own", "tmpfs", 0, NULL));
        guest_make_file("own/mine", "y");
        EXPECT_OK(SYS(umount2, "own", 0));
    }
    EXPECT_CHILD_OK(pid);
}

/* --- the others --- */

TEST(network_and_cgroup, "unshare setns")
{
    pid_t pid;

    need_admin();
    IN_CHILD(pid)
    {
        char net[64], cgroup[64];
        int fd = (int)REQUIRE_OK(open("/proc/self/ns/net", O_RDONLY));

        snprintf(net, sizeof(net), "%s", ns_link("self", "net"));
        snprintf(cgroup, sizeof(cgroup), "%s", ns_link("self", "cgroup"));
        REQUIRE_OK(SYS(unshare, CLONE_NEWNET | CLONE_NEWCGROUP));
        EXPECT(strcmp(net, ns_link("self", "net")) != 0);
        EXPECT(strcmp(cgroup, ns_link("self", "cgroup")) != 0);
        EXPECT_OK(SYS(setns, fd, CLONE_NEWNET));
        EXPECT_STREQ(ns_link("self", "net"), net);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(limits_are_told, "unshare")
{
    char text[64];

    REQUIRE(guest_slurp("/proc/sys/kernel/overflowuid", text, sizeof(text)) > 0);
    EXPECT_STREQ(text, "65534\n");
    REQUIRE(guest_slurp("/proc/sys/kernel/overflowgid", text, sizeof(text)) > 0);
    EXPECT_STREQ(text, "65534\n");
    REQUIRE(guest_slurp("/proc/sys/user/max_user_namespaces", text, sizeof(text)) > 0);
    EXPECT_GT(strtol(text, NULL, 10), 0);
}

TEST_SLOW(many, 60, "clone unshare")
{
    need_admin();
    for (int i = 0; i < 60; i++) {
        pid_t pid = (pid_t)REQUIRE_OK(
            clone_process(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET));

        if (!pid) {
            if (!fork())
                pause();
            _exit(0);
        }
        EXPECT_CHILD_OK(pid);
    }
}
