/*
 * What tells about files: stat in all its forms, access, readlink, the working directory, statfs.
 */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <time.h>

TEST(stat_regular, "stat lstat fstat newfstatat")
{
    struct stat a, b, c, d;
    int fd;

    guest_scratch();
    guest_make_file("file", "0123456789");
    REQUIRE_OK(chmod("file", 0640));
    fd = (int)REQUIRE_OK(open("file", O_RDONLY));
    memset(&a, 0xff, sizeof(a));
    EXPECT_OK(SYS(stat, "file", &a));
    EXPECT_OK(SYS(lstat, "file", &b));
    EXPECT_OK(SYS(fstat, fd, &c));
    EXPECT_OK(SYS(newfstatat, AT_FDCWD, "file", &d, 0));
    EXPECT_EQ(a.st_mode, S_IFREG | 0640);
    EXPECT_EQ(a.st_nlink, 1);
    EXPECT_EQ(a.st_size, 10);
    EXPECT_EQ(a.st_uid, geteuid());
    EXPECT_EQ(a.st_gid, getegid());
    EXPECT_GT(a.st_blksize, 0);
    EXPECT_LE(a.st_blocks, 64);
    EXPECT_NE(a.st_ino, 0);
    EXPECT_EQ(a.st_rdev, 0);
    EXPECT(b.st_ino == a.st_ino && c.st_ino == a.st_ino && d.st_ino == a.st_ino);
    EXPECT(b.st_dev == a.st_dev && c.st_dev == a.st_dev && d.st_dev == a.st_dev);
    EXPECT(b.st_size == 10 && c.st_size == 10 && d.st_size == 10);
    EXPECT(b.st_mtim.tv_nsec == a.st_mtim.tv_nsec && c.st_mtim.tv_nsec == a.st_mtim.tv_nsec);
}

TEST(stat_kinds, "stat lstat")
{
    struct stat st;

    guest_scratch();
    REQUIRE_OK(mkdir("dir", 0711));
    REQUIRE_OK(mkfifo("fifo", 0600));
    REQUIRE_OK(symlink("dir", "link"));
    EXPECT_OK(SYS(stat, "dir", &st));
    EXPECT_EQ(st.st_mode, S_IFDIR | 0711);
    EXPECT_OK(SYS(stat, "fifo", &st));
    EXPECT_EQ(st.st_mode, S_IFIFO | 0600);
    EXPECT_OK(SYS(stat, "link", &st));
    EXPECT(S_ISDIR(st.st_mode));
    EXPECT_OK(SYS(lstat, "link", &st));
    EXPECT_EQ(st.st_mode, S_IFLNK | 0777);
    EXPECT_EQ(st.st_size, 3);
    EXPECT_OK(SYS(stat, "/dev/null", &st));
    EXPECT(S_ISCHR(st.st_mode));
    EXPECT_EQ(major(st.st_rdev), 1);
    EXPECT_EQ(minor(st.st_rdev), 3);
    /* A slash after a link follows it. */
    EXPECT_OK(SYS(lstat, "link/", &st));
    EXPECT(S_ISDIR(st.st_mode));
}

TEST(stat_errors, "stat:ENOENT,ENOTDIR,EFAULT,ELOOP,ENAMETOOLONG lstat:ENOENT,EFAULT fstat:EBADF,EFAULT")
{
    static char name[300];
    struct stat st;

    guest_scratch();
    guest_make_file("file", "");
    REQUIRE_OK(symlink("loop", "loop"));
    memset(name, 'x', sizeof(name) - 1);
    EXPECT_ERRNO(SYS(stat, "missing", &st), ENOENT);
    EXPECT_ERRNO(SYS(stat, "", &st), ENOENT);
    EXPECT_ERRNO(SYS(lstat, "missing", &st), ENOENT);
    EXPECT_ERRNO(SYS(stat, "file/x", &st), ENOTDIR);
    EXPECT_ERRNO(SYS(stat, "loop", &st), ELOOP);
    EXPECT_ERRNO(SYS(stat, name, &st), ENAMETOOLONG);
    EXPECT_ERRNO(SYS(stat, (void *)8, &st), EFAULT);
    EXPECT_ERRNO(SYS(stat, "file", (void *)8), EFAULT);
    EXPECT_ERRNO(SYS(stat, "missing", (void *)8), ENOENT);
    EXPECT_ERRNO(SYS(lstat, "file", guest_bad_page() - 8), EFAULT);
    EXPECT_ERRNO(SYS(fstat, -1, &st), EBADF);
    EXPECT_ERRNO(SYS(fstat, -1, NULL), EBADF);
    EXPECT_ERRNO(SYS(fstat, 0, (void *)8), EFAULT);
    EXPECT_OK(SYS(lstat, "loop", &st));
}

TEST(newfstatat_flags, "newfstatat newfstatat:EBADF,ENOTDIR,EINVAL,ENOENT,EFAULT")
{
    struct stat st;
    int dir, fd;

    guest_scratch();
    guest_make_file("file", "abc");
    REQUIRE_OK(symlink("file", "link"));
    dir = (int)REQUIRE_OK(open(".", O_RDONLY));
    fd = (int)REQUIRE_OK(open("file", O_RDONLY));
    EXPECT_OK(SYS(newfstatat, dir, "link", &st, 0));
    EXPECT(S_ISREG(st.st_mode));
    EXPECT_OK(SYS(newfstatat, dir, "link", &st, AT_SYMLINK_NOFOLLOW));
    EXPECT(S_ISLNK(st.st_mode));
    EXPECT_OK(SYS(newfstatat, fd, "", &st, AT_EMPTY_PATH));
    EXPECT_EQ(st.st_size, 3);
    EXPECT_OK(SYS(newfstatat, AT_FDCWD, "", &st, AT_EMPTY_PATH));
    EXPECT(S_ISDIR(st.st_mode));
    EXPECT_OK(SYS(newfstatat, -1, "/", &st, 0));
    EXPECT_ERRNO(SYS(newfstatat, fd, "", &st, 0), ENOENT);
    EXPECT_ERRNO(SYS(newfstatat, -1, "file", &st, 0), EBADF);
    EXPECT_ERRNO(SYS(newfstatat, fd, "file", &st, 0), ENOTDIR);
    EXPECT_ERRNO(SYS(newfstatat, dir, "file", &st, 0x40000000), EINVAL);
    EXPECT_ERRNO(SYS(newfstatat, dir, (void *)8, &st, 0), EFAULT);
    EXPECT_ERRNO(SYS(newfstatat, dir, "file", (void *)8, 0), EFAULT);
}

TEST(statx_basic, "statx statx:EINVAL,EBADF,ENOENT,EFAULT,ENOTDIR")
{
    struct statx stx;
    struct stat st;
    int fd;

    NEEDS(statx);
    guest_scratch();
    guest_make_file("file", "abcd");
    REQUIRE_OK(symlink("file", "link"));
    fd = (int)REQUIRE_OK(open("file", O_RDONLY));
    REQUIRE_OK(fstat(fd, &st));
    memset(&stx, 0, sizeof(stx));
    EXPECT_OK(SYS(statx, AT_FDCWD, "file", 0, STATX_BASIC_STATS, &stx));
    EXPECT_EQ(stx.stx_mask & STATX_BASIC_STATS, STATX_BASIC_STATS);
    EXPECT_EQ(stx.stx_mode, st.st_mode);
    EXPECT_EQ(stx.stx_size, 4);
    EXPECT_EQ(stx.stx_nlink, 1);
    EXPECT_EQ(stx.stx_ino, st.st_ino);
    EXPECT_EQ(stx.stx_mtime.tv_sec, st.st_mtim.tv_sec);
    EXPECT_EQ(makedev(stx.stx_dev_major, stx.stx_dev_minor), st.st_dev);
    EXPECT_OK(SYS(statx, AT_FDCWD, "link", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &stx));
    EXPECT(S_ISLNK(stx.stx_mode));
    EXPECT_OK(SYS(statx, fd, "", AT_EMPTY_PATH, STATX_SIZE, &stx));
    EXPECT_EQ(stx.stx_size, 4);
    EXPECT_ERRNO(SYS(statx, AT_FDCWD, "file", 0x40000000, STATX_SIZE, &stx), EINVAL);
    EXPECT_ERRNO(SYS(statx, AT_FDCWD, "file", 0, 0x80000000u, &stx), EINVAL);
    EXPECT_ERRNO(SYS(statx, AT_FDCWD, "file", AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC, 0, &stx),
                 EINVAL);
    EXPECT_ERRNO(SYS(statx, -1, "file", 0, STATX_SIZE, &stx), EBADF);
    EXPECT_ERRNO(SYS(statx, fd, "file", 0, STATX_SIZE, &stx), ENOTDIR);
    EXPECT_ERRNO(SYS(statx, AT_FDCWD, "missing", 0, STATX_SIZE, &stx), ENOENT);
    EXPECT_ERRNO(SYS(statx, AT_FDCWD, "file", 0, STATX_SIZE, (void *)8), EFAULT);
}

TEST(nlink_counts, "link stat")
{
    struct stat st;

    guest_scratch();
    guest_make_file("a", "");
    REQUIRE_OK(link("a", "b"));
    EXPECT_OK(SYS(stat, "a", &st));
    EXPECT_EQ(st.st_nlink, 2);
    REQUIRE_OK(unlink("a"));
    EXPECT_OK(SYS(stat, "b", &st));
    EXPECT_EQ(st.st_nlink, 1);
    REQUIRE_OK(mkdir("d", 0700));
    EXPECT_OK(SYS(stat, "d", &st));
    EXPECT(st.st_nlink == 2 || st.st_nlink == 1);
}

TEST(times_move, "stat write read")
{
    struct stat before, after;
    struct timespec now;
    int fd;

    guest_scratch();
    fd = (int)REQUIRE_OK(open("file", O_RDWR | O_CREAT, 0600));
    REQUIRE_OK(fstat(fd, &before));
    clock_gettime(CLOCK_REALTIME, &now);
    EXPECT_LE(before.st_mtim.tv_sec, now.tv_sec);
    EXPECT_GE(before.st_mtim.tv_sec, now.tv_sec - 20);
    guest_sleep_ms(30);
    EXPECT_EQ(write(fd, "x", 1), 1);
    REQUIRE_OK(fstat(fd, &after));
    EXPECT(after.st_mtim.tv_sec > before.st_mtim.tv_sec ||
           after.st_mtim.tv_nsec > before.st_mtim.tv_nsec);
    EXPECT(after.st_ctim.tv_sec > before.st_ctim.tv_sec ||
           after.st_ctim.tv_nsec > before.st_ctim.tv_nsec);
    guest_sleep_ms(30);
    before = after;
    REQUIRE_OK(fchmod(fd, 0640));
    REQUIRE_OK(fstat(fd, &after));
    EXPECT_EQ(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
    EXPECT(after.st_ctim.tv_sec > before.st_ctim.tv_sec ||
           after.st_ctim.tv_nsec > before.st_ctim.tv_nsec);
}

TEST(access_basic, "access faccessat access:ENOENT,EINVAL,EFAULT,ENOTDIR faccessat:EBADF,ENOTDIR,EINVAL,ENOENT,EFAULT")
{
    int dir, fd;

    guest_scratch();
    guest_make_file("file", "");
    dir = (int)REQUIRE_OK(open(".", O_RDONLY));
    fd = (int)REQUIRE_OK(open("file", O_RDONLY));
    EXPECT_OK(SYS(access, "file", F_OK));
    EXPECT_OK(SYS(access, "file", R_OK | W_OK));
    EXPECT_OK(SYS(access, ".", X_OK));
    EXPECT_ERRNO(SYS(access, "missing", F_OK), ENOENT);
    EXPECT_ERRNO(SYS(access, "file/x", F_OK), ENOTDIR);
    EXPECT_ERRNO(SYS(access, "file", 8), EINVAL);
    EXPECT_ERRNO(SYS(access, (void *)8, F_OK), EFAULT);
    /* The mode is checked before the path. */
    EXPECT_ERRNO(SYS(access, (void *)8, 8), EINVAL);
    EXPECT_OK(SYS(faccessat, dir, "file", R_OK));
    EXPECT_ERRNO(SYS(faccessat, -1, "file", R_OK), EBADF);
    EXPECT_ERRNO(SYS(faccessat, fd, "file", R_OK), ENOTDIR);
    EXPECT_ERRNO(SYS(faccessat, dir, "missing", R_OK), ENOENT);
    EXPECT_ERRNO(SYS(faccessat, dir, "file", 8), EINVAL);
    EXPECT_ERRNO(SYS(faccessat, dir, (void *)8, R_OK), EFAULT);
}

TEST(faccessat2_flags, "faccessat2 faccessat2:EINVAL,ENOENT,EBADF,EFAULT,ENOTDIR")
{
    int fd;

    guest_scratch();
    guest_make_file("file", "");
    REQUIRE_OK(symlink("missing", "dangling"));
    fd = (int)REQUIRE_OK(open("file", O_RDONLY));
    NEEDS(faccessat2);
    EXPECT_OK(SYS(faccessat2, AT_FDCWD, "file", R_OK, AT_EACCESS));
    EXPECT_OK(SYS(faccessat2, AT_FDCWD, "dangling", F_OK, AT_SYMLINK_NOFOLLOW));
    EXPECT_ERRNO(SYS(faccessat2, AT_FDCWD, "dangling", F_OK, 0), ENOENT);
    EXPECT_OK(SYS(faccessat2, fd, "", F_OK, AT_EMPTY_PATH));
    EXPECT_ERRNO(SYS(faccessat2, AT_FDCWD, "file", F_OK, 0x40000000), EINVAL);
    EXPECT_ERRNO(SYS(faccessat2, AT_FDCWD, "file", 8, 0), EINVAL);
    EXPECT_ERRNO(SYS(faccessat2, -1, "file", F_OK, 0), EBADF);
    EXPECT_ERRNO(SYS(faccessat2, fd, "file", F_OK, 0), ENOTDIR);
    EXPECT_ERRNO(SYS(faccessat2, AT_FDCWD, (void *)8, F_OK, 0), EFAULT);
}

TEST(access_as_user, "access:EACCES faccessat:EACCES faccessat2:EACCES")
{
    pid_t pid;

    if (!guest_has_cap(CAP_SETUID) || !guest_has_cap(CAP_SETGID))
        SKIP("needs CAP_SETUID and CAP_SETGID");
    guest_scratch();
    guest_make_file("file", "");
    REQUIRE_OK(chmod("file", 0640));
    guest_make_file("open", "");
    IN_CHILD(pid) {
        REQUIRE_OK(SYS(setgroups, 0, NULL));
        REQUIRE_OK(SYS(setresgid, 65534, 65534, 65534));
        REQUIRE_OK(SYS(setresuid, 65534, 65534, 65534));
        EXPECT_ERRNO(SYS(access, "file", R_OK), EACCES);
        EXPECT_OK(SYS(access, "file", F_OK));
        EXPECT_OK(SYS(access, "open", R_OK));
        EXPECT_ERRNO(SYS(access, "open", R_OK | W_OK), EACCES);
        EXPECT_ERRNO(SYS(faccessat, AT_FDCWD, "file", R_OK), EACCES);
    }
    EXPECT_CHILD_OK(pid);
    IN_CHILD(pid) {
        /* access asks for the real id, faccessat2 with AT_EACCESS for the effective one. */
        REQUIRE_OK(SYS(setgroups, 0, NULL));
        REQUIRE_OK(SYS(setresgid, 65534, 65534, 65534));
        REQUIRE_OK(SYS(setresuid, 65534, 0, 0));
        EXPECT_ERRNO(SYS(access, "file", R_OK), EACCES);
        if (SYS(faccessat2, AT_FDCWD, "file", R_OK, AT_EACCESS) < 0)
            EXPECT_EQ(errno, ENOSYS);
        EXPECT_OK(open("file", O_RDONLY));
    }
    EXPECT_CHILD_OK(pid);
}

TEST(root_and_x, "access:EACCES")
{
    if (geteuid() != 0 || !guest_has_cap(CAP_DAC_OVERRIDE))
        SKIP("needs CAP_DAC_OVERRIDE");
    guest_scratch();
    guest_make_file("file", "");
    REQUIRE_OK(chmod("file", 0));
    EXPECT_OK(SYS(access, "file", R_OK | W_OK));
    /* Even root may execute only what somebody may execute. */
    EXPECT_ERRNO(SYS(access, "file", X_OK), EACCES);
    REQUIRE_OK(chmod("file", 0001));
    EXPECT_OK(SYS(access, "file", X_OK));
}

TEST(readlink_basic, "readlink readlinkat readlink:EINVAL,ENOENT,ENOTDIR,EFAULT readlinkat:EBADF,EINVAL,ENOTDIR,ENOENT,EFAULT")
{
    char buf[64];
    int dir, fd;

    guest_scratch();
    guest_make_file("file", "");
    REQUIRE_OK(symlink("the/target", "link"));
    dir = (int)REQUIRE_OK(open(".", O_RDONLY));
    fd = (int)REQUIRE_OK(open("file", O_RDONLY));
    memset(buf, '#', sizeof(buf));
    EXPECT_EQ(SYS(readlink, "link", buf, sizeof(buf)), 10);
    EXPECT_MEMEQ(buf, "the/target#", 11);
    memset(buf, '#', sizeof(buf));
    EXPECT_EQ(SYS(readlink, "link", buf, 4), 4);
    EXPECT_MEMEQ(buf, "the/#", 5);
    EXPECT_EQ(SYS(readlinkat, dir, "link", buf, sizeof(buf)), 10);
    EXPECT_ERRNO(SYS(readlink, "file", buf, sizeof(buf)), EINVAL);
    EXPECT_ERRNO(SYS(readlink, "link", buf, 0), EINVAL);
    EXPECT_ERRNO(SYS(readlink, "link", buf, -1), EINVAL);
    EXPECT_ERRNO(SYS(readlink, "missing", buf, sizeof(buf)), ENOENT);
    EXPECT_ERRNO(SYS(readlink, "file/x", buf, sizeof(buf)), ENOTDIR);
    EXPECT_ERRNO(SYS(readlink, "link", (void *)8, sizeof(buf)), EFAULT);
    EXPECT_ERRNO(SYS(readlink, (void *)8, buf, sizeof(buf)), EFAULT);
    EXPECT_ERRNO(SYS(readlinkat, -1, "link", buf, sizeof(buf)), EBADF);
    EXPECT_ERRNO(SYS(readlinkat, fd, "link", buf, sizeof(buf)), ENOTDIR);
    EXPECT_ERRNO(SYS(readlinkat, dir, "missing", buf, sizeof(buf)), ENOENT);
    EXPECT_ERRNO(SYS(readlinkat, dir, "file", buf, sizeof(buf)), EINVAL);
    EXPECT_ERRNO(SYS(readlinkat, dir, (void *)8, buf, sizeof(buf)), EFAULT);
    fd = (int)REQUIRE_OK(open("link", O_PATH | O_NOFOLLOW));
    EXPECT_EQ(SYS(readlinkat, fd, "", buf, sizeof(buf)), 10);
}

TEST(chdir_getcwd, "chdir getcwd chdir:ENOENT,ENOTDIR,EFAULT,ELOOP,ENAMETOOLONG getcwd:ERANGE,EFAULT")
{
    static char name[300];
    const char *dir = guest_scratch();
    char buf[256], want[256];

    REQUIRE_OK(mkdir("sub", 0755));
    guest_make_file("file", "");
    REQUIRE_OK(symlink("sub", "link"));
    REQUIRE_OK(symlink("loop", "loop"));
    memset(name, 'x', sizeof(name) - 1);
    EXPECT_EQ(SYS(getcwd, buf, sizeof(buf)), strlen(dir) + 1);
    EXPECT_STREQ(buf, dir);
    EXPECT_OK(SYS(chdir, "link"));
    snprintf(want, sizeof(want), "%s/sub", dir);
    EXPECT_EQ(SYS(getcwd, buf, sizeof(buf)), strlen(want) + 1);
    EXPECT_STREQ(buf, want);
    EXPECT_OK(SYS(chdir, ".."));
    EXPECT_EQ(SYS(getcwd, buf, strlen(dir) + 1), strlen(dir) + 1);
    EXPECT_ERRNO(SYS(getcwd, buf, strlen(dir)), ERANGE);
    EXPECT_ERRNO(SYS(getcwd, NULL, 0), ERANGE);
    EXPECT_ERRNO(SYS(getcwd, (void *)8, 4096), EFAULT);
    EXPECT_ERRNO(SYS(chdir, "missing"), ENOENT);
    EXPECT_ERRNO(SYS(chdir, ""), ENOENT);
    EXPECT_ERRNO(SYS(chdir, "file"), ENOTDIR);
    EXPECT_ERRNO(SYS(chdir, "loop"), ELOOP);
    EXPECT_ERRNO(SYS(chdir, name), ENAMETOOLONG);
    EXPECT_ERRNO(SYS(chdir, (void *)8), EFAULT);
    EXPECT_OK(SYS(chdir, "/"));
    EXPECT_EQ(SYS(getcwd, buf, sizeof(buf)), 2);
    EXPECT_STREQ(buf, "/");
    EXPECT_OK(SYS(chdir, "/../../.."));
    EXPECT_EQ(SYS(getcwd, buf, sizeof(buf)), 2);
}

TEST(fchdir_basic, "fchdir fchdir:EBADF,ENOTDIR")
{
    char buf[256];
    const char *dir = guest_scratch();
    int fd = (int)REQUIRE_OK(open(".", O_RDONLY)), file;

    guest_make_file("file", "");
    file = (int)REQUIRE_OK(open("file", O_RDONLY));
    REQUIRE_OK(chdir("/"));
    EXPECT_OK(SYS(fchdir, fd));
    EXPECT_OK(SYS(getcwd, buf, sizeof(buf)));
    EXPECT_STREQ(buf, dir);
    EXPECT_ERRNO(SYS(fchdir, -1), EBADF);
    EXPECT_ERRNO(SYS(fchdir, file), ENOTDIR);
}

TEST(cwd_removed, "getcwd:ENOENT rmdir")
{
    struct stat st;
    char buf[256];

    guest_scratch();
    REQUIRE_OK(mkdir("gone", 0755));
    REQUIRE_OK(chdir("gone"));
    REQUIRE_OK(rmdir("../gone"));
    EXPECT_ERRNO(SYS(getcwd, buf, sizeof(buf)), ENOENT);
    EXPECT_ERRNO(SYS(open, "new", O_RDWR | O_CREAT, 0600), ENOENT);
    EXPECT_OK(SYS(stat, ".", &st));
    EXPECT_OK(SYS(chdir, ".."));
    EXPECT_OK(SYS(getcwd, buf, sizeof(buf)));
}

TEST(cwd_follows_rename, "rename getcwd")
{
    const char *dir = guest_scratch();
    char buf[256], want[256];

    REQUIRE_OK(mkdir("old", 0755));
    REQUIRE_OK(chdir("old"));
    REQUIRE_OK(rename("../old", "../new"));
    snprintf(want, sizeof(want), "%s/new", dir);
    EXPECT_OK(SYS(getcwd, buf, sizeof(buf)));
    EXPECT_STREQ(buf, want);
}

TEST(cwd_is_inherited, "chdir fork")
{
    const char *dir = guest_scratch();
    char buf[256];
    pid_t pid;

    REQUIRE_OK(mkdir("sub", 0755));
    IN_CHILD(pid) {
        EXPECT_OK(SYS(getcwd, buf, sizeof(buf)));
        EXPECT_STREQ(buf, dir);
        EXPECT_OK(SYS(chdir, "sub"));
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_OK(SYS(getcwd, buf, sizeof(buf)));
    EXPECT_STREQ(buf, dir);
}

TEST(chroot_basic, "chroot chroot:ENOENT,ENOTDIR,EFAULT")
{
    struct stat st;
    char buf[64];
    pid_t pid;

    if (!guest_has_cap(CAP_SYS_CHROOT))
        SKIP("needs CAP_SYS_CHROOT");
    guest_scratch();
    REQUIRE_OK(mkdir("root", 0755));
    guest_make_file("root/inside", "");
    guest_make_file("file", "");
    EXPECT_ERRNO(SYS(chroot, "missing"), ENOENT);
    EXPECT_ERRNO(SYS(chroot, "file"), ENOTDIR);
    EXPECT_ERRNO(SYS(chroot, (void *)8), EFAULT);
    IN_CHILD(pid) {
        EXPECT_OK(SYS(chroot, "root"));
        EXPECT_OK(SYS(stat, "/inside", &st));
        EXPECT_OK(SYS(chdir, "/"));
        EXPECT_OK(SYS(stat, "../../../inside", &st));
        EXPECT_EQ(SYS(getcwd, buf, sizeof(buf)), 2);
        EXPECT_ERRNO(SYS(stat, "/proc", &st), ENOENT);
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_OK(SYS(stat, "root/inside", &st));
}

TEST(statfs_basic, "statfs fstatfs statfs:ENOENT,EFAULT,ENOTDIR fstatfs:EBADF,EFAULT")
{
    struct statfs a, b;
    int fd;

    guest_scratch();
    guest_make_file("file", "");
    fd = (int)REQUIRE_OK(open("file", O_RDONLY));
    EXPECT_OK(SYS(statfs, "file", &a));
    EXPECT_OK(SYS(fstatfs, fd, &b));
    EXPECT_EQ(a.f_type, b.f_type);
    EXPECT_EQ(a.f_bsize, b.f_bsize);
    EXPECT_GE(a.f_bsize, 512);
    EXPECT_GE(a.f_blocks, a.f_bfree);
    EXPECT_GE(a.f_bfree, a.f_bavail);
    EXPECT_GE(a.f_namelen, 255);
    EXPECT_OK(SYS(statfs, "/proc", &a));
    EXPECT_EQ(a.f_type, 0x9fa0);
    EXPECT_ERRNO(SYS(statfs, "missing", &a), ENOENT);
    EXPECT_ERRNO(SYS(statfs, "file/x", &a), ENOTDIR);
    EXPECT_ERRNO(SYS(statfs, "file", (void *)8), EFAULT);
    EXPECT_ERRNO(SYS(statfs, (void *)8, &a), EFAULT);
    EXPECT_ERRNO(SYS(fstatfs, -1, &a), EBADF);
    EXPECT_ERRNO(SYS(fstatfs, fd, (void *)8), EFAULT);
}

TEST(same_file_same_ino, "stat")
{
    struct stat a, b, root, up;

    guest_scratch();
    REQUIRE_OK(mkdir("d", 0755));
    EXPECT_OK(SYS(stat, "d", &a));
    EXPECT_OK(SYS(stat, "./d/../d/.", &b));
    EXPECT(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
    EXPECT_OK(SYS(stat, "/", &root));
    EXPECT_OK(SYS(stat, "/..", &up));
    EXPECT(root.st_ino == up.st_ino && root.st_dev == up.st_dev);
}
