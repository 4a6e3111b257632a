/*
 * open, openat, creat, close: what each flag means, and the errors in Linux' order.
 */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* long_name() - a name of n letters */
static const char *long_name(size_t n)
{
    static char name[PATH_MAX + 8];

    memset(name, 'n', n);
    name[n] = '\0';
    return name;
}

/* become_nobody() - for the rest of this process; the caller has checked that it may */
static void become_nobody(void)
{
    REQUIRE_OK(SYS(setgroups, 0, NULL));
    REQUIRE_OK(SYS(setresgid, 65534, 65534, 65534));
    REQUIRE_OK(SYS(setresuid, 65534, 65534, 65534));
}

TEST(open_lowest_fd, "open close")
{
    int a, b;

    guest_scratch();
    guest_make_file("file", "x");
    a = (int)EXPECT_OK(SYS(open, "file", O_RDONLY));
    b = (int)EXPECT_OK(SYS(open, "file", O_RDONLY));
    EXPECT_EQ(b, a + 1);
    EXPECT_OK(SYS(close, a));
    EXPECT_EQ(SYS(open, "file", O_RDONLY), a);
    EXPECT_OK(SYS(close, a));
    EXPECT_OK(SYS(close, b));
}

TEST(close_errors, "close:EBADF")
{
    int fd = (int)REQUIRE_OK(SYS(open, "/", O_RDONLY));

    EXPECT_OK(SYS(close, fd));
    EXPECT_ERRNO(SYS(close, fd), EBADF);
    EXPECT_ERRNO(SYS(close, -1), EBADF);
    EXPECT_ERRNO(SYS(close, 1 << 30), EBADF);
}

TEST(close_range_basic, "close_range close_range:EINVAL")
{
    int fds[4];

    NEEDS(close_range);
    for (int i = 0; i < 4; i++)
        fds[i] = (int)REQUIRE_OK(SYS(fcntl, STDOUT_FILENO, F_DUPFD, 100 + i));
    EXPECT_ERRNO(SYS(close_range, 102, 101, 0), EINVAL);
    EXPECT_ERRNO(SYS(close_range, 100, 101, 1 << 10), EINVAL);
    EXPECT_OK(SYS(close_range, 101, 102, 0));
    EXPECT_OK(SYS(fcntl, fds[0], F_GETFD));
    EXPECT_ERRNO(SYS(fcntl, fds[1], F_GETFD), EBADF);
    EXPECT_ERRNO(SYS(fcntl, fds[2], F_GETFD), EBADF);
    EXPECT_OK(SYS(close_range, 103, 103, 4 /* CLOSE_RANGE_CLOEXEC */));
    EXPECT_EQ(SYS(fcntl, fds[3], F_GETFD), FD_CLOEXEC);
}

TEST(open_enoent, "open:ENOENT openat:ENOENT")
{
    guest_scratch();
    EXPECT_ERRNO(SYS(open, "missing", O_RDONLY), ENOENT);
    EXPECT_ERRNO(SYS(open, "missing/file", O_RDWR | O_CREAT, 0600), ENOENT);
    EXPECT_ERRNO(SYS(open, "", O_RDONLY), ENOENT);
    EXPECT_ERRNO(SYS(openat, AT_FDCWD, "", O_RDONLY), ENOENT);
    REQUIRE_OK(symlink("nowhere", "dangling"));
    EXPECT_ERRNO(SYS(open, "dangling", O_RDONLY), ENOENT);
}

TEST(open_efault, "open:EFAULT openat:EFAULT creat:EFAULT")
{
    char *bad = guest_bad_page();

    EXPECT_ERRNO(SYS(open, (void *)8, O_RDONLY), EFAULT);
    EXPECT_ERRNO(SYS(openat, AT_FDCWD, bad, O_RDONLY), EFAULT);
    EXPECT_ERRNO(SYS(openat, -1, NULL, O_RDONLY), EFAULT);
    EXPECT_ERRNO(SYS(creat, (void *)-1l, 0600), EFAULT);
    bad[-1] = '/';
    EXPECT_ERRNO(SYS(open, bad - 1, O_RDONLY), EFAULT);
    /* A string that ends with the page is fine. */
    bad[-2] = '/';
    bad[-1] = '\0';
    EXPECT_OK(SYS(open, bad - 2, O_RDONLY));
}

TEST(open_enametoolong, "open:ENAMETOOLONG")
{
    static char path[PATH_MAX + 2];

    guest_scratch();
    EXPECT_OK(SYS(open, long_name(255), O_RDWR | O_CREAT, 0600));
    EXPECT_ERRNO(SYS(open, long_name(256), O_RDWR | O_CREAT, 0600), ENAMETOOLONG);
    for (int i = 0; i < PATH_MAX; i++)
        path[i] = i % 2 ? '/' : '.';
    path[PATH_MAX - 1] = '\0';
    EXPECT_OK(SYS(open, path, O_RDONLY));
    path[PATH_MAX - 1] = '/';
    path[PATH_MAX] = '\0';
    EXPECT_ERRNO(SYS(open, path, O_RDONLY), ENAMETOOLONG);
}

TEST(open_enotdir, "open:ENOTDIR openat:ENOTDIR,EBADF")
{
    int fd, dir;

    guest_scratch();
    guest_make_file("file", "x");
    fd = (int)REQUIRE_OK(open("file", O_RDONLY));
    dir = (int)REQUIRE_OK(open(".", O_RDONLY | O_DIRECTORY));
    EXPECT_ERRNO(SYS(open, "file/below", O_RDONLY), ENOTDIR);
    EXPECT_ERRNO(SYS(open, "file/", O_RDONLY), ENOTDIR);
    EXPECT_ERRNO(SYS(open, "file/.", O_RDONLY), ENOTDIR);
    EXPECT_ERRNO(SYS(open, "file", O_RDONLY | O_DIRECTORY), ENOTDIR);
    EXPECT_ERRNO(SYS(openat, fd, "file", O_RDONLY), ENOTDIR);
    EXPECT_ERRNO(SYS(openat, -1, "file", O_RDONLY), EBADF);
    EXPECT_ERRNO(SYS(openat, 999, "file", O_RDONLY), EBADF);
    /* An absolute path needs no directory. */
    EXPECT_OK(SYS(openat, -1, "/", O_RDONLY));
    EXPECT_OK(SYS(openat, dir, "file", O_RDONLY));
}

TEST(open_eisdir, "open:EISDIR")
{
    guest_scratch();
    EXPECT_ERRNO(SYS(open, ".", O_WRONLY), EISDIR);
    EXPECT_ERRNO(SYS(open, "/", O_RDWR), EISDIR);
    EXPECT_ERRNO(SYS(open, ".", O_RDONLY | O_CREAT, 0600), EISDIR);
    EXPECT_ERRNO(SYS(open, "new/", O_RDWR | O_CREAT, 0600), EISDIR);
    EXPECT_ERRNO(SYS(open, "new", O_RDONLY), ENOENT);
}

TEST(open_eloop, "open:ELOOP")
{
    char name[16] = "l0", next[16];
    int fd;

    guest_scratch();
    REQUIRE_OK(symlink("self", "self"));
    REQUIRE_OK(symlink("b", "a"));
    REQUIRE_OK(symlink("a", "b"));
    EXPECT_ERRNO(SYS(open, "self", O_RDONLY), ELOOP);
    EXPECT_ERRNO(SYS(open, "a/x", O_RDONLY), ELOOP);
    guest_make_file("l0", "end");
    for (int i = 1; i <= 41; i++) {
        snprintf(next, sizeof(next), "l%d", i);
        REQUIRE_OK(symlink(name, next));
        memcpy(name, next, sizeof(name));
    }
    fd = (int)EXPECT_OK(SYS(open, "l40", O_RDONLY));
    close(fd);
    EXPECT_ERRNO(SYS(open, "l41", O_RDONLY), ELOOP);
}

TEST(open_nofollow, "open:ELOOP")
{
    struct stat st;
    int fd;

    guest_scratch();
    guest_make_file("file", "x");
    REQUIRE_OK(mkdir("dir", 0755));
    REQUIRE_OK(symlink("file", "link"));
    REQUIRE_OK(symlink("dir", "dirlink"));
    guest_make_file("dir/inner", "x");
    EXPECT_ERRNO(SYS(open, "link", O_RDONLY | O_NOFOLLOW), ELOOP);
    EXPECT_ERRNO(SYS(open, "dirlink", O_RDONLY | O_NOFOLLOW | O_DIRECTORY), ENOTDIR);
    /* It is about the last component only. */
    EXPECT_OK(SYS(open, "dirlink/inner", O_RDONLY | O_NOFOLLOW));
    fd = (int)EXPECT_OK(SYS(open, "link", O_PATH | O_NOFOLLOW));
    EXPECT_OK(fstat(fd, &st));
    EXPECT(S_ISLNK(st.st_mode));
}

TEST(open_creat_mode, "open creat umask")
{
    struct stat st;

    guest_scratch();
    EXPECT_EQ(SYS(umask, 027), 022);
    EXPECT_OK(SYS(open, "a", O_RDWR | O_CREAT, 0777));
    EXPECT_OK(stat("a", &st));
    EXPECT_EQ(st.st_mode, S_IFREG | 0750);
    EXPECT_EQ(SYS(umask, 0), 027);
    EXPECT_OK(SYS(open, "b", O_RDWR | O_CREAT, 07777));
    EXPECT_OK(stat("b", &st));
    EXPECT_EQ(st.st_mode, S_IFREG | 07777);
    EXPECT_EQ(st.st_uid, geteuid());
    EXPECT_EQ(SYS(umask, 07777), 0);
    EXPECT_EQ(SYS(umask, 022), 0777);
    /* A file that exists keeps its mode. */
    EXPECT_OK(SYS(open, "a", O_RDWR | O_CREAT, 0111));
    EXPECT_OK(stat("a", &st));
    EXPECT_EQ(st.st_mode & 07777, 0750);
}

TEST(open_creat_unwritable_mode, "open")
{
    int fd;

    guest_scratch();
    /* The mode holds for later opens: this one may write. */
    fd = (int)EXPECT_OK(SYS(open, "file", O_RDWR | O_CREAT, 0));
    EXPECT_EQ(write(fd, "x", 1), 1);
}

TEST(open_excl, "open:EEXIST")
{
    guest_scratch();
    EXPECT_OK(SYS(open, "file", O_RDWR | O_CREAT | O_EXCL, 0600));
    EXPECT_ERRNO(SYS(open, "file", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    EXPECT_ERRNO(SYS(open, ".", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    REQUIRE_OK(symlink("nowhere", "dangling"));
    EXPECT_ERRNO(SYS(open, "dangling", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    EXPECT_ERRNO(SYS(open, "nowhere", O_RDONLY), ENOENT);
    /* Without O_EXCL the link's target is created. */
    EXPECT_OK(SYS(open, "dangling", O_RDWR | O_CREAT, 0600));
    EXPECT_OK(SYS(open, "nowhere", O_RDONLY));
}

TEST(open_trunc, "open creat")
{
    struct stat st;
    int fd, other;

    guest_scratch();
    guest_make_file("file", "content");
    other = (int)REQUIRE_OK(open("file", O_RDONLY));
    EXPECT_OK(SYS(open, "file", O_WRONLY));
    EXPECT_OK(fstat(other, &st));
    EXPECT_EQ(st.st_size, 7);
    fd = (int)EXPECT_OK(SYS(open, "file", O_WRONLY | O_TRUNC));
    EXPECT_OK(fstat(other, &st));
    EXPECT_EQ(st.st_size, 0);
    EXPECT_EQ(write(fd, "abc", 3), 3);
    fd = (int)EXPECT_OK(SYS(creat, "file", 0600));
    EXPECT_OK(fstat(other, &st));
    EXPECT_EQ(st.st_size, 0);
    EXPECT_ERRNO(read(fd, &st, 1), EBADF);
}

TEST(open_directory, "open")
{
    struct stat st;
    int fd;

    guest_scratch();
    fd = (int)EXPECT_OK(SYS(open, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    EXPECT_OK(fstat(fd, &st));
    EXPECT(S_ISDIR(st.st_mode));
    EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(fcntl(fd, F_GETFL) & O_DIRECTORY, O_DIRECTORY);
}

TEST(open_path_fd, "open fcntl fstat")
{
    struct stat st;
    char byte;
    int fd, dir;

    guest_scratch();
    guest_make_file("file", "x");
    fd = (int)EXPECT_OK(SYS(open, "file", O_PATH | O_CLOEXEC));
    EXPECT_OK(SYS(fstat, fd, &st));
    EXPECT_EQ(st.st_size, 1);
    EXPECT_EQ(fcntl(fd, F_GETFL) & O_PATH, O_PATH);
    EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    EXPECT_ERRNO(read(fd, &byte, 1), EBADF);
    EXPECT_ERRNO(SYS(fchmod, fd, 0600), EBADF);
    EXPECT_ERRNO(SYS(ftruncate, fd, 0), EBADF);
    EXPECT_ERRNO(SYS(lseek, fd, 0, SEEK_SET), EBADF);
    EXPECT_ERRNO(SYS(ioctl, fd, 0x541b, &byte), EBADF);
    dir = (int)EXPECT_OK(SYS(open, ".", O_PATH));
    EXPECT_OK(SYS(openat, dir, "file", O_RDONLY));
    EXPECT_OK(SYS(fchdir, dir));
    EXPECT_ERRNO(SYS(getdents64, dir, &st, sizeof(st)), EBADF);
}

TEST(open_tmpfile, "open openat")
{
    struct stat st;
    char buf[4] = {0}, name[40];
    int fd;

    guest_scratch();
    fd = (int)SYS(openat, AT_FDCWD, ".", O_TMPFILE | O_RDWR, 0600);
    if (fd < 0 && errno == EOPNOTSUPP)
        SKIP("the file system has no O_TMPFILE");
    REQUIRE(fd >= 0);
    EXPECT_OK(fstat(fd, &st));
    EXPECT_EQ(st.st_nlink, 0);
    EXPECT_EQ(write(fd, "abc", 3), 3);
    EXPECT_EQ(pread(fd, buf, 3, 0), 3);
    EXPECT_STREQ(buf, "abc");
    EXPECT_ERRNO(SYS(openat, AT_FDCWD, ".", O_TMPFILE | O_RDONLY, 0600), EINVAL);
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    EXPECT_OK(SYS(linkat, AT_FDCWD, name, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
    EXPECT_OK(stat("named", &st));
    EXPECT_EQ(st.st_size, 3);
}

TEST(open_access_mode_3, "open")
{
    char byte = 0;
    int fd;

    guest_scratch();
    guest_make_file("file", "x");
    /* Access mode 3: checked as for both, good for neither. */
    fd = (int)EXPECT_OK(SYS(open, "file", 3));
    EXPECT_ERRNO(read(fd, &byte, 1), EBADF);
    EXPECT_ERRNO(write(fd, &byte, 1), EBADF);
}

TEST(open_unknown_flags, "open openat2:EINVAL")
{
    struct open_how how = {.flags = O_RDONLY | (1ull << 40)};

    /* open ignores what it does not know, openat2 refuses. */
    EXPECT_OK(SYS(open, "/", O_RDONLY | 0x04000000));
    NEEDS(openat2);
    EXPECT_ERRNO(SYS(openat2, AT_FDCWD, "/", &how, sizeof(how)), EINVAL);
}

TEST(open_eacces, "open:EACCES")
{
    pid_t pid;

    if (!guest_has_cap(CAP_SETUID) || !guest_has_cap(CAP_SETGID))
        SKIP("needs CAP_SETUID and CAP_SETGID");
    guest_scratch();
    guest_make_file("private", "x");
    guest_make_file("readable", "x");
    REQUIRE_OK(chmod("private", 0600));
    REQUIRE_OK(mkdir("closed", 0700));
    guest_make_file("closed/file", "x");
    REQUIRE_OK(mkdir("listed", 0744));
    guest_make_file("listed/file", "x");
    IN_CHILD(pid) {
        become_nobody();
        EXPECT_ERRNO(SYS(open, "private", O_RDONLY), EACCES);
        EXPECT_OK(SYS(open, "readable", O_RDONLY));
        EXPECT_ERRNO(SYS(open, "readable", O_WRONLY), EACCES);
        EXPECT_ERRNO(SYS(open, "readable", O_RDONLY | O_TRUNC), EACCES);
        EXPECT_ERRNO(SYS(open, "new", O_RDWR | O_CREAT, 0600), EACCES);
        EXPECT_ERRNO(SYS(open, "closed/file", O_RDONLY), EACCES);
        EXPECT_ERRNO(SYS(open, "closed/missing", O_RDONLY), EACCES);
        EXPECT_ERRNO(SYS(open, "listed/file", O_RDONLY), EACCES);
        EXPECT_OK(SYS(open, "listed", O_RDONLY | O_DIRECTORY));
        EXPECT_OK(SYS(open, "private", O_PATH));
        /* What exists is not created: EEXIST comes before the directory's mode. */
        EXPECT_ERRNO(SYS(open, "readable", O_CREAT | O_EXCL | O_RDWR, 0600), EEXIST);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(open_etxtbsy, "open:ETXTBSY truncate:ETXTBSY")
{
    EXPECT_ERRNO(SYS(open, guest_self, O_WRONLY), ETXTBSY);
    EXPECT_ERRNO(SYS(truncate, guest_self, 0), ETXTBSY);
}

TEST(open_fifo, "open:ENXIO")
{
    int rd, wr;

    guest_scratch();
    REQUIRE_OK(mkfifo("fifo", 0600));
    EXPECT_ERRNO(SYS(open, "fifo", O_WRONLY | O_NONBLOCK), ENXIO);
    rd = (int)EXPECT_OK(SYS(open, "fifo", O_RDONLY | O_NONBLOCK));
    wr = (int)EXPECT_OK(SYS(open, "fifo", O_WRONLY | O_NONBLOCK));
    EXPECT_EQ(write(wr, "x", 1), 1);
    close(wr);
    EXPECT_EQ(read(rd, &wr, 4), 1);
    EXPECT_EQ(read(rd, &wr, 4), 0);
}

TEST(open_fifo_blocks, "open:EINTR")
{
    pid_t pid;
    int fd;

    guest_scratch();
    REQUIRE_OK(mkfifo("fifo", 0600));
    guest_on_signal(SIGUSR1, guest_count_signal, 0);
    pid = guest_pester(SIGUSR1, 20);
    EXPECT_ERRNO(SYS(open, "fifo", O_RDONLY), EINTR);
    guest_end(pid);
    IN_CHILD(pid) {
        int wr;

        guest_sleep_ms(30);
        wr = (int)EXPECT_OK(SYS(open, "fifo", O_WRONLY));
        EXPECT_EQ(write(wr, "hi", 2), 2);
    }
    fd = (int)EXPECT_OK(SYS(open, "fifo", O_RDONLY));
    EXPECT_CHILD_OK(pid);
    EXPECT_EQ(read(fd, &pid, 4), 2);
}

TEST(open_device_enxio, "open:ENXIO mknod")
{
    guest_scratch();
    if (SYS(mknod, "device", S_IFCHR | 0600, 0x3ff00) < 0) {
        EXPECT_EQ(errno, EPERM);
        SKIP("may not make devices");
    }
    /* No driver; where the mount is nodev, that is said first. */
    EXPECT_EQ(SYS(open, "device", O_RDONLY), -1);
    EXPECT(errno == ENXIO || errno == EACCES);
}

TEST(emfile, "open:EMFILE dup:EMFILE pipe:EMFILE")
{
    struct rlimit limit;
    int last = -1, fd, ends[2] = {-7, -7};

    REQUIRE_OK(getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = 64;
    REQUIRE_OK(setrlimit(RLIMIT_NOFILE, &limit));
    while ((fd = (int)SYS(open, "/", O_RDONLY)) >= 0)
        last = fd;
    EXPECT_EQ(errno, EMFILE);
    EXPECT_EQ(last, 63);
    EXPECT_ERRNO(SYS(dup, 0), EMFILE);
    EXPECT_ERRNO(SYS(pipe, ends), EMFILE);
    EXPECT_EQ(ends[0], -7);
    /* A missing file is not even looked for. */
    EXPECT_ERRNO(SYS(open, "/missing-file", O_RDONLY), EMFILE);
    close(63);
    EXPECT_ERRNO(SYS(pipe, ends), EMFILE);
    EXPECT_EQ(SYS(open, "/", O_RDONLY), 63);
}

TEST(unlinked_stays_readable, "open unlink read")
{
    char buf[8] = {0};
    struct stat st;
    int fd;

    guest_scratch();
    guest_make_file("file", "still");
    fd = (int)REQUIRE_OK(open("file", O_RDWR));
    EXPECT_OK(unlink("file"));
    EXPECT_ERRNO(open("file", O_RDONLY), ENOENT);
    EXPECT_EQ(read(fd, buf, 8), 5);
    EXPECT_STREQ(buf, "still");
    EXPECT_EQ(write(fd, "more", 4), 4);
    EXPECT_OK(fstat(fd, &st));
    EXPECT_EQ(st.st_nlink, 0);
    EXPECT_EQ(st.st_size, 9);
}

TEST(reopen_through_proc, "open readlink")
{
    char name[40], buf[64] = {0};
    int fd;

    guest_scratch();
    guest_make_file("file", "text");
    fd = (int)REQUIRE_OK(open("file", O_RDWR));
    EXPECT_EQ(read(fd, buf, 2), 2);
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    /* A new file description, with an offset of its own. */
    fd = (int)EXPECT_OK(SYS(open, name, O_RDONLY));
    EXPECT_EQ(read(fd, buf, sizeof(buf)), 4);
    EXPECT_MEMEQ(buf, "text", 4);
}

TEST(openat2_resolve, "openat2 openat2:EXDEV,ELOOP,EINVAL")
{
    struct open_how how = {.flags = O_RDONLY};
    int dir;

    guest_scratch();
    REQUIRE_OK(mkdir("dir", 0755));
    guest_make_file("dir/file", "x");
    REQUIRE_OK(symlink("file", "dir/link"));
    REQUIRE_OK(symlink("/", "dir/root"));
    dir = (int)REQUIRE_OK(open("dir", O_PATH));
    NEEDS(openat2);
    EXPECT_OK(SYS(openat2, dir, "link", &how, sizeof(how)));
    how.resolve = RESOLVE_NO_SYMLINKS;
    EXPECT_ERRNO(SYS(openat2, dir, "link", &how, sizeof(how)), ELOOP);
    how.resolve = RESOLVE_BENEATH;
    EXPECT_OK(SYS(openat2, dir, "link", &how, sizeof(how)));
    EXPECT_ERRNO(SYS(openat2, dir, "../dir/file", &how, sizeof(how)), EXDEV);
    EXPECT_ERRNO(SYS(openat2, dir, "root", &how, sizeof(how)), EXDEV);
    EXPECT_ERRNO(SYS(openat2, dir, "/", &how, sizeof(how)), EXDEV);
    how.resolve = RESOLVE_IN_ROOT;
    EXPECT_OK(SYS(openat2, dir, "/file", &how, sizeof(how)));
    EXPECT_OK(SYS(openat2, dir, "../../file", &how, sizeof(how)));
    EXPECT_ERRNO(SYS(openat2, dir, "file", &how, 8), EINVAL);
}
