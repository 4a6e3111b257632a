/*
 * What changes directories and inodes: mkdir, rmdir, link, symlink, rename, unlink, mknod,
 * getdents64, truncate, modes, owners, times, fallocate, fsync.
 */
#include "tests/guest/guest.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/falloc.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <utime.h>

#define RENAME_NOREPLACE_ 1
#define RENAME_EXCHANGE_  2

struct dirent64_raw {
    uint64_t ino;
    int64_t off;
    uint16_t reclen;
    uint8_t type;
    char name[];
};

static struct stat stat_of(const char *path)
{
    struct stat st;

    REQUIRE_OK(lstat(path, &st));
    return st;
}

static bool is_there(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

TEST(mkdir_basic, "mkdir mkdirat umask")
{
    int dir;

    guest_scratch();
    EXPECT_OK(SYS(mkdir, "a", 0777));
    EXPECT_EQ(stat_of("a").st_mode, S_IFDIR | 0755);
    umask(0);
    EXPECT_OK(SYS(mkdir, "b", 01777));
    EXPECT_EQ(stat_of("b").st_mode, S_IFDIR | 01777);
    EXPECT_OK(SYS(mkdir, "slash/", 0700));
    dir = (int)REQUIRE_OK(open("a", O_RDONLY));
    EXPECT_OK(SYS(mkdirat, dir, "inner", 0700));
    EXPECT(is_there("a/inner"));
}

TEST(mkdir_errors, "mkdir:EEXIST,ENOENT,ENOTDIR,EFAULT,ELOOP,ENAMETOOLONG mkdirat:EBADF,ENOTDIR,EEXIST,ENOENT,EFAULT")
{
    static char name[300];
    int fd;

    guest_scratch();
    guest_make_file("file", "");
    fd = (int)REQUIRE_OK(open("file", O_RDONLY));
    REQUIRE_OK(symlink("nowhere", "dangling"));
    REQUIRE_OK(symlink("loop", "loop"));
    memset(name, 'x', sizeof(name) - 1);
    EXPECT_ERRNO(SYS(mkdir, "file", 0700), EEXIST);
    EXPECT_ERRNO(SYS(mkdir, "dangling", 0700), EEXIST);
    EXPECT_ERRNO(SYS(mkdir, ".", 0700), EEXIST);
    EXPECT_ERRNO(SYS(mkdir, "/", 0700), EEXIST);
    EXPECT_ERRNO(SYS(mkdir, "x/y", 0700), ENOENT);
    EXPECT_ERRNO(SYS(mkdir, "", 0700), ENOENT);
    EXPECT_ERRNO(SYS(mkdir, "file/x", 0700), ENOTDIR);
    EXPECT_ERRNO(SYS(mkdir, "loop/x", 0700), ELOOP);
    EXPECT_ERRNO(SYS(mkdir, name, 0700), ENAMETOOLONG);
    EXPECT_ERRNO(SYS(mkdir, (void *)8, 0700), EFAULT);
    EXPECT_ERRNO(SYS(mkdirat, -1, "x", 0700), EBADF);
    EXPECT_ERRNO(SYS(mkdirat, fd, "x", 0700), ENOTDIR);
    EXPECT_ERRNO(SYS(mkdirat, AT_FDCWD, "file", 0700), EEXIST);
    EXPECT_ERRNO(SYS(mkdirat, AT_FDCWD, "x/y", 0700), ENOENT);
    EXPECT_ERRNO(SYS(mkdirat, AT_FDCWD, (void *)8, 0700), EFAULT);
}

TEST(rmdir_basic, "rmdir rmdir:ENOTEMPTY,ENOENT,ENOTDIR,EINVAL,EBUSY,EFAULT")
{
    guest_scratch();
    REQUIRE_OK(mkdir("d", 0755));
    guest_make_file("d/file", "");
    REQUIRE_OK(symlink("d", "link"));
    EXPECT_ERRNO(SYS(rmdir, "d"), ENOTEMPTY);
    EXPECT_ERRNO(SYS(rmdir, "d/file"), ENOTDIR);
    EXPECT_ERRNO(SYS(rmdir, "link"), ENOTDIR);
    EXPECT_ERRNO(SYS(rmdir, "missing"), ENOENT);
    EXPECT_ERRNO(SYS(rmdir, "d/."), EINVAL);
    EXPECT_ERRNO(SYS(rmdir, "d/.."), ENOTEMPTY);
    EXPECT_ERRNO(SYS(rmdir, "/"), EBUSY);
    EXPECT_ERRNO(SYS(rmdir, (void *)8), EFAULT);
    REQUIRE_OK(unlink("d/file"));
    EXPECT_OK(SYS(rmdir, "d"));
    EXPECT(!is_there("d"));
}

TEST(unlink_errors, "unlink unlinkat unlink:EISDIR,ENOENT,ENOTDIR,EFAULT unlinkat:EINVAL,EBADF,ENOTDIR,EISDIR,ENOENT,ENOTEMPTY,EFAULT")
{
    int dir, fd;

    guest_scratch();
    REQUIRE_OK(mkdir("d", 0755));
    guest_make_file("d/file", "");
    guest_make_file("file", "");
    REQUIRE_OK(symlink("d", "link"));
    dir = (int)REQUIRE_OK(open("d", O_RDONLY));
    fd = (int)REQUIRE_OK(open("file", O_RDONLY));
    EXPECT_ERRNO(SYS(unlink, "d"), EISDIR);
    EXPECT_ERRNO(SYS(unlink, "missing"), ENOENT);
    EXPECT_ERRNO(SYS(unlink, "file/x"), ENOTDIR);
    EXPECT_ERRNO(SYS(unlink, "file/"), ENOTDIR);
    EXPECT_ERRNO(SYS(unlink, (void *)8), EFAULT);
    EXPECT_ERRNO(SYS(unlinkat, dir, "file", 0x40000000), EINVAL);
    EXPECT_ERRNO(SYS(unlinkat, -1, "file", 0), EBADF);
    EXPECT_ERRNO(SYS(unlinkat, fd, "file", 0), ENOTDIR);
    EXPECT_ERRNO(SYS(unlinkat, AT_FDCWD, "d", 0), EISDIR);
    EXPECT_ERRNO(SYS(unlinkat, AT_FDCWD, "file", AT_REMOVEDIR), ENOTDIR);
    EXPECT_ERRNO(SYS(unlinkat, AT_FDCWD, "d", AT_REMOVEDIR), ENOTEMPTY);
    EXPECT_ERRNO(SYS(unlinkat, AT_FDCWD, "missing", 0), ENOENT);
    EXPECT_ERRNO(SYS(unlinkat, AT_FDCWD, (void *)8, 0), EFAULT);
    EXPECT_OK(SYS(unlinkat, dir, "file", 0));
    EXPECT_OK(SYS(unlink, "link"));
    EXPECT(is_there("d"));
    EXPECT_OK(SYS(unlinkat, AT_FDCWD, "d", AT_REMOVEDIR));
    EXPECT_OK(SYS(unlink, "file"));
}

TEST(link_basic, "link linkat link:EEXIST,ENOENT,EPERM,ENOTDIR,EFAULT,EXDEV linkat:EINVAL,EBADF,EEXIST,ENOENT,EFAULT")
{
    guest_scratch();
    guest_make_file("file", "x");
    REQUIRE_OK(mkdir("d", 0755));
    REQUIRE_OK(symlink("file", "sym"));
    EXPECT_OK(SYS(link, "file", "second"));
    EXPECT_EQ(stat_of("second").st_ino, stat_of("file").st_ino);
    EXPECT_EQ(stat_of("file").st_nlink, 2);
    EXPECT_ERRNO(SYS(link, "file", "second"), EEXIST);
    EXPECT_ERRNO(SYS(link, "missing", "x"), ENOENT);
    EXPECT_ERRNO(SYS(link, "file", "missing/x"), ENOENT);
    EXPECT_ERRNO(SYS(link, "d", "x"), EPERM);
    EXPECT_ERRNO(SYS(link, "file", "file/x"), ENOTDIR);
    EXPECT_ERRNO(SYS(link, "/proc/version", "x"), EXDEV);
    EXPECT_ERRNO(SYS(link, (void *)8, "x"), EFAULT);
    EXPECT_ERRNO(SYS(link, "file", (void *)8), EFAULT);
    /* link does not follow a symbolic link, linkat does when asked to. */
    EXPECT_OK(SYS(link, "sym", "symlink2"));
    EXPECT(S_ISLNK(stat_of("symlink2").st_mode));
    EXPECT_OK(SYS(linkat, AT_FDCWD, "sym", AT_FDCWD, "third", AT_SYMLINK_FOLLOW));
    EXPECT(S_ISREG(stat_of("third").st_mode));
    EXPECT_ERRNO(SYS(linkat, AT_FDCWD, "file", AT_FDCWD, "x", 0x40000000), EINVAL);
    EXPECT_ERRNO(SYS(linkat, -1, "file", AT_FDCWD, "x", 0), EBADF);
    EXPECT_ERRNO(SYS(linkat, AT_FDCWD, "file", -1, "x", 0), EBADF);
    EXPECT_ERRNO(SYS(linkat, AT_FDCWD, "file", AT_FDCWD, "d", 0), EEXIST);
    EXPECT_ERRNO(SYS(linkat, AT_FDCWD, "missing", AT_FDCWD, "x", 0), ENOENT);
    EXPECT_ERRNO(SYS(linkat, AT_FDCWD, (void *)8, AT_FDCWD, "x", 0), EFAULT);
}

TEST(symlink_basic, "symlink symlinkat symlink:EEXIST,ENOENT,EFAULT,ENAMETOOLONG symlinkat:EBADF,EEXIST,ENOENT,EFAULT")
{
    static char target[PATH_MAX + 1];
    char buf[PATH_MAX];
    int dir;

    guest_scratch();
    REQUIRE_OK(mkdir("d", 0755));
    dir = (int)REQUIRE_OK(open("d", O_RDONLY));
    memset(target, 't', sizeof(target) - 1);
    EXPECT_OK(SYS(symlink, "../up", "d/link"));
    EXPECT_EQ(readlink("d/link", buf, sizeof(buf)), 5);
    EXPECT_OK(SYS(symlinkat, "x", dir, "second"));
    EXPECT(is_there("d/second"));
    EXPECT_ERRNO(SYS(symlink, "x", "d"), EEXIST);
    EXPECT_ERRNO(SYS(symlink, "x", "d/link"), EEXIST);
    EXPECT_ERRNO(SYS(symlink, "x", "missing/x"), ENOENT);
    EXPECT_ERRNO(SYS(symlink, "", "y"), ENOENT);
    EXPECT_ERRNO(SYS(symlink, "x", ""), ENOENT);
    EXPECT_ERRNO(SYS(symlink, target, "long"), ENAMETOOLONG);
    EXPECT_ERRNO(SYS(symlink, (void *)8, "y"), EFAULT);
    EXPECT_ERRNO(SYS(symlinkat, "x", -1, "y"), EBADF);
    EXPECT_ERRNO(SYS(symlinkat, "x", dir, "second"), EEXIST);
    EXPECT_ERRNO(SYS(symlinkat, "x", dir, "no/second"), ENOENT);
    EXPECT_ERRNO(SYS(symlinkat, "x", dir, (void *)8), EFAULT);
}

TEST(rename_file, "rename renameat")
{
    char buf[16];
    ino_t ino;

    guest_scratch();
    guest_make_file("a", "one");
    guest_make_file("b", "two");
    ino = stat_of("a").st_ino;
    EXPECT_OK(SYS(rename, "a", "b"));
    EXPECT(!is_there("a"));
    EXPECT_EQ(stat_of("b").st_ino, ino);
    guest_slurp("b", buf, sizeof(buf));
    EXPECT_STREQ(buf, "one");
    EXPECT_OK(SYS(rename, "b", "b"));
    REQUIRE_OK(mkdir("d", 0755));
    EXPECT_OK(SYS(renameat, AT_FDCWD, "b", AT_FDCWD, "d/c"));
    EXPECT_EQ(stat_of("d/c").st_ino, ino);
    /* Two names of one file: nothing happens. */
    REQUIRE_OK(link("d/c", "same"));
    EXPECT_OK(SYS(rename, "same", "d/c"));
    EXPECT(is_there("same"));
}

TEST(rename_directory, "rename rename:ENOTEMPTY,EEXIST,EINVAL,EISDIR,ENOTDIR")
{
    guest_scratch();
    REQUIRE_OK(mkdir("a", 0755));
    REQUIRE_OK(mkdir("a/in", 0755));
    REQUIRE_OK(mkdir("empty", 0755));
    REQUIRE_OK(mkdir("full", 0755));
    guest_make_file("full/x", "");
    guest_make_file("file", "");
    EXPECT_EQ(SYS(rename, "a", "full"), -1);
    EXPECT(errno == ENOTEMPTY || errno == EEXIST);
    EXPECT_ERRNO(SYS(rename, "a", "a/in/b"), EINVAL);
    EXPECT_ERRNO(SYS(rename, "file", "empty"), EISDIR);
    EXPECT_ERRNO(SYS(rename, "a", "file"), ENOTDIR);
    EXPECT_OK(SYS(rename, "a", "empty"));
    EXPECT(is_there("empty/in"));
    EXPECT(!is_there("a"));
    /* The parent of a directory that moved is the new one. */
    REQUIRE_OK(rename("empty/in", "full/in"));
    EXPECT_EQ(stat_of("full/in/..").st_ino, stat_of("full").st_ino);
}

TEST(rename_errors, "rename:ENOENT,ENOTDIR,EBUSY,EXDEV,EFAULT renameat:EBADF,ENOENT,EFAULT")
{
    guest_scratch();
    guest_make_file("file", "");
    EXPECT_ERRNO(SYS(rename, "missing", "x"), ENOENT);
    EXPECT_ERRNO(SYS(rename, "file", "missing/x"), ENOENT);
    EXPECT_ERRNO(SYS(rename, "file", ""), ENOENT);
    EXPECT_ERRNO(SYS(rename, "file/x", "y"), ENOTDIR);
    EXPECT_ERRNO(SYS(rename, "file", "file/x"), ENOTDIR);
    EXPECT_ERRNO(SYS(rename, "file", "new/"), ENOTDIR);
    EXPECT_ERRNO(SYS(rename, ".", "x"), EBUSY);
    EXPECT_ERRNO(SYS(rename, "file", ".."), EBUSY);
    EXPECT_ERRNO(SYS(rename, "file", "/proc/x"), EXDEV);
    EXPECT_ERRNO(SYS(rename, (void *)8, "x"), EFAULT);
    EXPECT_ERRNO(SYS(rename, "file", (void *)8), EFAULT);
    EXPECT_ERRNO(SYS(renameat, -1, "file", AT_FDCWD, "x"), EBADF);
    EXPECT_ERRNO(SYS(renameat, AT_FDCWD, "file", -1, "x"), EBADF);
    EXPECT_ERRNO(SYS(renameat, AT_FDCWD, "missing", AT_FDCWD, "x"), ENOENT);
    EXPECT_ERRNO(SYS(renameat, AT_FDCWD, "file", AT_FDCWD, (void *)8), EFAULT);
    EXPECT(is_there("file"));
}

TEST(renameat2_flags, "renameat2 renameat2:EEXIST,EINVAL,ENOENT,EBADF,EFAULT")
{
    ino_t a, b;

    NEEDS(renameat2);
    guest_scratch();
    guest_make_file("a", "1");
    guest_make_file("b", "2");
    a = stat_of("a").st_ino;
    b = stat_of("b").st_ino;
    EXPECT_ERRNO(SYS(renameat2, AT_FDCWD, "a", AT_FDCWD, "b", RENAME_NOREPLACE_), EEXIST);
    EXPECT_OK(SYS(renameat2, AT_FDCWD, "a", AT_FDCWD, "c", RENAME_NOREPLACE_));
    EXPECT_OK(SYS(renameat2, AT_FDCWD, "c", AT_FDCWD, "b", RENAME_EXCHANGE_));
    EXPECT_EQ(stat_of("c").st_ino, b);
    EXPECT_EQ(stat_of("b").st_ino, a);
    EXPECT_ERRNO(SYS(renameat2, AT_FDCWD, "c", AT_FDCWD, "x", RENAME_EXCHANGE_), ENOENT);
    EXPECT_ERRNO(SYS(renameat2, AT_FDCWD, "c", AT_FDCWD, "x", 3), EINVAL);
    EXPECT_ERRNO(SYS(renameat2, AT_FDCWD, "c", AT_FDCWD, "x", 0x100), EINVAL);
    EXPECT_ERRNO(SYS(renameat2, -1, "c", AT_FDCWD, "x", 0), EBADF);
    EXPECT_ERRNO(SYS(renameat2, AT_FDCWD, (void *)8, AT_FDCWD, "x", 0), EFAULT);
}

TEST(mknod_kinds, "mknod mknodat mknod:EEXIST,EINVAL,EPERM,ENOENT,EFAULT mknodat:EBADF,EEXIST")
{
    guest_scratch();
    EXPECT_OK(SYS(mknod, "reg", S_IFREG | 0640, 0));
    EXPECT_EQ(stat_of("reg").st_mode, S_IFREG | 0640);
    EXPECT_OK(SYS(mknod, "plain", 0600, 0));
    EXPECT_EQ(stat_of("plain").st_mode, S_IFREG | 0600);
    EXPECT_OK(SYS(mknodat, AT_FDCWD, "fifo", S_IFIFO | 0666, 0));
    EXPECT_EQ(stat_of("fifo").st_mode, S_IFIFO | 0644);
    EXPECT_OK(SYS(mknod, "sock", S_IFSOCK | 0600, 0));
    EXPECT(S_ISSOCK(stat_of("sock").st_mode));
    EXPECT_ERRNO(SYS(mknod, "reg", S_IFREG | 0600, 0), EEXIST);
    EXPECT_ERRNO(SYS(mknod, "x", S_IFDIR | 0600, 0), EPERM);
    EXPECT_ERRNO(SYS(mknod, "x", S_IFLNK | 0600, 0), EINVAL);
    EXPECT_ERRNO(SYS(mknod, "missing/x", S_IFREG | 0600, 0), ENOENT);
    EXPECT_ERRNO(SYS(mknod, (void *)8, S_IFREG | 0600, 0), EFAULT);
    EXPECT_ERRNO(SYS(mknodat, -1, "x", S_IFREG | 0600, 0), EBADF);
    EXPECT_ERRNO(SYS(mknodat, AT_FDCWD, "fifo", S_IFIFO | 0600, 0), EEXIST);
}

/* count_entries() - read a directory through a small buffer. Return: names seen, or -1 */
static int count_entries(const char *path, const char *prefix, int *dots)
{
    _Alignas(8) char buf[200];
    int fd = open(path, O_RDONLY | O_DIRECTORY), count = 0;
    long n;

    *dots = 0;
    while ((n = SYS(getdents64, fd, buf, sizeof(buf))) > 0) {
        for (long at = 0; at < n;) {
            struct dirent64_raw *entry = (struct dirent64_raw *)(buf + at);

            EXPECT_EQ(entry->reclen % 8, 0);
            EXPECT_GE(entry->reclen, offsetof(struct dirent64_raw, name) + strlen(entry->name) + 1);
            EXPECT_NE(entry->ino, 0);
            if (!strcmp(entry->name, ".") || !strcmp(entry->name, ".."))
                (*dots)++;
            else if (!strncmp(entry->name, prefix, strlen(prefix)))
                count++;
            at += entry->reclen;
        }
    }
    EXPECT_EQ(n, 0);
    close(fd);
    return count;
}

TEST(getdents_all, "getdents64")
{
    char name[64];
    int dots;

    guest_scratch();
    REQUIRE_OK(mkdir("d", 0755));
    EXPECT_EQ(count_entries("d", "", &dots), 0);
    EXPECT_EQ(dots, 2);
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof(name), "d/entry-%d-%.*s", i, i % 20, "xxxxxxxxxxxxxxxxxxxx");
        guest_make_file(name, "");
    }
    EXPECT_EQ(count_entries("d", "entry-", &dots), 300);
    EXPECT_EQ(dots, 2);
}

TEST(getdents_types, "getdents64")
{
    DIR *dir;
    struct dirent *entry;
    int seen = 0;

    guest_scratch();
    guest_make_file("reg", "");
    REQUIRE_OK(mkdir("dir", 0755));
    REQUIRE_OK(symlink("x", "lnk"));
    REQUIRE_OK(mkfifo("fif", 0600));
    dir = opendir(".");
    REQUIRE(dir);
    while ((entry = readdir(dir))) {
        unsigned char want = !strcmp(entry->d_name, "reg")   ? DT_REG
                             : !strcmp(entry->d_name, "lnk") ? DT_LNK
                             : !strcmp(entry->d_name, "fif") ? DT_FIFO
                                                             : DT_DIR;

        EXPECT(entry->d_type == want || entry->d_type == DT_UNKNOWN);
        if (entry->d_name[0] != '.') {
            EXPECT_EQ(entry->d_ino, stat_of(entry->d_name).st_ino);
            seen++;
        }
    }
    EXPECT_EQ(seen, 4);
}

TEST(getdents_seek, "getdents64 lseek")
{
    _Alignas(8) char first[64], again[64], all[4096];
    int fd;
    long n;

    guest_scratch();
    guest_make_file("aaaa", "");
    guest_make_file("bbbb", "");
    guest_make_file("cccc", "");
    fd = (int)REQUIRE_OK(open(".", O_RDONLY));
    n = EXPECT_OK(SYS(getdents64, fd, first, sizeof(first)));
    EXPECT_GT(SYS(getdents64, fd, all, sizeof(all)), 0);
    EXPECT_EQ(SYS(getdents64, fd, all, sizeof(all)), 0);
    EXPECT_EQ(SYS(lseek, fd, 0, SEEK_SET), 0);
    memset(again, 0, sizeof(again));
    EXPECT_EQ(SYS(getdents64, fd, again, sizeof(again)), n);
    EXPECT_STREQ(((struct dirent64_raw *)again)->name, ((struct dirent64_raw *)first)->name);
}

TEST(getdents_errors, "getdents64:EBADF,ENOTDIR,EINVAL,EFAULT,ENOENT getdents:EBADF,ENOTDIR,EINVAL getdents")
{
    _Alignas(8) char buf[1024];
    int fd, file;

    guest_scratch();
    guest_make_file("file", "");
    REQUIRE_OK(mkdir("d", 0755));
    fd = (int)REQUIRE_OK(open("d", O_RDONLY));
    file = (int)REQUIRE_OK(open("file", O_RDONLY));
    EXPECT_ERRNO(SYS(getdents64, -1, buf, sizeof(buf)), EBADF);
    EXPECT_ERRNO(SYS(getdents64, file, buf, sizeof(buf)), ENOTDIR);
    EXPECT_ERRNO(SYS(getdents64, fd, buf, 8), EINVAL);
    EXPECT_ERRNO(SYS(getdents64, fd, (void *)8, sizeof(buf)), EFAULT);
    EXPECT_ERRNO(SYS(getdents, -1, buf, sizeof(buf)), EBADF);
    EXPECT_ERRNO(SYS(getdents, file, buf, sizeof(buf)), ENOTDIR);
    EXPECT_ERRNO(SYS(getdents, fd, buf, 8), EINVAL);
    EXPECT_GT(SYS(getdents, fd, buf, sizeof(buf)), 0);
    REQUIRE_OK(rmdir("d"));
    EXPECT_ERRNO(SYS(getdents64, fd, buf, sizeof(buf)), ENOENT);
}

TEST(truncate_basic, "truncate ftruncate truncate:EINVAL,ENOENT,EISDIR,EFAULT,ENOTDIR ftruncate:EBADF,EINVAL")
{
    char buf[16];
    int fd, rd;

    guest_scratch();
    guest_make_file("file", "0123456789");
    fd = (int)REQUIRE_OK(open("file", O_RDWR));
    rd = (int)REQUIRE_OK(open("file", O_RDONLY));
    EXPECT_OK(SYS(truncate, "file", 4));
    EXPECT_EQ(stat_of("file").st_size, 4);
    EXPECT_OK(SYS(ftruncate, fd, 8));
    memset(buf, 1, sizeof(buf));
    EXPECT_EQ(pread(fd, buf, sizeof(buf), 0), 8);
    EXPECT_MEMEQ(buf, "0123\0\0\0\0\1", 9);
    EXPECT_ERRNO(SYS(truncate, "file", -1), EINVAL);
    EXPECT_ERRNO(SYS(truncate, "missing", 0), ENOENT);
    EXPECT_ERRNO(SYS(truncate, "file/x", 0), ENOTDIR);
    EXPECT_ERRNO(SYS(truncate, ".", 0), EISDIR);
    EXPECT_ERRNO(SYS(truncate, (void *)8, 0), EFAULT);
    EXPECT_ERRNO(SYS(ftruncate, -1, 0), EBADF);
    EXPECT_ERRNO(SYS(ftruncate, fd, -1), EINVAL);
    EXPECT_ERRNO(SYS(ftruncate, rd, 0), EINVAL);
    EXPECT_EQ(stat_of("file").st_size, 8);
}

TEST(chmod_basic, "chmod fchmod fchmodat chmod:ENOENT,EFAULT,ENOTDIR fchmod:EBADF fchmodat:EBADF,ENOENT")
{
    int fd;

    guest_scratch();
    guest_make_file("file", "");
    REQUIRE_OK(symlink("file", "link"));
    fd = (int)REQUIRE_OK(open("file", O_RDONLY));
    EXPECT_OK(SYS(chmod, "link", 07654));
    EXPECT_EQ(stat_of("file").st_mode, S_IFREG | 07654);
    EXPECT_OK(SYS(fchmod, fd, 0177600));
    EXPECT_EQ(stat_of("file").st_mode, S_IFREG | 07600);
    EXPECT_OK(SYS(fchmodat, AT_FDCWD, "file", 0444));
    EXPECT_EQ(stat_of("file").st_mode, S_IFREG | 0444);
    EXPECT_ERRNO(SYS(chmod, "missing", 0), ENOENT);
    EXPECT_ERRNO(SYS(chmod, "file/x", 0), ENOTDIR);
    EXPECT_ERRNO(SYS(chmod, (void *)8, 0), EFAULT);
    EXPECT_ERRNO(SYS(fchmod, -1, 0), EBADF);
    EXPECT_ERRNO(SYS(fchmodat, -1, "file", 0), EBADF);
    EXPECT_ERRNO(SYS(fchmodat, AT_FDCWD, "missing", 0), ENOENT);
}

TEST(fchmodat2_flags, "fchmodat2 fchmodat2:EINVAL,EBADF,ENOENT,EOPNOTSUPP")
{
    int fd;

    /* Younger than the headers of some systems. */
    if (syscall(452, -1l, -1l, -1l, -1l) == -1 && errno == ENOSYS)
        SKIP("no fchmodat2");
    guest_scratch();
    guest_make_file("file", "");
    REQUIRE_OK(symlink("file", "link"));
    fd = (int)REQUIRE_OK(open("file", O_PATH));
    EXPECT_OK(SYS_NR(452, AT_FDCWD, "link", 0640, 0));
    EXPECT_EQ(stat_of("file").st_mode, S_IFREG | 0640);
    EXPECT_OK(SYS_NR(452, fd, "", 0600, AT_EMPTY_PATH));
    EXPECT_EQ(stat_of("file").st_mode, S_IFREG | 0600);
    EXPECT_OK(SYS_NR(452, AT_FDCWD, "file", 0604, AT_SYMLINK_NOFOLLOW));
    EXPECT_EQ(stat_of("file").st_mode, S_IFREG | 0604);
    EXPECT_ERRNO(SYS_NR(452, AT_FDCWD, "link", 0, AT_SYMLINK_NOFOLLOW), EOPNOTSUPP);
    EXPECT_ERRNO(SYS_NR(452, AT_FDCWD, "file", 0, 0x40000000), EINVAL);
    EXPECT_ERRNO(SYS_NR(452, -1, "file", 0, 0), EBADF);
    EXPECT_ERRNO(SYS_NR(452, AT_FDCWD, "missing", 0, 0), ENOENT);
}

TEST(chown_basic, "chown fchown lchown fchownat chown:ENOENT,EFAULT fchown:EBADF fchownat:EINVAL,EBADF,ENOENT lchown:ENOENT")
{
    int fd;

    if (!guest_has_cap(CAP_CHOWN))
        SKIP("needs CAP_CHOWN");
    guest_scratch();
    guest_make_file("file", "");
    REQUIRE_OK(chmod("file", 06755));
    REQUIRE_OK(symlink("file", "link"));
    fd = (int)REQUIRE_OK(open("file", O_RDONLY));
    EXPECT_OK(SYS(chown, "link", 11, 12));
    EXPECT_EQ(stat_of("file").st_uid, 11);
    EXPECT_EQ(stat_of("file").st_gid, 12);
    EXPECT_EQ(stat_of("link").st_uid, geteuid());
    /* A change of owner takes setuid and setgid away, also when root does it. */
    EXPECT_EQ(stat_of("file").st_mode & 07777, 0755);
    EXPECT_OK(SYS(fchown, fd, -1, 13));
    EXPECT_EQ(stat_of("file").st_uid, 11);
    EXPECT_EQ(stat_of("file").st_gid, 13);
    EXPECT_OK(SYS(lchown, "link", 14, -1));
    EXPECT_EQ(stat_of("link").st_uid, 14);
    EXPECT_OK(SYS(fchownat, AT_FDCWD, "link", 15, 15, AT_SYMLINK_NOFOLLOW));
    EXPECT_EQ(stat_of("link").st_uid, 15);
    EXPECT_EQ(stat_of("file").st_uid, 11);
    EXPECT_OK(SYS(fchownat, fd, "", 16, 16, AT_EMPTY_PATH));
    EXPECT_EQ(stat_of("file").st_uid, 16);
    EXPECT_ERRNO(SYS(chown, "missing", 0, 0), ENOENT);
    EXPECT_ERRNO(SYS(lchown, "missing", 0, 0), ENOENT);
    EXPECT_ERRNO(SYS(chown, (void *)8, 0, 0), EFAULT);
    EXPECT_ERRNO(SYS(fchown, -1, 0, 0), EBADF);
    EXPECT_ERRNO(SYS(fchownat, AT_FDCWD, "file", 0, 0, 0x40000000), EINVAL);
    EXPECT_ERRNO(SYS(fchownat, -1, "file", 0, 0, 0), EBADF);
    EXPECT_ERRNO(SYS(fchownat, AT_FDCWD, "missing", 0, 0, 0), ENOENT);
}

TEST(setgid_directory, "mkdir open chmod")
{
    if (!guest_has_cap(CAP_CHOWN))
        SKIP("needs CAP_CHOWN");
    guest_scratch();
    REQUIRE_OK(mkdir("d", 0755));
    REQUIRE_OK(chown("d", 0, 777));
    REQUIRE_OK(chmod("d", 02755));
    guest_make_file("d/file", "");
    REQUIRE_OK(mkdir("d/sub", 0755));
    EXPECT_EQ(stat_of("d/file").st_gid, 777);
    EXPECT_EQ(stat_of("d/sub").st_gid, 777);
    EXPECT_EQ(stat_of("d/sub").st_mode, S_IFDIR | 02755);
}

TEST(owner_only_changes, "chmod:EPERM chown:EPERM unlink:EACCES,EPERM rmdir:EACCES rename:EACCES mkdir:EACCES link:EACCES utimensat:EPERM,EACCES")
{
    struct timespec times[2] = {{1, 0}, {1, 0}};
    pid_t pid;

    if (!guest_has_cap(CAP_SETUID) || !guest_has_cap(CAP_SETGID))
        SKIP("needs CAP_SETUID and CAP_SETGID");
    guest_scratch();
    guest_make_file("file", "");
    REQUIRE_OK(mkdir("d", 0755));
    umask(0);
    REQUIRE_OK(mkdir("sticky", 01777));
    guest_make_file("sticky/roots", "");
    REQUIRE_OK(chmod("sticky/roots", 0644));
    IN_CHILD(pid) {
        REQUIRE_OK(SYS(setgroups, 0, NULL));
        REQUIRE_OK(SYS(setresgid, 65534, 65534, 65534));
        REQUIRE_OK(SYS(setresuid, 65534, 65534, 65534));
        EXPECT_ERRNO(SYS(chmod, "file", 0777), EPERM);
        EXPECT_ERRNO(SYS(chown, "file", 65534, 65534), EPERM);
        EXPECT_ERRNO(SYS(utimensat, AT_FDCWD, "file", times, 0), EPERM);
        EXPECT_ERRNO(SYS(utimensat, AT_FDCWD, "file", NULL, 0), EACCES);
        EXPECT_ERRNO(SYS(unlink, "file"), EACCES);
        EXPECT_ERRNO(SYS(rmdir, "d"), EACCES);
        EXPECT_ERRNO(SYS(rename, "file", "x"), EACCES);
        EXPECT_ERRNO(SYS(mkdir, "x", 0700), EACCES);
        EXPECT_ERRNO(SYS(link, "d/missing", "x"), ENOENT);
        guest_make_file("sticky/mine", "");
        EXPECT_OK(SYS(chmod, "sticky/mine", 0600));
        EXPECT_ERRNO(SYS(chown, "sticky/mine", 0, -1), EPERM);
        EXPECT_ERRNO(SYS(link, "sticky/mine", "x"), EACCES);
        EXPECT_ERRNO(SYS(unlink, "sticky/roots"), EPERM);
        EXPECT_ERRNO(SYS(rename, "sticky/roots", "sticky/x"), EPERM);
        EXPECT_OK(SYS(unlink, "sticky/mine"));
    }
    EXPECT_CHILD_OK(pid);
}

TEST(utimensat_basic, "utimensat utimensat:EINVAL,ENOENT,EBADF,EFAULT,ENOTDIR")
{
    struct timespec times[2] = {{1000, 5}, {2000, 999999999}};
    struct stat before;
    int fd;

    guest_scratch();
    guest_make_file("file", "");
    REQUIRE_OK(symlink("file", "link"));
    fd = (int)REQUIRE_OK(open("file", O_RDONLY));
    EXPECT_OK(SYS(utimensat, AT_FDCWD, "link", times, 0));
    EXPECT_EQ(stat_of("file").st_atim.tv_sec, 1000);
    EXPECT_EQ(stat_of("file").st_atim.tv_nsec, 5);
    EXPECT_EQ(stat_of("file").st_mtim.tv_sec, 2000);
    EXPECT_EQ(stat_of("file").st_mtim.tv_nsec, 999999999);
    times[0].tv_nsec = UTIME_OMIT;
    times[1].tv_nsec = UTIME_NOW;
    EXPECT_OK(SYS(utimensat, fd, NULL, times, 0));
    EXPECT_EQ(stat_of("file").st_atim.tv_sec, 1000);
    EXPECT_GT(stat_of("file").st_mtim.tv_sec, 1000000);
    EXPECT_OK(SYS(utimensat, AT_FDCWD, "file", NULL, 0));
    EXPECT_GT(stat_of("file").st_atim.tv_sec, 1000000);
    before = stat_of("file");
    times[0] = times[1] = (struct timespec){77, 0};
    EXPECT_OK(SYS(utimensat, AT_FDCWD, "link", times, AT_SYMLINK_NOFOLLOW));
    EXPECT_EQ(stat_of("link").st_mtim.tv_sec, 77);
    EXPECT_EQ(stat_of("file").st_mtim.tv_sec, before.st_mtim.tv_sec);
    times[1].tv_nsec = 1000000000;
    EXPECT_ERRNO(SYS(utimensat, AT_FDCWD, "file", times, 0), EINVAL);
    times[1].tv_nsec = 0;
    EXPECT_ERRNO(SYS(utimensat, AT_FDCWD, "file", times, 0x40000000), EINVAL);
    EXPECT_ERRNO(SYS(utimensat, AT_FDCWD, "missing", times, 0), ENOENT);
    EXPECT_ERRNO(SYS(utimensat, -1, "file", times, 0), EBADF);
    EXPECT_ERRNO(SYS(utimensat, fd, "file", times, 0), ENOTDIR);
    EXPECT_ERRNO(SYS(utimensat, AT_FDCWD, "file", (void *)8, 0), EFAULT);
    EXPECT_ERRNO(SYS(utimensat, AT_FDCWD, (void *)8, times, 0), EFAULT);
}

TEST(utime_old_calls, "utime utimes futimesat utime:ENOENT utimes:EINVAL")
{
    struct utimbuf buf = {100, 200};
    struct timeval times[2] = {{300, 5}, {400, 6}};

    guest_scratch();
    guest_make_file("file", "");
    EXPECT_OK(SYS(utime, "file", &buf));
    EXPECT_EQ(stat_of("file").st_atim.tv_sec, 100);
    EXPECT_EQ(stat_of("file").st_mtim.tv_sec, 200);
    EXPECT_OK(SYS(utimes, "file", times));
    EXPECT_EQ(stat_of("file").st_mtim.tv_sec, 400);
    EXPECT_EQ(stat_of("file").st_mtim.tv_nsec, 6000);
    times[1].tv_sec = 500;
    EXPECT_OK(SYS(futimesat, AT_FDCWD, "file", times));
    EXPECT_EQ(stat_of("file").st_mtim.tv_sec, 500);
    times[0].tv_usec = 1000000;
    EXPECT_ERRNO(SYS(utimes, "file", times), EINVAL);
    EXPECT_ERRNO(SYS(utime, "missing", &buf), ENOENT);
}

TEST(fallocate_basic, "fallocate fallocate:EINVAL,EBADF,ESPIPE,EFBIG")
{
    char buf[16];
    int fd, rd, ends[2];

    guest_scratch();
    guest_make_file("file", "0123456789");
    fd = (int)REQUIRE_OK(open("file", O_RDWR));
    rd = (int)REQUIRE_OK(open("file", O_RDONLY));
    if (SYS(fallocate, fd, 0, 0, 20) < 0) {
        EXPECT_EQ(errno, EOPNOTSUPP);
        SKIP("the file system has no fallocate");
    }
    EXPECT_EQ(stat_of("file").st_size, 20);
    memset(buf, 1, sizeof(buf));
    EXPECT_EQ(pread(fd, buf, 4, 8), 4);
    EXPECT_MEMEQ(buf, "89\0\0", 4);
    if (SYS(fallocate, fd, FALLOC_FL_KEEP_SIZE, 0, 100) < 0)
        EXPECT_EQ(errno, EOPNOTSUPP);
    EXPECT_EQ(stat_of("file").st_size, 20);
    if (SYS(fallocate, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2, 4) == 0) {
        EXPECT_EQ(pread(fd, buf, 8, 0), 8);
        EXPECT_MEMEQ(buf, "01\0\0\0\0" "67", 8);
    }
    EXPECT_ERRNO(SYS(fallocate, fd, 0, -1, 10), EINVAL);
    EXPECT_ERRNO(SYS(fallocate, fd, 0, 0, 0), EINVAL);
    EXPECT_ERRNO(SYS(fallocate, fd, 0, LLONG_MAX, 10), EFBIG);
    EXPECT_ERRNO(SYS(fallocate, rd, 0, 0, 10), EBADF);
    EXPECT_ERRNO(SYS(fallocate, -1, 0, 0, 10), EBADF);
    REQUIRE_OK(pipe(ends));
    EXPECT_ERRNO(SYS(fallocate, ends[1], 0, 0, 10), ESPIPE);
}

TEST(sync_calls, "fsync fdatasync fsync:EBADF,EINVAL fdatasync:EBADF,EINVAL syncfs syncfs:EBADF sync_file_range")
{
    int fd, dir, ends[2];

    NEEDS(sync_file_range);
    guest_scratch();
    guest_make_file("file", "x");
    fd = (int)REQUIRE_OK(open("file", O_RDONLY));
    dir = (int)REQUIRE_OK(open(".", O_RDONLY));
    EXPECT_OK(SYS(fsync, fd));
    EXPECT_OK(SYS(fdatasync, fd));
    EXPECT_OK(SYS(fsync, dir));
    EXPECT_OK(SYS(syncfs, fd));
    EXPECT_OK(SYS(sync_file_range, fd, 0, 1, 0));
    EXPECT_ERRNO(SYS(fsync, -1), EBADF);
    EXPECT_ERRNO(SYS(fdatasync, -1), EBADF);
    EXPECT_ERRNO(SYS(syncfs, -1), EBADF);
    REQUIRE_OK(pipe(ends));
    EXPECT_ERRNO(SYS(fsync, ends[0]), EINVAL);
    EXPECT_ERRNO(SYS(fdatasync, ends[0]), EINVAL);
}

TEST(fadvise_readahead, "fadvise64 fadvise64:EBADF,EINVAL,ESPIPE readahead readahead:EBADF")
{
    int fd, ends[2];

    NEEDS(fadvise64);
    NEEDS(readahead);
    guest_scratch();
    guest_make_file("file", "x");
    fd = (int)REQUIRE_OK(open("file", O_RDONLY));
    EXPECT_OK(SYS(fadvise64, fd, 0, 0, 0));
    EXPECT_OK(SYS(fadvise64, fd, 0, 100, 4));
    EXPECT_ERRNO(SYS(fadvise64, -1, 0, 0, 0), EBADF);
    EXPECT_ERRNO(SYS(fadvise64, fd, 0, 0, 99), EINVAL);
    EXPECT_ERRNO(SYS(fadvise64, fd, 0, -1, 0), EINVAL);
    REQUIRE_OK(pipe(ends));
    EXPECT_ERRNO(SYS(fadvise64, ends[0], 0, 0, 0), ESPIPE);
    EXPECT_OK(SYS(readahead, fd, 0, 1));
    EXPECT_ERRNO(SYS(readahead, -1, 0, 1), EBADF);
}

TEST(many_files, "open unlink getdents64")
{
    char name[32];
    int dots;

    guest_scratch();
    REQUIRE_OK(mkdir("d", 0755));
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "d/f%d", i);
        guest_make_file(name, "x");
    }
    EXPECT_EQ(count_entries("d", "f", &dots), 1000);
    for (int i = 0; i < 1000; i += 2) {
        snprintf(name, sizeof(name), "d/f%d", i);
        EXPECT_OK(unlink(name));
    }
    EXPECT_EQ(count_entries("d", "f", &dots), 500);
}

TEST(deep_tree, "mkdir chdir rmdir")
{
    const char *top = guest_scratch();

    for (int i = 0; i < 200; i++) {
        REQUIRE_OK(mkdir("level", 0755));
        REQUIRE_OK(chdir("level"));
    }
    guest_make_file("bottom", "x");
    EXPECT(is_there("../../level/level/bottom"));
    REQUIRE_OK(unlink("bottom"));
    for (int i = 0; i < 200; i++) {
        REQUIRE_OK(chdir(".."));
        EXPECT_OK(rmdir("level"));
    }
    EXPECT_EQ(stat_of(".").st_ino, stat_of(top).st_ino);
}
