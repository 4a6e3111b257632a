/* tmpfs: data in memory and in a file, holes, accounting, options. */
#include "sentry/base/host_fd.h"
#include "tests/unit/vfs/vfs_fixture.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

/* setup() - as in a sandbox, the host's root is a tmpfs of our own: big files go there. */
static void setup(void)
{
    if ((geteuid() == 0 || unshare(CLONE_NEWUSER) == 0) && unshare(CLONE_NEWNS) == 0 &&
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
        mount("tmpfs", "/tmp", "tmpfs", 0, "size=64m") == 0 && chroot("/tmp") == 0 &&
        chdir("/") == 0)
        fixture_init();
    else
        cr_skip_test("no user namespaces and not root: no tmpfs of our own");
}

static void teardown(void)
{
    if (fx.ns)
        fixture_fini();
}

TestSuite(tmpfs, .init = setup, .fini = teardown);

static u64 blocks_of(struct file *f)
{
    struct attr a;

    vfs_getattr(&f->path, &a);
    return a.blocks;
}

static u64 size_of(struct file *f)
{
    struct attr a;

    vfs_getattr(&f->path, &a);
    return a.size;
}

static u64 used_pages(const char *name)
{
    struct statfs_info s;
    struct path p;

    cr_assert_eq(walk(&fx.ctx, NULL, name, WALK_FOLLOW, &p), 0);
    p.mount->super->ops->statfs(p.mount->super, &s);
    path_put(&p);
    return s.blocks - s.bfree;
}

Test(tmpfs, holes_in_memory)
{
    struct file *f = fx_open("/f", LX_O_RDWR | LX_O_CREAT, 0644);
    char b[8192];

    cr_expect_eq(fx_pwrite(f, "end", 3, 20000), 3);
    cr_expect_eq(size_of(f), 20003);
    cr_expect_eq(blocks_of(f), 8);
    memset(b, 1, sizeof(b));
    cr_expect_eq(fx_pread(f, b, sizeof(b), 0), (ssize_t)sizeof(b));
    cr_expect(b[0] == 0 && b[8191] == 0);
    cr_expect_eq(file_seek(f, 0, LX_SEEK_DATA), 16384);
    cr_expect_eq(file_seek(f, 0, LX_SEEK_HOLE), 0);
    cr_expect_eq(file_seek(f, 17000, LX_SEEK_DATA), 17000);
    cr_expect_eq(file_seek(f, 17000, LX_SEEK_HOLE), 20003);
    cr_expect_eq(file_seek(f, 20003, LX_SEEK_DATA), -ENXIO);
    /* what is cut off is zero when the file grows again */
    cr_expect_eq(file_truncate(f, 20001), 0);
    cr_expect_eq(file_truncate(f, 20010), 0);
    cr_expect_eq(fx_pread(f, b, 100, 20000), 10);
    cr_expect_eq(memcmp(b, "e\0\0\0\0\0\0\0\0\0", 10), 0);
    cr_expect_eq(file_truncate(f, 0), 0);
    cr_expect_eq(blocks_of(f), 0);
    file_put(f);
}

Test(tmpfs, growing_into_a_file)
{
    struct file *f = fx_open("/f", LX_O_RDWR | LX_O_CREAT, 0644);
    static u8 w[300000], r[300000];

    for (u32 i = 0; i < sizeof(w); i++)
        w[i] = (u8)(i * 17 + (i >> 9));
    for (u32 at = 0; at < sizeof(w); at += 10000)
        cr_expect_eq(fx_write(f, w + at, 10000), 10000);
    cr_expect_eq(fx_pread(f, r, sizeof(r), 0), (ssize_t)sizeof(r));
    cr_expect_eq(memcmp(r, w, sizeof(w)), 0);
    cr_expect_eq(blocks_of(f), 74 * 8);
    cr_expect_eq(used_pages("/"), 74);
    cr_expect_eq(fx_pwrite(f, "x", 1, 1 << 20), 1);
    cr_expect_eq(used_pages("/"), 75);
    cr_expect_eq(file_seek(f, 310000, LX_SEEK_DATA), 1 << 20);
    cr_expect_eq(file_seek(f, 0, LX_SEEK_HOLE), 74 * 4096);
    cr_expect_eq(file_fallocate(f, LX_FALLOC_FL_PUNCH_HOLE | LX_FALLOC_FL_KEEP_SIZE, 4000, 8288),
                 0);
    cr_expect_eq(used_pages("/"), 73);
    cr_expect_eq(fx_pread(f, r, 16384, 0), 16384);
    cr_expect(r[3999] == w[3999] && !r[4000] && !r[12287] && r[12288] == w[12288]);
    cr_expect_eq(fx_pwrite(f, w, 8192, 4096), 8192);
    cr_expect_eq(used_pages("/"), 75);
    cr_expect_eq(file_truncate(f, 5000), 0);
    cr_expect_eq(used_pages("/"), 2);
    cr_expect_eq(file_truncate(f, 0), 0);
    cr_expect_eq(used_pages("/"), 0);
    file_put(f);
}

Test(tmpfs, spilling_keeps_holes)
{
    struct file *f = fx_open("/f", LX_O_RDWR | LX_O_CREAT, 0644);
    char b[16];
    int fd;

    fx_pwrite(f, "abc", 3, 0);
    fx_pwrite(f, "def", 3, 40000);
    fd = f->ops->map_fd(f, false, false);
    cr_expect_geq(fd, 0);
    cr_expect_eq(used_pages("/"), 2);
    cr_expect_eq(size_of(f), 40003);
    cr_expect_eq(host_pread(fd, b, 3, 40000), 3);
    cr_expect_eq(memcmp(b, "def", 3), 0);
    cr_expect_lt(host_pwrite(fd, "x", 1, 0), 0); /* for private mappings: read-only */
    fd = f->ops->map_fd(f, true, false);
    cr_expect_lt(host_pwrite(fd, "x", 1, 0), 0);
    fd = f->ops->map_fd(f, true, true);
    cr_expect_eq(host_pwrite(fd, "xy", 2, 0), 2);
    cr_expect_eq(fx_pread(f, b, 3, 0), 3);
    cr_expect_eq(memcmp(b, "xyc", 3), 0);
    /* pages that come through a mapping are found */
    cr_expect_eq(host_pwrite(fd, "z", 1, 20000), 1);
    cr_expect_eq(blocks_of(f), 24);
    file_put(f);
    cr_expect_eq(vfs_unlink(&fx.ctx, NULL, "/f", false), 0);
    cr_expect_eq(used_pages("/"), 0);
}

Test(tmpfs, allocation)
{
    struct file *f = fx_open("/f", LX_O_RDWR | LX_O_CREAT, 0644);

    cr_expect_eq(file_fallocate(f, 0, 0, 10000), 0);
    cr_expect_eq(size_of(f), 10000);
    cr_expect_eq(used_pages("/"), 3);
    cr_expect_eq(file_fallocate(f, LX_FALLOC_FL_KEEP_SIZE, 0, 20000), 0);
    cr_expect_eq(size_of(f), 10000);
    cr_expect_eq(used_pages("/"), 5);
    cr_expect_eq(file_fallocate(f, 0, 0, 200000), 0);
    cr_expect_eq(size_of(f), 200000);
    cr_expect_eq(used_pages("/"), 49);
    cr_expect_eq(file_fallocate(f, LX_FALLOC_FL_ZERO_RANGE, 0, 10), -EOPNOTSUPP);
    cr_expect_eq(file_fallocate(f, LX_FALLOC_FL_PUNCH_HOLE, 0, 10), -EOPNOTSUPP);
    cr_expect_eq(file_fallocate(f, 0, -1, 10), -EINVAL);
    cr_expect_eq(file_fallocate(f, 0, 0, 0), -EINVAL);
    cr_expect_eq(file_fallocate(f, 0, INT64_MAX, 10), -EFBIG);
    file_put(f);
}

Test(tmpfs, full)
{
    struct file *f;
    static char b[65536];

    fx_mkdir("/m");
    cr_assert_eq(fx_mount("/m", "size=40k,nr_inodes=4"), 0);
    f = fx_open("/m/f", LX_O_RDWR | LX_O_CREAT, 0644);
    cr_expect_eq(fx_write(f, b, 30000), 30000);
    cr_expect_eq(fx_write(f, b, 30000), 10960); /* up to the last page */
    cr_expect_eq(fx_write(f, b, 1), -ENOSPC);
    cr_expect_eq(fx_pwrite(f, b, 100, 0), 100); /* nothing new */
    cr_expect_eq(file_truncate(f, 1000), 0);
    cr_expect_eq(used_pages("/m"), 1);
    cr_expect_eq(file_fallocate(f, 0, 0, 41000), -ENOSPC);
    cr_expect_eq(used_pages("/m"), 1);
    cr_expect_eq(fx_try_open("/m/2", LX_O_CREAT | LX_O_RDWR, 0644), 0);
    cr_expect_eq(fx_try_open("/m/3", LX_O_CREAT | LX_O_RDWR, 0644), 0);
    cr_expect_eq(fx_try_open("/m/4", LX_O_CREAT | LX_O_RDWR, 0644), -ENOSPC);
    cr_expect_eq(vfs_link(&fx.ctx, &f->path, NULL, "/m/4"), -ENOSPC);
    cr_expect_eq(vfs_unlink(&fx.ctx, NULL, "/m/2", false), 0);
    cr_expect_eq(vfs_link(&fx.ctx, &f->path, NULL, "/m/4"), 0);
    cr_expect_eq(vfs_unlink(&fx.ctx, NULL, "/m/4", false), 0);
    cr_expect_eq(vfs_mkdir(&fx.ctx, NULL, "/m/4", 0755), 0);
    file_put(f);

    /* the same for a file that is one of the host's */
    fx_mkdir("/n");
    cr_assert_eq(fx_mount("/n", "size=100k"), 0);
    f = fx_open("/n/f", LX_O_RDWR | LX_O_CREAT, 0644);
    cr_expect_eq(fx_write(f, b, 65536), 65536);
    cr_expect_eq(fx_write(f, b, 65536), 36864);
    cr_expect_eq(fx_write(f, b, 65536), -ENOSPC);
    cr_expect_eq(used_pages("/n"), 25);
    cr_expect_eq(file_truncate(f, 0), 0);
    cr_expect_eq(fx_pwrite(f, b, 65536, 1 << 20), 65536);
    cr_expect_eq(fx_pwrite(f, b, 65536, 1 << 21), 36864);
    cr_expect_eq(used_pages("/n"), 25);
    file_put(f);
}

Test(tmpfs, size_limit_of_files)
{
    struct file *f = fx_open("/f", LX_O_RDWR | LX_O_CREAT, 0644);

    cr_expect_eq(file_truncate(f, (u64)INT64_MAX + 1), -EINVAL);
    cr_expect_eq(fx_pwrite(f, "x", 1, INT64_MAX), -EINVAL);
    file_put(f);
}

/* --- against a model: the same random operations on a plain buffer --- */

enum { MODEL = 200000 };

static void random_step(struct file *f, u8 *model, u64 *size, u32 *seed)
{
    static u8 b[MODEL];
    u32 op, at, len;

    *seed = *seed * 1664525 + 1013904223;
    op = *seed >> 28;
    at = (*seed >> 8) % (*size < 60000 ? 66000 : MODEL - 20000);
    len = (*seed >> 4) % 20000 + 1;
    if (op < 8) {
        memset(b, (int)(*seed >> 3), len);
        cr_assert_eq(fx_pwrite(f, b, len, at), (ssize_t)len);
        memset(model + at, (int)(*seed >> 3), len);
        *size = max_of(*size, (u64)at + len);
    } else if (op < 11) {
        cr_assert_eq(file_truncate(f, at), 0);
        memset(model + at, 0, MODEL - at);
        *size = at;
    } else if (op < 13) {
        cr_assert_eq(file_fallocate(f, LX_FALLOC_FL_PUNCH_HOLE | LX_FALLOC_FL_KEEP_SIZE, at, len),
                     0);
        memset(model + at, 0, min_of(len, (u32)(MODEL - at)));
    } else {
        ssize_t n = fx_pread(f, b, len, at);

        cr_assert_eq(n, *size > at ? (ssize_t)min_of((u64)len, *size - at) : 0);
        cr_assert_eq(memcmp(b, model + at, (size_t)n), 0, "at %u len %u", at, len);
    }
}

Test(tmpfs, against_a_model, .timeout = 60)
{
    u8 *model = malloc(MODEL);

    for (u32 seed = 1; seed <= 20; seed++) {
        struct file *f = fx_open("/f", LX_O_RDWR | LX_O_CREAT, 0644);
        u64 size = 0;
        u32 state = seed * 7919;

        memset(model, 0, MODEL);
        for (u32 i = 0; i < 200; i++)
            random_step(f, model, &size, &state);
        cr_expect_eq(size_of(f), size);
        cr_expect_eq(used_pages("/"), blocks_of(f) / 8);
        file_put(f);
        vfs_unlink(&fx.ctx, NULL, "/f", false);
        cr_expect_eq(used_pages("/"), 0);
    }
    free(model);
}

static void *append(void *arg)
{
    struct sleeper s;
    struct file *f;
    char line[64];

    fx_thread_init(&s);
    f = fx_open("/log", LX_O_WRONLY | LX_O_APPEND, 0);
    memset(line, 'a' + (int)(uintptr_t)arg, sizeof(line));
    for (int i = 0; i < 2000; i++)
        if (fx_write(f, line, sizeof(line)) != sizeof(line))
            break;
    file_put(f);
    return NULL;
}

Test(tmpfs, appends_are_whole)
{
    static char all[3 * 2000 * 64];
    pthread_t t[3];
    struct file *f;
    u32 torn = 0;

    fx_file("/log", "");
    for (u64 i = 0; i < 3; i++)
        pthread_create(&t[i], NULL, append, (void *)(uintptr_t)i);
    for (u64 i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    f = fx_open("/log", LX_O_RDONLY, 0);
    cr_expect_eq(fx_read(f, all, sizeof(all)), (ssize_t)sizeof(all));
    for (u32 at = 0; at < sizeof(all); at += 64)
        for (u32 i = 1; i < 64; i++)
            torn += all[at + i] != all[at];
    cr_expect_eq(torn, 0);
    file_put(f);
}

struct counter {
    struct dir_emit e;
    u32 n, stop;
    s64 next;
};

static bool count_one(struct dir_emit *e, const char *name, u32 len, u64 ino, u32 type, s64 next)
{
    struct counter *c = container_of(e, struct counter, e);

    if (c->n == c->stop)
        return false;
    c->n++;
    c->next = next;
    return true;
}

Test(tmpfs, reading_a_directory_that_changes)
{
    struct counter c = {.e.emit = count_one, .stop = 100};
    struct file *f;
    char name[64];

    fx_mkdir("/d");
    for (u32 i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "/d/%u", i);
        fx_file(name, "");
    }
    f = fx_open("/d", LX_O_RDONLY, 0);
    cr_expect_eq(file_readdir(f, &c.e), 0);
    cr_expect_eq(c.n, 100);
    /* Names that were seen go: no other is skipped or seen twice. */
    for (u32 i = 0; i < 98; i++) {
        snprintf(name, sizeof(name), "/d/%u", i);
        vfs_unlink(&fx.ctx, NULL, name, false);
    }
    c.stop = UINT32_MAX;
    cr_expect_eq(file_readdir(f, &c.e), 0);
    cr_expect_eq(c.n, 1002);
    cr_expect_eq(file_readdir(f, &c.e), 0);
    cr_expect_eq(c.n, 1002);
    cr_expect_eq(file_seek(f, 0, LX_SEEK_SET), 0);
    c.n = 0;
    cr_expect_eq(file_readdir(f, &c.e), 0);
    cr_expect_eq(c.n, 904);
    file_put(f);
}

Test(tmpfs, more_big_files_than_descriptors, .timeout = 60)
{
    enum { FILES = 1200 };
    static char block[70000];
    char name[32], b[4];
    struct setattr cut = {.valid = SET_SIZE, .size = 66000};
    struct path p;

    for (u32 i = 0; i < FILES; i++) {
        struct file *f;

        snprintf(name, sizeof(name), "/big%u", i);
        f = fx_open(name, LX_O_RDWR | LX_O_CREAT, 0644);
        /* mostly holes: room for many */
        cr_assert_eq(fx_pwrite(f, &i, 4, sizeof(block)), 4);
        file_put(f);
    }
    for (u32 i = 0; i < FILES; i++) {
        struct file *f;

        snprintf(name, sizeof(name), "/big%u", i);
        if (i % 2) {
            cr_assert_eq(walk(&fx.ctx, NULL, name, 0, &p), 0);
            cr_assert_eq(vfs_setattr(&p, fx.root, &cut), 0);
            path_put(&p);
            continue;
        }
        f = fx_open(name, LX_O_RDONLY, 0);
        cr_assert_eq(fx_pread(f, b, 4, sizeof(block)), 4);
        cr_assert_eq(memcmp(b, &i, 4), 0);
        file_put(f);
    }
    cr_expect_eq(used_pages("/"), FILES / 2);
    /* only the idle ones that are kept are open */
    cr_expect_lt(dup(0), 2 * 256 + 40);
    for (u32 i = 0; i < FILES; i++) {
        snprintf(name, sizeof(name), "/big%u", i);
        cr_assert_eq(vfs_unlink(&fx.ctx, NULL, name, false), 0);
    }
    cr_expect_eq(used_pages("/"), 0);
}

static void *churn(void *arg)
{
    static const u32 files = 600;
    u32 seed = (u32)(uintptr_t)arg;
    struct sleeper s;
    char name[32];

    fx_thread_init(&s);
    for (u32 n = 0; n < 4000; n++) {
        struct file *f;
        u32 got = 0, i;

        seed = seed * 1664525 + 1013904223;
        i = (seed >> 16) % files;
        snprintf(name, sizeof(name), "/big%u", i);
        f = fx_open(name, LX_O_RDWR | LX_O_CREAT, 0644);
        if (fx_pread(f, &got, 4, 70000) == 4 && got != i)
            return (void *)1;
        fx_pwrite(f, &i, 4, 70000);
        file_put(f);
    }
    return NULL;
}

Test(tmpfs, closing_and_opening_again_under_load, .timeout = 60)
{
    pthread_t t[4];
    void *bad;

    for (u64 i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, churn, (void *)(uintptr_t)(i + 1));
    for (u64 i = 0; i < 4; i++) {
        pthread_join(t[i], &bad);
        cr_expect_null(bad);
    }
}
