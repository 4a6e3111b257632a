/* What a program may do that its caller may not: set-id bits, file capabilities, root, ambient. */
#include "fs/vfs/mount.h"
#include "sentry/abi/lx_cred.h"
#include "sentry/abi/lx_process.h"
#include "sentry/kernel/task_priv.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#define BIT(cap) (1ull << (cap))
#define NET_RAW  BIT(LX_CAP_NET_RAW)
#define CHOWN    BIT(LX_CAP_CHOWN)
#define KILL     BIT(LX_CAP_KILL)
#define ALICE    1000u

/* --- one file, one caller --- */

static struct lx_vfs_cap_data file_caps;
static size_t file_caps_len;

static ssize_t get_caps(struct inode *ino, const char *name, void *buf, size_t cap)
{
    (void)ino;
    if (!file_caps_len || strcmp(name, LX_XATTR_CAPS) != 0)
        return -ENODATA;
    cr_assert(cap >= file_caps_len);
    memcpy(buf, &file_caps, file_caps_len);
    return (ssize_t)file_caps_len;
}

static const struct xattr_ops xattr = {.get = get_caps};
static const struct inode_ops inode_ops = {.xattr = &xattr};
static struct super super;
static struct mount mount;
static struct inode inode;
static struct dentry dentry = {.inode = &inode};
static struct file program;
static struct container container;
static struct thread_group group;
static struct pid *pid;
static struct task task, other;
static struct loader_args args;
static struct exec_cred result;

static void setup(void)
{
    struct user_ns *ns = user_ns_first();

    super.user_ns = ns;
    mount.super = &super;
    inode.ops = &inode_ops;
    inode.mode = LX_S_IFREG | 0755;
    mutex_init(&inode.lock, LOCK_INODE);
    program.path = (struct path){&mount, &dentry};
    program.inode = &inode;
    container.allow_suid = true;
    group.container = &container;
    cr_assert_eq(pid_alloc(pid_ns_new(NULL, ns), &pid), 0);
    task.tg = &group;
    task.pid = pid;
    task.cred = cred_root(ns);
}

TestSuite(exec_cred, .init = setup);

/* be() - the caller is an ordinary user without capabilities. */
static struct cred *be(u32 uid)
{
    struct cred *c = task.cred;

    c->uid = c->euid = c->suid = c->fsuid = uid;
    c->gid = c->egid = c->sgid = c->fsgid = uid;
    c->cap_permitted = c->cap_effective = 0;
    return c;
}

static const struct cred *run(void)
{
    result = (struct exec_cred){.task = &task};
    args = (struct loader_args){.context = &result};
    cr_assert_eq(exec_cred_set_ids(&args, &program), 0);
    return result.fresh;
}

static void set_file_caps(u64 permitted, u64 inheritable, bool effective)
{
    file_caps = (struct lx_vfs_cap_data){
        .magic = LX_VFS_CAP_REVISION_2 | (effective ? LX_VFS_CAP_EFFECTIVE : 0),
        .data = {{(u32)permitted, (u32)inheritable},
                 {(u32)(permitted >> 32), (u32)(inheritable >> 32)}},
    };
    file_caps_len = 20;
}

/* --- ids --- */

Test(exec_cred, plain_program)
{
    const struct cred *c;

    be(ALICE);
    c = run();
    cr_expect_eq(c->euid, ALICE);
    cr_expect_eq(c->cap_permitted, 0);
    cr_expect(!result.secure && !result.gained && !result.clear_personality);
    cr_expect_eq(args.euid, ALICE);
    cr_expect(!args.secure);
}

Test(exec_cred, set_user_id_root)
{
    const struct cred *c;

    be(ALICE);
    inode.mode |= LX_S_ISUID;
    c = run();
    cr_expect_eq(c->uid, ALICE);
    cr_expect_eq(c->euid, 0);
    cr_expect_eq(c->suid, 0);
    cr_expect_eq(c->fsuid, 0);
    cr_expect_eq(c->cap_permitted, CAP_FULL);
    cr_expect_eq(c->cap_effective, CAP_FULL);
    cr_expect(result.secure && result.gained && result.clear_personality);
    cr_expect_eq(args.uid, ALICE);
    cr_expect_eq(args.euid, 0);
    cr_expect(args.secure);
}

Test(exec_cred, set_user_id_keeps_to_the_bounding_set)
{
    be(ALICE)->cap_bounding = CHOWN;
    inode.mode |= LX_S_ISUID;
    cr_expect_eq(run()->cap_effective, CHOWN);
}

Test(exec_cred, set_user_id_of_nobody)
{
    be(ALICE);
    inode.uid = ID_OVERFLOW;
    inode.mode |= LX_S_ISUID;
    cr_expect_eq(run()->euid, ID_OVERFLOW);
    cr_expect(result.secure);
}

Test(exec_cred, set_group_id)
{
    be(ALICE);
    inode.gid = 42;
    inode.mode |= LX_S_ISGID;
    cr_expect_eq(run()->egid, 42);
    cr_expect_eq(result.fresh->euid, ALICE);
    cr_expect(result.secure && result.gained);
    /* Without group execute it is mandatory locking's bit and no id. */
    inode.mode &= ~LX_S_IXGRP;
    cr_expect_eq(run()->egid, ALICE);
    cr_expect(!result.secure);
}

static void expect_no_gain(void)
{
    const struct cred *c = run();

    cr_expect_eq(c->euid, ALICE);
    cr_expect_eq(c->egid, ALICE);
    cr_expect_eq(c->cap_permitted, 0);
    cr_expect_eq(c->cap_effective, 0);
    cr_expect(!result.gained);
}

Test(exec_cred, nothing_gained_where_it_may_not_be)
{
    be(ALICE);
    inode.mode |= LX_S_ISUID | LX_S_ISGID;
    set_file_caps(NET_RAW, 0, true);
    mount.flags = LX_MS_NOSUID;
    expect_no_gain();
    mount.flags = 0;
    container.allow_suid = false;
    expect_no_gain();
    container.allow_suid = true;
    super.user_ns = user_ns_first();
    expect_no_gain();
    super.user_ns = task.cred->user_ns;
    task.cred->no_new_privs = true;
    expect_no_gain();
}

Test(exec_cred, shared_root_directory)
{
    struct thread_group another = {.container = &container};
    struct pid *second;

    /* A process that shares its root and working directory could be moved under the program. */
    be(ALICE);
    inode.mode |= LX_S_ISUID;
    task.fs = other.fs = (struct fs_context *)&super;
    other.tg = &another;
    cr_assert_eq(pid_alloc(pid->ns, &second), 0);
    second->task = &other;
    expect_no_gain();
    cr_expect(result.secure);
    other.fs = NULL;
    cr_expect_eq(run()->euid, 0);
}

/* --- capabilities --- */

Test(exec_cred, file_capabilities)
{
    const struct cred *c;

    be(ALICE)->cap_inheritable = KILL;
    set_file_caps(NET_RAW, KILL | CHOWN, true);
    c = run();
    cr_expect_eq(c->cap_permitted, NET_RAW | KILL);
    cr_expect_eq(c->cap_effective, NET_RAW | KILL);
    cr_expect(result.secure && result.gained);
    /* Not effective: the program must raise them itself. */
    set_file_caps(NET_RAW, 0, false);
    c = run();
    cr_expect_eq(c->cap_permitted, NET_RAW);
    cr_expect_eq(c->cap_effective, 0);
    cr_expect(result.secure);
}

Test(exec_cred, file_capabilities_beyond_the_bounding_set)
{
    be(ALICE)->cap_bounding = CHOWN;
    set_file_caps(NET_RAW | CHOWN, 0, true);
    args = (struct loader_args){.context = &result};
    result = (struct exec_cred){.task = &task};
    cr_expect_eq(exec_cred_set_ids(&args, &program), -EPERM);
    cr_expect_null(result.fresh);
    /* A program that knows capabilities finds out itself. */
    set_file_caps(NET_RAW | CHOWN, 0, false);
    cr_expect_eq(run()->cap_permitted, CHOWN);
}

Test(exec_cred, file_capabilities_malformed)
{
    static const size_t lengths[] = {1, 4, 11, 12, 19, 21, 24};

    be(ALICE);
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        set_file_caps(NET_RAW, 0, true);
        file_caps_len = lengths[i];
        args = (struct loader_args){.context = &result};
        result = (struct exec_cred){.task = &task};
        cr_expect_eq(exec_cred_set_ids(&args, &program), -EINVAL, "%zu bytes", lengths[i]);
    }
    file_caps.magic = 0x7f000000;
    file_caps_len = 20;
    cr_expect_eq(exec_cred_set_ids(&args, &program), -EINVAL);
}

Test(exec_cred, file_capabilities_of_a_namespace)
{
    be(ALICE);
    set_file_caps(NET_RAW, 0, true);
    file_caps.magic = LX_VFS_CAP_REVISION_3 | LX_VFS_CAP_EFFECTIVE;
    file_caps_len = 24;
    file_caps.rootid = 0;
    cr_expect_eq(run()->cap_effective, NET_RAW);
    file_caps.rootid = 100000; /* another namespace's root */
    cr_expect_eq(run()->cap_effective, 0);
}

Test(exec_cred, root_has_all_of_the_bounding_set)
{
    const struct cred *c;

    task.cred->cap_permitted = task.cred->cap_effective = 0;
    task.cred->cap_bounding = CHOWN | KILL;
    task.cred->cap_inheritable = NET_RAW;
    c = run();
    cr_expect_eq(c->cap_effective, CHOWN | KILL | NET_RAW);
    cr_expect(!result.secure, "root's own program is no more than its caller may be");
    task.cred->securebits = LX_SECBIT_NOROOT | LX_SECBIT_KEEP_CAPS;
    c = run();
    cr_expect_eq(c->cap_effective, 0);
    cr_expect_eq(c->securebits, LX_SECBIT_NOROOT);
}

Test(exec_cred, set_user_id_root_with_file_capabilities)
{
    const struct cred *c;

    be(ALICE);
    inode.mode |= LX_S_ISUID;
    set_file_caps(NET_RAW, 0, true);
    c = run();
    cr_expect_eq(c->euid, 0);
    cr_expect_eq(c->cap_permitted, NET_RAW);
}

Test(exec_cred, ambient)
{
    struct cred *me = be(ALICE);
    const struct cred *c;

    me->cap_permitted = me->cap_effective = me->cap_inheritable = me->cap_ambient = NET_RAW;
    c = run();
    cr_expect_eq(c->cap_permitted, NET_RAW);
    cr_expect_eq(c->cap_effective, NET_RAW);
    cr_expect_eq(c->cap_ambient, NET_RAW);
    cr_expect(!result.secure && !result.gained);
    /* A program with capabilities or bits of its own does not inherit them. */
    set_file_caps(CHOWN, 0, true);
    c = run();
    cr_expect_eq(c->cap_permitted, CHOWN);
    cr_expect_eq(c->cap_ambient, 0);
    file_caps_len = 0;
    inode.gid = 42;
    inode.mode |= LX_S_ISGID;
    c = run();
    cr_expect_eq(c->cap_permitted, 0);
    cr_expect_eq(c->cap_ambient, 0);
}

Test(exec_cred, unreadable_program)
{
    be(ALICE);
    inode.mode = LX_S_IFREG | 0711;
    run();
    cr_expect(result.unreadable);
}
