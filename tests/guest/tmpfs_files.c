/*
 * A tmpfs: whatever a program does with files there, and what is special about it. The same file
 * tests of the other areas run on one too, with GUEST_DIR set.
 */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#define TMPFS_MAGIC 0x01021994

/* tmpfs_scratch() - this test's directory, on a tmpfs */
static void tmpfs_scratch(void)
{
    static const char *const places[] = {GUEST_TMPFS_PLACES};

    for (size_t i = 0; i < COUNT_OF(places); i++) {
        struct statfs fs;

        if (statfs(places[i], &fs) == 0 && fs.f_type == TMPFS_MAGIC && guest_scratch_on(places[i]))
            return;
    }
    SKIP("no tmpfs that can be written to");
}

TEST(create_write_read, "open write read unlink")
{
    char buf[32] = {0};
    int fd;

    tmpfs_scratch();
    fd = (int)EXPECT_OK(open("file", O_RDWR | O_CREAT | O_EXCL, 0640));
    EXPECT_EQ(write(fd, "hello", 5), 5);
    EXPECT_EQ(pread(fd, buf, sizeof(buf), 0), 5);
    EXPECT_STREQ(buf, "hello");
    EXPECT_ERRNO(open("file", O_RDWR | O_CREAT | O_EXCL, 0640), EEXIST);
    EXPECT_OK(unlink("file"));
    EXPECT_EQ(pread(fd, buf, sizeof(buf), 0), 5);
}

TEST(directory_size, "stat mkdir mknod")
{
    struct stat st;

    /* Each entry counts 20 bytes, "." and ".." too. */
    tmpfs_scratch();
    EXPECT_OK(mkdir("dir", 0700));
    EXPECT_OK(stat("dir", &st));
    EXPECT_EQ(st.st_size, 40);
    EXPECT_OK(mkdir("dir/a", 0700));
    EXPECT_OK(mknod("dir/b", S_IFREG | 0600, 0));
    EXPECT_OK(stat("dir", &st));
    EXPECT_EQ(st.st_size, 80);
    EXPECT_OK(rmdir("dir/a"));
    EXPECT_OK(stat("dir", &st));
    EXPECT_EQ(st.st_size, 60);
}

TEST(growing_file, "write pread64 mmap fstat")
{
    static char block[8192], in[8192];
    struct stat st;
    int fd;

    /* Through every size at which an implementation may change how it keeps the data. */
    tmpfs_scratch();
    fd = (int)EXPECT_OK(open("file", O_RDWR | O_CREAT, 0600));
    for (int i = 0; i < 64; i++) {
        memset(block, 'a' + i % 26, sizeof(block));
        REQUIRE(write(fd, block, sizeof(block)) == (ssize_t)sizeof(block));
        EXPECT_OK(fstat(fd, &st));
        EXPECT_EQ(st.st_size, (i + 1) * 8192);
        REQUIRE(pread(fd, in, sizeof(in), i * 8192l) == (ssize_t)sizeof(in));
        REQUIRE(memcmp(in, block, sizeof(in)) == 0);
        REQUIRE(pread(fd, in, 1, 0) == 1 && in[0] == 'a');
    }
}

TEST(mapped_while_written, "mmap write read ftruncate")
{
    char *p, buf[8];
    int fd;

    tmpfs_scratch();
    fd = (int)EXPECT_OK(open("file", O_RDWR | O_CREAT, 0600));
    EXPECT_EQ(write(fd, "0123456789", 10), 10);
    p = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    REQUIRE(p != MAP_FAILED);
    EXPECT_EQ(p[3], '3');
    p[3] = 'X';
    EXPECT_EQ(pread(fd, buf, 8, 0), 8);
    EXPECT_MEMEQ(buf, "012X4567", 8);
    EXPECT_EQ(pwrite(fd, "Y", 1, 5), 1);
    EXPECT_EQ(p[5], 'Y');
    EXPECT_OK(ftruncate(fd, 12000));
    p[9000] = 'Z';
    EXPECT_EQ(pread(fd, buf, 1, 9000), 1);
    EXPECT_EQ(buf[0], 'Z');
    EXPECT_OK(unlink("file"));
    p[3] = 'W';
    EXPECT_EQ(pread(fd, buf, 8, 0), 8);
    EXPECT_EQ(buf[3], 'W');
}

TEST(read_only_mapping_stays, "mmap mprotect:EACCES")
{
    char *p;
    int fd;

    tmpfs_scratch();
    fd = (int)EXPECT_OK(open("file", O_RDWR | O_CREAT, 0600));
    EXPECT_EQ(write(fd, "0123456789", 10), 10);
    close(fd);
    fd = (int)EXPECT_OK(open("file", O_RDONLY));
    p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    REQUIRE(p != MAP_FAILED);
    EXPECT_ERRNO(mprotect(p, 4096, PROT_READ | PROT_WRITE), EACCES);
    EXPECT(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
    EXPECT_EQ(errno, EACCES);
}

TEST(directories_and_links, "mkdir link symlink rename rmdir")
{
    struct stat st;
    char target[16] = {0};

    tmpfs_scratch();
    EXPECT_OK(mkdir("d", 0755));
    EXPECT_OK(mkdir("d/e", 0700));
    EXPECT_OK(stat("d", &st));
    EXPECT_EQ(st.st_nlink, 3);
    guest_make_file("d/file", "x");
    EXPECT_OK(link("d/file", "d/e/link"));
    EXPECT_OK(symlink("e/link", "d/sym"));
    EXPECT_OK(stat("d/sym", &st));
    EXPECT_EQ(st.st_nlink, 2);
    EXPECT_EQ(readlink("d/sym", target, sizeof(target)), 6);
    EXPECT_ERRNO(rmdir("d/e"), ENOTEMPTY);
    EXPECT_OK(rename("d/e", "moved"));
    EXPECT_OK(stat("d", &st));
    EXPECT_EQ(st.st_nlink, 2);
    EXPECT_ERRNO(stat("d/sym", &st), ENOENT);
    EXPECT_OK(unlink("moved/link"));
    EXPECT_OK(rmdir("moved"));
    EXPECT_OK(unlink("d/sym"));
    EXPECT_OK(unlink("d/file"));
    EXPECT_OK(rmdir("d"));
}

TEST(modes_owners_times, "chmod chown utimensat stat")
{
    struct timespec times[2] = {{5, 6}, {7, 8}};
    struct stat st;

    tmpfs_scratch();
    guest_make_file("file", "x");
    EXPECT_OK(chmod("file", 06711));
    if (guest_has_cap(CAP_CHOWN))
        EXPECT_OK(chown("file", 10, 20));
    EXPECT_OK(utimensat(AT_FDCWD, "file", times, 0));
    EXPECT_OK(stat("file", &st));
    if (guest_has_cap(CAP_CHOWN)) {
        EXPECT(st.st_uid == 10 && st.st_gid == 20);
        EXPECT_EQ(st.st_mode, S_IFREG | 0711);
    }
    EXPECT(st.st_atim.tv_sec == 5 && st.st_atim.tv_nsec == 6);
    EXPECT(st.st_mtim.tv_sec == 7 && st.st_mtim.tv_nsec == 8);
}

TEST(holes, "lseek fallocate ftruncate stat")
{
    struct stat st;
    char byte = 1;
    int fd;

    tmpfs_scratch();
    fd = (int)EXPECT_OK(open("file", O_RDWR | O_CREAT, 0600));
    EXPECT_OK(ftruncate(fd, 1l << 30));
    EXPECT_EQ(pread(fd, &byte, 1, 12345678), 1);
    EXPECT_EQ(byte, 0);
    EXPECT_EQ(pwrite(fd, "x", 1, 500l << 20), 1);
    EXPECT_OK(fstat(fd, &st));
    EXPECT_EQ(st.st_size, 1l << 30);
    /* A gigabyte that is a hole takes no room; one page, or one huge one, is there. */
    EXPECT_LE(st.st_blocks * 512, 4l << 20);
    EXPECT_EQ(pread(fd, &byte, 1, 500l << 20), 1);
    EXPECT_EQ(byte, 'x');
}

TEST(shrink_and_grow_zeroes, "ftruncate")
{
    char buf[100];
    int fd;

    tmpfs_scratch();
    fd = (int)EXPECT_OK(open("file", O_RDWR | O_CREAT, 0600));
    memset(buf, 'x', sizeof(buf));
    EXPECT_EQ(write(fd, buf, sizeof(buf)), 100);
    EXPECT_OK(ftruncate(fd, 10));
    EXPECT_OK(ftruncate(fd, 100));
    EXPECT_EQ(pread(fd, buf, 100, 0), 100);
    EXPECT_EQ(buf[9], 'x');
    for (int i = 10; i < 100; i++)
        REQUIRE(buf[i] == 0);
}

TEST(executes_from_tmpfs, "execve")
{
    char name[40], data[4096];
    struct statfs fs;
    int in, out;
    ssize_t n;
    pid_t pid;

    tmpfs_scratch();
    REQUIRE_OK(statfs(".", &fs));
    in = (int)REQUIRE_OK(open(guest_self, O_RDONLY));
    out = (int)REQUIRE_OK(open("program", O_WRONLY | O_CREAT, 0755));
    while ((n = read(in, data, sizeof(data))) > 0)
        REQUIRE(write(out, data, (size_t)n) == n);
    close(out);
    snprintf(name, sizeof(name), "%s", "./program");
    IN_CHILD(pid) {
        const char *args[] = {name, "--helper", "forty", NULL};

        SYS(execve, name, args, NULL);
        _exit(errno == EACCES ? 41 : 42);
    }
    if (fs.f_flags & 8 /* ST_NOEXEC */)
        EXPECT_EXIT(pid, 41);
    else
        EXPECT_EXIT(pid, 40);
    EXPECT_OK(unlink("program"));
}

HELPER(forty)
{
    return 40;
}

TEST(statfs_accounts, "statfs write unlink")
{
    static char block[65536];
    struct statfs before, after;
    int fd;

    tmpfs_scratch();
    fd = (int)EXPECT_OK(open("file", O_RDWR | O_CREAT, 0600));
    REQUIRE_OK(statfs(".", &before));
    if (before.f_blocks == 0)
        SKIP("a tmpfs without a limit");
    for (int i = 0; i < 64; i++)
        REQUIRE(write(fd, block, sizeof(block)) == (ssize_t)sizeof(block));
    REQUIRE_OK(statfs(".", &after));
    EXPECT_LT(after.f_bfree, before.f_bfree);
    EXPECT_GE((before.f_bfree - after.f_bfree) * (unsigned long)before.f_bsize, 2ul << 20);
}

TEST(two_processes, "open read write rename fork")
{
    char buf[16] = {0};
    pid_t pid;

    tmpfs_scratch();
    IN_CHILD(pid) {
        guest_make_file("tmp", "from child");
        EXPECT_OK(rename("tmp", "ready"));
    }
    WAIT_UNTIL(access("ready", F_OK) == 0);
    EXPECT_EQ(guest_slurp("ready", buf, sizeof(buf)), 10);
    EXPECT_STREQ(buf, "from child");
    EXPECT_CHILD_OK(pid);
    EXPECT_OK(unlink("ready"));
}

TEST(small_files_in_a_loop, "open write close unlink")
{
    char name[32];

    tmpfs_scratch();
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof(name), "file%d", i % 7);
        guest_make_file(name, "some bytes");
        if (i % 3 == 0)
            EXPECT_OK(unlink(name));
    }
    for (int i = 0; i < 7; i++) {
        snprintf(name, sizeof(name), "file%d", i);
        unlink(name);
    }
}
