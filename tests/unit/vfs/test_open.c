/* open(2): creation, exclusion, truncation, types, permissions, positions. */
#include "tests/unit/vfs/vfs_fixture.h"

#include <criterion/criterion.h>

TestSuite(open, .init = fixture_init, .fini = fixture_fini);

Test(open, create_and_exclusive)
{
    struct attr a;

    cr_expect_eq(fx_try_open("/f", LX_O_RDONLY, 0), -ENOENT);
    cr_expect_eq(fx_try_open("/f", LX_O_RDWR | LX_O_CREAT, 0640), 0);
    cr_expect_eq(fx_stat("/f", &a), 0);
    cr_expect_eq(a.mode, LX_S_IFREG | 0640u);
    cr_expect_eq(a.nlink, 1);
    cr_expect_eq(fx_try_open("/f", LX_O_RDWR | LX_O_CREAT, 0), 0);
    cr_expect_eq(fx_try_open("/f", LX_O_RDWR | LX_O_CREAT | LX_O_EXCL, 0), -EEXIST);
    cr_expect_eq(fx_try_open("/g/", LX_O_RDWR | LX_O_CREAT, 0644), -EISDIR);
    cr_expect_eq(fx_try_open("/none/f", LX_O_RDWR | LX_O_CREAT, 0644), -ENOENT);
    cr_expect_eq(fx_try_open("/f/g", LX_O_RDWR | LX_O_CREAT, 0644), -ENOTDIR);
    cr_expect_eq(fx_try_open("/f", LX_O_CREAT | LX_O_DIRECTORY, 0644), -EINVAL);
}

Test(open, directories)
{
    fx_mkdir("/d");
    fx_file("/f", "x");
    cr_expect_eq(fx_try_open("/d", LX_O_RDONLY, 0), 0);
    cr_expect_eq(fx_try_open("/d", LX_O_RDONLY | LX_O_DIRECTORY, 0), 0);
    cr_expect_eq(fx_try_open("/f", LX_O_RDONLY | LX_O_DIRECTORY, 0), -ENOTDIR);
    cr_expect_eq(fx_try_open("/d", LX_O_WRONLY, 0), -EISDIR);
    cr_expect_eq(fx_try_open("/d", LX_O_RDONLY | LX_O_CREAT, 0), -EISDIR);
    cr_expect_eq(fx_try_open("/d", LX_O_RDONLY | LX_O_CREAT | LX_O_EXCL, 0), -EEXIST);
    cr_expect_eq(fx_try_open("/.", LX_O_RDWR | LX_O_CREAT, 0), -EISDIR);
    cr_expect_eq(fx_try_open("/d/..", LX_O_RDWR | LX_O_CREAT | LX_O_EXCL, 0), -EEXIST);
    cr_expect_eq(fx_try_open("/f/", LX_O_RDONLY, 0), -ENOTDIR);
}

Test(open, links)
{
    vfs_symlink(&fx.ctx, "target", NULL, "/l");
    cr_expect_eq(fx_try_open("/l", LX_O_RDONLY, 0), -ENOENT);
    cr_expect_eq(fx_try_open("/l", LX_O_RDWR | LX_O_CREAT | LX_O_EXCL, 0644), -EEXIST);
    cr_expect_eq(fx_try_open("/l", LX_O_RDWR | LX_O_CREAT | LX_O_NOFOLLOW, 0644), -ELOOP);
    cr_expect_not(fx_exists("/target"));
    cr_expect_eq(fx_try_open("/l", LX_O_RDWR | LX_O_CREAT, 0644), 0);
    cr_expect(fx_exists("/target"));
    cr_expect_eq(fx_try_open("/l", LX_O_RDONLY | LX_O_NOFOLLOW, 0), -ELOOP);
    cr_expect_eq(fx_try_open("/l", LX_O_PATH | LX_O_NOFOLLOW, 0), 0);
    cr_expect_eq(fx_try_open("/l", LX_O_PATH | LX_O_NOFOLLOW | LX_O_DIRECTORY, 0), -ENOTDIR);
}

Test(open, truncation)
{
    struct attr a;

    fx_file("/f", "hello");
    cr_expect_eq(fx_try_open("/f", LX_O_RDONLY | LX_O_TRUNC, 0), 0);
    fx_stat("/f", &a);
    cr_expect_eq(a.size, 0);
}

Test(open, permissions)
{
    struct cred *user = fx_user(1000, 1000), *other = fx_user(1001, 1000);

    fx_file("/f", "x");
    fx_chown("/f", 1000, 1000);
    fx_chmod("/f", 0620);
    fx_as(user);
    cr_expect_eq(fx_try_open("/f", LX_O_RDWR, 0), 0);
    fx_as(other);
    cr_expect_eq(fx_try_open("/f", LX_O_RDONLY, 0), -EACCES);
    cr_expect_eq(fx_try_open("/f", LX_O_WRONLY, 0), 0);
    cr_expect_eq(fx_try_open("/f", LX_O_RDONLY | LX_O_TRUNC, 0), -EACCES);
    cr_expect_eq(fx_try_open("/f", LX_O_WRONLY | LX_O_NOATIME, 0), -EPERM);
    cr_expect_eq(fx_try_open("/f", LX_O_PATH, 0), 0);
    fx_as(fx.root);
    fx_chmod("/", 0755);
    fx_as(user);
    cr_expect_eq(fx_try_open("/new", LX_O_RDWR | LX_O_CREAT, 0644), -EACCES);
    fx_as(fx.root);
    fx_chmod("/", 0777);
    fx_as(user);
    /* Whoever creates a file may use it as asked, whatever its mode. */
    cr_expect_eq(fx_try_open("/new", LX_O_RDWR | LX_O_CREAT, 0), 0);
    cr_expect_eq(fx_try_open("/new", LX_O_RDONLY, 0), -EACCES);
    fx_as(fx.root);
    cr_expect_eq(fx_try_open("/new", LX_O_RDWR, 0), 0);
    cred_put(user);
    cred_put(other);
}

Test(open, path_only)
{
    struct file *f;
    char b[4];

    fx_file("/f", "x");
    f = fx_open("/f", LX_O_PATH | LX_O_RDWR, 0);
    cr_expect_eq(fx_read(f, b, 1), -EBADF);
    cr_expect_eq(fx_write(f, b, 1), -EBADF);
    cr_expect_eq(file_seek(f, 0, LX_SEEK_SET), -EBADF);
    cr_expect_eq(file_truncate(f, 0), -EBADF);
    file_put(f);
}

Test(open, executing)
{
    struct file *x, *w;

    fx_file("/x", "#!");
    cr_expect_eq(vfs_open_exec(&fx.ctx, NULL, "/x", WALK_FOLLOW, &x), -EACCES);
    fx_chmod("/x", 0111);
    cr_assert_eq(vfs_open_exec(&fx.ctx, NULL, "/x", WALK_FOLLOW, &x), 0);
    cr_expect_eq(fx_try_open("/x", LX_O_RDWR, 0), -ETXTBSY);
    cr_expect_eq(fx_try_open("/x", LX_O_RDONLY | LX_O_TRUNC, 0), -ETXTBSY);
    cr_expect_eq(fx_try_open("/x", LX_O_RDONLY, 0), 0);
    file_put(x);
    w = fx_open("/x", LX_O_RDWR, 0);
    cr_expect_eq(vfs_open_exec(&fx.ctx, NULL, "/x", WALK_FOLLOW, &x), -ETXTBSY);
    file_put(w);
    fx_mkdir("/d");
    cr_expect_eq(vfs_open_exec(&fx.ctx, NULL, "/d", WALK_FOLLOW, &x), -EACCES);
}

Test(open, tmpfile)
{
    struct file *f;
    struct path p;

    fx_mkdir("/d");
    cr_expect_eq(fx_try_open("/d", LX_O_TMPFILE | LX_O_RDONLY, 0600), -EINVAL);
    f = fx_open("/d", LX_O_TMPFILE | LX_O_RDWR, 0600);
    cr_expect_eq(fx_write(f, "hey", 3), 3);
    cr_expect_str_eq(fx_list("/d"), "");
    p = path_get(&f->path);
    cr_expect_eq(vfs_link(&fx.ctx, &p, NULL, "/d/named"), 0);
    path_put(&p);
    file_put(f);
    cr_expect_str_eq(fx_list("/d"), "named");
    f = fx_open("/d", LX_O_TMPFILE | LX_O_RDWR | LX_O_EXCL, 0600);
    p = path_get(&f->path);
    cr_expect_eq(vfs_link(&fx.ctx, &p, NULL, "/d/other"), -ENOENT);
    path_put(&p);
    file_put(f);
}

Test(open, positions)
{
    struct file *f, *g;
    char b[16] = "";

    fx_file("/f", "0123456789");
    f = fx_open("/f", LX_O_RDWR, 0);
    cr_expect_eq(fx_read(f, b, 4), 4);
    cr_expect_eq(file_seek(f, 0, LX_SEEK_CUR), 4);
    cr_expect_eq(fx_pread(f, b, 2, 8), 2);
    cr_expect_eq(memcmp(b, "89", 2), 0);
    cr_expect_eq(file_seek(f, 0, LX_SEEK_CUR), 4);
    cr_expect_eq(file_seek(f, -2, LX_SEEK_END), 8);
    cr_expect_eq(file_seek(f, -20, LX_SEEK_CUR), -EINVAL);
    cr_expect_eq(file_seek(f, INT64_MAX, LX_SEEK_CUR), -EINVAL);
    cr_expect_eq(file_seek(f, 0, 9), -EINVAL);
    cr_expect_eq(fx_read(f, b, 16), 2);
    cr_expect_eq(fx_read(f, b, 16), 0);
    cr_expect_eq(fx_pread(f, b, 1, -1), -EINVAL);
    g = fx_open("/f", LX_O_WRONLY | LX_O_APPEND, 0);
    cr_expect_eq(fx_write(g, "ab", 2), 2);
    cr_expect_eq(file_seek(g, 0, LX_SEEK_CUR), 12);
    cr_expect_eq(fx_pwrite(g, "cd", 2, 0), 2); /* appends all the same */
    cr_expect_eq(fx_read(f, b, 16), 4);
    cr_expect_eq(memcmp(b, "abcd", 4), 0);
    cr_expect_eq(fx_read(g, b, 1), -EBADF);
    file_put(f);
    file_put(g);
}

Test(open, read_only_mount)
{
    struct path p;

    fx_mkdir("/ro");
    fx_mount("/ro", NULL);
    fx_file("/ro/f", "x");
    cr_assert_eq(walk(&fx.ctx, NULL, "/ro", 0, &p), 0);
    cr_assert_eq(mount_remount(fx.ns, &p, LX_MS_RDONLY | LX_MS_BIND), 0);
    path_put(&p);
    cr_expect_eq(fx_try_open("/ro/f", LX_O_RDONLY, 0), 0);
    cr_expect_eq(fx_try_open("/ro/f", LX_O_RDWR, 0), -EROFS);
    cr_expect_eq(fx_try_open("/ro/f", LX_O_RDONLY | LX_O_CREAT, 0), 0);
    cr_expect_eq(fx_try_open("/ro/new", LX_O_RDONLY | LX_O_CREAT, 0), -EROFS);
    cr_expect_eq(vfs_mkdir(&fx.ctx, NULL, "/ro/f", 0755), -EEXIST);
    cr_expect_eq(vfs_mkdir(&fx.ctx, NULL, "/ro/d", 0755), -EROFS);
    cr_expect_eq(vfs_unlink(&fx.ctx, NULL, "/ro/none", false), -EROFS);
    cr_expect_eq(fx_chmod("/ro/f", 0600), -EROFS);
}

Test(open, set_id_bits_go)
{
    struct cred *user = fx_user(1000, 1000);
    struct file *f;
    struct attr a;

    fx_file("/s", "x");
    fx_chmod("/s", 06777);
    fx_as(user);
    f = fx_open("/s", LX_O_WRONLY, 0);
    fx_stat("/s", &a);
    cr_expect_eq(a.mode & 07777, 06777);
    cr_expect_eq(fx_write(f, "y", 1), 1);
    fx_stat("/s", &a);
    cr_expect_eq(a.mode & 07777, 0777);
    file_put(f);
    fx_as(fx.root);
    fx_chmod("/s", 06755);
    cr_expect_eq(fx_chown("/s", 5, 6), 0);
    fx_stat("/s", &a);
    cr_expect_eq(a.mode & 07777, 0755);
    cred_put(user);
}
