/* Loads: address spaces: a model of a region's pages, copies on write, shared and file pages. */
#include "tests/guest/soak/soak.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

enum { PAGES = 48, PAGE = 4096 };

/* What a page of the region should be. */
struct page {
    bool mapped, writable;
    uint64_t with; /* what soak_fill() filled it with, or 0: zeroes */
};

struct region {
    char *base;
    struct page pages[PAGES];
};

static void fill_page(struct soak *s, struct region *r, uint32_t at)
{
    if (!r->pages[at].mapped || !r->pages[at].writable)
        return;
    r->pages[at].with = s->random | 1;
    soak_fill(r->base + at * PAGE, PAGE, r->pages[at].with);
}

/* check_page() - by a call that tells of a page that is not there without a signal */
static void check_page(struct soak *s, const struct region *r, uint32_t at)
{
    static const char zeroes[PAGE];
    const struct page *p = &r->pages[at];
    char buf[PAGE];
    struct iovec to = {buf, PAGE}, from = {r->base + at * PAGE, PAGE};
    int fds[2];
    ssize_t n;

    soak_pipe(fds, O_NONBLOCK);
    n = write(fds[1], from.iov_base, PAGE);
    if (!p->mapped)
        EXPECT(n == -1 && errno == EFAULT);
    else if (EXPECT_EQ(n, PAGE) && EXPECT_EQ(read(fds[0], to.iov_base, PAGE), PAGE))
        EXPECT(p->with ? soak_filled(buf, PAGE, p->with) == PAGE : !memcmp(buf, zeroes, PAGE));
    if (p->mapped && soak_coin(s, 2)) {
        EXPECT_EQ(write(fds[1], "z", 1), 1);
        n = read(fds[0], r->base + at * PAGE + 7, 1);
        if (p->writable)
            EXPECT(n == 1 && r->base[at * PAGE + 7] == 'z');
        else
            EXPECT(n == -1 && errno == EFAULT);
        if (n == 1) /* as it was */
            r->base[at * PAGE + 7] = buf[7];
    }
    close(fds[0]);
    close(fds[1]);
}

/* change_region() - one random operation on pages from at on, and on the model */
static void change_region(struct soak *s, struct region *r)
{
    uint32_t at = soak_below(s, PAGES), n = 1 + soak_below(s, PAGES - at < 8 ? PAGES - at : 8);
    char *p = r->base + at * PAGE;
    bool whole = true;

    for (uint32_t i = at; i < at + n; i++)
        whole &= r->pages[i].mapped;
    switch (soak_below(s, 5)) {
    case 0: /* a hole, reserved: nobody else's mapping may come there */
        EXPECT(mmap(p, n * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1,
                    0) == p);
        for (uint32_t i = at; i < at + n; i++)
            r->pages[i] = (struct page){0};
        break;
    case 1:
        EXPECT(mmap(p, n * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                    0) == p);
        for (uint32_t i = at; i < at + n; i++)
            r->pages[i] = (struct page){true, true, 0};
        break;
    case 2:
        if (!whole)
            break;
        for (uint32_t i = at, writable = soak_below(s, 2); i < at + n; i++)
            r->pages[i].writable = writable;
        EXPECT_OK(mprotect(p, n * PAGE, PROT_READ | (r->pages[at].writable ? PROT_WRITE : 0)));
        break;
    case 3:
        EXPECT_OK(madvise(p, n * PAGE, MADV_DONTNEED));
        for (uint32_t i = at; i < at + n; i++)
            r->pages[i].with = 0;
        break;
    default:
        for (uint32_t i = at; i < at + n; i++)
            fill_page(s, r, i);
    }
}

/* move_region() - all of it to another place. Return: 0, or -1 if the old place was kept */
static void move_region(struct region *r)
{
    char *to = mmap(NULL, PAGES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    REQUIRE(to != MAP_FAILED);
    /* Mapping by mapping: mremap takes no more than one. */
    for (uint32_t i = 0; i < PAGES; i++)
        EXPECT(mremap(r->base + i * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + i * PAGE) ==
               to + i * PAGE);
    r->base = to;
}

LOAD(region)
{
    struct region r = {.base = mmap(NULL, PAGES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)};

    REQUIRE(r.base != MAP_FAILED);
    for (uint32_t i = 20 + soak_below(s, 60); i > 0; i--) {
        change_region(s, &r);
        check_page(s, &r, soak_below(s, PAGES));
    }
    if (soak_coin(s, 4))
        move_region(&r);
    if (soak_coin(s, 2)) {
        pid_t pid;

        SOAK_CHILD (pid, -1) {
            for (uint32_t i = 0; i < PAGES; i++)
                fill_page(s, &r, i);
            for (uint32_t i = 0; i < PAGES; i++)
                check_page(s, &r, i);
        }
        EXPECT_CHILD_OK(pid);
    }
    for (uint32_t i = 0; i < PAGES; i++)
        check_page(s, &r, i);
    EXPECT_OK(munmap(r.base, PAGES * PAGE));
}

LOAD(grow_and_shrink)
{
    size_t pages = 1 + soak_below(s, 16);
    uint64_t with = s->random;
    char *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    REQUIRE(p != MAP_FAILED);
    soak_fill(p, pages * PAGE, with);
    for (int i = 0; i < 6; i++) {
        size_t now = 1 + soak_below(s, 64), same = now < pages ? now : pages;

        p = mremap(p, pages * PAGE, now * PAGE, MREMAP_MAYMOVE);
        REQUIRE(p != MAP_FAILED);
        EXPECT_EQ(soak_filled(p, same * PAGE, with), same * PAGE);
        for (size_t at = same * PAGE; at < now * PAGE; at += 512)
            EXPECT_EQ(p[at], 0);
        pages = now;
        soak_fill(p, pages * PAGE, with);
    }
    EXPECT_OK(munmap(p, pages * PAGE));
}

/* Processes add to words that they share, and what is private stays so. */
LOAD(shared_and_private)
{
    struct { _Atomic(uint64_t) sum; } *shared = guest_shared(PAGE);
    uint64_t *private = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned int n = 1 + soak_below(s, 4);
    pid_t pids[4];

    *private = 5;
    for (unsigned int i = 0; i < n; i++) {
        SOAK_CHILD (pids[i], -1) {
            for (uint64_t k = 0; k < 100; k++) {
                shared->sum += k;
                *private += 1;
            }
            EXPECT_EQ(*private, 105);
        }
    }
    for (unsigned int i = 0; i < n; i++)
        EXPECT_CHILD_OK(pids[i]);
    EXPECT_EQ(shared->sum, n * 4950);
    EXPECT_EQ(*private, 5);
    munmap(shared, PAGE);
    munmap(private, PAGE);
}

/* A file read and written through calls and through mappings is one file. */
LOAD(file_pages)
{
    size_t size = PAGE * (1 + soak_below(s, 40));
    bool nameless = soak_coin(s, 3);
    char path[256], buf[PAGE], *shared, *private;
    int fd = nameless ? memfd_create("soak", MFD_CLOEXEC)
                      : open(soak_path(s, "mapped", path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    pid_t pid;

    REQUIRE_OK(fd);
    REQUIRE_OK(ftruncate(fd, (off_t)size));
    shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    private = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    REQUIRE(shared != MAP_FAILED && private != MAP_FAILED);
    for (uint32_t i = 0; i < 10; i++) {
        size_t at = soak_below(s, (uint32_t)size - 100), n = 1 + soak_below(s, 100);
        uint64_t with = s->random;

        soak_fill(buf, n, with);
        if (soak_coin(s, 3))
            memcpy(shared + at, buf, n);
        else if (soak_coin(s, 2))
            EXPECT_EQ(pwrite(fd, buf, n, (off_t)at), n);
        else {
            SOAK_CHILD (pid, -1)
                memcpy(shared + at, buf, n);
            EXPECT_CHILD_OK(pid);
        }
        memset(buf, 0, n);
        EXPECT_EQ(pread(fd, buf, n, (off_t)at), n);
        EXPECT_EQ(soak_filled(buf, n, with), n);
        EXPECT_EQ(soak_filled(shared + at, n, with), n);
        private[at] = (char)(shared[at] + 1);
        EXPECT_EQ(soak_filled(shared + at, n, with), n);
    }
    EXPECT_OK(msync(shared, size, MS_SYNC));
    munmap(shared, size);
    munmap(private, size);
    close(fd);
    if (!nameless)
        EXPECT_OK(unlink(path));
}

LOAD(truncated_mapping)
{
    char path[256];
    int fd = (int)REQUIRE_OK(open(soak_path(s, "short", path), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    uint32_t pages = soak_below(s, 4);
    int status;
    pid_t pid;

    REQUIRE(p != MAP_FAILED);
    REQUIRE_OK(ftruncate(fd, 4 * PAGE));
    memset(p, 'x', 4 * PAGE);
    REQUIRE_OK(ftruncate(fd, pages * PAGE));
    pid = SOAK_FORK_BARE();
    if (pid == 0) {
        for (uint32_t i = 0; i < pages; i++)
            EXPECT_EQ(p[i * PAGE], 'x');
        p[pages * PAGE] = 1;
        _exit(0);
    }
    status = guest_wait(pid);
    EXPECT_EQ(status & 0x7f, SIGBUS);
    munmap(p, 4 * PAGE);
    close(fd);
    EXPECT_OK(unlink(path));
}

LOAD(seals)
{
    int fd = (int)REQUIRE_OK(memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    char *p;

    EXPECT_EQ(write(fd, "0123456789", 10), 10);
    p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    REQUIRE(p != MAP_FAILED);
    EXPECT_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
    munmap(p, PAGE);
    /* A fork of another thread may hold the mapping for a moment. */
    WAIT_UNTIL(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK) == 0);
    EXPECT_ERRNO(write(fd, "x", 1), EPERM);
    EXPECT_ERRNO(ftruncate(fd, 1), EPERM);
    EXPECT_OK(ftruncate(fd, 100 + soak_below(s, 10000)));
    close(fd);
}

/* deep() - Return: what it was given, by way of a stack that grows */
static uint64_t deep(uint64_t n)
{
    volatile char space[1000];

    space[n % 1000] = (char)n;
    return n == 0 ? 0 : 1 + deep(n - 1) + (uint64_t)(space[n % 1000] - (char)n);
}

LOAD(stack_grows)
{
    uint32_t depth = 1000 + soak_below(s, 3000);
    pid_t pid = SOAK_FORK_BARE();

    if (pid == 0) {
        char text[16];

        snprintf(text, sizeof(text), "%u", depth);
        execl(guest_self, guest_self, "--helper", "deep", text, NULL);
    }
    EXPECT_CHILD_OK(pid);
}

/* deep N - on the first thread's own stack */
HELPER(deep)
{
    uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;

    return deep(n) == n ? 0 : 1;
}
