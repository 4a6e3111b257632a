/*
 * The devices that every container has: null, zero, full, random, urandom, tty.
 */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>

static int open_device(const char *path)
{
    return (int)REQUIRE_OK(open(path, O_RDWR | O_CLOEXEC));
}

TEST(device_numbers, "stat")
{
    static const struct {
        const char *path;
        unsigned int major, minor;
    } devices[] = {{"/dev/null", 1, 3},   {"/dev/zero", 1, 5},    {"/dev/full", 1, 7},
                   {"/dev/random", 1, 8}, {"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0}};

    for (size_t i = 0; i < COUNT_OF(devices); i++) {
        struct stat st;

        if (EXPECT_OK(stat(devices[i].path, &st)) < 0)
            continue;
        EXPECT(S_ISCHR(st.st_mode));
        EXPECT_EQ(st.st_mode & 0666, 0666);
        EXPECT_EQ(major(st.st_rdev), devices[i].major);
        EXPECT_EQ(minor(st.st_rdev), devices[i].minor);
    }
}

TEST(null_device, "read write")
{
    struct iovec iov[] = {IOV_TEXT("abc"), IOV_TEXT("de")};
    struct pollfd poll_fd;
    char byte;
    int fd = open_device("/dev/null");

    EXPECT_EQ(SYS(read, fd, &byte, 1), 0);
    EXPECT_EQ(SYS(write, fd, "abc", 3), 3);
    EXPECT_EQ(SYS(writev, fd, iov, 2), 5);
    EXPECT_EQ(SYS(pwrite64, fd, "abc", 3, 1000), 3);
    EXPECT_EQ(SYS(lseek, fd, 100, SEEK_SET), 0);
    EXPECT_EQ(SYS(ftruncate, fd, 0), -1);
    EXPECT_OK(open("/dev/null", O_WRONLY | O_TRUNC | O_CREAT, 0600));
    poll_fd = (struct pollfd){fd, POLLIN | POLLOUT, 0};
    EXPECT_EQ(SYS(poll, &poll_fd, 1, 0), 1);
    EXPECT_EQ(poll_fd.revents, POLLIN | POLLOUT);
}

TEST(zero_device, "read mmap")
{
    static char buf[10000];
    int fd = open_device("/dev/zero");
    char *p;

    memset(buf, 1, sizeof(buf));
    EXPECT_EQ(SYS(read, fd, buf, sizeof(buf)), sizeof(buf));
    for (size_t i = 0; i < sizeof(buf); i++)
        REQUIRE(buf[i] == 0);
    EXPECT_EQ(SYS(write, fd, "abc", 3), 3);
    EXPECT_ERRNO(SYS(read, fd, (void *)8, 10), EFAULT);
    p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    REQUIRE(p != MAP_FAILED);
    EXPECT_EQ(p[5000], 0);
    p[5000] = 1;
    EXPECT_EQ(SYS(read, fd, buf, 1), 1);
    EXPECT_EQ(buf[0], 0);
}

TEST(full_device, "write:ENOSPC read")
{
    char buf[8];
    int fd = open_device("/dev/full");

    EXPECT_ERRNO(SYS(write, fd, "x", 1), ENOSPC);
    memset(buf, 1, sizeof(buf));
    EXPECT_EQ(SYS(read, fd, buf, 8), 8);
    EXPECT_MEMEQ(buf, "\0\0\0\0\0\0\0\0", 8);
}

TEST(random_devices, "read")
{
    static const char *const paths[] = {"/dev/random", "/dev/urandom"};

    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        unsigned char a[256], b[256];
        int fd = open_device(paths[i]), different = 0;

        EXPECT_EQ(SYS(read, fd, a, sizeof(a)), sizeof(a));
        EXPECT_EQ(SYS(read, fd, b, sizeof(b)), sizeof(b));
        for (size_t n = 0; n < sizeof(a); n++)
            different += a[n] != b[n];
        EXPECT_GT(different, 200);
        EXPECT_ERRNO(SYS(read, fd, (void *)8, 16), EFAULT);
    }
}

TEST(urandom_large, "read")
{
    static unsigned char buf[1 << 20];
    int fd = open_device("/dev/urandom"), seen[256] = {0}, missing = 0;

    EXPECT_EQ(SYS(read, fd, buf, sizeof(buf)), sizeof(buf));
    for (size_t i = 0; i < sizeof(buf); i++)
        seen[buf[i]]++;
    for (int i = 0; i < 256; i++)
        missing += seen[i] < 3000;
    EXPECT_EQ(missing, 0);
}

TEST(tty_without_terminal, "open:ENXIO setsid")
{
    pid_t pid;

    /* A new session has no terminal. */
    IN_CHILD(pid) {
        EXPECT_OK(SYS(setsid));
        EXPECT_ERRNO(SYS(open, "/dev/tty", O_RDWR), ENXIO);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(fd_links, "open readlink")
{
    char target[64] = {0};
    struct stat a, b;

    if (readlink("/dev/fd", target, sizeof(target) - 1) < 0)
        SKIP("no /dev/fd here");
    EXPECT_STREQ(target, "/proc/self/fd");
    EXPECT_OK(fstat(0, &a));
    if (stat("/dev/stdin", &b) == 0)
        EXPECT(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
}

TEST(device_not_a_directory, "open:ENOTDIR")
{
    EXPECT_ERRNO(open("/dev/null/x", O_RDONLY), ENOTDIR);
    EXPECT_ERRNO(open("/dev/null", O_RDONLY | O_DIRECTORY), ENOTDIR);
}

TEST(shm_is_tmpfs, "open unlink")
{
    struct stat st;
    int fd;

    if (stat("/dev/shm", &st) < 0)
        SKIP("no /dev/shm here");
    EXPECT(S_ISDIR(st.st_mode));
    fd = (int)EXPECT_OK(open("/dev/shm/guest-test", O_RDWR | O_CREAT | O_TRUNC, 0600));
    EXPECT_EQ(write(fd, "x", 1), 1);
    EXPECT_OK(unlink("/dev/shm/guest-test"));
}
