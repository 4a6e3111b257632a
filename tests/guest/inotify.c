/*
 * inotify(7): which events a change makes, in which order, and what a queue does with them. The
 * events of one step are written as text, "OPEN:f MODIFY:f", and compared.
 */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#ifndef IN_MASK_CREATE
#define IN_MASK_CREATE 0x10000000
#endif

static const struct {
    uint32_t bit;
    const char *name;
} bits[] = {
    {IN_ACCESS, "ACCESS"},
    {IN_MODIFY, "MODIFY"},
    {IN_ATTRIB, "ATTRIB"},
    {IN_CLOSE_WRITE, "CLOSE_WRITE"},
    {IN_CLOSE_NOWRITE, "CLOSE_NOWRITE"},
    {IN_OPEN, "OPEN"},
    {IN_MOVED_FROM, "MOVED_FROM"},
    {IN_MOVED_TO, "MOVED_TO"},
    {IN_CREATE, "CREATE"},
    {IN_DELETE, "DELETE"},
    {IN_DELETE_SELF, "DELETE_SELF"},
    {IN_MOVE_SELF, "MOVE_SELF"},
    {IN_UNMOUNT, "UNMOUNT"},
    {IN_Q_OVERFLOW, "OVERFLOW"},
    {IN_IGNORED, "IGNORED"},
};

static int ino; /* this test's instance */

static void begin(void)
{
    guest_scratch();
    ino = (int)REQUIRE_OK(SYS(inotify_init1, IN_NONBLOCK | IN_CLOEXEC));
}

static int watch(const char *path, uint32_t mask)
{
    return (int)EXPECT_OK(inotify_add_watch(ino, path, mask));
}

/* put() - one event as text, behind what is there */
static void put(char *text, size_t cap, const struct inotify_event *e)
{
    size_t len = strlen(text);

    if (len)
        len += (size_t)snprintf(text + len, cap - len, " ");
    for (size_t i = 0; i < COUNT_OF(bits); i++)
        if (e->mask & bits[i].bit)
            len += (size_t)snprintf(text + len, cap - len, "%s", bits[i].name);
    if (e->mask & IN_ISDIR)
        len += (size_t)snprintf(text + len, cap - len, "/");
    if (e->len)
        snprintf(text + len, cap - len, ":%s", e->name);
}

/* events() - all that are queued, as text */
static const char *events(void)
{
    static char buf[65536] __attribute__((aligned(8)));
    static char text[8192];
    ssize_t n;

    text[0] = '\0';
    while ((n = read(ino, buf, sizeof(buf))) > 0) {
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *e = (const void *)(buf + at);

            put(text, sizeof(text), e);
            at += (ssize_t)(sizeof(*e) + e->len);
        }
    }
    return text;
}

#define EXPECT_EVENTS(what) EXPECT_STREQ(events(), what)

TEST(
    arguments,
    "inotify_init inotify_init1 inotify_init1:EINVAL inotify_add_watch inotify_add_watch:EBADF,EINVAL,ENOENT,ENOTDIR,EFAULT,EEXIST inotify_rm_watch inotify_rm_watch:EBADF,EINVAL")
{
    int fd, wd;

    begin();
    fd = (int)EXPECT_OK(SYS(inotify_init));
    EXPECT_EQ(fcntl(fd, F_GETFD), 0);
    EXPECT_EQ(fcntl(fd, F_GETFL), O_RDONLY);
    EXPECT_EQ(fcntl(ino, F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(fcntl(ino, F_GETFL), O_RDONLY | O_NONBLOCK);
    EXPECT_ERRNO(SYS(inotify_init1, 1), EINVAL);
    EXPECT_ERRNO(SYS(inotify_add_watch, -1, ".", IN_OPEN), EBADF);
    EXPECT_ERRNO(SYS(inotify_add_watch, ino, ".", 0), EINVAL);
    EXPECT_ERRNO(SYS(inotify_add_watch, -1, ".", 0), EINVAL);
    EXPECT_ERRNO(SYS(inotify_add_watch, ino, "none", IN_OPEN), ENOENT);
    EXPECT_ERRNO(SYS(inotify_add_watch, ino, 8, IN_OPEN), EFAULT);
    guest_make_file("f", "x");
    EXPECT_ERRNO(SYS(inotify_add_watch, ino, "f", IN_OPEN | IN_ONLYDIR), ENOTDIR);
    EXPECT_ERRNO(SYS(inotify_add_watch, ino, ".", IN_OPEN | IN_MASK_ADD | IN_MASK_CREATE), EINVAL);
    fd = (int)REQUIRE_OK(open(".", O_RDONLY));
    EXPECT_ERRNO(SYS(inotify_add_watch, fd, ".", IN_OPEN), EINVAL);
    EXPECT_ERRNO(SYS(inotify_rm_watch, fd, 1), EINVAL);
    EXPECT_ERRNO(SYS(inotify_rm_watch, -1, 1), EBADF);
    EXPECT_ERRNO(SYS(inotify_rm_watch, ino, 1), EINVAL);
    wd = watch(".", IN_OPEN);
    EXPECT_EQ(wd, 1);
    EXPECT_EQ(watch(".", IN_CLOSE), 1);
    EXPECT_ERRNO(SYS(inotify_add_watch, ino, ".", IN_OPEN | IN_MASK_CREATE), EEXIST);
    EXPECT_EQ(watch("f", IN_OPEN), 2);
    EXPECT_OK(SYS(inotify_rm_watch, ino, 2));
    EXPECT_ERRNO(SYS(inotify_rm_watch, ino, 2), EINVAL);
    /* Numbers are not used again. */
    EXPECT_EQ(watch("f", IN_OPEN), 3);
    EXPECT_EVENTS("IGNORED");
    EXPECT_ERRNO(write(ino, "x", 1), EBADF);
}

TEST(needs_read_permission, "inotify_add_watch:EACCES")
{
    pid_t pid;

    begin();
    if (!guest_has_cap(CAP_SETUID))
        SKIP("needs another user");
    guest_make_file("f", "x");
    EXPECT_OK(chmod("f", 0200));
    EXPECT_OK(chmod(".", 0755));
    IN_CHILD(pid)
    {
        REQUIRE_OK(setuid(1000));
        EXPECT_ERRNO(inotify_add_watch(ino, "f", IN_OPEN), EACCES);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(life_of_a_file, "inotify_add_watch open write read ftruncate close chmod unlink")
{
    char buf[8];
    int fd;

    begin();
    watch(".", IN_ALL_EVENTS);
    fd = (int)EXPECT_OK(open("f", O_RDWR | O_CREAT, 0644));
    EXPECT_EVENTS("CREATE:f OPEN:f");
    EXPECT_EQ(write(fd, "abc", 3), 3);
    EXPECT_EQ(write(fd, "", 0), 0);
    EXPECT_EVENTS("MODIFY:f");
    EXPECT_EQ(read(fd, buf, 8), 0);
    EXPECT_EVENTS("");
    EXPECT_EQ(pread(fd, buf, 8, 0), 3);
    EXPECT_EVENTS("ACCESS:f");
    EXPECT_OK(ftruncate(fd, 10));
    EXPECT_EVENTS("MODIFY:f");
    EXPECT_OK(fallocate(fd, 0, 0, 20));
    EXPECT_EVENTS("MODIFY:f");
    EXPECT_OK(fchmod(fd, 0600));
    EXPECT_EVENTS("ATTRIB:f");
    EXPECT_OK(fsync(fd));
    close(dup(fd));
    EXPECT_EVENTS("");
    close(fd);
    EXPECT_EVENTS("CLOSE_WRITE:f");
    close((int)EXPECT_OK(open("f", O_RDONLY)));
    EXPECT_EVENTS("OPEN:f CLOSE_NOWRITE:f");
    close((int)EXPECT_OK(open("f", O_RDONLY | O_PATH)));
    EXPECT_EVENTS("");
    EXPECT_OK(truncate("f", 1));
    EXPECT_EVENTS("MODIFY:f");
    EXPECT_OK(unlink("f"));
    EXPECT_EVENTS("DELETE:f");
}

TEST(truncating_open, "inotify_add_watch open")
{
    const char *got;

    begin();
    guest_make_file("f", "text");
    watch(".", IN_ALL_EVENTS);
    close((int)EXPECT_OK(open("f", O_WRONLY | O_TRUNC)));
    got = events();
    /* Kernels differ in what comes first. */
    EXPECT(!strcmp(got, "OPEN:f MODIFY:f CLOSE_WRITE:f") ||
           !strcmp(got, "MODIFY:f OPEN:f CLOSE_WRITE:f"));
    close((int)EXPECT_OK(open("f", O_WRONLY | O_TRUNC | O_CREAT, 0600)));
    got = events();
    EXPECT(!strcmp(got, "OPEN:f MODIFY:f CLOSE_WRITE:f") ||
           !strcmp(got, "MODIFY:f OPEN:f CLOSE_WRITE:f"));
}

TEST(attributes, "inotify_add_watch chown utimensat setxattr removexattr")
{
    struct timespec atime[2] = {{5, 0}, {0, UTIME_OMIT}}, mtime[2] = {{0, UTIME_OMIT}, {5, 0}};

    begin();
    guest_make_file("f", "x");
    watch("f", IN_ALL_EVENTS);
    EXPECT_OK(chown("f", -1, -1));
    events();
    EXPECT_OK(chown("f", geteuid(), -1));
    EXPECT_EVENTS("ATTRIB");
    EXPECT_OK(utimensat(AT_FDCWD, "f", NULL, 0));
    EXPECT_EVENTS("ATTRIB");
    EXPECT_OK(utimensat(AT_FDCWD, "f", atime, 0));
    EXPECT_EVENTS("ACCESS");
    EXPECT_OK(utimensat(AT_FDCWD, "f", mtime, 0));
    EXPECT_EVENTS("MODIFY");
    if (setxattr("f", "user.x", "y", 1, 0) == 0) {
        EXPECT_EVENTS("ATTRIB");
        EXPECT_OK(removexattr("f", "user.x"));
        EXPECT_EVENTS("ATTRIB");
    }
    EXPECT_OK(link("f", "g"));
    EXPECT_EVENTS("ATTRIB");
    EXPECT_OK(unlink("f"));
    EXPECT_EVENTS("ATTRIB");
    EXPECT_OK(unlink("g"));
    EXPECT_EVENTS("ATTRIB DELETE_SELF IGNORED");
}

TEST(directories, "inotify_add_watch mkdir rmdir mknod symlink link getdents64")
{
    char buf[4096];
    int fd;

    begin();
    watch(".", IN_ALL_EVENTS);
    EXPECT_OK(mkdir("d", 0700));
    EXPECT_EVENTS("CREATE/:d");
    EXPECT_OK(mknod("p", S_IFIFO | 0600, 0));
    EXPECT_OK(symlink("nowhere", "s"));
    EXPECT_OK(link("p", "q"));
    EXPECT_EVENTS("CREATE:p CREATE:s CREATE:q");
    fd = (int)EXPECT_OK(open("d", O_RDONLY));
    EXPECT_EVENTS("OPEN/:d");
    EXPECT_GE(SYS(getdents64, fd, buf, sizeof(buf)), 1);
    EXPECT_EVENTS("ACCESS/:d");
    close(fd);
    EXPECT_EVENTS("CLOSE_NOWRITE/:d");
    watch("d", IN_ALL_EVENTS);
    fd = (int)EXPECT_OK(open("d", O_RDONLY));
    EXPECT_EVENTS("OPEN/:d OPEN/");
    EXPECT_OK(chmod("d", 0755));
    EXPECT_EVENTS("ATTRIB/:d ATTRIB/");
    close(fd);
    EXPECT_EVENTS("CLOSE_NOWRITE/:d CLOSE_NOWRITE/");
    EXPECT_OK(rmdir("d"));
    EXPECT_EVENTS("DELETE_SELF IGNORED DELETE/:d");
    EXPECT_OK(unlink("p"));
    EXPECT_OK(unlink("q"));
    EXPECT_OK(unlink("s"));
    EXPECT_EVENTS("DELETE:p DELETE:q DELETE:s");
}

TEST(directory_itself, "inotify_add_watch getdents64 rename rmdir")
{
    begin();
    EXPECT_OK(mkdir("d", 0700));
    watch("d", IN_ALL_EVENTS);
    close((int)EXPECT_OK(open("d", O_RDONLY)));
    EXPECT_EVENTS("OPEN/ CLOSE_NOWRITE/");
    EXPECT_OK(rename("d", "e"));
    EXPECT_EVENTS("MOVE_SELF");
    guest_make_file("e/f", "x");
    EXPECT_EVENTS("CREATE:f OPEN:f MODIFY:f CLOSE_WRITE:f");
    EXPECT_OK(unlink("e/f"));
    EXPECT_EVENTS("DELETE:f");
    EXPECT_OK(rmdir("e"));
    EXPECT_EVENTS("DELETE_SELF IGNORED");
}

TEST(renames, "inotify_add_watch rename renameat2 read")
{
    static char buf[4096] __attribute__((aligned(8)));
    const struct inotify_event *a = (const void *)buf, *b;
    ssize_t n;

    begin();
    EXPECT_OK(mkdir("d", 0700));
    guest_make_file("f", "x");
    watch(".", IN_ALL_EVENTS);
    EXPECT_EQ(watch("d", IN_ALL_EVENTS), 2);
    EXPECT_OK(rename("f", "d/g"));
    n = EXPECT_OK(read(ino, buf, sizeof(buf)));
    REQUIRE(n == 2 * (16 + 16));
    b = (const void *)(buf + 32);
    EXPECT(a->wd == 1 && a->mask == IN_MOVED_FROM && !strcmp(a->name, "f") && a->len == 16);
    EXPECT(b->wd == 2 && b->mask == IN_MOVED_TO && !strcmp(b->name, "g"));
    EXPECT(a->cookie != 0 && a->cookie == b->cookie);
    guest_make_file("h", "x");
    watch("h", IN_ALL_EVENTS);
    watch("d/g", IN_ALL_EVENTS);
    events();
    EXPECT_OK(rename("h", "d/g"));
    EXPECT_EVENTS("MOVED_FROM:h MOVED_TO:g ATTRIB MOVE_SELF DELETE_SELF IGNORED");
    EXPECT_OK(rename("d", "e"));
    EXPECT_EVENTS("MOVED_FROM/:d MOVED_TO/:e MOVE_SELF");
    EXPECT_OK(rename("e", "e"));
    EXPECT_EVENTS("");
    guest_make_file("i", "x");
    events();
    if (SYS(renameat2, AT_FDCWD, "i", AT_FDCWD, "e", 2 /* EXCHANGE */) == 0)
        EXPECT_EVENTS("MOVED_FROM:i MOVED_TO:e MOVED_FROM/:e MOVED_TO/:i MOVE_SELF");
}

TEST(deleted_while_open, "inotify_add_watch unlink write close")
{
    int fd;

    begin();
    fd = (int)EXPECT_OK(open("f", O_RDWR | O_CREAT, 0600));
    watch("f", IN_ALL_EVENTS);
    watch(".", IN_ALL_EVENTS);
    EXPECT_OK(unlink("f"));
    EXPECT_EVENTS("ATTRIB DELETE:f");
    EXPECT_EQ(write(fd, "x", 1), 1);
    EXPECT_EVENTS("MODIFY:f MODIFY");
    close(fd);
    EXPECT_EVENTS("CLOSE_WRITE:f CLOSE_WRITE DELETE_SELF IGNORED");
    EXPECT_EQ(watch(".", IN_ALL_EVENTS | IN_EXCL_UNLINK), 2);
    fd = (int)EXPECT_OK(open("f", O_RDWR | O_CREAT, 0600));
    EXPECT_OK(unlink("f"));
    EXPECT_EVENTS("CREATE:f OPEN:f DELETE:f");
    EXPECT_EQ(write(fd, "x", 1), 1);
    close(fd);
    EXPECT_EVENTS("");
}

TEST(masks, "inotify_add_watch")
{
    int wd;

    begin();
    guest_make_file("f", "x");
    wd = watch("f", IN_OPEN);
    close(open("f", O_RDONLY));
    EXPECT_EVENTS("OPEN");
    EXPECT_EQ(watch("f", IN_CLOSE), wd);
    close(open("f", O_RDONLY));
    EXPECT_EVENTS("CLOSE_NOWRITE");
    EXPECT_EQ(watch("f", IN_OPEN | IN_MASK_ADD), wd);
    close(open("f", O_RDONLY));
    EXPECT_EVENTS("OPEN CLOSE_NOWRITE");
    EXPECT_OK(symlink("f", "s"));
    EXPECT_EQ(watch("s", IN_OPEN), wd);
    EXPECT_GT(watch("s", IN_OPEN | IN_DONT_FOLLOW), wd);
    EXPECT_OK(SYS(inotify_rm_watch, ino, wd));
    EXPECT_EVENTS("IGNORED");
    wd = watch("f", IN_OPEN | IN_ONESHOT);
    close(open("f", O_RDONLY));
    close(open("f", O_RDONLY));
    EXPECT_EVENTS("OPEN IGNORED");
    EXPECT_ERRNO(SYS(inotify_rm_watch, ino, wd), EINVAL);
}

TEST(reading, "read:EINVAL,EAGAIN,EFAULT ioctl poll")
{
    char buf[256] __attribute__((aligned(8)));
    const struct inotify_event *e = (const void *)buf;
    struct pollfd p;
    int left = -1;

    begin();
    watch(".", IN_CREATE | IN_DELETE);
    p = (struct pollfd){.fd = ino, .events = POLLIN | POLLOUT};
    EXPECT_EQ(poll(&p, 1, 0), 0);
    EXPECT_ERRNO(read(ino, buf, sizeof(buf)), EAGAIN);
    EXPECT_OK(ioctl(ino, FIONREAD, &left));
    EXPECT_EQ(left, 0);
    EXPECT_OK(mkdir("sixteen-letters!", 0700));
    EXPECT_OK(mkdir("fifteen-letters", 0700));
    EXPECT_EQ(poll(&p, 1, 0), 1);
    EXPECT_EQ(p.revents, POLLIN);
    EXPECT_OK(ioctl(ino, FIONREAD, &left));
    EXPECT_EQ(left, 16 + 32 + 16 + 16);
    EXPECT_ERRNO(read(ino, buf, 47), EINVAL);
    EXPECT_ERRNO(read(ino, buf, 0), EINVAL);
    EXPECT_EQ(read(ino, buf, 79), 48);
    EXPECT(e->len == 32 && e->mask == (IN_CREATE | IN_ISDIR) && e->cookie == 0);
    EXPECT_STREQ(e->name, "sixteen-letters!");
    for (int i = 16; i < 32; i++)
        EXPECT_EQ(e->name[i], 0);
    EXPECT_OK(ioctl(ino, FIONREAD, &left));
    EXPECT_EQ(left, 32);
    EXPECT_ERRNO(SYS(read, ino, 8, 4096), EFAULT);
    EXPECT_ERRNO(ioctl(ino, 0x12345678, &left), ENOTTY);
}

TEST(blocking_read, "read:EINTR inotify_init")
{
    char buf[256] __attribute__((aligned(8)));
    pid_t pid;
    int fd;

    begin();
    fd = (int)REQUIRE_OK(SYS(inotify_init));
    REQUIRE_OK(inotify_add_watch(fd, ".", IN_CREATE));
    IN_CHILD(pid)
    {
        guest_sleep_ms(50);
        guest_make_file("f", "x");
    }
    EXPECT_EQ(read(fd, buf, sizeof(buf)), 32);
    EXPECT_CHILD_OK(pid);
}

TEST(equal_events_are_one, "read write")
{
    int fd, other;

    begin();
    fd = (int)EXPECT_OK(open("f", O_RDWR | O_CREAT, 0600));
    other = (int)EXPECT_OK(open("g", O_RDWR | O_CREAT, 0600));
    watch(".", IN_ALL_EVENTS);
    for (int i = 0; i < 10; i++)
        EXPECT_EQ(write(fd, "x", 1), 1);
    EXPECT_EVENTS("MODIFY:f");
    EXPECT_EQ(write(fd, "x", 1), 1);
    EXPECT_EQ(write(other, "x", 1), 1);
    EXPECT_EQ(write(fd, "x", 1), 1);
    EXPECT_EVENTS("MODIFY:f MODIFY:g MODIFY:f");
}

static long sysctl_number(const char *name)
{
    char path[80], text[32] = {0};

    snprintf(path, sizeof(path), "/proc/sys/fs/inotify/%s", name);
    return guest_slurp(path, text, sizeof(text)) > 0 ? strtol(text, NULL, 10) : -1;
}

TEST(overflow, "read write")
{
    long most = sysctl_number("max_queued_events"), got = 0;
    static char buf[65536] __attribute__((aligned(8)));
    uint32_t last = 0;
    int fd[2], last_wd = 0;
    ssize_t n;

    begin();
    EXPECT_GT(most, 0);
    if (most < 1 || most > 100000)
        SKIP("a queue of %ld events", most);
    fd[0] = (int)EXPECT_OK(open("f", O_RDWR | O_CREAT, 0600));
    fd[1] = (int)EXPECT_OK(open("g", O_RDWR | O_CREAT, 0600));
    watch(".", IN_MODIFY);
    for (long i = 0; i < most + 100; i++)
        REQUIRE(pwrite(fd[i % 2], "x", 1, 0) == 1);
    while ((n = read(ino, buf, sizeof(buf))) > 0) {
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *e = (const void *)(buf + at);

            last = e->mask;
            last_wd = e->wd;
            got++;
            at += (ssize_t)(sizeof(*e) + e->len);
        }
    }
    EXPECT_EQ(got, most + 1);
    EXPECT_EQ(last, IN_Q_OVERFLOW);
    EXPECT_EQ(last_wd, -1);
    EXPECT_EQ(pwrite(fd[0], "x", 1, 0), 1);
    EXPECT_EVENTS("MODIFY:f");
}

TEST(too_many_instances, "inotify_init1:EMFILE")
{
    long most = sysctl_number("max_user_instances"), made = 0;

    begin();
    EXPECT_GT(most, 0);
    if (most > 900)
        SKIP("%ld instances are more than descriptors", most);
    while (made <= most && SYS(inotify_init1, 0) >= 0)
        made++;
    EXPECT_LE(made, most);
    EXPECT_EQ(errno, EMFILE);
}

TEST(two_instances, "inotify_add_watch close")
{
    int other;

    begin();
    other = (int)REQUIRE_OK(SYS(inotify_init1, IN_NONBLOCK));
    guest_make_file("f", "x");
    watch("f", IN_OPEN);
    REQUIRE_OK(inotify_add_watch(other, "f", IN_OPEN));
    REQUIRE_OK(inotify_add_watch(other, ".", IN_OPEN));
    close(open("f", O_RDONLY));
    EXPECT_EVENTS("OPEN");
    close(ino);
    close(open("f", O_RDONLY));
    ino = other;
    EXPECT_EVENTS("OPEN:f OPEN OPEN:f OPEN");
}

TEST(unmounted, "inotify_add_watch umount2")
{
    begin();
    if (!guest_has_cap(CAP_SYS_ADMIN))
        SKIP("needs CAP_SYS_ADMIN");
    EXPECT_OK(mkdir("m", 0700));
    if (mount("none", "m", "tmpfs", 0, NULL) < 0)
        SKIP("cannot mount: %s", strerror(errno));
    guest_make_file("m/f", "x");
    watch("m/f", IN_ALL_EVENTS);
    events();
    EXPECT_OK(umount2("m", 0));
    EXPECT_EVENTS("UNMOUNT IGNORED");
}

TEST(fdinfo, "inotify_add_watch read")
{
    char path[64], text[1024] = {0}, want[96];
    struct stat st;
    int wd;

    begin();
    guest_make_file("f", "x");
    wd = watch("f", IN_OPEN | IN_CLOSE);
    REQUIRE_OK(stat("f", &st));
    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", ino);
    EXPECT_GT(guest_slurp(path, text, sizeof(text) - 1), 0);
    snprintf(want, sizeof(want), "\ninotify wd:%x ino:%lx sdev:", (unsigned int)wd,
             (unsigned long)st.st_ino);
    EXPECT(strstr(text, want) != NULL);
    EXPECT(strstr(text, " mask:38 ignored_mask:0 ") != NULL);
}

TEST(watches_survive_the_cache, "inotify_add_watch open")
{
    char name[32];

    begin();
    EXPECT_OK(mkdir("d", 0700));
    guest_make_file("d/f", "x");
    watch("d/f", IN_OPEN);
    for (int i = 0; i < 2000; i++) {
        snprintf(name, sizeof(name), "none%d", i);
        access(name, F_OK);
    }
    close(open("d/f", O_RDONLY));
    EXPECT_EVENTS("OPEN");
}

TEST(many_watches, "inotify_add_watch inotify_rm_watch")
{
    char name[32];
    int wd[500];

    begin();
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof(name), "f%d", i);
        guest_make_file(name, "x");
        wd[i] = watch(name, IN_OPEN);
    }
    for (int i = 0; i < 500; i += 2)
        EXPECT_OK(SYS(inotify_rm_watch, ino, wd[i]));
    events();
    close(open("f7", O_RDONLY));
    close(open("f8", O_RDONLY));
    EXPECT_EVENTS("OPEN");
}
