/* Many threads on one tree: creations, removals, renames and walks leave it whole. */
#include "tests/unit/vfs/vfs_fixture.h"

#include <criterion/criterion.h>

TestSuite(races, .init = fixture_init, .fini = fixture_fini);

enum { THREADS = 4, ROUNDS = 4000 };

static atomic_uint bad;

static void expect(int err, int a, int b, int c)
{
    if (err != 0 && err != a && err != b && err != c)
        atomic_fetch_add(&bad, 1);
}

static u32 rnd(u32 *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 16;
}

static void one_round(u32 *seed)
{
    char a[16], b[16], t[32];
    struct path p;

    snprintf(a, sizeof(a), "/d%u/f%u", rnd(seed) % 3, rnd(seed) % 4);
    snprintf(b, sizeof(b), "/d%u/f%u", rnd(seed) % 3, rnd(seed) % 4);
    snprintf(t, sizeof(t), "%s/x", a);
    switch (rnd(seed) % 8) {
    case 0: expect(fx_try_open(a, LX_O_CREAT | LX_O_RDWR, 0644), -EISDIR, -ENOENT, 0); return;
    case 1: expect(vfs_unlink(&fx.ctx, NULL, a, false), -ENOENT, -EISDIR, 0); return;
    case 2: expect(vfs_mkdir(&fx.ctx, NULL, a, 0755), -EEXIST, 0, 0); return;
    case 3: expect(vfs_unlink(&fx.ctx, NULL, a, true), -ENOENT, -ENOTDIR, -ENOTEMPTY); return;
    case 4:
        /* between files, directories, full and empty ones */
        vfs_rename(&fx.ctx, NULL, a, NULL, b, rnd(seed) & 1 ? LX_RENAME_EXCHANGE : 0);
        return;
    case 5: expect(vfs_mkdir(&fx.ctx, NULL, t, 0755), -EEXIST, -ENOENT, -ENOTDIR); return;
    case 6: fx_try_open(a, LX_O_RDONLY, 0); return;
    default:
        if (walk(&fx.ctx, NULL, t, 0, &p) == 0) {
            vfs_path_string(&p, &fx.ctx.root, t, sizeof(t), true, NULL);
            path_put(&p);
        }
        return;
    }
}

static void *racer(void *arg)
{
    struct sleeper s;
    u32 seed = (u32)(uintptr_t)arg;

    fx_thread_init(&s);
    for (int i = 0; i < ROUNDS; i++)
        one_round(&seed);
    return NULL;
}

Test(races, names, .timeout = 120)
{
    pthread_t threads[THREADS];

    fx_mkdir("/d0");
    fx_mkdir("/d1");
    fx_mkdir("/d2");
    for (u64 i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, racer, (void *)(uintptr_t)(i * 77 + 1));
    for (u32 i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    cr_expect_eq(atomic_load(&bad), 0);
    for (u32 d = 0; d < 3; d++) {
        char dir[8], name[16];
        u32 subdirs = 0;
        struct attr a;

        snprintf(dir, sizeof(dir), "/d%u", d);
        for (u32 i = 0; i < 4; i++) {
            snprintf(name, sizeof(name), "/d%u/f%u", d, i);
            cr_expect_eq(fx_exists(name), strstr(fx_list(dir), name + 4) != NULL, "%s", name);
            subdirs += fx_lstat(name, &a) == 0 && LX_S_ISDIR(a.mode);
        }
        fx_lstat(dir, &a);
        cr_expect_eq(a.nlink, 2 + subdirs);
    }
}

static void *mounter(void *arg)
{
    struct sleeper s;
    struct path p;

    fx_thread_init(&s);
    for (int i = 0; i < 300; i++) {
        fx_mount("/d0", NULL);
        if (walk(&fx.ctx, NULL, "/d0", 0, &p) == 0) {
            mount_detach(fx.ns, &p, LX_MNT_DETACH);
            path_put(&p);
        }
    }
    return NULL;
}

Test(races, mounts_under_walks, .timeout = 120)
{
    pthread_t threads[3];

    fx_mkdir("/d0");
    fx_mkdir("/d1");
    fx_mkdir("/d2");
    pthread_create(&threads[0], NULL, mounter, NULL);
    pthread_create(&threads[1], NULL, racer, (void *)(uintptr_t)5);
    pthread_create(&threads[2], NULL, racer, (void *)(uintptr_t)6);
    for (u32 i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    cr_expect_eq(fx.ns->count, 1);
}
