/*
 * Memory that is there before it is touched: MADV_POPULATE_*, MAP_POPULATE, the mlock(2) family; and
 * what takes it away again. mincore(2) tells, for private memory that only its owner has.
 */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <linux/mman.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define PAGE 4096ul
#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif
#define ONFAULT 1 /* MLOCK_ONFAULT */

static char *map(size_t size, int prot, int flags)
{
    char *p = mmap(NULL, size, prot, flags, -1, 0);

    REQUIRE(p != MAP_FAILED);
    return p;
}

/* present() - how many of n pages are */
static size_t present(const char *p, size_t n)
{
    unsigned char vec[64];
    size_t sum = 0;

    REQUIRE_OK(SYS(mincore, p, n * PAGE, vec));
    for (size_t i = 0; i < n; i++)
        sum += vec[i] & 1;
    return sum;
}

static void needs_populate(void)
{
    if (SYS(madvise, map(PAGE, RW, ANON), PAGE, MADV_POPULATE_READ) < 0)
        SKIP("this kernel has no MADV_POPULATE_READ");
}

static int scratch_file(size_t pages)
{
    int fd;

    guest_scratch();
    fd = (int)REQUIRE_OK(open("file", O_RDWR | O_CREAT, 0600));
    REQUIRE_OK(ftruncate(fd, (off_t)(pages * PAGE)));
    return fd;
}

TEST(populate, "madvise")
{
    char *p = map(8 * PAGE, RW, ANON);

    needs_populate();
    EXPECT_EQ(present(p, 8), 0);
    EXPECT_OK(SYS(madvise, p, 4 * PAGE, MADV_POPULATE_WRITE));
    EXPECT_EQ(present(p, 8), 4);
    EXPECT_OK(SYS(madvise, p + 4 * PAGE, 3 * PAGE + 1, MADV_POPULATE_READ));
    EXPECT_EQ(present(p, 8), 8);
    EXPECT_EQ(p[0], 0);
    EXPECT_OK(SYS(madvise, p, 8 * PAGE, MADV_DONTNEED));
    EXPECT_EQ(present(p, 8), 0);
    EXPECT_OK(SYS(madvise, p, 0, MADV_POPULATE_WRITE));
    EXPECT_EQ(present(p, 8), 0);
}

TEST(populate_a_lot, "madvise")
{
    size_t size = 48ul << 20;
    char *p = map(size, RW, ANON);

    needs_populate();
    EXPECT_OK(SYS(madvise, p, size, MADV_POPULATE_WRITE));
    EXPECT_EQ(present(p, 64), 64);
    EXPECT_EQ(present(p + size - 64 * PAGE, 64), 64);
}

TEST(populate_errors, "madvise:EINVAL,ENOMEM,EFAULT")
{
    char *p = map(8 * PAGE, RW, ANON), *file;
    int fd = scratch_file(2);

    needs_populate();
    EXPECT_ERRNO(SYS(madvise, p + 1, PAGE, MADV_POPULATE_READ), EINVAL);
    REQUIRE_OK(mprotect(p + 6 * PAGE, PAGE, PROT_NONE));
    REQUIRE_OK(mprotect(p + 7 * PAGE, PAGE, PROT_READ));
    EXPECT_ERRNO(SYS(madvise, p + 6 * PAGE, PAGE, MADV_POPULATE_READ), EINVAL);
    EXPECT_ERRNO(SYS(madvise, p + 7 * PAGE, PAGE, MADV_POPULATE_WRITE), EINVAL);
    EXPECT_OK(SYS(madvise, p + 7 * PAGE, PAGE, MADV_POPULATE_READ));
    /* What comes before the hole is there nevertheless. */
    REQUIRE_OK(munmap(p + 4 * PAGE, PAGE));
    EXPECT_ERRNO(SYS(madvise, p, 6 * PAGE, MADV_POPULATE_WRITE), ENOMEM);
    EXPECT_EQ(present(p, 4), 4);
    EXPECT_ERRNO(SYS(madvise, 0x7ffffffff000, PAGE, MADV_POPULATE_READ), ENOMEM);
    file = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
    REQUIRE(file != MAP_FAILED);
    EXPECT_OK(SYS(madvise, file, 2 * PAGE, MADV_POPULATE_WRITE));
    EXPECT_ERRNO(SYS(madvise, file, 4 * PAGE, MADV_POPULATE_WRITE), EFAULT);
    EXPECT_ERRNO(SYS(madvise, file + 2 * PAGE, PAGE, MADV_POPULATE_READ), EFAULT);
}

TEST(map_populate, "mmap")
{
    EXPECT_EQ(present(map(4 * PAGE, RW, ANON | MAP_POPULATE), 4), 4);
    EXPECT_EQ(present(map(4 * PAGE, RW, ANON | MAP_POPULATE | MAP_NONBLOCK), 4), 0);
    /* A wish: what can't be is no error. */
    EXPECT_EQ(present(map(4 * PAGE, PROT_NONE, ANON | MAP_POPULATE), 4), 0);
    EXPECT(mmap(NULL, 4 * PAGE, RW, MAP_SHARED | MAP_POPULATE, scratch_file(1), 0) != MAP_FAILED);
}

TEST(mlock_brings_pages, "mlock mlock2 munlock")
{
    char *p = map(8 * PAGE, RW, ANON);

    NEEDS(mlock2);
    EXPECT_OK(SYS(mlock, p + 5, 2 * PAGE));
    EXPECT_EQ(present(p, 8), 3);
    EXPECT_OK(SYS(mlock2, p + 4 * PAGE, 2 * PAGE, ONFAULT));
    EXPECT_EQ(present(p + 4 * PAGE, 4), 0);
    EXPECT_OK(SYS(mlock2, p + 4 * PAGE, PAGE, 0));
    EXPECT_EQ(present(p + 4 * PAGE, 4), 1);
    EXPECT_OK(SYS(munlock, p, 8 * PAGE));
    EXPECT_EQ(present(p, 8), 4);
}

TEST(mlock_of_what_cannot_be_there, "mlock:ENOMEM munlock")
{
    char *p = map(2 * PAGE, PROT_NONE, ANON), *file;

    EXPECT_ERRNO(SYS(mlock, p, PAGE), ENOMEM);
    EXPECT_OK(SYS(munlock, p, PAGE));
    EXPECT_OK(SYS(mlock2, p, PAGE, ONFAULT));
    file = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, scratch_file(1), 0);
    REQUIRE(file != MAP_FAILED);
    EXPECT_OK(SYS(mlock, file, PAGE));
    EXPECT_ERRNO(SYS(mlock, file + PAGE, PAGE), ENOMEM);
}

TEST(mlockall_and_what_comes, "mlockall munlockall mmap brk mremap")
{
    struct rlimit l;
    char *p;

    REQUIRE_OK(getrlimit(RLIMIT_MEMLOCK, &l));
    if (l.rlim_cur < 1 << 20)
        SKIP("RLIMIT_MEMLOCK is too low");
    REQUIRE_OK(SYS(mlockall, MCL_FUTURE));
    p = map(4 * PAGE, RW, ANON);
    EXPECT_EQ(present(p, 4), 4);
    EXPECT_ERRNO(SYS(madvise, p, PAGE, MADV_DONTNEED), EINVAL);
    p = mremap(p, 4 * PAGE, 6 * PAGE, MREMAP_MAYMOVE);
    REQUIRE(p != MAP_FAILED);
    EXPECT_EQ(present(p, 6), 6);
    p = (char *)(((uintptr_t)sbrk(4 * PAGE) + PAGE - 1) & ~(PAGE - 1));
    EXPECT_EQ(present(p, 3), 3);
    EXPECT_NE(map(2 * PAGE, PROT_NONE, ANON), NULL);
    REQUIRE_OK(SYS(mlockall, MCL_FUTURE | MCL_ONFAULT));
    p = map(4 * PAGE, RW, ANON);
    EXPECT_EQ(present(p, 4), 0);
    p[PAGE] = 1;
    EXPECT_EQ(present(p, 4), 1);
    EXPECT_ERRNO(SYS(madvise, p, PAGE, MADV_DONTNEED), EINVAL);
    p = mremap(p, 4 * PAGE, 6 * PAGE, MREMAP_MAYMOVE);
    REQUIRE(p != MAP_FAILED);
    EXPECT_EQ(present(p, 6), 1);
    REQUIRE_OK(SYS(munlockall));
    p = map(4 * PAGE, RW, ANON);
    EXPECT_EQ(present(p, 4), 0);
}

TEST(map_locked, "mmap:EAGAIN,EPERM mlock:ENOMEM,EPERM mlockall:EPERM mremap:EAGAIN setrlimit")
{
    struct rlimit l = {3 * PAGE, 3 * PAGE};
    char *p;

    if (guest_has_cap(14 /* CAP_IPC_LOCK */))
        SKIP("CAP_IPC_LOCK knows no limit");
    REQUIRE_OK(SYS(munlockall));
    REQUIRE_OK(setrlimit(RLIMIT_MEMLOCK, &l));
    EXPECT_ERRNO(SYS(mmap, NULL, 4 * PAGE, RW, ANON | MAP_LOCKED, -1, 0), EAGAIN);
    p = map(2 * PAGE, RW, ANON | MAP_LOCKED);
    EXPECT_EQ(present(p, 2), 2);
    EXPECT_ERRNO(SYS(mremap, p, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE), EAGAIN);
    EXPECT_OK(SYS(mlock, p, 2 * PAGE)); /* locked already */
    EXPECT_ERRNO(SYS(mlock, map(2 * PAGE, RW, ANON), 2 * PAGE), ENOMEM);
    EXPECT_ERRNO(SYS(mlockall, MCL_CURRENT), ENOMEM);
    l.rlim_cur = 0;
    REQUIRE_OK(setrlimit(RLIMIT_MEMLOCK, &l));
    EXPECT_ERRNO(SYS(mlock, p, PAGE), EPERM);
    EXPECT_ERRNO(SYS(mlockall, MCL_CURRENT), EPERM);
    EXPECT_ERRNO(SYS(mmap, NULL, PAGE, RW, ANON | MAP_LOCKED, -1, 0), EPERM);
    EXPECT_OK(SYS(munlock, p, PAGE));
}

/* has_flag() - has the mapping at p this of smaps' VmFlags? */
static bool has_flag(const char *p, const char *flag)
{
    static char text[1 << 18];
    char start[32], *line, *end;

    REQUIRE(guest_slurp("/proc/self/smaps", text, sizeof(text)) >= 0);
    snprintf(start, sizeof(start), "%08lx-", (unsigned long)(uintptr_t)p);
    line = strstr(text, start);
    REQUIRE(line);
    line = strstr(line, "VmFlags:");
    REQUIRE(line);
    end = strchr(line, '\n');
    *end = 0;
    snprintf(start, sizeof(start), " %s ", flag);
    return strstr(line, start);
}

TEST(marks_show_in_smaps, "madvise mlock2 munlock")
{
    static const struct {
        int set, clear;
        const char *flag;
    } marks[] = {
        {MADV_DONTFORK, MADV_DOFORK, "dc"},
        {MADV_WIPEONFORK, MADV_KEEPONFORK, "wf"},
        {MADV_DONTDUMP, MADV_DODUMP, "dd"},
    };
    char *area = map(3 * PAGE, PROT_NONE, ANON), *p = area + PAGE;

    REQUIRE_OK(mprotect(p, PAGE, RW));
    for (size_t i = 0; i < COUNT_OF(marks); i++) {
        EXPECT(!has_flag(p, marks[i].flag));
        EXPECT_OK(SYS(madvise, p, PAGE, marks[i].set));
        EXPECT(has_flag(p, marks[i].flag));
        EXPECT_OK(SYS(madvise, p, PAGE, marks[i].clear));
        EXPECT(!has_flag(p, marks[i].flag));
    }
    EXPECT_OK(SYS(mlock, p, PAGE));
    EXPECT(has_flag(p, "lo") && !has_flag(p, "lf"));
    EXPECT_OK(SYS(mlock2, p, PAGE, ONFAULT));
    EXPECT(has_flag(p, "lo") && has_flag(p, "lf"));
    EXPECT_OK(SYS(munlock, p, PAGE));
    EXPECT(!has_flag(p, "lo") && !has_flag(p, "lf"));
}

TEST(pageout_and_cold_keep_contents, "madvise madvise:EINVAL")
{
    char *p = map(8 * PAGE, RW, ANON);

    memset(p, 'x', 8 * PAGE);
    EXPECT_OK(SYS(madvise, p, 8 * PAGE, MADV_COLD));
    EXPECT_OK(SYS(madvise, p, 8 * PAGE, MADV_PAGEOUT));
    EXPECT(p[0] == 'x' && p[8 * PAGE - 1] == 'x');
    REQUIRE_OK(SYS(mlock, p, PAGE));
    EXPECT_ERRNO(SYS(madvise, p, 8 * PAGE, MADV_COLD), EINVAL);
    EXPECT_ERRNO(SYS(madvise, p, 8 * PAGE, MADV_PAGEOUT), EINVAL);
}

TEST(dontneed_locked, "madvise mlock")
{
    char *p = map(2 * PAGE, RW, ANON);

    REQUIRE_OK(SYS(mlock, p, PAGE));
    p[0] = 1;
    if (SYS(madvise, p, PAGE, MADV_DONTNEED_LOCKED) < 0 && errno == EINVAL)
        SKIP("this kernel has no MADV_DONTNEED_LOCKED");
    EXPECT_EQ(p[0], 0);
    EXPECT_ERRNO(SYS(madvise, p, PAGE, MADV_DONTNEED), EINVAL);
}

/* A file that may be written to, mapped so that it can't be now. */
TEST(remove_through_a_read_only_mapping, "madvise madvise:EACCES,EINVAL")
{
    int fd = (int)REQUIRE_OK(SYS(memfd_create, "hole", 0));
    char *p, *q, byte;

    REQUIRE_OK(ftruncate(fd, 2 * PAGE));
    REQUIRE(pwrite(fd, "x", 1, 0) == 1);
    p = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
    q = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, fd, 0);
    REQUIRE(p != MAP_FAILED && q != MAP_FAILED);
    EXPECT_ERRNO(SYS(madvise, q, PAGE, MADV_REMOVE), EACCES);
    EXPECT_EQ(p[0], 'x');
    EXPECT_OK(SYS(madvise, p, PAGE, MADV_REMOVE));
    EXPECT_EQ(p[0], 0);
    EXPECT(pread(fd, &byte, 1, 0) == 1 && byte == 0);
}

TEST(growsdown_is_for_memory, "mmap:EINVAL")
{
    int fd = scratch_file(1);

    EXPECT_ERRNO(SYS(mmap, NULL, PAGE, RW, MAP_SHARED | MAP_GROWSDOWN, fd, 0), EINVAL);
    EXPECT_ERRNO(SYS(mmap, NULL, PAGE, RW, MAP_PRIVATE | MAP_GROWSDOWN, fd, 0), EINVAL);
    EXPECT_ERRNO(SYS(mmap, NULL, PAGE, RW, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0), EOPNOTSUPP);
}

TEST(mremap_dontunmap, "mremap mremap:EINVAL")
{
    char *area = map(64 * PAGE, PROT_NONE, ANON), *p, *q;
    const int flags = MREMAP_MAYMOVE | MREMAP_DONTUNMAP;

    REQUIRE_OK(munmap(area, 64 * PAGE));
    p = mmap(area + 16 * PAGE, 8 * PAGE, RW, ANON | MAP_FIXED, -1, 0);
    REQUIRE(p == area + 16 * PAGE);
    p[0] = 'x';
    EXPECT_ERRNO(SYS(mremap, p, 2 * PAGE, PAGE, flags, 0), EINVAL);
    EXPECT_ERRNO(SYS(mremap, p, PAGE, PAGE, MREMAP_DONTUNMAP, 0), EINVAL);
    /* The new address is a hint, but not any. */
    EXPECT_ERRNO(SYS(mremap, p, 8 * PAGE, 8 * PAGE, flags, 1), EINVAL);
    EXPECT_ERRNO(SYS(mremap, p, 8 * PAGE, 8 * PAGE, flags, p), EINVAL);
    EXPECT_ERRNO(SYS(mremap, p, 8 * PAGE, 8 * PAGE, flags, p + 4 * PAGE), EINVAL);
    EXPECT_ERRNO(SYS(mremap, p, 8 * PAGE, 8 * PAGE, flags, 0x7ffffffff000), EINVAL);
    q = (char *)SYS(mremap, p, 8 * PAGE, 8 * PAGE, flags, area);
    REQUIRE(q == area);
    EXPECT_EQ(q[0], 'x');
    EXPECT_EQ(p[0], 0);
    /* One that is taken leads elsewhere. */
    p[0] = 'y';
    q = (char *)SYS(mremap, p, PAGE, PAGE, flags, area + PAGE);
    EXPECT(q != MAP_FAILED && q != area + PAGE);
    EXPECT(area[0] == 'x' && q[0] == 'y');
}

/* The same pages at a second place. */
TEST(mremap_of_nothing_old, "mremap mremap:EINVAL")
{
    char *p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0), *q;

    REQUIRE(p != MAP_FAILED);
    EXPECT_ERRNO(SYS(mremap, p, 0, 2 * PAGE, 0), ENOMEM);
    q = (char *)SYS(mremap, p, 0, 2 * PAGE, MREMAP_MAYMOVE);
    REQUIRE(q != MAP_FAILED && q != p);
    q[5] = 'q';
    EXPECT_EQ(p[5], 'q');
    EXPECT_ERRNO(SYS(mremap, map(PAGE, RW, ANON), 0, PAGE, MREMAP_MAYMOVE), EINVAL);
}
