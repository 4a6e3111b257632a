/*
 * The address space: mmap and its family, what files' mappings see of writes, copy on write.
 */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define PAGE 4096ul
#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static char *map(size_t size, int prot, int flags)
{
    char *p = mmap(NULL, size, prot, flags, -1, 0);

    REQUIRE(p != MAP_FAILED);
    return p;
}

/* reserve() - an address range that is free, and stays so unless the test maps there */
static char *reserve(size_t size)
{
    char *p = map(size, PROT_NONE, ANON);

    REQUIRE_OK(munmap(p, size));
    return p;
}

/* touch() - what happens to a child that reads or writes there. Return: 0 or the signal */
static int touch(const volatile char *address, bool write)
{
    pid_t pid;

    IN_CHILD(pid) {
        if (write)
            *guest_pointer((uintptr_t)address) = 1;
        else
            (void)*guest_pointer((uintptr_t)address);
    }
    return guest_wait(pid) & 0x7f;
}

/* open_file() - a scratch file of so many pages, each filled with its letter */
static int open_file(int pages)
{
    char block[4096];
    int fd;

    guest_scratch();
    fd = (int)REQUIRE_OK(open("file", O_RDWR | O_CREAT, 0600));
    for (int i = 0; i < pages; i++) {
        memset(block, 'a' + i, sizeof(block));
        REQUIRE(write(fd, block, sizeof(block)) == (ssize_t)sizeof(block));
    }
    return fd;
}

TEST(mmap_anonymous, "mmap munmap munmap:EINVAL")
{
    char *p = (char *)SYS(mmap, NULL, 3 * PAGE, RW, ANON, -1, 0);

    REQUIRE(p != MAP_FAILED);
    EXPECT_EQ((uintptr_t)p % PAGE, 0);
    for (size_t i = 0; i < 3 * PAGE; i++)
        REQUIRE(p[i] == 0);
    memset(p, 7, 3 * PAGE);
    EXPECT_OK(SYS(munmap, p + PAGE, PAGE));
    EXPECT_EQ(touch(p, true), 0);
    EXPECT_EQ(touch(p + PAGE, false), SIGSEGV);
    EXPECT_EQ(touch(p + 2 * PAGE, true), 0);
    EXPECT_OK(SYS(munmap, p, 3 * PAGE));
    EXPECT_OK(SYS(munmap, p, 3 * PAGE));
    EXPECT_ERRNO(SYS(munmap, p + 1, PAGE), EINVAL);
    EXPECT_ERRNO(SYS(munmap, p, 0), EINVAL);
    EXPECT_ERRNO(SYS(munmap, 0xfffffffffffff000, PAGE), EINVAL);
}

TEST(mmap_length_rounds_up, "mmap munmap")
{
    char *p = map(1, RW, ANON);

    p[PAGE - 1] = 1;
    EXPECT_OK(munmap(p, 1));
    EXPECT_EQ(touch(p + PAGE - 1, false), SIGSEGV);
}

TEST(mmap_errors, "mmap:EINVAL,ENOMEM,EBADF,EACCES,ENODEV,EPERM,EOVERFLOW")
{
    int fd = open_file(1), rd = (int)REQUIRE_OK(open("file", O_RDONLY));
    int wr = (int)REQUIRE_OK(open("file", O_WRONLY)), dir = (int)REQUIRE_OK(open(".", O_RDONLY));
    int ends[2];

    REQUIRE_OK(pipe(ends));
    EXPECT_ERRNO(SYS(mmap, NULL, 0, RW, ANON, -1, 0), EINVAL);
    EXPECT_ERRNO(SYS(mmap, NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0), EINVAL);
    EXPECT_ERRNO(SYS(mmap, NULL, PAGE, RW, ANON, -1, 100), EINVAL);
    EXPECT_ERRNO(SYS(mmap, (void *)1, PAGE, RW, ANON | MAP_FIXED, -1, 0), EINVAL);
    EXPECT_ERRNO(SYS(mmap, NULL, 1ul << 47, RW, ANON, -1, 0), ENOMEM);
    EXPECT_ERRNO(SYS(mmap, NULL, ~0ul, RW, ANON, -1, 0), ENOMEM);
    EXPECT_ERRNO(SYS(mmap, 0x7fffffffe000, 4 * PAGE, RW, ANON | MAP_FIXED, -1, 0), ENOMEM);
    EXPECT_ERRNO(SYS(mmap, 0xffffffff80000000, PAGE, RW, ANON | MAP_FIXED, -1, 0), ENOMEM);
    EXPECT_ERRNO(SYS(mmap, NULL, PAGE, RW, MAP_PRIVATE, -1, 0), EBADF);
    EXPECT_ERRNO(SYS(mmap, NULL, PAGE, RW, MAP_PRIVATE, 999, 0), EBADF);
    EXPECT_ERRNO(SYS(mmap, NULL, PAGE, PROT_READ, MAP_PRIVATE, wr, 0), EACCES);
    EXPECT_ERRNO(SYS(mmap, NULL, PAGE, PROT_WRITE, MAP_SHARED, wr, 0), EACCES);
    EXPECT_ERRNO(SYS(mmap, NULL, PAGE, RW, MAP_SHARED, rd, 0), EACCES);
    EXPECT_ERRNO(SYS(mmap, NULL, PAGE, PROT_READ, MAP_PRIVATE, dir, 0), ENODEV);
    EXPECT_ERRNO(SYS(mmap, NULL, PAGE, PROT_READ, MAP_PRIVATE, ends[0], 0), ENODEV);
    EXPECT_ERRNO(SYS(mmap, NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, -4096l), EOVERFLOW);
    EXPECT_ERRNO(SYS(mmap, NULL, PAGE, PROT_READ, 0, fd, 0), EINVAL);
    /* A private mapping of what may only be read can still be written. */
    EXPECT(SYS(mmap, NULL, PAGE, RW, MAP_PRIVATE, rd, 0) > 0);
}

TEST(mmap_hint, "mmap")
{
    char *free_range = reserve(16 * PAGE), *p;

    p = (char *)SYS(mmap, free_range + 4 * PAGE, PAGE, RW, ANON, -1, 0);
    EXPECT(p == free_range + 4 * PAGE);
    /* Taken: the hint is not followed, and nothing is lost. */
    p[0] = 'x';
    EXPECT(mmap(p, PAGE, RW, ANON, -1, 0) != p);
    EXPECT_EQ(p[0], 'x');
    p = (char *)SYS(mmap, free_range + 8 * PAGE + 5, PAGE, RW, ANON, -1, 0);
    EXPECT(p == free_range + 8 * PAGE || p == free_range + 9 * PAGE);
}

TEST(mmap_fixed, "mmap mmap:EEXIST")
{
    char *p = map(4 * PAGE, RW, ANON);

    memset(p, 9, 4 * PAGE);
    EXPECT(mmap(p + PAGE, 2 * PAGE, RW, ANON | MAP_FIXED, -1, 0) == p + PAGE);
    EXPECT_EQ(p[0], 9);
    EXPECT_EQ(p[PAGE], 0);
    EXPECT_EQ(p[3 * PAGE - 1], 0);
    EXPECT_EQ(p[3 * PAGE], 9);
    EXPECT_ERRNO(SYS(mmap, p, PAGE, RW, ANON | 0x100000 /* FIXED_NOREPLACE */, -1, 0), EEXIST);
    EXPECT_EQ(p[0], 9);
    REQUIRE_OK(munmap(p, PAGE));
    EXPECT(mmap(p, PAGE, RW, ANON | 0x100000, -1, 0) == p);
    EXPECT_EQ(p[0], 0);
}

TEST(mmap_32bit, "mmap")
{
    for (int i = 0; i < 10; i++)
        EXPECT_LT((uintptr_t)map(PAGE, RW, ANON | MAP_32BIT), 1ul << 31);
}

TEST(mmap_merges_and_splits, "mmap mprotect munmap")
{
    char *p = reserve(64 * PAGE);

    for (int i = 63; i >= 0; i--)
        REQUIRE(mmap(p + (size_t)i * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0) ==
                p + (size_t)i * PAGE);
    for (int i = 0; i < 64; i++)
        p[(size_t)i * PAGE] = (char)i;
    for (size_t i = 1; i < 64; i += 2)
        EXPECT_OK(mprotect(p + i * PAGE, PAGE, PROT_READ));
    for (size_t i = 0; i < 64; i++) {
        EXPECT_EQ(p[i * PAGE], (char)i);
        if (i < 4)
            EXPECT_EQ(touch(p + i * PAGE, true), i % 2 ? SIGSEGV : 0);
    }
    EXPECT_OK(mprotect(p, 64 * PAGE, RW));
    EXPECT_EQ(touch(p + 3 * PAGE, true), 0);
    EXPECT_OK(munmap(p + 10 * PAGE, 30 * PAGE));
    EXPECT_EQ(touch(p + 10 * PAGE, false), SIGSEGV);
    EXPECT_EQ(touch(p + 39 * PAGE, false), SIGSEGV);
    EXPECT_EQ(p[40 * PAGE], 40);
}

TEST(mprotect_basic, "mprotect")
{
    char *p = map(2 * PAGE, RW, ANON);

    p[0] = 5;
    EXPECT_OK(SYS(mprotect, p, PAGE, PROT_READ));
    EXPECT_EQ(p[0], 5);
    EXPECT_EQ(touch(p, true), SIGSEGV);
    EXPECT_EQ(touch(p + PAGE, true), 0);
    EXPECT_OK(SYS(mprotect, p, PAGE, PROT_NONE));
    EXPECT_EQ(touch(p, false), SIGSEGV);
    EXPECT_OK(SYS(mprotect, p, PAGE, RW));
    EXPECT_EQ(p[0], 5);
    EXPECT_OK(SYS(mprotect, p, 0, PROT_NONE));
    EXPECT_EQ(touch(p, true), 0);
}

TEST(mprotect_errors, "mprotect:EINVAL,ENOMEM,EACCES")
{
    char *p = map(3 * PAGE, RW, ANON), *file;
    int fd, rd;

    open_file(1);
    rd = (int)REQUIRE_OK(open("file", O_RDONLY));
    REQUIRE_OK(munmap(p + PAGE, PAGE));
    EXPECT_ERRNO(SYS(mprotect, p + 1, PAGE, PROT_READ), EINVAL);
    EXPECT_ERRNO(SYS(mprotect, p, PAGE, 0x40), EINVAL);
    EXPECT_ERRNO(SYS(mprotect, p + PAGE, PAGE, PROT_READ), ENOMEM);
    EXPECT_ERRNO(SYS(mprotect, p, -4096l, PROT_READ), ENOMEM);
    EXPECT_ERRNO(SYS(mprotect, 0xffffffff80000000, PAGE, PROT_READ), ENOMEM);
    /* Over a hole: ENOMEM, but what lay before it was changed. */
    EXPECT_ERRNO(SYS(mprotect, p, 3 * PAGE, PROT_READ), ENOMEM);
    EXPECT_EQ(touch(p, true), SIGSEGV);
    EXPECT_EQ(touch(p + 2 * PAGE, true), 0);
    file = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, rd, 0);
    REQUIRE(file != MAP_FAILED);
    EXPECT_ERRNO(SYS(mprotect, file, PAGE, RW), EACCES);
    EXPECT_EQ(file[0], 'a');
    fd = (int)REQUIRE_OK(open("file", O_RDWR));
    file = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    EXPECT_OK(SYS(mprotect, file, PAGE, RW));
    file[0] = 'A';
}

TEST(prot_none_faults, "mmap")
{
    char *p = map(PAGE, PROT_NONE, ANON);

    EXPECT_EQ(touch(p, false), SIGSEGV);
    EXPECT_EQ(touch(p, true), SIGSEGV);
    EXPECT_ERRNO(SYS(read, open("/dev/zero", O_RDONLY), p, 1), EFAULT);
}

TEST(prot_write_reads, "mmap")
{
    char *p = map(PAGE, PROT_WRITE, ANON);

    p[0] = 3;
    EXPECT_EQ(*guest_pointer((uintptr_t)p), 3);
}

TEST(brk_basic, "brk")
{
    uintptr_t start = (uintptr_t)SYS(brk, 0), now;
    char *p = (char *)start;

    REQUIRE(start != 0);
    EXPECT_EQ(SYS(brk, 0), start);
    EXPECT_EQ(SYS(brk, start + 10 * PAGE), start + 10 * PAGE);
    for (size_t i = 0; i < 10 * PAGE; i += 512)
        REQUIRE(p[i] == 0);
    memset(p, 6, 10 * PAGE);
    EXPECT_EQ(SYS(brk, start + PAGE + 100), start + PAGE + 100);
    EXPECT_EQ(SYS(brk, start + 10 * PAGE), start + 10 * PAGE);
    EXPECT_EQ(p[0], 6);
    /* What was given back comes again as zeros. */
    now = (start + 2 * PAGE + PAGE - 1) & ~(PAGE - 1);
    EXPECT_EQ(*(char *)now, 0);
    EXPECT_EQ(SYS(brk, start), start);
    /* Nonsense is refused by saying where the break still is. */
    EXPECT_EQ(SYS(brk, 1), start);
    EXPECT_EQ(SYS(brk, ~0ul), start);
    EXPECT_EQ(SYS(brk, 0x7ffffffff000), start);
}

TEST(brk_limit, "brk setrlimit")
{
    struct rlimit limit;
    uintptr_t start = (uintptr_t)SYS(brk, 0);

    REQUIRE_OK(getrlimit(RLIMIT_DATA, &limit));
    limit.rlim_cur = 64 * PAGE;
    REQUIRE_OK(setrlimit(RLIMIT_DATA, &limit));
    EXPECT_EQ(SYS(brk, start + 1000 * PAGE), start);
}

TEST(mremap_grow_shrink, "mremap")
{
    char *p = map(4 * PAGE, RW, ANON), *q;

    memset(p, 8, 4 * PAGE);
    EXPECT(SYS(mremap, p, 4 * PAGE, 2 * PAGE, 0) == (long)p);
    EXPECT_EQ(touch(p + 2 * PAGE, false), SIGSEGV);
    EXPECT(SYS(mremap, p, 2 * PAGE, 4 * PAGE, 0) == (long)p);
    EXPECT_EQ(p[2 * PAGE - 1], 8);
    EXPECT_EQ(p[2 * PAGE], 0);
    /* In the way: only by moving. */
    mmap(p + 4 * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0);
    EXPECT_ERRNO(SYS(mremap, p, 4 * PAGE, 8 * PAGE, 0), ENOMEM);
    q = (char *)SYS(mremap, p, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE);
    REQUIRE(q != MAP_FAILED && q != p);
    EXPECT_EQ(q[0], 8);
    EXPECT_EQ(q[8 * PAGE - 1], 0);
    EXPECT_EQ(touch(p, false), SIGSEGV);
}

TEST(mremap_fixed, "mremap mremap:EINVAL,EFAULT,ENOMEM")
{
    char *p = map(2 * PAGE, RW, ANON), *to = map(4 * PAGE, RW, ANON);

    memset(p, 3, 2 * PAGE);
    memset(to, 4, 4 * PAGE);
    EXPECT(SYS(mremap, p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + PAGE) ==
           (long)(to + PAGE));
    EXPECT_EQ(to[0], 4);
    EXPECT_EQ(to[PAGE], 3);
    EXPECT_EQ(to[3 * PAGE], 4);
    EXPECT_EQ(touch(p, false), SIGSEGV);
    EXPECT_ERRNO(SYS(mremap, p, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EFAULT);
    EXPECT_ERRNO(SYS(mremap, to + 1, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EINVAL);
    EXPECT_ERRNO(SYS(mremap, to, PAGE, 0, 0), EINVAL);
    EXPECT_ERRNO(SYS(mremap, to, PAGE, PAGE, 0x100), EINVAL);
    EXPECT_ERRNO(SYS(mremap, to, PAGE, PAGE, MREMAP_FIXED, p), EINVAL);
    EXPECT_ERRNO(SYS(mremap, to, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + PAGE),
                 EINVAL);
    EXPECT_ERRNO(SYS(mremap, to, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + 1), EINVAL);
    EXPECT_ERRNO(SYS(mremap, to, PAGE, 1ul << 46, 0), ENOMEM);
}

TEST(madvise_dontneed, "madvise madvise:EINVAL,ENOMEM")
{
    char *p = map(3 * PAGE, RW, ANON);

    memset(p, 2, 3 * PAGE);
    EXPECT_OK(SYS(madvise, p + PAGE, PAGE, MADV_DONTNEED));
    EXPECT_EQ(p[0], 2);
    EXPECT_EQ(p[PAGE], 0);
    EXPECT_EQ(p[2 * PAGE], 2);
    EXPECT_OK(SYS(madvise, p, 3 * PAGE, MADV_WILLNEED));
    EXPECT_OK(SYS(madvise, p, 3 * PAGE, MADV_NORMAL));
    EXPECT_OK(SYS(madvise, p, 0, MADV_DONTNEED));
    EXPECT_ERRNO(SYS(madvise, p + 1, PAGE, MADV_DONTNEED), EINVAL);
    EXPECT_ERRNO(SYS(madvise, p, PAGE, 9999), EINVAL);
    REQUIRE_OK(munmap(p + PAGE, PAGE));
    EXPECT_ERRNO(SYS(madvise, p, 3 * PAGE, MADV_DONTNEED), ENOMEM);
    EXPECT_EQ(p[2 * PAGE], 0);
}

TEST(madvise_file, "madvise")
{
    int fd = open_file(2);
    char *p = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, fd, 0);

    REQUIRE(p != MAP_FAILED);
    p[0] = 'Z';
    /* What was private is dropped; the file's page comes back. */
    EXPECT_OK(SYS(madvise, p, PAGE, MADV_DONTNEED));
    EXPECT_EQ(p[0], 'a');
}

TEST(file_private, "mmap read write")
{
    int fd = open_file(2);
    char *p = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, fd, 0), byte;

    REQUIRE(p != MAP_FAILED);
    EXPECT_EQ(p[0], 'a');
    EXPECT_EQ(p[PAGE], 'b');
    p[0] = 'X';
    EXPECT_EQ(pread(fd, &byte, 1, 0), 1);
    EXPECT_EQ(byte, 'a');
    close(fd);
    EXPECT_EQ(p[PAGE + 1], 'b');
    EXPECT_EQ(p[0], 'X');
}

TEST(file_shared_coherent, "mmap read write msync")
{
    int fd = open_file(2), other = (int)REQUIRE_OK(open("file", O_RDONLY));
    char *p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0), byte;
    char *q = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, other, PAGE);

    REQUIRE(p != MAP_FAILED && q != MAP_FAILED);
    p[10] = 'X';
    EXPECT_EQ(pread(other, &byte, 1, 10), 1);
    EXPECT_EQ(byte, 'X');
    EXPECT_EQ(pwrite(fd, "Y", 1, 20), 1);
    EXPECT_EQ(p[20], 'Y');
    EXPECT_EQ(pwrite(fd, "Z", 1, 4096 + 5), 1);
    EXPECT_EQ(q[5], 'Z');
    p[PAGE + 6] = 'W';
    EXPECT_EQ(q[6], 'W');
    EXPECT_OK(SYS(msync, p, 2 * PAGE, MS_SYNC));
    REQUIRE_OK(munmap(p, 2 * PAGE));
    EXPECT_EQ(pread(other, &byte, 1, 4096 + 6), 1);
    EXPECT_EQ(byte, 'W');
}

TEST(file_shared_two_processes, "mmap")
{
    int fd = open_file(1);
    volatile char *p = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
    pid_t pid;

    REQUIRE(p != MAP_FAILED);
    IN_CHILD(pid) {
        int own = (int)REQUIRE_OK(open("file", O_RDWR));
        volatile char *q = mmap(NULL, PAGE, RW, MAP_SHARED, own, 0);

        REQUIRE(q != MAP_FAILED);
        q[0] = '1';
        WAIT_UNTIL(q[1] == '2');
    }
    WAIT_UNTIL(p[0] == '1');
    p[1] = '2';
    EXPECT_CHILD_OK(pid);
}

TEST(file_offset_and_tail, "mmap")
{
    int fd = open_file(3);
    char *p;

    REQUIRE_OK(ftruncate(fd, (off_t)(2 * PAGE + 100)));
    p = mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE, fd, PAGE);
    REQUIRE(p != MAP_FAILED);
    EXPECT_EQ(p[0], 'b');
    EXPECT_EQ(p[PAGE + 99], 'c');
    EXPECT_EQ(p[PAGE + 100], 0);
    EXPECT_EQ(p[2 * PAGE - 1], 0);
}

TEST(file_truncated_under_map, "mmap ftruncate")
{
    int fd = open_file(2);
    char *p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
    char byte;

    REQUIRE(p != MAP_FAILED);
    EXPECT_EQ(p[PAGE], 'b');
    REQUIRE_OK(ftruncate(fd, 100));
    EXPECT_EQ(touch(p + PAGE, false), SIGBUS);
    /* The kernel meets the same hole as EFAULT. */
    EXPECT_ERRNO(SYS(pwrite64, fd, p + PAGE, 1, 0), EFAULT);
    EXPECT_ERRNO(SYS(pread64, fd, p + PAGE, 1, 0), EFAULT);
    EXPECT_EQ(p[100], 0);
    REQUIRE_OK(ftruncate(fd, (off_t)(2 * PAGE)));
    EXPECT_EQ(p[PAGE], 0);
    EXPECT_EQ(pread(fd, &byte, 1, (off_t)PAGE), 1);
    EXPECT_EQ(byte, 0);
}

/* truncated() - what is behind a file's end, in mappings made before it shrank. Owns: fd. */
static void truncated(int fd)
{
    char *shared, *own, byte;
    int ends[2];

    REQUIRE_OK(pipe(ends));
    REQUIRE_OK(ftruncate(fd, 3 * PAGE));
    shared = mmap(NULL, 3 * PAGE, RW, MAP_SHARED, fd, 0);
    own = mmap(NULL, 3 * PAGE, RW, MAP_PRIVATE, fd, 0);
    REQUIRE(shared != MAP_FAILED && own != MAP_FAILED);
    memset(shared, 's', 3 * PAGE);
    own[PAGE] = own[2 * PAGE] = 'o'; /* copies go too */
    REQUIRE_OK(ftruncate(fd, PAGE + 10));
    EXPECT_EQ(touch(shared + 2 * PAGE, false), SIGBUS);
    EXPECT_EQ(touch(shared + 2 * PAGE, true), SIGBUS);
    EXPECT_EQ(touch(own + 2 * PAGE, false), SIGBUS);
    EXPECT_EQ(touch(own + 2 * PAGE, true), SIGBUS);
    EXPECT_ERRNO(SYS(write, ends[1], shared + 2 * PAGE, 1), EFAULT);
    EXPECT(shared[PAGE + 9] == 's' && shared[PAGE + 10] == 0 && own[PAGE] == 'o');
    /* It grows again, with zeros. */
    REQUIRE_OK(ftruncate(fd, 3 * PAGE));
    EXPECT(shared[2 * PAGE] == 0 && own[2 * PAGE] == 0);
    shared[2 * PAGE] = 'n';
    EXPECT(pread(fd, &byte, 1, 2 * PAGE) == 1 && byte == 'n');
    munmap(shared, 3 * PAGE);
    munmap(own, 3 * PAGE);
    close(fd);
}

TEST(truncated_under_map, "mmap ftruncate write:EFAULT memfd_create")
{
    static const char *const places[] = {"/dev/shm", "/tmp", "."};

    guest_scratch();
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        int fd = open(places[i], O_TMPFILE | O_RDWR, 0600);

        if (fd >= 0)
            truncated(fd);
    }
    truncated((int)REQUIRE_OK(open("plain", O_RDWR | O_CREAT, 0600)));
    truncated((int)REQUIRE_OK(SYS(memfd_create, "gone", 0)));
}

TEST(shared_anonymous_over_fork, "mmap fork")
{
    volatile int *p = (int *)map(PAGE, RW, MAP_SHARED | MAP_ANONYMOUS);
    pid_t pid;

    p[0] = 1;
    IN_CHILD(pid) {
        EXPECT_EQ(p[0], 1);
        p[0] = 2;
        WAIT_UNTIL(p[1] == 3);
    }
    WAIT_UNTIL(p[0] == 2);
    p[1] = 3;
    EXPECT_CHILD_OK(pid);
}

TEST(private_is_copied_on_write, "fork mmap")
{
    size_t size = 64 * PAGE;
    char *p = map(size, RW, ANON);
    int ends[2];
    char byte;
    pid_t pid;

    memset(p, 'p', size);
    REQUIRE_OK(pipe(ends));
    IN_CHILD(pid) {
        close(ends[1]);
        EXPECT_EQ(read(ends[0], &byte, 1), 1);
        for (size_t i = 0; i < size; i++)
            REQUIRE(p[i] == 'p');
        memset(p, 'c', size);
    }
    memset(p, 'q', size);
    EXPECT_EQ(write(ends[1], "x", 1), 1);
    EXPECT_CHILD_OK(pid);
    for (size_t i = 0; i < size; i++)
        REQUIRE(p[i] == 'q');
}

TEST(copy_on_write_by_kernel, "fork read")
{
    char *p = map(PAGE, RW, ANON);
    int fd = (int)REQUIRE_OK(open("/dev/zero", O_RDONLY));
    pid_t pid;

    memset(p, 'p', PAGE);
    IN_CHILD(pid) {
        /* A system call that writes here must copy too. */
        EXPECT_EQ(read(fd, p, 100), 100);
        EXPECT_EQ(p[0], 0);
        EXPECT_EQ(p[100], 'p');
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_EQ(p[0], 'p');
}

TEST(fork_keeps_protections, "fork mprotect")
{
    char *p = map(2 * PAGE, RW, ANON);
    pid_t pid;

    REQUIRE_OK(mprotect(p, PAGE, PROT_READ));
    IN_CHILD(pid) {
        EXPECT_EQ(touch(p, true), SIGSEGV);
        EXPECT_EQ(touch(p + PAGE, true), 0);
        EXPECT_OK(munmap(p, 2 * PAGE));
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_EQ(p[0], 0);
}

TEST(madvise_dontfork, "madvise")
{
    char *p = map(2 * PAGE, RW, ANON);
    pid_t pid;

    p[0] = p[PAGE] = 1;
    EXPECT_OK(SYS(madvise, p, PAGE, MADV_DONTFORK));
    EXPECT_OK(SYS(madvise, p + PAGE, PAGE, 18 /* MADV_WIPEONFORK */));
    IN_CHILD(pid) {
        EXPECT_EQ(touch(p, false), SIGSEGV);
        EXPECT_EQ(p[PAGE], 0);
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_EQ(p[0], 1);
}

TEST(msync_errors, "msync msync:EINVAL,ENOMEM")
{
    char *p = map(3 * PAGE, RW, ANON);

    EXPECT_OK(SYS(msync, p, 3 * PAGE, MS_ASYNC));
    EXPECT_OK(SYS(msync, p, 3 * PAGE, MS_SYNC | MS_INVALIDATE));
    EXPECT_OK(SYS(msync, p, 0, MS_SYNC));
    EXPECT_ERRNO(SYS(msync, p, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
    EXPECT_ERRNO(SYS(msync, p, PAGE, 0x40), EINVAL);
    EXPECT_ERRNO(SYS(msync, p + 1, PAGE, MS_SYNC), EINVAL);
    REQUIRE_OK(munmap(p + PAGE, PAGE));
    EXPECT_ERRNO(SYS(msync, p, 3 * PAGE, MS_SYNC), ENOMEM);
}

TEST(mincore_basic, "mincore mincore:EINVAL,ENOMEM,EFAULT")
{
    unsigned char vec[3];
    char *p = map(3 * PAGE, RW, ANON);

    NEEDS(mincore);
    p[PAGE] = 1;
    EXPECT_OK(SYS(mincore, p, 3 * PAGE, vec));
    EXPECT_EQ(vec[1] & 1, 1);
    EXPECT_ERRNO(SYS(mincore, p + 1, PAGE, vec), EINVAL);
    EXPECT_ERRNO(SYS(mincore, p, PAGE, (void *)8), EFAULT);
    REQUIRE_OK(munmap(p, 3 * PAGE));
    EXPECT_ERRNO(SYS(mincore, p, 3 * PAGE, vec), ENOMEM);
}

TEST(mlock_calls, "mlock munlock mlockall munlockall mlock2 mlock:ENOMEM mlockall:EINVAL mlock2:EINVAL")
{
    char *p = map(2 * PAGE, RW, ANON);

    NEEDS(mlock);
    NEEDS(mlock2);
    EXPECT_OK(SYS(mlock, p, PAGE));
    EXPECT_OK(SYS(mlock, p + 5, 10));
    EXPECT_OK(SYS(munlock, p, 2 * PAGE));
    EXPECT_OK(SYS(mlock2, p, PAGE, 1 /* MLOCK_ONFAULT */));
    EXPECT_ERRNO(SYS(mlock2, p, PAGE, 4), EINVAL);
    EXPECT_OK(SYS(munlockall));
    EXPECT_ERRNO(SYS(mlockall, 0), EINVAL);
    EXPECT_ERRNO(SYS(mlockall, 0x100), EINVAL);
    REQUIRE_OK(munmap(p, 2 * PAGE));
    EXPECT_ERRNO(SYS(mlock, p, PAGE), ENOMEM);
}

TEST(address_space_limit, "mmap:ENOMEM setrlimit")
{
    struct rlimit limit;
    char *p;

    REQUIRE_OK(getrlimit(RLIMIT_AS, &limit));
    limit.rlim_cur = 64ul << 20;
    REQUIRE_OK(setrlimit(RLIMIT_AS, &limit));
    EXPECT_ERRNO(SYS(mmap, NULL, 128ul << 20, RW, ANON, -1, 0), ENOMEM);
    p = map(1 << 20, RW, ANON);
    EXPECT_ERRNO(SYS(mremap, p, 1 << 20, 128ul << 20, MREMAP_MAYMOVE), ENOMEM);
}

/* find_mapping() - the line of /proc/self/maps that begins so, or NULL */
static const char *find_mapping(uintptr_t start, uintptr_t end)
{
    static char text[65536];
    char want[64];

    snprintf(want, sizeof(want), "%08lx-%08lx ", start, end);
    if (guest_slurp("/proc/self/maps", text, sizeof(text)) < 0)
        return NULL;
    return strstr(text, want);
}

TEST(proc_maps_shows, "mmap open")
{
    int fd = open_file(2);
    char *p = reserve(16 * PAGE), *line;

    REQUIRE(mmap(p + PAGE, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, PAGE) == p + PAGE);
    REQUIRE(mmap(p + 5 * PAGE, PAGE, RW | PROT_EXEC, ANON | MAP_FIXED, -1, 0) == p + 5 * PAGE);
    line = (char *)find_mapping((uintptr_t)p + PAGE, (uintptr_t)p + 3 * PAGE);
    if (EXPECT(line)) {
        EXPECT_MEMEQ(strchr(line, ' '), " r--p 00001000 ", 15);
        *strchr(line, '\n') = '\0';
        EXPECT(strstr(line, "/file"));
    }
    line = (char *)find_mapping((uintptr_t)p + 5 * PAGE, (uintptr_t)p + 6 * PAGE);
    if (EXPECT(line))
        EXPECT_MEMEQ(strchr(line, ' '), " rwxp 00000000 00:00 0", 22);
}

TEST(stack_grows, "mmap")
{
    /* Far below the pointer that was ever touched, within the limit of the stack. */
    volatile char *here = __builtin_frame_address(0);

    EXPECT_EQ(touch(here - 4 * 1024 * 1024, true), 0);
    EXPECT_EQ(touch(here - 1024 * 1024, false), 0);
}

TEST(growsdown, "mmap")
{
    char *area = map(64 * PAGE, PROT_NONE, ANON), *p;

    REQUIRE_OK(munmap(area, 64 * PAGE));
    p = mmap(area + 60 * PAGE, 4 * PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
    EXPECT(p == area + 60 * PAGE);
    p[0] = 1;
    EXPECT_EQ(touch(p + PAGE, true), 0);
}

TEST(code_in_memory, "mmap mprotect")
{
    static const unsigned char code[] = {0xb8, 0x2a, 0, 0, 0, 0xc3};
    char *p = map(PAGE, RW, ANON);

    memcpy(p, code, sizeof(code));
    REQUIRE_OK(mprotect(p, PAGE, PROT_READ | PROT_EXEC));
    EXPECT_EQ(((int (*)(void))(uintptr_t)p)(), 42);
    REQUIRE_OK(mprotect(p, PAGE, RW));
    p[1] = 0x2b;
    REQUIRE_OK(mprotect(p, PAGE, PROT_READ | PROT_EXEC));
    EXPECT_EQ(((int (*)(void))(uintptr_t)p)(), 43);
}

TEST(memfd_basic, "memfd_create memfd_create:EINVAL,EFAULT")
{
    char *p, byte;
    int fd;

    NEEDS(memfd_create);
    fd = (int)REQUIRE_OK(SYS(memfd_create, "name", MFD_CLOEXEC));
    REQUIRE_OK(ftruncate(fd, (off_t)PAGE));
    p = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
    REQUIRE(p != MAP_FAILED);
    p[3] = 'm';
    EXPECT_EQ(pread(fd, &byte, 1, 3), 1);
    EXPECT_EQ(byte, 'm');
    EXPECT_ERRNO(SYS(memfd_create, "name", 0x4000), EINVAL);
    EXPECT_ERRNO(SYS(memfd_create, (void *)8, 0), EFAULT);
}

TEST_SLOW(many_mappings, 60, "mmap munmap")
{
    char *p = reserve(2000 * PAGE);

    for (size_t i = 0; i < 2000; i += 2)
        REQUIRE(mmap(p + i * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0) == p + i * PAGE);
    for (size_t i = 0; i < 2000; i += 2)
        p[i * PAGE] = (char)i;
    for (size_t i = 0; i < 2000; i += 2)
        REQUIRE(p[i * PAGE] == (char)i);
    EXPECT_OK(munmap(p, 2000 * PAGE));
    EXPECT_EQ(touch(p, false), SIGSEGV);
}

TEST(large_mapping_is_sparse, "mmap munmap")
{
    size_t size = 64ul << 30;
    char *p = mmap(NULL, size, RW, ANON | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED)
        SKIP("no room for 64 GiB of addresses");
    p[0] = 1;
    p[size / 2] = 2;
    p[size - 1] = 3;
    EXPECT_EQ(p[size / 2 + PAGE], 0);
    EXPECT_OK(munmap(p, size));
}
