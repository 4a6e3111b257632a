/*
 * memfd_create(2) and file seals (fcntl(2)): what may be sealed, and that a seal holds against every
 * way to change a file.
 */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#define MFD_EXEC        16u
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x20
#endif
#define ALL_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)
#define PAGE      4096

/* memfd() - one of `size` bytes */
static int memfd(unsigned int flags, off_t size)
{
    int fd = (int)REQUIRE_OK(SYS(memfd_create, "test", flags));

    if (size)
        REQUIRE_OK(ftruncate(fd, size));
    return fd;
}

static int reopen(int fd, int flags)
{
    char name[40];

    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    return open(name, flags);
}

TEST(is_a_file, "memfd_create fstat fstatfs readlink fcntl")
{
    char name[40], target[80] = {0};
    struct statfs fs;
    struct stat st;
    int fd = memfd(0, 0);

    EXPECT_OK(fstat(fd, &st));
    EXPECT_EQ(st.st_mode, S_IFREG | 0777);
    EXPECT(st.st_size == 0 && st.st_nlink == 0);
    EXPECT(st.st_uid == geteuid() && st.st_gid == getegid());
    EXPECT_OK(fstatfs(fd, &fs));
    EXPECT_EQ(fs.f_type, 0x01021994);
    EXPECT_EQ(fs.f_blocks, 0);
    EXPECT_EQ(fcntl(fd, F_GETFL), O_RDWR | 0100000);
    EXPECT_EQ(fcntl(fd, F_GETFD), 0);
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    EXPECT_OK(readlink(name, target, sizeof(target) - 1));
    EXPECT_STREQ(target, "/memfd:test (deleted)");
    close(fd);
    fd = memfd(MFD_CLOEXEC, 0);
    EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    EXPECT_ERRNO(fchdir(fd), ENOTDIR);
}

TEST(arguments, "memfd_create:EINVAL,EFAULT")
{
    char name[300];

    EXPECT_ERRNO(SYS(memfd_create, "x", 0x20u), EINVAL);
    EXPECT_ERRNO(SYS(memfd_create, "x", 0x80000000u), EINVAL);
    EXPECT_ERRNO(SYS(memfd_create, "x", 26u << 26), EINVAL);
    EXPECT_ERRNO(SYS(memfd_create, 8, 0), EFAULT);
    EXPECT_ERRNO(SYS(memfd_create, 8, 0x20u), EINVAL);
    memset(name, 'x', sizeof(name));
    name[249] = '\0';
    EXPECT_OK(SYS(memfd_create, name, 0));
    name[249] = 'x';
    name[250] = '\0';
    EXPECT_ERRNO(SYS(memfd_create, name, 0), EINVAL);
    name[0] = '/';
    name[1] = '\0';
    EXPECT_OK(SYS(memfd_create, name, 0));
    EXPECT_OK(SYS(memfd_create, "", 0));
}

TEST(holds_data, "memfd_create read write mmap ftruncate fork")
{
    int fd = memfd(0, 0), other;
    char buf[8] = {0}, *p;
    pid_t pid;

    EXPECT_EQ(write(fd, "0123456789", 10), 10);
    EXPECT_EQ(pread(fd, buf, 4, 3), 4);
    EXPECT_STREQ(buf, "3456");
    EXPECT_OK(ftruncate(fd, 3 * PAGE));
    p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    REQUIRE(p != MAP_FAILED);
    IN_CHILD(pid)
    p[2 * PAGE] = 'c';
    EXPECT_CHILD_OK(pid);
    EXPECT_EQ(pread(fd, buf, 1, 2 * PAGE), 1);
    EXPECT_EQ(buf[0], 'c');
    other = (int)EXPECT_OK(reopen(fd, O_RDWR));
    EXPECT_EQ(pwrite(other, "o", 1, 5), 1);
    EXPECT_EQ(p[5], 'o');
    close(other);
    other = (int)EXPECT_OK(reopen(fd, O_RDONLY));
    EXPECT_ERRNO(write(other, "x", 1), EBADF);
    EXPECT(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, other, 0) == MAP_FAILED);
    EXPECT_EQ(errno, EACCES);
}

TEST(seals_are_asked_for, "memfd_create fcntl:EPERM,EINVAL")
{
    int fd = memfd(0, 0), file;

    EXPECT_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL);
    EXPECT_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EPERM);
    EXPECT_ERRNO(fcntl(fd, F_ADD_SEALS, 0), EPERM);
    EXPECT_ERRNO(fcntl(fd, F_ADD_SEALS, 0x1000), EINVAL);
    close(fd);
    fd = memfd(MFD_ALLOW_SEALING, 0);
    EXPECT_EQ(fcntl(fd, F_GET_SEALS), 0);
    EXPECT_ERRNO(fcntl(fd, F_ADD_SEALS, 0x1000), EINVAL);
    EXPECT_OK(fcntl(fd, F_ADD_SEALS, 0));
    EXPECT_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
    EXPECT_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
    EXPECT_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
    EXPECT_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW);
    file = (int)EXPECT_OK(reopen(fd, O_RDONLY));
    EXPECT_EQ(fcntl(file, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW);
    EXPECT_ERRNO(fcntl(file, F_ADD_SEALS, F_SEAL_SEAL), EPERM);
    close(file);
    EXPECT_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
    EXPECT_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EPERM);
    EXPECT_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    file = (int)EXPECT_OK(open("/proc/self/stat", O_RDONLY));
    EXPECT_ERRNO(fcntl(file, F_GET_SEALS), EINVAL);
    close(file);
    file = (int)EXPECT_OK(open("/dev/null", O_RDWR));
    EXPECT_ERRNO(fcntl(file, F_GET_SEALS), EINVAL);
    EXPECT_ERRNO(fcntl(file, F_ADD_SEALS, F_SEAL_SEAL), EINVAL);
}

TEST(seal_shrink_and_grow, "fcntl ftruncate:EPERM pwrite64:EPERM fallocate:EPERM")
{
    static char block[2 * PAGE];
    int fd = memfd(MFD_ALLOW_SEALING, PAGE);

    EXPECT_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
    EXPECT_ERRNO(ftruncate(fd, 10), EPERM);
    EXPECT_OK(ftruncate(fd, PAGE));
    EXPECT_OK(ftruncate(fd, 2 * PAGE));
    EXPECT_ERRNO(reopen(fd, O_RDWR | O_TRUNC), EPERM);
    EXPECT_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
    EXPECT_ERRNO(ftruncate(fd, 3 * PAGE), EPERM);
    EXPECT_EQ(pwrite(fd, block, 2 * PAGE, 0), 2 * PAGE);
    EXPECT_EQ(pwrite(fd, "x", 1, 2 * PAGE - 1), 1);
    EXPECT_ERRNO(pwrite(fd, "x", 1, 2 * PAGE), EPERM);
    EXPECT_ERRNO(pwrite(fd, "x", 1, 100 * PAGE), EPERM);
    EXPECT_ERRNO(fallocate(fd, 0, 0, 3 * PAGE), EPERM);
    EXPECT_ERRNO(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 3 * PAGE), EPERM);
    EXPECT_OK(fallocate(fd, 0, 0, 2 * PAGE));
    EXPECT_OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE));
}

TEST(seal_write, "fcntl write:EPERM ftruncate fallocate:EPERM mmap:EPERM mprotect:EACCES")
{
    struct iovec iov = {(void *)"xy", 2};
    int fd = memfd(MFD_ALLOW_SEALING, PAGE), other = reopen(fd, O_RDWR);
    char *p, buf;

    REQUIRE(other >= 0);
    EXPECT_EQ(pwrite(fd, "data", 4, 0), 4);
    EXPECT_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
    EXPECT_ERRNO(write(fd, "x", 1), EPERM);
    EXPECT_EQ(write(fd, "x", 0), 0);
    EXPECT_ERRNO(pwritev(other, &iov, 1, 0), EPERM);
    EXPECT_ERRNO(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE), EPERM);
    EXPECT(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
    EXPECT_EQ(errno, EPERM);
    EXPECT_EQ(pread(fd, &buf, 1, 0), 1);
    EXPECT_EQ(buf, 'd');
    p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    REQUIRE(p != MAP_FAILED);
    p[0] = 'X';
    EXPECT_EQ(pread(fd, &buf, 1, 0), 1);
    EXPECT_EQ(buf, 'd');
    p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    /* Allowed since Linux 6.7. */
    if (p == MAP_FAILED) {
        EXPECT_EQ(errno, EPERM);
    } else {
        EXPECT_EQ(p[0], 'd');
        EXPECT_ERRNO(mprotect(p, PAGE, PROT_READ | PROT_WRITE), EACCES);
    }
    EXPECT_OK(ftruncate(fd, 0));
}

TEST(seal_write_is_busy, "fcntl:EBUSY mmap munmap mremap")
{
    int fd = memfd(MFD_ALLOW_SEALING, 4 * PAGE);
    char *p = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, fd, 0), *q;
    pid_t pid;

    /* It may become writable, so it counts. */
    REQUIRE(p != MAP_FAILED);
    EXPECT_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
    EXPECT_EQ(fcntl(fd, F_GET_SEALS), 0);
    EXPECT_OK(munmap(p + PAGE, PAGE));
    EXPECT_OK(mprotect(p, PAGE, PROT_READ | PROT_WRITE));
    EXPECT_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
    EXPECT_OK(munmap(p, PAGE));
    EXPECT_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW), EBUSY);
    EXPECT_EQ(fcntl(fd, F_GET_SEALS), 0);
    q = mremap(p + 2 * PAGE, 2 * PAGE, 8 * PAGE, MREMAP_MAYMOVE);
    REQUIRE(q != MAP_FAILED);
    EXPECT_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
    IN_CHILD(pid)
    {
        EXPECT_OK(munmap(q, 8 * PAGE));
        EXPECT_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_OK(munmap(q, 8 * PAGE));
    /* Mappings that can't write don't. */
    REQUIRE(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0) != MAP_FAILED);
    REQUIRE(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, reopen(fd, O_RDONLY), 0) != MAP_FAILED);
    EXPECT_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
    EXPECT_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_WRITE);
}

TEST(seal_write_after_exit, "fcntl mmap wait4")
{
    int fd = memfd(MFD_ALLOW_SEALING, PAGE);
    pid_t pid;
    char *p;

    IN_CHILD(pid)
    {
        p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        REQUIRE(p != MAP_FAILED);
        p[0] = 'c';
        EXPECT_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
}

TEST(seal_future_write, "fcntl write:EPERM mmap:EPERM mprotect:EACCES fallocate:EPERM")
{
    int fd = memfd(MFD_ALLOW_SEALING, PAGE);
    char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), *q, buf;

    REQUIRE(p != MAP_FAILED);
    EXPECT_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
    p[0] = 'a';
    EXPECT_ERRNO(pwrite(fd, "b", 1, 0), EPERM);
    EXPECT_EQ(pread(fd, &buf, 1, 0), 1);
    EXPECT_EQ(buf, 'a');
    EXPECT(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
    EXPECT_EQ(errno, EPERM);
    q = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    REQUIRE(q != MAP_FAILED);
    EXPECT_EQ(q[0], 'a');
    EXPECT_ERRNO(mprotect(q, PAGE, PROT_READ | PROT_WRITE), EACCES);
    EXPECT_ERRNO(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE), EPERM);
    EXPECT_OK(mprotect(p, PAGE, PROT_READ));
    EXPECT_OK(mprotect(p, PAGE, PROT_READ | PROT_WRITE));
    p[0] = 'z';
    EXPECT_EQ(q[0], 'z');
}

TEST(seal_exec, "memfd_create fcntl:EPERM fchmod:EPERM execveat")
{
    int fd = (int)SYS(memfd_create, "quiet", MFD_NOEXEC_SEAL);
    struct stat st;

    if (fd < 0 && errno == EINVAL)
        SKIP("no MFD_NOEXEC_SEAL before Linux 6.3");
    EXPECT_ERRNO(SYS(memfd_create, "x", MFD_NOEXEC_SEAL | MFD_EXEC), EINVAL);
    EXPECT_OK(fstat(fd, &st));
    EXPECT_EQ(st.st_mode, S_IFREG | 0666);
    EXPECT_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_EXEC);
    EXPECT_ERRNO(fchmod(fd, 0700), EPERM);
    EXPECT_OK(fchmod(fd, 0600));
    close(fd);
    fd = memfd(MFD_EXEC | MFD_ALLOW_SEALING, 0);
    EXPECT_EQ(fcntl(fd, F_GET_SEALS), 0);
    EXPECT_OK(fstat(fd, &st));
    EXPECT_EQ(st.st_mode, S_IFREG | 0777);
    /* An executable file whose mode is sealed has its contents sealed too. */
    EXPECT_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_EXEC));
    EXPECT_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_EXEC | (ALL_SEALS & ~F_SEAL_SEAL));
    EXPECT_ERRNO(fchmod(fd, 0600), EPERM);
    EXPECT_OK(fchmod(fd, 0711));
    close(fd);
    fd = memfd(MFD_EXEC, 0);
    EXPECT_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL);
}

TEST(executes, "memfd_create execveat")
{
    static char data[65536];
    int in = (int)REQUIRE_OK(open(guest_self, O_RDONLY)), fd = memfd(MFD_ALLOW_SEALING, 0);
    pid_t pid;
    ssize_t n;

    while ((n = read(in, data, sizeof(data))) > 0)
        REQUIRE(write(fd, data, (size_t)n) == n);
    EXPECT_OK(fcntl(fd, F_ADD_SEALS, ALL_SEALS));
    IN_CHILD(pid)
    {
        const char *args[] = {"name", "--helper", "forty_one", NULL};

        SYS(execveat, fd, "", args, NULL, AT_EMPTY_PATH);
        _exit(1);
    }
    EXPECT_EXIT(pid, 41);
}

HELPER(forty_one)
{
    return 41;
}

TEST(hostile_sizes, "memfd_create ftruncate:EINVAL,EPERM pwrite64:EINVAL pread64")
{
    int fd = memfd(MFD_ALLOW_SEALING, 0);
    char byte = 1;

    EXPECT_ERRNO(ftruncate(fd, -1), EINVAL);
    EXPECT_OK(ftruncate(fd, INT64_MAX));
    EXPECT_EQ(pread(fd, &byte, 1, INT64_MAX - 1), 1);
    EXPECT_EQ(byte, 0);
    EXPECT_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
    EXPECT_ERRNO(pwrite(fd, "xy", 2, INT64_MAX), EINVAL);
    EXPECT_OK(ftruncate(fd, 0));
    EXPECT_ERRNO(ftruncate(fd, 1), EPERM);
    for (int i = 0; i < 300; i++)
        close(memfd(MFD_ALLOW_SEALING, i * 1000));
}
