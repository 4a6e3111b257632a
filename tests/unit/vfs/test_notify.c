/* Marks on inodes: what keeps what alive. */
#include "tests/unit/vfs/vfs_fixture.h"

#include "fs/vfs/notify.h"

#include <criterion/criterion.h>

TestSuite(notify, .init = fixture_init, .fini = fixture_fini);

static struct super *own;
static bool super_dead, inode_dead, last_put;

static void super_free_op(struct super *sb)
{
    super_dead = true;
}

static void inode_free_op(struct inode *ino)
{
    cr_expect_not(super_dead && last_put, "an inode outlives its super");
    inode_dead |= !LX_S_ISDIR(ino->mode);
}

static const struct super_ops super_test_ops = {.free = super_free_op};
static const struct inode_ops inode_test_ops = {.free = inode_free_op};
static const struct fs_type type = {.name = "notify_test"};

static bool mark_event(struct notify_mark *m, const struct notify_event *e)
{
    return false;
}

static void mark_gone(struct notify_mark *m)
{
}

/* The mark's user drops the super at the worst moment: the mark's inode is still to be put. */
static void mark_free(struct notify_mark *m)
{
    if (last_put)
        super_put(own);
}

static const struct notify_ops mark_ops = {
    .event = mark_event, .gone = mark_gone, .free = mark_free};

/* mark_new_file() - a super of its own with a file that only `m` holds */
static void mark_new_file(struct notify_mark *m)
{
    struct inode *ino;

    own = super_new(&type, &super_test_ops, 0x1234, NULL);
    cr_assert(own);
    cr_assert_eq(super_set_root(own, inode_new(own, &inode_test_ops, LX_S_IFDIR | 0700, 0, 0, 0)),
                 0);
    ino = inode_new(own, &inode_test_ops, LX_S_IFREG | 0600, 0, 0, 0);
    cr_assert(ino);
    *m = (struct notify_mark){.ops = &mark_ops, .mask = LX_IN_ALL_EVENTS};
    notify_lock();
    notify_attach_locked(m, ino);
    notify_unlock();
    inode_put(ino);
}

Test(notify, detached_mark_keeps_super)
{
    struct notify_mark m;

    mark_new_file(&m);
    last_put = true;
    notify_lock();
    notify_detach_locked(&m);
    notify_unlock();
    cr_assert(inode_dead);
    cr_assert(super_dead);
}

Test(notify, super_takes_marks_along)
{
    struct notify_mark m;

    mark_new_file(&m);
    super_put(own);
    cr_assert(inode_dead);
    cr_assert(super_dead);
    cr_assert_eq(atomic_load(&notify_marks), 0);
}
