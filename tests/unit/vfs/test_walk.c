/* Path walk: order of checks, links, dots, mounts, permissions. */
#include "tests/unit/vfs/vfs_fixture.h"

#include <criterion/criterion.h>

TestSuite(walk, .init = fixture_init, .fini = fixture_fini);

static int walk_err(const char *name, u32 flags)
{
    struct path p;
    int err = walk(&fx.ctx, NULL, name, flags, &p);

    if (!err)
        path_put(&p);
    return err;
}

static void symlink_to(const char *target, const char *name)
{
    cr_assert_eq(vfs_symlink(&fx.ctx, target, NULL, name), 0);
}

Test(walk, components)
{
    fx_mkdir("/a");
    fx_mkdir("/a/b");
    fx_file("/a/b/f", "x");
    cr_expect_str_eq(fx_path("/a/b/f", 0), "/a/b/f");
    cr_expect_str_eq(fx_path("//a///b//./f", 0), "/a/b/f");
    cr_expect_str_eq(fx_path("a/../a/b/..", 0), "/a");
    cr_expect_str_eq(fx_path("/../..", 0), "/");
    cr_expect_str_eq(fx_path("a/b/", 0), "/a/b");
    cr_expect_eq(walk_err("a/b/f/", 0), -ENOTDIR);
    cr_expect_eq(walk_err("a/b/f/g", 0), -ENOTDIR);
    cr_expect_eq(walk_err("a/b/f/..", 0), -ENOTDIR);
    cr_expect_eq(walk_err("a/b/f/.", 0), -ENOTDIR);
    cr_expect_eq(walk_err("a/none/f", 0), -ENOENT);
    cr_expect_eq(walk_err("", 0), -ENOENT);
    cr_expect_eq(walk_err("", WALK_EMPTY), 0);
    cr_expect_eq(walk_err("a/b/f", WALK_DIRECTORY), -ENOTDIR);
}

Test(walk, name_lengths)
{
    char name[300];

    memset(name, 'n', sizeof(name));
    name[256] = '\0';
    cr_expect_eq(walk_err(name, 0), -ENAMETOOLONG);
    cr_expect_eq(vfs_mkdir(&fx.ctx, NULL, name, 0755), -ENAMETOOLONG);
    name[255] = '\0';
    cr_expect_eq(walk_err(name, 0), -ENOENT);
    cr_expect_eq(vfs_mkdir(&fx.ctx, NULL, name, 0755), 0);
    cr_expect_eq(walk_err(name, 0), 0);
}

Test(walk, links)
{
    fx_mkdir("/d");
    fx_file("/d/f", "x");
    symlink_to("d", "/ld");
    symlink_to("/d/f", "/lf");
    symlink_to("../ld/f", "/d/back");
    symlink_to("d/", "/lslash");
    symlink_to("/", "/lroot");
    symlink_to("nowhere", "/dangling");
    symlink_to("loop2", "/loop1");
    symlink_to("loop1", "/loop2");

    cr_expect_str_eq(fx_path("/ld", WALK_FOLLOW), "/d");
    cr_expect_str_eq(fx_path("/ld", 0), "/ld");
    cr_expect_str_eq(fx_path("/ld/", 0), "/d");
    cr_expect_str_eq(fx_path("/ld/f", 0), "/d/f");
    cr_expect_str_eq(fx_path("/lf", WALK_FOLLOW), "/d/f");
    cr_expect_str_eq(fx_path("/d/back", WALK_FOLLOW), "/d/f");
    cr_expect_str_eq(fx_path("/ld/../d/back", WALK_FOLLOW), "/d/f");
    cr_expect_str_eq(fx_path("/lslash/f", 0), "/d/f");
    cr_expect_str_eq(fx_path("/lroot/d/f", 0), "/d/f");
    cr_expect_str_eq(fx_path("/lroot", WALK_FOLLOW), "/");
    cr_expect_eq(walk_err("/lf/", 0), -ENOTDIR);
    cr_expect_eq(walk_err("/dangling", WALK_FOLLOW), -ENOENT);
    cr_expect_eq(walk_err("/dangling", 0), 0);
    cr_expect_eq(walk_err("/loop1", WALK_FOLLOW), -ELOOP);
    cr_expect_eq(walk_err("/loop1", 0), 0);
    cr_expect_eq(walk_err("/ld/f", WALK_NO_SYMLINKS), -ELOOP);
    cr_expect_eq(vfs_symlink(&fx.ctx, "", NULL, "/e"), -ENOENT);
}

Test(walk, forty_links)
{
    char name[16], target[16];

    fx_file("/l0", "x");
    for (int i = 1; i <= 41; i++) {
        snprintf(name, sizeof(name), "/l%d", i);
        snprintf(target, sizeof(target), "l%d", i - 1);
        symlink_to(target, name);
    }
    cr_expect_eq(walk_err("/l40", WALK_FOLLOW), 0);
    cr_expect_eq(walk_err("/l41", WALK_FOLLOW), -ELOOP);
}

Test(walk, nested_texts)
{
    /* Links in the middle of links' targets, with rests at each level. */
    fx_mkdir("/r");
    fx_mkdir("/r/x");
    fx_mkdir("/r/x/y");
    fx_file("/r/x/y/z", "z");
    symlink_to("r", "/A");
    symlink_to("A/x", "/B");
    symlink_to("B/y", "/C");
    cr_expect_str_eq(fx_path("/C/z", 0), "/r/x/y/z");
    cr_expect_str_eq(fx_path("/C/../y/../../x/y/z", 0), "/r/x/y/z");
}

Test(walk, search_permission)
{
    struct cred *user = fx_user(1000, 1000);

    fx_mkdir("/p");
    fx_mkdir("/p/q");
    fx_file("/p/q/f", "x");
    fx_chmod("/p", 0700);
    fx_as(user);
    cr_expect_eq(walk_err("/p", 0), 0);
    cr_expect_eq(walk_err("/p/q", 0), -EACCES);
    cr_expect_eq(walk_err("/p/none", 0), -EACCES);
    cr_expect_eq(walk_err("/p/.", 0), -EACCES);
    cr_expect_eq(walk_err("/p/..", 0), -EACCES);
    fx_as(fx.root);
    cr_expect_eq(walk_err("/p/q/f", 0), 0);
    fx_chown("/p", 1000, 1000);
    fx_as(user);
    cr_expect_eq(walk_err("/p/q/f", 0), 0);
    fx_as(fx.root);
    cred_put(user);
}

Test(walk, mounts)
{
    struct path p;

    fx_mkdir("/m");
    fx_file("/m/under", "x");
    cr_assert_eq(fx_mount("/m", NULL), 0);
    cr_expect_eq(walk_err("/m/under", 0), -ENOENT);
    fx_file("/m/over", "x");
    cr_expect_str_eq(fx_path("/m/over", 0), "/m/over");
    cr_expect_str_eq(fx_path("/m/..", 0), "/");
    cr_expect_str_eq(fx_path("/m/../m/over", 0), "/m/over");
    cr_expect_eq(walk_err("/m/over", WALK_NO_XDEV), -EXDEV);
    cr_expect_eq(vfs_unlink(&fx.ctx, NULL, "/m", true), -EBUSY);
    cr_assert_eq(fx_mount("/m", NULL), 0); /* on top of the first */
    cr_expect_eq(walk_err("/m/over", 0), -ENOENT);
    cr_expect_str_eq(fx_path("/m/..", 0), "/");

    for (int i = 0; i < 2; i++) {
        cr_assert_eq(walk(&fx.ctx, NULL, "/m", 0, &p), 0);
        cr_expect_eq(mount_detach(fx.ns, &p, 0), 0);
        path_put(&p);
    }
    cr_expect_eq(walk_err("/m/under", 0), 0);
    cr_expect_eq(vfs_unlink(&fx.ctx, NULL, "/m/under", false), 0);
    cr_expect_eq(vfs_unlink(&fx.ctx, NULL, "/m", true), 0);
}

Test(walk, beneath_and_in_root)
{
    struct path dir;

    fx_mkdir("/d");
    fx_mkdir("/d/e");
    fx_file("/f", "x");
    fx_file("/d/f", "x");
    symlink_to("/f", "/d/abs");
    symlink_to("../f", "/d/up");
    cr_assert_eq(walk(&fx.ctx, NULL, "/d", 0, &dir), 0);

    struct path p;
    cr_expect_eq(walk(&fx.ctx, &dir, "../f", WALK_BENEATH, &p), -EXDEV);
    cr_expect_eq(walk(&fx.ctx, &dir, "/f", WALK_BENEATH, &p), -EXDEV);
    cr_expect_eq(walk(&fx.ctx, &dir, "abs", WALK_BENEATH | WALK_FOLLOW, &p), -EXDEV);
    cr_expect_eq(walk(&fx.ctx, &dir, "e/../f", WALK_BENEATH, &p), 0);
    path_put(&p);
    cr_expect_eq(walk(&fx.ctx, &dir, "up", WALK_IN_ROOT | WALK_FOLLOW, &p), 0);
    cr_expect_eq(p.dentry->parent, dir.dentry);
    path_put(&p);
    cr_expect_eq(walk(&fx.ctx, &dir, "abs", WALK_IN_ROOT | WALK_FOLLOW, &p), 0);
    cr_expect_eq(p.dentry->parent, dir.dentry);
    path_put(&p);
    path_put(&dir);
}

Test(walk, a_root_of_its_own)
{
    struct path old = fx.ctx.root, jail;

    fx_mkdir("/jail");
    fx_mkdir("/jail/in");
    fx_file("/out", "x");
    cr_assert_eq(walk(&fx.ctx, NULL, "/jail", 0, &jail), 0);
    fx.ctx.root = jail;
    cr_expect_eq(walk_err("/in", 0), 0);
    cr_expect_eq(walk_err("/../out", 0), -ENOENT);
    cr_expect_eq(walk_err("/in/../../out", 0), -ENOENT);
    cr_expect_str_eq(fx_path("/in", 0), "/in");
    fx.ctx.root = old;
    path_put(&jail);
}

Test(walk, a_directory_that_is_gone)
{
    struct path old = fx.ctx.cwd, gone;
    char text[64];
    bool outside;

    fx_mkdir("/gone");
    cr_assert_eq(walk(&fx.ctx, NULL, "/gone", 0, &gone), 0);
    cr_assert_eq(vfs_unlink(&fx.ctx, NULL, "/gone", true), 0);
    fx.ctx.cwd = gone;
    cr_expect_eq(walk_err(".", 0), 0);
    cr_expect_eq(walk_err("x", 0), -ENOENT);
    cr_expect_eq(vfs_mkdir(&fx.ctx, NULL, "x", 0755), -ENOENT);
    cr_expect_eq(fx_try_open("x", LX_O_CREAT | LX_O_RDWR, 0644), -ENOENT);
    cr_expect_str_eq(fx_path("..", 0), "/");
    cr_expect_gt(vfs_path_string(&gone, &fx.ctx.root, text, sizeof(text), true, &outside), 0);
    cr_expect_str_eq(text, "/gone (deleted)");
    fx.ctx.cwd = old;
    path_put(&gone);
}

Test(walk, deep_tree)
{
    enum { DEPTH = 20000 };
    struct path at = path_get(&fx.ctx.root), next;

    for (int i = 0; i < DEPTH; i++) {
        cr_assert_eq(vfs_mkdir(&fx.ctx, &at, "d", 0755), 0);
        cr_assert_eq(walk(&fx.ctx, &at, "d", 0, &next), 0);
        path_put(&at);
        at = next;
    }
    path_put(&at); /* and fixture_fini() frees all of it without a deep stack */
}

/* live() - how many objects of a type there are */
static u64 live(const char *name)
{
    for (struct obj_type *t = obj_types(); t; t = t->next)
        if (!strcmp(t->name, name))
            return atomic_load(&t->live);
    return 0;
}

/* Names that a directory has not are forgotten with it, and keep nothing of it. */
Test(walk, removed_directories_go)
{
    u64 dentries = live("dentry"), inodes = live("inode");
    struct path at, late;
    char name[32];

    for (int i = 0; i < 3; i++) {
        fx_mkdir("/gone");
        for (int k = 0; k < 1000; k++) {
            snprintf(name, sizeof(name), "/gone/n%d", k);
            cr_assert_eq(walk_err(name, 0), -ENOENT);
        }
        cr_assert_eq(walk(&fx.ctx, &fx.ctx.root, "/gone", 0, &at), 0);
        if (i == 2) { /* another one takes its name */
            fx_mkdir("/other");
            cr_expect_eq(vfs_rename(&fx.ctx, &fx.ctx.root, "/other", &fx.ctx.root, "/gone", 0), 0);
        } else {
            cr_expect_eq(vfs_unlink(&fx.ctx, &fx.ctx.root, "/gone", true), 0);
        }
        cr_expect_eq(walk(&fx.ctx, &at, "late", 0, &late), -ENOENT);
        path_put(&at);
    }
    cr_expect_eq(vfs_unlink(&fx.ctx, &fx.ctx.root, "/gone", true), 0);
    cr_expect_leq(live("dentry"), dentries + 2); /* that "/gone" and "/other" are not there */
    cr_expect_eq(live("inode"), inodes);
}

Test(walk, cache_stays_bounded)
{
    char name[32];

    for (int i = 0; i < 70000; i++) {
        snprintf(name, sizeof(name), "/n%d", i);
        cr_assert_eq(walk_err(name, 0), -ENOENT); /* negative dentries */
    }
    cr_expect_leq(dentry_cached(), 65536 + 1);
    cr_expect_gt(dentry_cached(), 60000);
}
