/* See exec_fs.h. */
#include "tests/unit/kernel/exec_fs.h"

#include "fs/vfs/file.h"
#include "fs/vfs/mount.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ENTRIES 24

struct entry {
    char name[300];
    u32 mode;
    int fd;
};

struct walk_ctx exec_ctx;
static struct entry entries[ENTRIES];
static size_t nentries;

static struct entry *find(const char *name, size_t len)
{
    for (size_t i = 0; i < nentries; i++) {
        if (strlen(entries[i].name) == len && memcmp(entries[i].name, name, len) == 0)
            return &entries[i];
    }
    return NULL;
}

static ssize_t entry_read(struct file *f, struct uio *to, s64 *pos)
{
    const struct entry *e = f->private;
    char buf[4096];
    ssize_t done = 0;

    while (to->left) {
        ssize_t n = pread(e->fd, buf, min_of(sizeof(buf), (size_t)to->left), *pos);

        if (n <= 0)
            break;
        n = uio_to(to, buf, (size_t)n);
        if (n < 0)
            return done ? done : n;
        *pos += n;
        done += n;
    }
    return done;
}

static int entry_map_fd(struct file *f, bool shared, bool may_write)
{
    return ((const struct entry *)f->private)->fd;
}

static const struct file_ops entry_ops = {
    .read = entry_read,
    .seek = file_seek_generic,
    .map_fd = entry_map_fd,
};

static int exec_open(struct inode *ino, struct file *f)
{
    f->ops = &entry_ops;
    f->private = ino->private;
    return 0;
}

static int exec_lookup(struct inode *dir, const char *name, u32 len, struct inode **out);

static const struct inode_ops exec_inode_ops = {.lookup = exec_lookup, .open = exec_open};

static int exec_lookup(struct inode *dir, const char *name, u32 len, struct inode **out)
{
    struct entry *e = find(name, len);
    struct inode *ino;

    if (!e)
        return -ENOENT;
    ino = inode_new(dir->super, &exec_inode_ops, e->mode, 0, 0, 0);
    cr_assert(ino);
    ino->private = e;
    ino->size = (u64)lseek(e->fd, 0, SEEK_END);
    *out = ino;
    return 0;
}

static const struct super_ops exec_super_ops = {0};
static const struct fs_type exec_type = {.name = "exec"};

void exec_fs_start(void)
{
    struct user_ns *ns = user_ns_first();
    struct cred *cred = cred_root(ns);
    struct super *sb = super_new(&exec_type, &exec_super_ops, 0x1234, cred);
    struct inode *root;

    cr_assert(sb);
    root = inode_new(sb, &exec_inode_ops, LX_S_IFDIR | 0755, 0, 0, 0);
    cr_assert_eq(super_set_root(sb, root), 0);
    exec_ctx.cred = cred;
    cr_assert_eq(mount_ns_new(ns, sb, 0, "exec", &exec_ctx.ns), 0);
    exec_ctx.root = mount_ns_root(exec_ctx.ns);
    exec_ctx.cwd = path_get(&exec_ctx.root);
    user_ns_put(ns);
}

void exec_fs_end(void)
{
    path_put(&exec_ctx.cwd);
    path_put(&exec_ctx.root);
    mount_ns_put(exec_ctx.ns);
    cred_put((struct cred *)(uintptr_t)exec_ctx.cred);
    while (nentries)
        close(entries[--nentries].fd);
}

void exec_fs_add(const char *name, u32 mode, const void *bytes, size_t len)
{
    struct entry *e = &entries[nentries++];

    cr_assert_leq(nentries, ENTRIES);
    *e = (struct entry){.mode = mode, .fd = memfd_create(name, 0)};
    cr_assert_lt(strlen(name), sizeof(e->name));
    memcpy(e->name, name, strlen(name) + 1);
    cr_assert_eq(write(e->fd, bytes, len), (ssize_t)len);
}

void exec_fs_add_text(const char *name, u32 mode, const char *text)
{
    exec_fs_add(name, mode, text, strlen(text));
}

void exec_fs_truncate(const char *name, size_t len)
{
    cr_assert_eq(ftruncate(find(name, strlen(name))->fd, (off_t)len), 0);
}
