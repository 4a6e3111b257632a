/*
 * File systems that the walk must ask: a toy whose names come and go by themselves, with revalidation,
 * without caching, with magic links and permissions of its own.
 */
#include "tests/unit/vfs/vfs_fixture.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static u32 lookups, revalidations, frees;
static bool there[4]; /* "0" … "3" are the toy's names; odd ones are directories */
static u32 generation;
static struct path magic_target;
static bool forbidden;

static const struct inode_ops toy_ops, toy_magic_ops;

static int toy_lookup(struct inode *dir, const char *name, u32 len, struct inode **out)
{
    u32 i = (u32)(name[0] - '0');

    lookups++;
    if (len == 5 && !memcmp(name, "magic", 5)) {
        *out = inode_new(dir->super, &toy_magic_ops, LX_S_IFLNK | 0777, 0, 0, 0);
        return 0;
    }
    if (len == 4 && !memcmp(name, "text", 4)) {
        *out = inode_new(dir->super, &toy_ops, LX_S_IFLNK | 0777, 0, 0, 0);
        return 0;
    }
    if (len != 1 || i > 3 || !there[i])
        return -ENOENT;
    *out = inode_new(dir->super, &toy_ops, (i % 2 ? LX_S_IFDIR : LX_S_IFREG) | 0755, 0, 0, 0);
    (*out)->private = (void *)(uintptr_t)(generation * 10 + i);
    return 0;
}

static int toy_revalidate(struct dentry *d)
{
    u64 v = (u64)(uintptr_t)d->inode->private;

    revalidations++;
    return v / 10 == generation && there[v % 10];
}

static ssize_t toy_readlink(struct inode *ino, char *buf, size_t cap)
{
    memcpy(buf, "1/0", 3);
    return 3;
}

static int toy_follow(struct inode *ino, struct mount **mount, struct dentry **dentry)
{
    struct path p = path_get(&magic_target);

    *mount = p.mount;
    *dentry = p.dentry;
    return 0;
}

static int toy_permission(struct inode *ino, const struct cred *cred, u32 may)
{
    return forbidden ? -EACCES : 0;
}

static void toy_free(struct inode *ino)
{
    frees++;
}

static const struct inode_ops toy_ops = {
    .lookup = toy_lookup,
    .revalidate = toy_revalidate,
    .readlink = toy_readlink,
    .permission = toy_permission,
    .free = toy_free,
};

static const struct inode_ops toy_magic_ops = {.follow = toy_follow, .free = toy_free};

static const struct fs_type toy_type = {.name = "toy"};
static const struct super_ops toy_super_ops = {0};

static void mount_toy(u32 flags)
{
    struct super *sb = super_new(&toy_type, &toy_super_ops, 1, fx.root);
    struct path p;

    sb->flags = flags;
    super_set_root(sb, inode_new(sb, &toy_ops, LX_S_IFDIR | 0755, 0, 0, 0));
    fx_mkdir("/toy");
    cr_assert_eq(walk(&fx.ctx, NULL, "/toy", 0, &p), 0);
    cr_assert_eq(mount_attach(fx.ns, sb, NULL, &p, 0, "toy"), 0);
    path_put(&p);
    super_put(sb);
    there[0] = there[1] = true;
}

TestSuite(slow, .init = fixture_init, .fini = fixture_fini);

Test(slow, cached_names_are_not_asked_for_again)
{
    mount_toy(0);
    for (int i = 0; i < 5; i++) {
        cr_expect(fx_exists("/toy/1/0"));
        cr_expect_not(fx_exists("/toy/2"));
    }
    cr_expect_eq(lookups, 3);
    cr_expect_eq(revalidations, 0);
}

Test(slow, revalidation)
{
    mount_toy(SUPER_REVALIDATE);
    cr_expect(fx_exists("/toy/0"));
    cr_expect(fx_exists("/toy/0"));
    cr_expect_eq(lookups, 1);
    cr_expect_eq(revalidations, 1);
    generation++; /* another file of that name */
    cr_expect(fx_exists("/toy/0"));
    cr_expect_eq(lookups, 2);
    there[0] = false;
    cr_expect_not(fx_exists("/toy/0"));
    there[0] = true; /* absence is not remembered */
    cr_expect(fx_exists("/toy/0"));
}

Test(slow, a_mount_point_stays)
{
    mount_toy(SUPER_REVALIDATE | SUPER_NO_CACHE);
    cr_assert_eq(fx_mount("/toy/1", NULL), 0);
    fx_file("/toy/1/f", "x");
    generation++;
    cr_expect(fx_exists("/toy/1/f"));
    cr_expect_str_eq(fx_path("/toy/1/f", 0), "/toy/1/f");
}

Test(slow, without_a_cache)
{
    struct path p, q;

    mount_toy(SUPER_NO_CACHE);
    cr_expect(fx_exists("/toy/1/0"));
    cr_expect(fx_exists("/toy/1/0"));
    cr_expect_eq(lookups, 4);
    cr_expect_eq(frees, 4);
    /* while somebody holds it, it is one and the same */
    cr_assert_eq(walk(&fx.ctx, NULL, "/toy/1", 0, &p), 0);
    cr_assert_eq(walk(&fx.ctx, NULL, "/toy/1", 0, &q), 0);
    cr_expect(path_equal(&p, &q));
    cr_expect_eq(lookups, 5);
    path_put(&p);
    path_put(&q);
    cr_expect_eq(frees, 5);
}

Test(slow, links)
{
    struct path p;

    mount_toy(0);
    fx_mkdir("/elsewhere");
    fx_file("/elsewhere/f", "x");
    cr_expect_str_eq(fx_path("/toy/text", WALK_FOLLOW), "/toy/1/0");
    cr_assert_eq(walk(&fx.ctx, NULL, "/elsewhere", 0, &magic_target), 0);
    cr_expect_str_eq(fx_path("/toy/magic/f", 0), "/elsewhere/f");
    cr_expect_str_eq(fx_path("/toy/magic", WALK_FOLLOW), "/elsewhere");
    cr_expect_str_eq(fx_path("/toy/magic", 0), "/toy/magic");
    cr_expect_eq(walk(&fx.ctx, NULL, "/toy/magic/f", WALK_NO_MAGIC, &p), -ELOOP);
    cr_expect_eq(walk(&fx.ctx, NULL, "/toy/magic/f", WALK_NO_SYMLINKS, &p), -ELOOP);
    cr_expect_eq(walk(&fx.ctx, NULL, "toy/magic/f", WALK_BENEATH, &p), -EXDEV);
    cr_expect_eq(walk(&fx.ctx, NULL, "toy/magic/f", WALK_NO_XDEV, &p), -EXDEV);
    path_put(&magic_target);
    cr_assert_eq(walk(&fx.ctx, NULL, "/elsewhere/f", 0, &magic_target), 0);
    cr_expect_eq(walk(&fx.ctx, NULL, "/toy/magic/f", 0, &p), -ENOTDIR);
    /* O_CREAT through a magic link opens what is there */
    cr_expect_eq(fx_try_open("/toy/magic", LX_O_RDWR | LX_O_CREAT, 0644), 0);
    cr_expect_eq(fx_try_open("/toy/magic", LX_O_RDWR | LX_O_CREAT | LX_O_EXCL, 0644), -EEXIST);
    path_put(&magic_target);
}

Test(slow, permissions_of_its_own)
{
    mount_toy(0);
    cr_expect(fx_exists("/toy/1/0"));
    forbidden = true;
    struct path p;
    cr_expect_eq(walk(&fx.ctx, NULL, "/toy/1/0", 0, &p), -EACCES);
    cr_expect_eq(walk(&fx.ctx, NULL, "/toy", 0, &p), 0);
    path_put(&p);
    forbidden = false;
    /* operations that a file system does not have */
    cr_expect_eq(vfs_mkdir(&fx.ctx, NULL, "/toy/x", 0755), -EPERM);
    cr_expect_eq(fx_try_open("/toy/x", LX_O_RDWR | LX_O_CREAT, 0644), -EACCES);
    cr_expect_eq(vfs_unlink(&fx.ctx, NULL, "/toy/0", false), -EPERM);
    cr_expect_eq(vfs_rename(&fx.ctx, NULL, "/toy/0", NULL, "/toy/x", 0), -EPERM);
    cr_expect_eq(fx_try_open("/toy/0", LX_O_RDONLY, 0), -ENXIO);
    cr_expect_eq(fx_chmod("/toy/0", 0600), -EPERM);
}
