/* /proc/PID/fd and fdinfo: a process's descriptors. */
#include "fs/epoll/epoll.h"
#include "fs/eventfd/eventfd.h"
#include "fs/inotify/inotify.h"
#include "fs/proc/proc_priv.h"
#include "fs/signalfd/signalfd.h"
#include "fs/vfs/file.h"
#include "fs/vfs/mount.h"
#include "fs/vfs/namei.h"
#include "sentry/base/limits.h"
#include "sentry/kernel/fdtable.h"
#include "sentry/kernel/fs_context.h"
#include "sentry/kernel/pidfd.h"

#include <errno.h>
#include <string.h>

/* node_file() - the description of the node's descriptor: a new reference, or NULL. */
static struct file *node_file(const struct proc_node *n)
{
    struct fdtable *files = proc_files(n);
    struct file *f = files ? fd_get(files, n->nr) : NULL;

    fdtable_put(files);
    return f;
}

static int fd_follow(const struct proc_node *n, struct path *out)
{
    struct file *f = node_file(n);

    if (!f)
        return -ENOENT;
    *out = path_get(&f->path);
    file_put(f);
    return 0;
}

/* fd_readlink() - a path, or what a file without a path is called ("pipe:[7]"). */
static ssize_t fd_readlink(const struct proc_node *n, char *buf, size_t cap)
{
    struct file *f = node_file(n);
    char full[LIMIT_PATH];
    bool unreachable = false;
    struct walk_ctx ctx;
    ssize_t len;

    if (!f)
        return -ENOENT;
    if (current)
        fs_context_walk(current, &ctx);
    len = vfs_path_string(&f->path, current ? &ctx.root : NULL, full, sizeof(full), true,
                          &unreachable);
    if (current)
        fs_context_walk_end(&ctx);
    file_put(f);
    if (len < 0)
        return len == -ERANGE ? -ENAMETOOLONG : len;
    len = min_of(len - 1, (ssize_t)cap);
    memcpy(buf, full, (size_t)len);
    return len;
}

/* The link's mode shows how the descriptor is open. */
#define FD_LINK(bits)                                                                            \
    {                                                                                            \
        .name = "", .mode = LX_S_IFLNK | (bits), .flags = PROC_INSPECT, .readlink = fd_readlink, \
        .follow = fd_follow                                                                      \
    }

static const struct proc_entry fd_entries[4] = {FD_LINK(0), FD_LINK(0500), FD_LINK(0300),
                                                FD_LINK(0700)};

static const struct proc_entry *entry_of(const struct file *f)
{
    u32 mode = f->flags & LX_O_PATH ? 0 : file_readable(f) + 2u * file_writable(f);

    return &fd_entries[mode];
}

/* find_fd() - an open descriptor of the process; `mode` link or fdinfo file. */
static int find_fd(const struct proc_node *dir, const char *name, u32 len, struct proc_node *out,
                   const struct proc_entry *entry)
{
    struct proc_node n = *dir;
    struct file *f;

    n.nr = proc_number(name, len);
    if (n.nr < 0)
        return -ENOENT;
    f = node_file(&n);
    if (!f)
        return -ENOENT;
    out->entry = entry ? entry : entry_of(f);
    out->pid = pid_get(dir->pid);
    out->thread = dir->thread;
    out->nr = n.nr;
    file_put(f);
    return 0;
}

static int find_link(const struct proc_node *dir, const char *name, u32 len, struct proc_node *out)
{
    return find_fd(dir, name, len, out, NULL);
}

static s32 next_fd(const struct proc_node *dir, s32 from)
{
    struct fdtable *files = proc_files(dir);
    s32 fd = files ? fd_next(files, from) : -1;

    fdtable_put(files);
    return fd;
}

static bool link_alive(const struct proc_node *n)
{
    struct file *f = node_file(n);
    bool same = f && entry_of(f) == n->entry;

    file_put(f);
    return same;
}

static bool info_alive(const struct proc_node *n)
{
    struct file *f = node_file(n);

    file_put(f);
    return f != NULL;
}

const struct proc_dynamic proc_fd_names = {
    .find = find_link, .next = next_fd, .alive = link_alive, .type = LX_DT_LNK};

/* --- fdinfo --- */

static void show_watch(void *arg, int fd, const struct lx_epoll_event *ev)
{
    proc_printf(arg, "tfd: %8d events: %8x data: %16lx\n", fd, ev->events, (long)ev->data);
}

static void show_inotify(void *arg, s32 wd, struct inode *ino, u32 mask)
{
    u32 dev = ino->super->dev_major << 20 | ino->super->dev_minor;

    proc_printf(arg, "inotify wd:%x ino:%lx sdev:%x mask:%x ignored_mask:0 \n", (u32)wd,
                (long)ino->ino, dev, mask);
}

/* show_pidfd() - the process's number in the namespace of this /proc, and inwards from there. */
static void show_pidfd(const struct proc_node *n, const struct pid *pid, struct proc_text *out)
{
    s32 nr = atomic_load(&pid->fate) == PID_REAPED ? -1 : pid_nr(pid, n->ns);

    proc_printf(out, "Pid:\t%d\nNSpid:\t%d", nr, nr);
    for (u32 i = n->ns->level + 1; nr > 0 && i <= pid->level; i++)
        proc_printf(out, "\t%d", pid->numbers[i].nr);
    proc_puts(out, "\n");
}

static int show_fdinfo(const struct proc_node *n, struct proc_text *out)
{
    struct fdtable *files = proc_files(n);
    struct file *f = files ? fd_get(files, n->nr) : NULL;
    int cloexec = files ? fd_cloexec(files, n->nr) : 0;
    u64 count;

    fdtable_put(files);
    if (!f)
        return -ENOENT;
    proc_printf(out, "pos:\t%ld\nflags:\t0%o\nmnt_id:\t%u\nino:\t%lu\n", (long)f->pos,
                f->flags | (cloexec > 0 ? LX_O_CLOEXEC : 0), f->path.mount->id,
                (unsigned long)f->inode->ino);
    if (eventfd_count(f, &count))
        proc_printf(out, "eventfd-count: %16lx\n", (unsigned long)count);
    if (pidfd_pid(f))
        show_pidfd(n, pidfd_pid(f), out);
    if (signalfd_mask(f, &count))
        proc_printf(out, "sigmask:\t%016lx\n", (unsigned long)count);
    if (epoll_is(f))
        epoll_for_each(f, show_watch, out);
    if (inotify_is(f))
        inotify_for_each(f, show_inotify, out);
    file_put(f);
    return 0;
}

static const struct proc_entry fdinfo_entry = {
    .name = "", .mode = LX_S_IFREG | 0400, .show = show_fdinfo};

static int find_info(const struct proc_node *dir, const char *name, u32 len, struct proc_node *out)
{
    return find_fd(dir, name, len, out, &fdinfo_entry);
}

const struct proc_dynamic proc_fdinfo_names = {
    .find = find_info, .next = next_fd, .alive = info_alive, .type = LX_DT_REG};
