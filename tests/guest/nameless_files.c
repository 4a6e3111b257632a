/*
 * Files whose last name is gone, or that never had one (O_TMPFILE): they can be read, written,
 * mapped, changed and opened again through /proc/self/fd as any other. GUEST_DIR=/root runs this on
 * the container's root file system.
 */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

static int reopen(int fd, int flags)
{
    char name[40];

    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    return open(name, flags);
}

/* use_all() - everything that a descriptor is good for */
static void use_all(int fd)
{
    struct stat st;
    char buf[16] = {0}, *p;
    int again;

    EXPECT_EQ(pwrite(fd, "hello", 5, 0), 5);
    again = (int)EXPECT_OK(reopen(fd, O_RDONLY));
    EXPECT_EQ(read(again, buf, sizeof(buf)), 5);
    EXPECT_STREQ(buf, "hello");
    EXPECT_ERRNO(write(again, "x", 1), EBADF);
    p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    REQUIRE(p != MAP_FAILED);
    EXPECT_EQ(p[1], 'e');
    p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    REQUIRE(p != MAP_FAILED);
    p[0] = 'J';
    EXPECT_EQ(pread(again, buf, 1, 0), 1);
    EXPECT_EQ(buf[0], 'J');
    close(again);
    again = (int)EXPECT_OK(reopen(fd, O_RDWR));
    EXPECT_EQ(pwrite(again, "HOWDY", 5, 0), 5);
    EXPECT_EQ(p[1], 'O');
    close(again);
    again = (int)EXPECT_OK(reopen(fd, O_WRONLY | O_TRUNC));
    EXPECT_OK(fstat(again, &st));
    EXPECT_EQ(st.st_size, 0);
    EXPECT_EQ(st.st_nlink, 0);
    close(again);
    EXPECT_OK(ftruncate(fd, 100));
    EXPECT_OK(fchmod(fd, 0640));
    EXPECT_OK(fstat(fd, &st));
    EXPECT_EQ(st.st_size, 100);
    EXPECT_EQ(st.st_mode, S_IFREG | 0640);
    EXPECT_OK(fsync(fd));
}

TEST(unlinked, "open unlink mmap fstat ftruncate fchmod")
{
    int fd;

    guest_scratch();
    fd = (int)EXPECT_OK(open("f", O_RDWR | O_CREAT | O_EXCL, 0600));
    EXPECT_OK(unlink("f"));
    use_all(fd);
}

TEST(unlinked_while_read, "open unlink pwrite64")
{
    char buf[8] = {0};
    int fd, again;

    /* It was only ever open for reading. */
    guest_scratch();
    guest_make_file("f", "text");
    fd = (int)EXPECT_OK(open("f", O_RDONLY));
    EXPECT_OK(unlink("f"));
    again = (int)EXPECT_OK(reopen(fd, O_RDWR));
    EXPECT_EQ(pwrite(again, "T", 1, 0), 1);
    EXPECT_EQ(pread(fd, buf, 4, 0), 4);
    EXPECT_STREQ(buf, "Text");
    use_all(again);
}

TEST(replaced, "open rename pwrite64")
{
    char buf[8] = {0};
    int fd, again;

    guest_scratch();
    guest_make_file("f", "text");
    guest_make_file("g", "other");
    fd = (int)EXPECT_OK(open("f", O_RDONLY));
    EXPECT_OK(rename("g", "f"));
    again = (int)EXPECT_OK(reopen(fd, O_RDWR));
    EXPECT_EQ(pwrite(again, "T", 1, 0), 1);
    EXPECT_EQ(pread(fd, buf, 4, 0), 4);
    EXPECT_STREQ(buf, "Text");
    close(again);
    EXPECT_EQ(guest_slurp("f", buf, sizeof(buf)), 5);
}

/* tmpfile_or_skip() - O_TMPFILE is not on every file system */
static int tmpfile_or_skip(int flags)
{
    int fd;

    guest_scratch();
    fd = open(".", O_TMPFILE | flags, 0600);
    if (fd < 0 && errno == EOPNOTSUPP)
        SKIP("no O_TMPFILE here");
    REQUIRE(fd >= 0);
    return fd;
}

TEST(tmpfile, "open fstat mmap")
{
    use_all(tmpfile_or_skip(O_RDWR));
}

TEST(tmpfile_gets_a_name, "open linkat linkat:ENOENT,EEXIST")
{
    int fd = tmpfile_or_skip(O_RDWR);
    char name[40], buf[8] = {0};
    struct stat st;

    EXPECT_EQ(write(fd, "text", 4), 4);
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    EXPECT_OK(linkat(AT_FDCWD, name, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
    EXPECT_ERRNO(linkat(AT_FDCWD, name, AT_FDCWD, "named", AT_SYMLINK_FOLLOW), EEXIST);
    EXPECT_OK(fstat(fd, &st));
    EXPECT_EQ(st.st_nlink, 1);
    EXPECT_EQ(guest_slurp("named", buf, sizeof(buf)), 4);
    EXPECT_STREQ(buf, "text");
    EXPECT_OK(unlink("named"));
    close(fd);
    fd = (int)EXPECT_OK(open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600));
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    EXPECT_ERRNO(linkat(AT_FDCWD, name, AT_FDCWD, "never", AT_SYMLINK_FOLLOW), ENOENT);
}

TEST(removed_directory, "open rmdir mkdirat:ENOENT openat:ENOENT getdents64:ENOENT fstat")
{
    char buf[1024];
    struct stat st;
    int fd;

    guest_scratch();
    EXPECT_OK(mkdir("d", 0700));
    fd = (int)EXPECT_OK(open("d", O_RDONLY | O_DIRECTORY));
    EXPECT_OK(rmdir("d"));
    EXPECT_ERRNO(mkdirat(fd, "e", 0700), ENOENT);
    EXPECT_ERRNO(openat(fd, "e", O_RDWR | O_CREAT, 0600), ENOENT);
    EXPECT_ERRNO(SYS(getdents64, fd, buf, sizeof(buf)), ENOENT);
    EXPECT_OK(fstat(fd, &st));
    EXPECT_EQ(st.st_nlink, 0);
}
