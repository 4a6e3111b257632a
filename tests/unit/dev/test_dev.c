/* /dev: what is in it, and null, zero, full, random. */
#include "tests/unit/vfs/vfs_fixture.h"

#include <criterion/criterion.h>

static void setup(void)
{
    struct fs_mount_args args = {0};
    struct super *sb;
    struct path p;

    fixture_init();
    args.cred = fx.root;
    fx_mkdir("/dev");
    cr_assert_eq(devtmpfs_type.mount(&devtmpfs_type, &args, &sb), 0);
    cr_assert_eq(walk(&fx.ctx, NULL, "/dev", 0, &p), 0);
    cr_assert_eq(mount_attach(fx.ns, sb, NULL, &p, LX_MS_NOSUID, "dev"), 0);
    path_put(&p);
    super_put(sb);
}

TestSuite(dev, .init = setup, .fini = fixture_fini);

Test(dev, contents)
{
    cr_expect_str_eq(fx_list("/dev"),
                     "console fd full mqueue null ptmx pts random shm stderr stdin "
                     "stdout tty urandom zero");
}

Test(dev, null)
{
    struct file *f = fx_open("/dev/null", LX_O_RDWR | LX_O_TRUNC | LX_O_CREAT, 0666);
    char b[4];

    cr_expect_eq(fx_write(f, "data", 4), 4);
    cr_expect_eq(fx_read(f, b, 4), 0);
    cr_expect_eq(file_seek(f, 100, LX_SEEK_SET), 0);
    cr_expect_null(f->ops->map_fd);
    cr_expect_eq(file_poll(f), LX_POLL_DEFAULT);
    file_put(f);
}

Test(dev, zero_and_full)
{
    struct file *z = fx_open("/dev/zero", LX_O_RDWR, 0), *f = fx_open("/dev/full", LX_O_RDWR, 0);
    char b[5000];

    memset(b, 1, sizeof(b));
    cr_expect_eq(fx_read(z, b, sizeof(b)), (ssize_t)sizeof(b));
    cr_expect(!b[0] && !b[4999]);
    cr_expect_eq(fx_pread(z, b, 10, 1000), 10);
    cr_expect_eq(fx_write(z, b, 10), 10);
    cr_expect(z->map_anonymous);
    memset(b, 1, sizeof(b));
    cr_expect_eq(fx_read(f, b, 10), 10);
    cr_expect_eq(b[9], 0);
    cr_expect_eq(fx_write(f, b, 10), -ENOSPC);
    file_put(z);
    file_put(f);
}

Test(dev, random)
{
    struct file *a = fx_open("/dev/random", LX_O_RDWR, 0),
                *u = fx_open("/dev/urandom", LX_O_RDONLY, 0);
    u8 x[1000] = {0}, y[1000] = {0};

    cr_expect_eq(fx_read(a, x, sizeof(x)), (ssize_t)sizeof(x));
    cr_expect_eq(fx_read(u, y, sizeof(y)), (ssize_t)sizeof(y));
    cr_expect_neq(memcmp(x, y, sizeof(x)), 0);
    cr_expect_neq(memcmp(x, x + 500, 500), 0);
    cr_expect_eq(fx_write(a, x, 10), 10);
    file_put(a);
    file_put(u);
}

static ssize_t own_read(struct file *f, struct uio *to, s64 *pos)
{
    return uio_to(to, "own", 3);
}

Test(dev, drivers)
{
    static const struct file_ops ops = {.read = own_read};
    static const struct chrdev tty = {.name = "tty", .ops = &ops};
    struct file *f;
    char b[4];

    cr_expect_eq(fx_try_open("/dev/tty", LX_O_RDWR, 0), -ENXIO);
    cr_expect_eq(fx_try_open("/dev/ptmx", LX_O_RDWR, 0), -ENXIO);
    cr_expect_eq(chrdev_register(5, 0, &tty), 0);
    f = fx_open("/dev/tty", LX_O_RDWR, 0);
    cr_expect_eq(fx_read(f, b, 4), 3);
    file_put(f);
    /* A node anywhere leads to its driver; an unknown one and block devices nowhere. */
    cr_assert_eq(vfs_mknod(&fx.ctx, NULL, "/n", LX_S_IFCHR | 0666, 1, 3), 0);
    cr_expect_eq(fx_try_open("/n", LX_O_RDWR, 0), 0);
    cr_assert_eq(vfs_mknod(&fx.ctx, NULL, "/u", LX_S_IFCHR | 0666, 99, 3), 0);
    cr_expect_eq(fx_try_open("/u", LX_O_RDWR, 0), -ENXIO);
    cr_assert_eq(vfs_mknod(&fx.ctx, NULL, "/b", LX_S_IFBLK | 0666, 1, 3), 0);
    cr_expect_eq(fx_try_open("/b", LX_O_RDWR, 0), -ENXIO);
}

Test(dev, populate_keeps_what_is_there)
{
    struct path p;

    cr_assert_eq(walk(&fx.ctx, NULL, "/dev", 0, &p), 0);
    cr_expect_eq(dev_populate(p.mount->super), 0);
    path_put(&p);
}
