/* Mounts and namespaces: attach, bind, move, detach, remount, copies, the tables as text. */
#include "tests/unit/vfs/vfs_fixture.h"

#include <criterion/criterion.h>
#include <stdlib.h>

TestSuite(mounts, .init = fixture_init, .fini = fixture_fini);

static struct path at(const char *name)
{
    struct path p = {0};

    cr_assert_eq(walk(&fx.ctx, NULL, name, WALK_FOLLOW, &p), 0, "%s", name);
    return p;
}

static int umount(const char *name, int flags)
{
    struct path p = at(name);
    int err = mount_detach(fx.ns, &p, flags);

    path_put(&p);
    return err;
}

static int bind(const char *from, const char *to, bool rec)
{
    struct path a = at(from), b = at(to);
    int err = mount_bind(fx.ns, &a, &b, rec, 0);

    path_put(&a);
    path_put(&b);
    return err;
}

static int move(const char *from, const char *to)
{
    struct path a = at(from), b = at(to);
    int err = mount_move(fx.ns, &a, &b);

    path_put(&a);
    path_put(&b);
    return err;
}

Test(mounts, busy)
{
    struct file *f;

    fx_mkdir("/m");
    fx_mount("/m", NULL);
    fx_mkdir("/m/in");
    fx_mount("/m/in", NULL);
    cr_expect_eq(umount("/m", 0), -EBUSY);
    cr_expect_eq(umount("/m/in", 0), 0);
    fx_file("/m/f", "x");
    f = fx_open("/m/f", LX_O_RDONLY, 0);
    cr_expect_eq(umount("/m", 0), -EBUSY);
    cr_expect_eq(umount("/m", LX_MNT_DETACH), 0);
    cr_expect_not(fx_exists("/m/f"));
    char b[2];
    cr_expect_eq(fx_read(f, b, 1), 1);
    file_put(f);
    cr_expect_eq(umount("/m", 0), -EINVAL);
    cr_expect_eq(umount("/", 0), -EBUSY);
    cr_expect_eq(umount("/", 0x100), -EINVAL);
}

Test(mounts, detaching_a_tree)
{
    fx_mkdir("/m");
    fx_mount("/m", NULL);
    fx_mkdir("/m/a");
    fx_mount("/m/a", NULL);
    fx_mkdir("/m/a/b");
    fx_mount("/m/a/b", NULL);
    cr_expect_eq(fx.ns->count, 4);
    cr_expect_eq(umount("/m", LX_MNT_DETACH), 0);
    cr_expect_eq(fx.ns->count, 1);
    cr_expect_str_eq(fx_list("/m"), "");
    cr_expect_eq(vfs_unlink(&fx.ctx, NULL, "/m", true), 0);
}

Test(mounts, binding)
{
    fx_mkdir("/a");
    fx_mkdir("/a/sub");
    fx_mkdir("/b");
    fx_file("/a/f", "x");
    fx_file("/file", "");
    fx_mount("/a/sub", NULL);
    fx_file("/a/sub/deep", "x");
    cr_expect_eq(bind("/a", "/b", false), 0);
    cr_expect(fx_exists("/b/f"));
    cr_expect_not(fx_exists("/b/sub/deep"));
    cr_expect_str_eq(fx_path("/b/f", 0), "/b/f");
    cr_expect_str_eq(fx_path("/b/..", 0), "/");
    cr_expect_eq(umount("/b", 0), 0);
    cr_expect_eq(bind("/a", "/b", true), 0);
    cr_expect(fx_exists("/b/sub/deep"));
    cr_expect_eq(umount("/b", LX_MNT_DETACH), 0);
    cr_expect_eq(bind("/a/f", "/b", false), -ENOTDIR);
    cr_expect_eq(bind("/a", "/file", false), -ENOTDIR);
    cr_expect_eq(bind("/a/f", "/file", false), 0);
    struct attr x, y;
    fx_stat("/a/f", &x);
    fx_stat("/file", &y);
    cr_expect_eq(x.ino, y.ino);
    /* Renames do not cross mounts, even of one file system. */
    cr_expect_eq(bind("/a", "/b", false), 0);
    cr_expect_eq(vfs_rename(&fx.ctx, NULL, "/b/f", NULL, "/a/g", 0), -EXDEV);
    /* A directory bound into itself, recursively, ends. */
    cr_expect_eq(bind("/", "/a/sub", true), 0);
    cr_expect(fx_exists("/a/sub/a/sub/deep"));
}

Test(mounts, moving)
{
    fx_mkdir("/a");
    fx_mkdir("/b");
    fx_mount("/a", NULL);
    fx_mkdir("/a/in");
    fx_mount("/a/in", NULL);
    fx_file("/a/in/f", "x");
    cr_expect_eq(move("/b", "/a"), -EINVAL);
    cr_expect_eq(move("/a", "/a/in"), -ELOOP);
    cr_expect_eq(move("/a", "/b"), 0);
    cr_expect(fx_exists("/b/in/f"));
    cr_expect_not(fx_exists("/a/in"));
    cr_expect_str_eq(fx_path("/b/in/../..", 0), "/");
    cr_expect_eq(umount("/b", LX_MNT_DETACH), 0);
    cr_expect_eq(fx.ns->count, 1);
}

Test(mounts, copying_a_namespace)
{
    struct path *paths[] = {&fx.ctx.root, &fx.ctx.cwd};
    struct mount_ns *copy, *old = fx.ns;

    fx_mkdir("/m");
    fx_mount("/m", NULL);
    fx_file("/m/f", "x");
    cr_assert_eq(mount_ns_copy(old, fx.user_ns, paths, 2, &copy), 0);
    fx.ns = fx.ctx.ns = copy;
    cr_expect(fx_exists("/m/f"));
    cr_expect_eq(umount("/m", 0), 0);
    cr_expect_not(fx_exists("/m/f"));
    cr_expect_eq(old->count, 2);
    cr_expect_eq(copy->count, 1);
    /* Still a mount point of the other namespace. */
    cr_expect_eq(vfs_unlink(&fx.ctx, NULL, "/m", true), -EBUSY);
    mount_ns_put(old);
    cr_expect_eq(vfs_unlink(&fx.ctx, NULL, "/m", true), 0);
}

Test(mounts, read_only_while_written)
{
    struct path p;
    struct file *f;

    fx_mkdir("/m");
    fx_mount("/m", NULL);
    f = fx_open("/m/f", LX_O_RDWR | LX_O_CREAT, 0644);
    p = at("/m");
    cr_expect_eq(mount_remount(fx.ns, &p, LX_MS_RDONLY | LX_MS_BIND), -EBUSY);
    cr_expect_eq(mount_remount(fx.ns, &p, LX_MS_RDONLY), -EBUSY);
    file_put(f);
    cr_expect_eq(mount_remount(fx.ns, &p, LX_MS_RDONLY), 0);
    path_put(&p);
    cr_expect_eq(fx_try_open("/m/f", LX_O_RDWR, 0), -EROFS);
}

Test(mounts, noexec_nodev)
{
    struct file *f;
    struct path p;

    fx_mkdir("/m");
    fx_mount("/m", NULL);
    fx_file("/m/x", "");
    fx_chmod("/m/x", 0755);
    vfs_mknod(&fx.ctx, NULL, "/m/null", LX_S_IFCHR | 0666, 1, 3);
    cr_expect_eq(fx_try_open("/m/null", LX_O_RDWR, 0), 0);
    p = at("/m");
    mount_remount(fx.ns, &p, LX_MS_NODEV | LX_MS_NOEXEC);
    path_put(&p);
    cr_expect_eq(fx_try_open("/m/null", LX_O_RDWR, 0), -EACCES);
    cr_expect_eq(vfs_open_exec(&fx.ctx, NULL, "/m/x", 0, &f), -EACCES);
}

Test(mounts, tables)
{
    struct path p;
    char *text;
    size_t len;

    fx_mkdir("/a b");
    fx_mount("/a b", "size=64k,mode=700");
    p = at("/a b");
    mount_remount(fx.ns, &p, LX_MS_RDONLY | LX_MS_NOSUID | LX_MS_BIND);
    path_put(&p);
    cr_assert_eq(mount_text(fx.ns, &fx.ctx.root, MOUNT_FORMAT_MOUNTS, &text, &len), 0);
    text = realloc(text, len + 1);
    text[len] = '\0';
    cr_expect_str_eq(text, "tmpfs / tmpfs rw,relatime 0 0\n"
                           "tmpfs /a\\040b tmpfs ro,size=64k,mode=700,nosuid,relatime 0 0\n");
    free(text);
    cr_assert_eq(mount_text(fx.ns, &fx.ctx.root, MOUNT_FORMAT_INFO, &text, &len), 0);
    text = realloc(text, len + 1);
    text[len] = '\0';
    cr_expect_not_null(strstr(text, " / /a\\040b ro,nosuid,relatime - tmpfs tmpfs rw,size=64k"));
    free(text);
}

Test(mounts, options)
{
    struct fs_mount_args args = {.cred = fx.root};
    struct super *sb;
    static const char *const bad[] = {"size=x",   "size=",    "size=1q", "mode=9",
                                      "nonsense", "uid=none", "size=1kk"};

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        args.options = bad[i];
        cr_expect_eq(tmpfs_type.mount(&tmpfs_type, &args, &sb), -EINVAL, "%s", bad[i]);
    }
    args.options = "size=10%,nr_inodes=5k,mode=1700,uid=3,gid=4,huge=never";
    cr_assert_eq(tmpfs_type.mount(&tmpfs_type, &args, &sb), 0);
    cr_expect_eq(sb->root->inode->uid, 3);
    cr_expect_eq(sb->root->inode->mode & 07777, 01700);
    super_put(sb);
}
