/* mkdir, mknod, symlink, link, unlink, rmdir, rename; attributes; extended attributes. */
#include "fs/vfs/xattr.h"
#include "tests/unit/vfs/vfs_fixture.h"

#include <criterion/criterion.h>

TestSuite(names, .init = fixture_init, .fini = fixture_fini);

static int ren(const char *a, const char *b, u32 flags)
{
    return vfs_rename(&fx.ctx, NULL, a, NULL, b, flags);
}

static int rm(const char *name)
{
    return vfs_unlink(&fx.ctx, NULL, name, false);
}

static int rd(const char *name)
{
    return vfs_unlink(&fx.ctx, NULL, name, true);
}

static u64 ino_of(const char *name)
{
    struct attr a = {0};

    fx_lstat(name, &a);
    return a.ino;
}

Test(names, making)
{
    struct attr a;

    cr_expect_eq(vfs_mkdir(&fx.ctx, NULL, "/d/", 0755), 0);
    cr_expect_eq(vfs_mkdir(&fx.ctx, NULL, "/d", 0755), -EEXIST);
    cr_expect_eq(vfs_mkdir(&fx.ctx, NULL, "/", 0755), -EEXIST);
    cr_expect_eq(vfs_mkdir(&fx.ctx, NULL, "/d/.", 0755), -EEXIST);
    cr_expect_eq(vfs_mkdir(&fx.ctx, NULL, "/x/y", 0755), -ENOENT);
    cr_expect_eq(vfs_mknod(&fx.ctx, NULL, "/fifo", LX_S_IFIFO | 0600, 0, 0), 0);
    cr_expect_eq(vfs_mknod(&fx.ctx, NULL, "/sock", LX_S_IFSOCK | 0600, 0, 0), 0);
    cr_expect_eq(vfs_mknod(&fx.ctx, NULL, "/plain", 0600, 0, 0), 0);
    cr_expect_eq(vfs_mknod(&fx.ctx, NULL, "/dev", LX_S_IFCHR | 0600, 1, 3), 0);
    cr_expect_eq(vfs_mknod(&fx.ctx, NULL, "/bad", LX_S_IFDIR | 0600, 0, 0), -EPERM);
    cr_expect_eq(vfs_mknod(&fx.ctx, NULL, "/bad", LX_S_IFLNK | 0600, 0, 0), -EINVAL);
    cr_expect_eq(vfs_mknod(&fx.ctx, NULL, "/bad/", LX_S_IFREG | 0600, 0, 0), -ENOENT);
    fx_lstat("/dev", &a);
    cr_expect_eq(a.rdev_major, 1);
    cr_expect_eq(a.rdev_minor, 3);
    cr_expect_eq(fx_try_open("/sock", LX_O_RDONLY, 0), -ENXIO);
    cr_expect_str_eq(fx_list("/"), "d dev fifo plain sock");
    fx_lstat("/", &a);
    cr_expect_eq(a.nlink, 3);
}

Test(names, links_count)
{
    struct attr a;
    struct path p;

    fx_file("/f", "x");
    fx_mkdir("/d");
    cr_assert_eq(walk(&fx.ctx, NULL, "/f", 0, &p), 0);
    cr_expect_eq(vfs_link(&fx.ctx, &p, NULL, "/g"), 0);
    cr_expect_eq(vfs_link(&fx.ctx, &p, NULL, "/g"), -EEXIST);
    fx_stat("/f", &a);
    cr_expect_eq(a.nlink, 2);
    cr_expect_eq(ino_of("/f"), ino_of("/g"));
    cr_expect_eq(rm("/f"), 0);
    fx_stat("/g", &a);
    cr_expect_eq(a.nlink, 1);
    cr_expect_eq(rm("/g"), 0);
    cr_expect_eq(vfs_link(&fx.ctx, &p, NULL, "/again"), -ENOENT);
    path_put(&p);
    cr_assert_eq(walk(&fx.ctx, NULL, "/d", 0, &p), 0);
    cr_expect_eq(vfs_link(&fx.ctx, &p, NULL, "/e"), -EPERM);
    path_put(&p);
}

Test(names, removing)
{
    fx_mkdir("/d");
    fx_mkdir("/d/e");
    fx_file("/f", "x");
    cr_expect_eq(rm("/none"), -ENOENT);
    cr_expect_eq(rm("/d"), -EISDIR);
    cr_expect_eq(rm("/f/"), -ENOTDIR);
    cr_expect_eq(rm("/d/"), -EISDIR);
    cr_expect_eq(rm("/d/."), -EISDIR);
    cr_expect_eq(rd("/d"), -ENOTEMPTY);
    cr_expect_eq(rd("/f"), -ENOTDIR);
    cr_expect_eq(rd("/d/."), -EINVAL);
    cr_expect_eq(rd("/d/.."), -ENOTEMPTY);
    cr_expect_eq(rd("/"), -EBUSY);
    cr_expect_eq(rd("/d/e/"), 0);
    cr_expect_eq(rd("/d"), 0);
    cr_expect_eq(rm("/f"), 0);
    cr_expect_str_eq(fx_list("/"), "");
}

Test(names, an_open_file_lives_on)
{
    struct file *f;
    struct attr a;
    char b[8];

    fx_file("/f", "hello");
    f = fx_open("/f", LX_O_RDWR, 0);
    cr_expect_eq(rm("/f"), 0);
    cr_expect_eq(vfs_getattr(&f->path, &a), 0);
    cr_expect_eq(a.nlink, 0);
    cr_expect_eq(fx_read(f, b, 8), 5);
    fx_file("/f", "other");
    cr_expect_eq(fx_pread(f, b, 8, 0), 5);
    cr_expect_eq(memcmp(b, "hello", 5), 0);
    file_put(f);
}

Test(names, renaming)
{
    u64 ino;

    fx_mkdir("/d");
    fx_mkdir("/e");
    fx_file("/f", "f");
    ino = ino_of("/f");
    cr_expect_eq(ren("/f", "/d/g", 0), 0);
    cr_expect_not(fx_exists("/f"));
    cr_expect_eq(ino_of("/d/g"), ino);
    cr_expect_str_eq(fx_path("/d/g", 0), "/d/g");
    fx_file("/f", "new");
    cr_expect_eq(ren("/d/g", "/f", LX_RENAME_NOREPLACE), -EEXIST);
    cr_expect_eq(ren("/d/g", "/f", 0), 0);
    cr_expect_eq(ino_of("/f"), ino);
    cr_expect_str_eq(fx_list("/d"), "");
    cr_expect_eq(ren("/f", "/f", 0), 0);
    cr_expect_eq(ren("/none", "/x", 0), -ENOENT);
    cr_expect_eq(ren("/f", "/d", 0), -EISDIR);
    cr_expect_eq(ren("/d", "/f", 0), -ENOTDIR);
    cr_expect_eq(ren("/f", "/x/", 0), -ENOTDIR);
    cr_expect_eq(ren("/d", "/x/", 0), 0);
    cr_expect_eq(ren("/x", "/e", 0), 0); /* over an empty directory */
    cr_expect_eq(ren("/e", "/e/sub", 0), -EINVAL);
    fx_mkdir("/e/sub");
    cr_expect_eq(ren("/e/sub", "/e", 0), -ENOTEMPTY);
    fx_mkdir("/y");
    cr_expect_eq(ren("/y", "/e", 0), -ENOTEMPTY);
    cr_expect_eq(ren("/", "/z", 0), -EBUSY);
    cr_expect_eq(ren("/y/.", "/z", 0), -EBUSY);
    cr_expect_eq(ren("/y", "/z", 99), -EINVAL);
    cr_expect_str_eq(fx_list("/"), "e f y");
}

Test(names, exchanging)
{
    struct attr a;

    fx_mkdir("/d");
    fx_mkdir("/d/in_a_rather_long_name_that_has_its_own_memory");
    fx_file("/f", "f");
    u64 f = ino_of("/f"), in = ino_of("/d/in_a_rather_long_name_that_has_its_own_memory");
    cr_expect_eq(ren("/f", "/none", LX_RENAME_EXCHANGE), -ENOENT);
    cr_expect_eq(ren("/f", "/d/in_a_rather_long_name_that_has_its_own_memory", LX_RENAME_EXCHANGE),
                 0);
    cr_expect_eq(ino_of("/f"), in);
    cr_expect_eq(ino_of("/d/in_a_rather_long_name_that_has_its_own_memory"), f);
    fx_lstat("/d", &a);
    cr_expect_eq(a.nlink, 2);
    fx_lstat("/", &a);
    cr_expect_eq(a.nlink, 4);
    cr_expect_eq(ren("/d", "/d/x", LX_RENAME_EXCHANGE), -ENOENT);
    cr_expect_str_eq(fx_path("/f", 0), "/f");
}

Test(names, a_moved_directory_has_its_new_path)
{
    struct path p;
    char text[128];

    fx_mkdir("/a");
    fx_mkdir("/a/b");
    fx_mkdir("/c");
    cr_assert_eq(walk(&fx.ctx, NULL, "/a/b", 0, &p), 0);
    cr_expect_eq(ren("/a/b", "/c/moved", 0), 0);
    vfs_path_string(&p, &fx.ctx.root, text, sizeof(text), true, NULL);
    cr_expect_str_eq(text, "/c/moved");
    cr_expect_str_eq(fx_path("/c/moved/..", 0), "/c");
    cr_expect_eq(vfs_path_string(&p, &fx.ctx.root, text, 5, true, NULL), -ERANGE);
    path_put(&p);
}

Test(names, sticky_directories)
{
    struct cred *a = fx_user(1000, 1000), *b = fx_user(1001, 1001);

    fx_mkdir("/tmp");
    fx_chmod("/tmp", 01777);
    fx_as(a);
    fx_file("/tmp/of_a", "x");
    fx_as(b);
    fx_file("/tmp/of_b", "x");
    cr_expect_eq(rm("/tmp/of_a"), -EPERM);
    cr_expect_eq(ren("/tmp/of_a", "/tmp/x", 0), -EPERM);
    cr_expect_eq(ren("/tmp/of_b", "/tmp/of_a", 0), -EPERM);
    cr_expect_eq(rm("/tmp/of_b"), 0);
    fx_as(fx.root);
    cr_expect_eq(rm("/tmp/of_a"), 0);
    cred_put(a);
    cred_put(b);
}

Test(names, set_group_id_directories)
{
    struct cred *user = fx_user(1000, 1000);
    struct attr a;

    fx_mkdir("/g");
    fx_chown("/g", 1000, 50);
    fx_chmod("/g", 02777);
    fx_as(user);
    fx_file("/g/f", "x");
    fx_mkdir("/g/d");
    fx_stat("/g/f", &a);
    cr_expect_eq(a.gid, 50);
    cr_expect_eq(a.mode & LX_S_ISGID, 0);
    fx_stat("/g/d", &a);
    cr_expect_eq(a.gid, 50);
    cr_expect_eq(a.mode & LX_S_ISGID, LX_S_ISGID);
    fx_as(fx.root);
    cred_put(user);
}

Test(names, changing_attributes)
{
    struct cred *user = fx_user(1000, 1000);
    struct setattr now = {.valid = SET_ATIME_NOW | SET_MTIME_NOW};
    struct setattr then = {.valid = SET_ATIME | SET_MTIME, .atime = {5, 6}, .mtime = {7, 8}};
    struct setattr size = {.valid = SET_SIZE, .size = 3};
    struct path p;
    struct attr a;

    fx_file("/f", "hello");
    fx_chmod("/f", 0666);
    fx_as(user);
    cr_assert_eq(walk(&fx.ctx, NULL, "/f", 0, &p), 0);
    cr_expect_eq(fx_chmod("/f", 0600), -EPERM);
    cr_expect_eq(fx_chown("/f", 1000, 1000), -EPERM);
    cr_expect_eq(vfs_setattr(&p, user, &now), 0);
    cr_expect_eq(vfs_setattr(&p, user, &then), -EPERM);
    cr_expect_eq(vfs_setattr(&p, user, &size), 0);
    cr_expect_eq(vfs_setattr(&p, fx.root, &then), 0);
    vfs_getattr(&p, &a);
    cr_expect_eq(a.size, 3);
    cr_expect_eq(a.atime.sec, 5);
    cr_expect_eq(a.mtime.nsec, 8);
    fx_as(fx.root);
    fx_chmod("/f", 0444);
    fx_as(user);
    cr_expect_eq(vfs_setattr(&p, user, &now), -EACCES);
    cr_expect_eq(vfs_setattr(&p, user, &size), -EACCES);
    fx_as(fx.root);
    fx_chown("/f", 1000, 1000);
    fx_as(user);
    /* set-group-id of a group that is not one's own is dropped */
    cr_expect_eq(fx_chmod("/f", 02755), 0);
    vfs_getattr(&p, &a);
    cr_expect_eq(a.mode & 07777, 02755);
    fx_as(fx.root);
    fx_chown("/f", 1000, 7);
    fx_as(user);
    cr_expect_eq(fx_chmod("/f", 02755), 0);
    vfs_getattr(&p, &a);
    cr_expect_eq(a.mode & 07777, 0755);
    path_put(&p);
    fx_as(fx.root);
    cr_assert_eq(walk(&fx.ctx, NULL, "/", 0, &p), 0);
    cr_expect_eq(vfs_setattr(&p, fx.root, &size), -EISDIR);
    path_put(&p);
    cred_put(user);
}

Test(names, extended_attributes)
{
    struct cred *user = fx_user(1000, 1000);
    struct path p;
    char b[64];

    fx_file("/f", "x");
    fx_chmod("/f", 0666);
    cr_assert_eq(walk(&fx.ctx, NULL, "/f", 0, &p), 0);
    cr_expect_eq(vfs_xattr_get(&p, fx.root, "user.a", b, 64), -ENODATA);
    cr_expect_eq(vfs_xattr_set(&p, user, "user.a", "one", 3, 0), 0);
    cr_expect_eq(vfs_xattr_set(&p, user, "user.a", "two", 3, LX_XATTR_CREATE), -EEXIST);
    cr_expect_eq(vfs_xattr_set(&p, user, "user.b", "two", 3, LX_XATTR_REPLACE), -ENODATA);
    cr_expect_eq(vfs_xattr_set(&p, user, "trusted.t", "x", 1, 0), -EPERM);
    cr_expect_eq(vfs_xattr_set(&p, fx.root, "trusted.t", "x", 1, 0), 0);
    cr_expect_eq(vfs_xattr_set(&p, fx.root, "odd.name", "x", 1, 0), -EOPNOTSUPP);
    cr_expect_eq(vfs_xattr_get(&p, user, "user.a", NULL, 0), 3);
    cr_expect_eq(vfs_xattr_get(&p, user, "user.a", b, 2), -ERANGE);
    cr_expect_eq(vfs_xattr_get(&p, user, "user.a", b, 64), 3);
    cr_expect_eq(memcmp(b, "one", 3), 0);
    cr_expect_eq(vfs_xattr_get(&p, user, "trusted.t", b, 64), -ENODATA);
    cr_expect_eq(vfs_xattr_list(&p, fx.root, b, 64), 7 + 10);
    cr_expect_eq(vfs_xattr_list(&p, user, b, 64), 7);
    cr_expect_str_eq(b, "user.a");
    cr_expect_eq(vfs_xattr_remove(&p, user, "user.a"), 0);
    cr_expect_eq(vfs_xattr_remove(&p, user, "user.a"), -ENODATA);
    path_put(&p);
    cred_put(user);
}

static const char *readlink_text(const char *name)
{
    static char b[64];
    struct path p;
    ssize_t n;

    if (walk(&fx.ctx, NULL, name, 0, &p) < 0)
        return NULL;
    n = vfs_readlink(&p, b, sizeof(b) - 1);
    path_put(&p);
    b[max_of(n, (ssize_t)0)] = '\0';
    return n < 0 ? "?" : b;
}

Test(names, reading_links)
{
    struct path p;
    char b[2];

    vfs_symlink(&fx.ctx, "some/where", NULL, "/l");
    fx_file("/f", "x");
    cr_expect_str_eq(readlink_text("/l"), "some/where");
    cr_assert_eq(walk(&fx.ctx, NULL, "/l", 0, &p), 0);
    cr_expect_eq(vfs_readlink(&p, b, 2), 2);
    path_put(&p);
    cr_assert_eq(walk(&fx.ctx, NULL, "/f", 0, &p), 0);
    cr_expect_eq(vfs_readlink(&p, b, 2), -EINVAL);
    path_put(&p);
}
