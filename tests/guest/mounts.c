/*
 * mount and umount2, and names of the machine: what a container with CAP_SYS_ADMIN may do. On a
 * real machine that happens in namespaces of the test's own.
 */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

/* own_namespaces() - be where mounts and names are nobody else's, or skip */
static void own_namespaces(void)
{
    if (!guest_has_cap(CAP_SYS_ADMIN))
        SKIP("needs CAP_SYS_ADMIN");
    if (guest_sandboxed())
        return;
    if (unshare(CLONE_NEWNS | CLONE_NEWUTS) < 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
        SKIP("no namespaces of one's own here");
}

static bool is_there(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0;
}

TEST(mount_tmpfs, "mount umount2 umount2:EINVAL")
{
    struct stat below, above;
    struct statfs fs;

    own_namespaces();
    guest_scratch();
    REQUIRE_OK(mkdir("m", 0755));
    guest_make_file("m/under", "x");
    REQUIRE_OK(stat("m", &below));
    EXPECT_OK(SYS(mount, "none", "m", "tmpfs", 0, "size=1m,mode=700"));
    EXPECT_OK(stat("m", &above));
    EXPECT_NE(above.st_dev, below.st_dev);
    EXPECT_EQ(above.st_mode, S_IFDIR | 0700);
    EXPECT(!is_there("m/under"));
    EXPECT_OK(statfs("m", &fs));
    EXPECT_EQ(fs.f_type, 0x01021994);
    EXPECT_EQ(fs.f_blocks * (unsigned long)fs.f_bsize, 1 << 20);
    guest_make_file("m/file", "x");
    EXPECT_OK(SYS(umount2, "m", 0));
    EXPECT(is_there("m/under"));
    EXPECT(!is_there("m/file"));
    EXPECT_ERRNO(SYS(umount2, "m", 0), EINVAL);
}

TEST(mount_read_only, "mount mkdir:EROFS open:EROFS")
{
    own_namespaces();
    guest_scratch();
    REQUIRE_OK(mkdir("m", 0755));
    EXPECT_OK(SYS(mount, "none", "m", "tmpfs", MS_RDONLY, NULL));
    EXPECT_ERRNO(mkdir("m/d", 0700), EROFS);
    EXPECT_ERRNO(open("m/file", O_RDWR | O_CREAT, 0600), EROFS);
    EXPECT_OK(SYS(mount, "none", "m", NULL, MS_REMOUNT, NULL));
    EXPECT_OK(mkdir("m/d", 0700));
    EXPECT_OK(SYS(mount, "none", "m", NULL, MS_REMOUNT | MS_RDONLY, NULL));
    EXPECT_ERRNO(rmdir("m/d"), EROFS);
    EXPECT_OK(SYS(umount2, "m", 0));
}

TEST(mount_bind, "mount umount2")
{
    struct stat a, b;

    own_namespaces();
    guest_scratch();
    REQUIRE_OK(mkdir("from", 0755));
    REQUIRE_OK(mkdir("to", 0755));
    guest_make_file("from/file", "x");
    guest_make_file("target", "");
    EXPECT_OK(SYS(mount, "from", "to", NULL, MS_BIND, NULL));
    EXPECT_OK(stat("from/file", &a));
    EXPECT_OK(stat("to/file", &b));
    EXPECT(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
    guest_make_file("to/new", "x");
    EXPECT(is_there("from/new"));
    EXPECT_ERRNO(rename("from/file", "to/moved"), EXDEV);
    EXPECT_OK(SYS(mount, "from/file", "target", NULL, MS_BIND, NULL));
    EXPECT_OK(stat("target", &b));
    EXPECT_EQ(b.st_ino, a.st_ino);
    EXPECT_ERRNO(unlink("target"), EBUSY);
    EXPECT_OK(SYS(umount2, "target", 0));
    EXPECT_OK(SYS(umount2, "to", 0));
    EXPECT(!is_there("to/file"));
}

TEST(umount_busy, "umount2:EBUSY umount2")
{
    int fd;

    own_namespaces();
    guest_scratch();
    REQUIRE_OK(mkdir("m", 0755));
    REQUIRE_OK(SYS(mount, "none", "m", "tmpfs", 0, NULL));
    fd = (int)REQUIRE_OK(open("m/file", O_RDWR | O_CREAT, 0600));
    EXPECT_ERRNO(SYS(umount2, "m", 0), EBUSY);
    EXPECT_ERRNO(rmdir("m"), EBUSY);
    /* Detached it is gone from the tree and lives on in the descriptor. */
    EXPECT_OK(SYS(umount2, "m", MNT_DETACH));
    EXPECT(!is_there("m/file"));
    EXPECT_EQ(write(fd, "x", 1), 1);
    EXPECT_OK(rmdir("m"));
}

TEST(mount_errors, "mount:ENODEV,ENOENT,ENOTDIR,EFAULT,EINVAL umount2:ENOENT,EFAULT,EINVAL")
{
    own_namespaces();
    guest_scratch();
    REQUIRE_OK(mkdir("m", 0755));
    guest_make_file("file", "");
    EXPECT_ERRNO(SYS(mount, "none", "m", "no-such-type", 0, NULL), ENODEV);
    EXPECT_ERRNO(SYS(mount, "none", "missing", "tmpfs", 0, NULL), ENOENT);
    EXPECT_ERRNO(SYS(mount, "none", "file", "tmpfs", 0, NULL), ENOTDIR);
    EXPECT_ERRNO(SYS(mount, "missing", "m", NULL, MS_BIND, NULL), ENOENT);
    EXPECT_ERRNO(SYS(mount, "", "m", NULL, MS_BIND, NULL), EINVAL);
    EXPECT_ERRNO(SYS(mount, NULL, "m", NULL, MS_MOVE, NULL), EINVAL);
    EXPECT_ERRNO(SYS(mount, "m", "file", NULL, MS_BIND, NULL), ENOTDIR);
    EXPECT_ERRNO(SYS(mount, "none", (void *)8, "tmpfs", 0, NULL), EFAULT);
    EXPECT_ERRNO(SYS(mount, "none", "m", (void *)8, 0, NULL), EFAULT);
    EXPECT_ERRNO(SYS(mount, "none", "m", NULL, MS_REMOUNT, NULL), EINVAL);
    EXPECT_ERRNO(SYS(umount2, "missing", 0), ENOENT);
    EXPECT_ERRNO(SYS(umount2, "m", 0x1000), EINVAL);
    EXPECT_ERRNO(SYS(umount2, (void *)8, 0), EFAULT);
}

TEST(move_errors, "mount:EINVAL,ELOOP")
{
    own_namespaces();
    guest_scratch();
    REQUIRE_OK(mkdir("m", 0755));
    REQUIRE_OK(mkdir("to", 0755));
    guest_make_file("file", "");
    REQUIRE_OK(SYS(mount, "none", "m", "tmpfs", 0, NULL));
    REQUIRE_OK(mkdir("m/in", 0755));
    EXPECT_ERRNO(SYS(mount, "m", "file", NULL, MS_MOVE, NULL), EINVAL);
    EXPECT_ERRNO(SYS(mount, "m/in", "to", NULL, MS_MOVE, NULL), EINVAL);
    EXPECT_ERRNO(SYS(mount, "to", "m", NULL, MS_MOVE, NULL), EINVAL);
    EXPECT_ERRNO(SYS(mount, "m", "m/in", NULL, MS_MOVE, NULL), ELOOP);
    EXPECT_ERRNO(SYS(mount, "m", "m", NULL, MS_MOVE, NULL), ELOOP);
    EXPECT_OK(SYS(mount, "m", "to", NULL, MS_MOVE, NULL));
    EXPECT(is_there("to/in") && !is_there("m/in"));
    EXPECT_OK(SYS(umount2, "to", 0));
}

TEST(mount_flags, "mount open execve:EACCES")
{
    own_namespaces();
    guest_scratch();
    REQUIRE_OK(mkdir("m", 0755));
    REQUIRE_OK(SYS(mount, "none", "m", "tmpfs", MS_NOEXEC | MS_NODEV | MS_NOSUID, NULL));
    guest_make_file("m/script", "#!/bin/sh\n");
    REQUIRE_OK(chmod("m/script", 0755));
    EXPECT_ERRNO(SYS(execve, "m/script", NULL, NULL), EACCES);
    if (mknod("m/null", S_IFCHR | 0666, 0x103) == 0)
        EXPECT_ERRNO(open("m/null", O_RDWR), EACCES);
    EXPECT_OK(SYS(umount2, "m", 0));
}

TEST(host_names, "sethostname setdomainname sethostname:EINVAL,EFAULT setdomainname:EINVAL")
{
    struct utsname name;

    own_namespaces();
    EXPECT_OK(SYS(sethostname, "new-name-and-more", 8));
    EXPECT_OK(SYS(setdomainname, "domain", 6));
    REQUIRE_OK(uname(&name));
    EXPECT_STREQ(name.nodename, "new-name");
    EXPECT_STREQ(name.domainname, "domain");
    EXPECT_ERRNO(SYS(sethostname, "x", 65), EINVAL);
    EXPECT_ERRNO(SYS(sethostname, "x", -1), EINVAL);
    EXPECT_ERRNO(SYS(setdomainname, "x", 65), EINVAL);
    EXPECT_ERRNO(SYS(sethostname, (void *)8, 4), EFAULT);
}

TEST(clock_is_not_ours, "settimeofday:EPERM clock_settime:EPERM adjtimex:EPERM clock_adjtime:EPERM adjtimex")
{
    struct {
        unsigned int modes;
        long rest[40];
    } timex = {0, {0}};
    struct timespec now = {1000000000, 0};
    pid_t pid;

    if (!guest_has_cap(CAP_SETUID))
        SKIP("needs CAP_SETUID");
    IN_CHILD(pid) {
        REQUIRE_OK(SYS(setresuid, 65534, 65534, 65534));
        EXPECT_ERRNO(SYS(clock_settime, 0, &now), EPERM);
        EXPECT_ERRNO(SYS(settimeofday, &now, NULL), EPERM);
        /* Asking is free on a real machine, and refused in many containers. */
        if (SYS(adjtimex, &timex) < 0)
            EXPECT_EQ(errno, EPERM);
        timex.modes = 1;
        EXPECT_ERRNO(SYS(adjtimex, &timex), EPERM);
        EXPECT_ERRNO(SYS(clock_adjtime, 0, &timex), EPERM);
    }
    EXPECT_CHILD_OK(pid);
}
