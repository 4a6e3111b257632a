/*
 * Unusual kinds of memory, and rights on files that must not grow (A4, A14, A17, A18, A21, A24;
 * I5): whatever is mapped how, a file that was opened for reading is never written.
 */
#include "tests/escape/escape.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define PAGE 4096ul
#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static int rw_fd, ro_fd;

/* make_protected() - a file that we also hold open for reading only */
static void make_protected(void)
{
    char block[4096];

    guest_scratch();
    memset(block, 'p', sizeof(block));
    rw_fd = (int)REQUIRE_OK(open("protected", O_RDWR | O_CREAT, 0644));
    for (int i = 0; i < 4; i++)
        REQUIRE(write(rw_fd, block, sizeof(block)) == (ssize_t)sizeof(block));
    ro_fd = (int)REQUIRE_OK(open("protected", O_RDONLY));
}

/* check_protected() - the file is as it was made */
static void check_protected(void)
{
    char block[4 * 4096];

    EXPECT_EQ(pread(rw_fd, block, sizeof(block), 0), sizeof(block));
    for (size_t i = 0; i < sizeof(block); i++)
        REQUIRE(block[i] == 'p');
}

static char *map_protected(int prot, int flags)
{
    char *p = mmap(NULL, 4 * PAGE, prot, flags, ro_fd, 0);

    REQUIRE(p != MAP_FAILED);
    return p;
}

TEST(upgrade_by_mprotect, "mprotect:EACCES")
{
    char *p;

    make_protected();
    p = map_protected(PROT_READ, MAP_SHARED);
    EXPECT_ERRNO(mprotect(p, PAGE, RW), EACCES);
    EXPECT_ERRNO(mprotect(p, 4 * PAGE, PROT_WRITE), EACCES);
    EXPECT_EQ(SYS(pkey_mprotect, p, PAGE, RW, -1), -1);
    p = map_protected(PROT_NONE, MAP_SHARED);
    EXPECT_ERRNO(mprotect(p, PAGE, RW), EACCES);
    p = map_protected(PROT_READ, MAP_SHARED_VALIDATE);
    EXPECT_ERRNO(mprotect(p, PAGE, RW), EACCES);
    check_protected();
}

TEST(upgrade_after_moving, "mremap mprotect:EACCES fork")
{
    char *p, *q;
    pid_t pid;

    make_protected();
    p = map_protected(PROT_READ, MAP_SHARED);
    q = mremap(p, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE);
    REQUIRE(q != MAP_FAILED);
    EXPECT_ERRNO(mprotect(q, PAGE, RW), EACCES);
    /* A second view of the same pages, made by a length of nothing. */
    p = mremap(q, 0, 4 * PAGE, MREMAP_MAYMOVE);
    if (p != MAP_FAILED)
        EXPECT_ERRNO(mprotect(p, PAGE, RW), EACCES);
    IN_CHILD(pid) {
        EXPECT_ERRNO(mprotect(q, PAGE, RW), EACCES);
    }
    EXPECT_CHILD_OK(pid);
    close(ro_fd);
    EXPECT_ERRNO(mprotect(q, PAGE, RW), EACCES);
    check_protected();
}

TEST(upgrade_after_writer_mapped, "mmap mprotect:EACCES")
{
    char *writer, *reader;

    /* The same file mapped for writing by one descriptor lends nothing to the other's mapping. */
    make_protected();
    writer = mmap(NULL, PAGE, RW, MAP_SHARED, rw_fd, 0);
    REQUIRE(writer != MAP_FAILED);
    reader = map_protected(PROT_READ, MAP_SHARED);
    EXPECT_ERRNO(mprotect(reader, PAGE, RW), EACCES);
    REQUIRE_OK(munmap(writer, PAGE));
    REQUIRE_OK(close(rw_fd));
    EXPECT_ERRNO(mprotect(reader, PAGE, RW), EACCES);
    rw_fd = (int)REQUIRE_OK(open("protected", O_RDONLY));
    check_protected();
}

TEST(write_through_private, "mmap write fork")
{
    char *p;
    pid_t pid;

    make_protected();
    p = map_protected(RW, MAP_PRIVATE);
    memset(p, 'x', 4 * PAGE);
    check_protected();
    IN_CHILD(pid) {
        memset(p, 'y', 4 * PAGE);
        msync(p, 4 * PAGE, MS_SYNC);
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_EQ(p[0], 'x');
    check_protected();
}

TEST(write_by_advice, "madvise")
{
    static const int advices[] = {9 /* REMOVE */, 4, 8, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
                                  23 /* POPULATE_WRITE */, 24, 25};
    char *shared, *private;

    make_protected();
    shared = map_protected(PROT_READ, MAP_SHARED);
    private = map_protected(RW, MAP_PRIVATE);
    for (size_t i = 0; i < COUNT_OF(advices); i++) {
        SYS(madvise, shared, 4 * PAGE, advices[i]);
        SYS(madvise, private, 4 * PAGE, advices[i]);
        check_protected();
    }
    EXPECT_EQ(SYS(madvise, shared, PAGE, 9), -1);
    escape_check_alive();
}

TEST(poisonous_advice, "madvise:EPERM,EINVAL")
{
    static const int advices[] = {100 /* HWPOISON */, 101 /* SOFT_OFFLINE */, 999, -1, 0x7fffffff};
    pid_t pid;

    IN_CHILD(pid) {
        char *p = mmap(NULL, PAGE, RW, ANON, -1, 0);

        escape_become_nobody();
        *p = 1;
        for (size_t i = 0; i < COUNT_OF(advices); i++)
            EXPECT_EQ(SYS(madvise, p, PAGE, advices[i]), -1);
        EXPECT_EQ(*p, 1);
    }
    EXPECT_EXIT(pid, 0);
    escape_check_alive();
}

TEST(write_through_kernel, "read:EFAULT process_vm_writev")
{
    struct iovec local, remote;
    char *p;
    int zero = (int)REQUIRE_OK(open("/dev/zero", O_RDONLY));

    make_protected();
    p = map_protected(PROT_READ, MAP_SHARED);
    EXPECT_ERRNO(SYS(read, zero, p, 100), EFAULT);
    EXPECT_ERRNO(SYS(getcwd, p, 4096), EFAULT);
    EXPECT_ERRNO(SYS(clock_gettime, 1, p), EFAULT);
    local = (struct iovec){(char[8]){0}, 8};
    remote = (struct iovec){p, 8};
    EXPECT_EQ(SYS(process_vm_writev, getpid(), &local, 1, &remote, 1, 0), -1);
    check_protected();
}

TEST(write_through_proc_mem, "open write")
{
    char *p;
    int fd;

    /* /proc/self/mem may write over a private page's protection, never into a shared file's. */
    make_protected();
    p = map_protected(PROT_READ, MAP_SHARED);
    fd = open("/proc/self/mem", O_RDWR);
    if (fd >= 0)
        EXPECT_EQ(pwrite(fd, "xxxx", 4, (off_t)(unsigned long)p), -1);
    check_protected();
    p = map_protected(PROT_READ, MAP_PRIVATE);
    if (fd >= 0)
        pwrite(fd, "xxxx", 4, (off_t)(unsigned long)p);
    check_protected();
}

TEST(own_text_stays, "mprotect open:ETXTBSY")
{
    unsigned char before[64], after[64];
    unsigned long at = (unsigned long)&escape_random & ~(PAGE - 1);
    int fd = (int)REQUIRE_OK(open(guest_self, O_RDONLY));
    pid_t pid;

    /* Writing on one's own code changes nobody else's, and not the program's file. */
    EXPECT_EQ(pread(fd, before, sizeof(before), 0x1000), sizeof(before));
    IN_CHILD(pid) {
        EXPECT_OK(mprotect((void *)at, PAGE, RW | PROT_EXEC));
        memset((void *)at, 0xcc, 16);
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_NE(*(unsigned char *)at, 0xcc);
    EXPECT_EQ(pread(fd, after, sizeof(after), 0x1000), sizeof(after));
    EXPECT_MEMEQ(before, after, sizeof(before));
    EXPECT_ERRNO(open(guest_self, O_RDWR), ETXTBSY);
}

TEST(read_only_fd_rights, "ftruncate:EINVAL fallocate:EBADF write:EBADF")
{
    char name[40];

    make_protected();
    EXPECT_ERRNO(SYS(write, ro_fd, "x", 1), EBADF);
    EXPECT_ERRNO(SYS(ftruncate, ro_fd, 0), EINVAL);
    EXPECT_EQ(SYS(fallocate, ro_fd, 0, 0, 100), -1);
    EXPECT_EQ(SYS(fallocate, ro_fd, 3, 0, 100), -1);
    EXPECT_OK(SYS(fcntl, ro_fd, F_SETFL, O_RDWR | O_APPEND));
    EXPECT_ERRNO(SYS(write, ro_fd, "x", 1), EBADF);
    EXPECT_EQ(SYS(copy_file_range, rw_fd, NULL, ro_fd, NULL, 10, 0), -1);
    EXPECT_EQ(SYS(sendfile, ro_fd, rw_fd, NULL, 10), -1);
    check_protected();
    /* Opened anew through /proc the file's own mode counts, not the descriptor. */
    REQUIRE_OK(fchmod(rw_fd, 0444));
    snprintf(name, sizeof(name), "/proc/self/fd/%d", ro_fd);
    if (geteuid() != 0)
        EXPECT_ERRNO(open(name, O_RDWR), EACCES);
}

TEST(odd_mappings, "mmap")
{
    /* Every flag of mmap by itself, on memory and on a file. */
    make_protected();
    for (int bit = 0; bit < 32; bit++) {
        unsigned int flags = 1u << bit;
        pid_t pid;

        if (flags & MAP_FIXED)
            continue;
        IN_CHILD(pid) {
            char *p;

            alarm(3);
            for (unsigned int kind = 1; kind < 4; kind++) {
                p = (char *)SYS(mmap, NULL, PAGE, RW, kind | flags | MAP_ANONYMOUS, -1, 0);
                if (p != MAP_FAILED)
                    *p = 1;
                p = (char *)SYS(mmap, NULL, PAGE, PROT_READ, kind | flags, ro_fd, 0);
                if (p != MAP_FAILED && !(flags & MAP_ANONYMOUS))
                    EXPECT(mprotect(p, PAGE, RW) == -1 || (kind | flags) & MAP_PRIVATE);
            }
            _exit(0);
        }
        /* A huge page that is not there is SIGBUS. */
        EXPECT(escape_harmless(escape_outcome(pid, 5000)));
    }
    check_protected();
    escape_check_alive();
}

TEST(growing_downwards, "mmap")
{
    pid_t pid;

    for (int i = 0; i < 4; i++) {
        IN_CHILD(pid) {
            unsigned long at = (0x7ffffffde000ul >> i) & ~0xffffful;
            char *p = (char *)SYS(mmap, at, PAGE, RW, ANON | MAP_GROWSDOWN | MAP_FIXED, -1, 0);

            if (p == MAP_FAILED)
                _exit(0);
            for (unsigned long down = 0; down < 1ul << 26; down += PAGE)
                *guest_pointer((unsigned long)p - down) = 1;
        }
        EXPECT(escape_harmless(escape_outcome(pid, 5000)));
    }
    escape_check_alive();
}

TEST_SLOW(page_tables, 60, "mmap")
{
    pid_t pid;

    /* One touched page in each two megabytes: more tables than memory. */
    IN_CHILD(pid) {
        size_t step = 2ul << 20;
        char *p = mmap(NULL, 4000 * step, RW, ANON | MAP_NORESERVE, -1, 0);

        if (p == MAP_FAILED)
            _exit(0);
        madvise(p, 4000 * step, 15 /* MADV_NOHUGEPAGE */);
        for (size_t i = 0; i < 4000; i++)
            p[i * step] = 1;
        _exit(0);
    }
    EXPECT(escape_harmless(escape_outcome(pid, 50000)));
    escape_check_alive();
}

TEST_SLOW(locked_and_populated, 60, "mlock mmap")
{
    pid_t pid;

    IN_CHILD(pid) {
        struct rlimit limit = {1 << 16, 1 << 16};

        setrlimit(RLIMIT_MEMLOCK, &limit);
        escape_become_nobody();
        SYS(mlockall, 3);
        for (int i = 0; i < 20; i++) {
            char *p = mmap(NULL, 1 << 20, RW, ANON | MAP_LOCKED | MAP_POPULATE, -1, 0);

            if (p != MAP_FAILED)
                EXPECT_EQ(SYS(mlock, p, 1 << 20), -1);
        }
        _exit(0);
    }
    EXPECT(escape_harmless(escape_outcome(pid, 30000)));
    escape_check_alive();
}

static volatile bool stop;

static void *shrink_and_grow(void *arg)
{
    (void)arg;
    while (!stop) {
        if (ftruncate(rw_fd, 0) < 0 || ftruncate(rw_fd, 4 * PAGE) < 0)
            break;
    }
    return NULL;
}

TEST_SLOW(file_shrinks_in_a_call, 60, "ftruncate write read")
{
    int64_t end = escape_end_ns();
    int null = (int)REQUIRE_OK(open("/dev/null", O_WRONLY)), ends[2];
    pthread_t thread;
    char *p;

    /* The kernel, or whoever copies for it, meets pages that go away under its hands. */
    make_protected();
    REQUIRE_OK(pipe2(ends, O_NONBLOCK));
    p = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, rw_fd, 0);
    REQUIRE(p != MAP_FAILED);
    REQUIRE(pthread_create(&thread, NULL, shrink_and_grow, NULL) == 0);
    while (guest_now_ns() < end) {
        char drain[4 * 4096];
        long n = SYS(write, ends[1], p, 4 * PAGE);

        EXPECT(n > 0 || errno == EFAULT || errno == EAGAIN);
        n = SYS(read, ends[0], drain, sizeof(drain));
        EXPECT(n > 0 || errno == EAGAIN);
        n = SYS(pread64, rw_fd, p + PAGE, PAGE, 0);
        EXPECT(n >= 0 || errno == EFAULT);
        n = SYS(open, p + 2 * PAGE, O_RDONLY);
        EXPECT_EQ(n, -1);
        SYS(write, null, p, PAGE);
    }
    stop = true;
    pthread_join(thread, NULL);
    escape_check_alive();
}
