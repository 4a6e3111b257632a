/*
 * Which of the big files are open on the host. Those that a guest has open (a mapping holds its
 * description) are, and stay so; the others are kept for a while, the oldest of them is closed when
 * there are more than LIMIT_TMPFS_IDLE, and opened again by its number when it is needed. So the
 * number of big files is bounded by memory, not by descriptors.
 *
 * The descriptors of a node on the idle list belong to the list's lock, those of any other node to
 * its inode's: who has the inode's lock takes the node off the list before it looks at them, and
 * who trims needs no hold on the inode.
 */
#include "fs/tmpfs/tmpfs_priv.h"

#include "sentry/base/host_fd.h"
#include "sentry/base/host_private.h"
#include "sentry/base/limits.h"

#include <errno.h>

static struct mutex lock = MUTEX_INIT(LEAF);
static struct list_node idle = LIST_INIT(idle); /* and below: guarded by lock; oldest last */
static u32 nidle;
static atomic_uint nopen;

static void off_idle_locked(struct tmpfs_node *node)
{
    if (!list_linked(&node->idle))
        return;
    list_del(&node->idle);
    nidle--;
}

static void off_idle(struct tmpfs_node *node)
{
    mutex_lock(&lock);
    off_idle_locked(node);
    mutex_unlock(&lock);
}

static void close_both(int rw_fd, int ro_fd)
{
    if (rw_fd < 0)
        return;
    host_close(rw_fd);
    host_close(ro_fd);
    atomic_fetch_sub(&nopen, 1);
}

int tmpfs_fds_room(void)
{
    return atomic_load(&nopen) < LIMIT_TMPFS_OPEN ? 0 : -ENFILE;
}

void tmpfs_fds_made(struct tmpfs_node *node)
{
    atomic_fetch_add(&nopen, 1);
}

void tmpfs_fds_user(struct tmpfs_node *node)
{
    if (node->data.users++ == 0)
        off_idle(node);
}

int tmpfs_fds_need(struct tmpfs_node *node)
{
    struct tmpfs_data *d = &node->data;
    int err;

    if (!d->users)
        off_idle(node);
    if (likely(d->rw_fd >= 0))
        return 0;
    err = tmpfs_fds_room();
    if (!err)
        err = host_private_open(d->file, &d->rw_fd, &d->ro_fd);
    if (err)
        return err == -EMFILE ? -ENFILE : err;
    tmpfs_fds_made(node);
    return 0;
}

void tmpfs_fds_idle(struct tmpfs_node *node)
{
    if (node->data.users || !node->data.file)
        return;
    off_idle(node);
    if (node->data.rw_fd < 0)
        return;
    /* What mappings added is known for good: nobody maps it now. */
    if (node->data.mapped)
        tmpfs_data_recount(node->inode);
    node->data.mapped = false;
    mutex_lock(&lock);
    list_add(&idle, &node->idle);
    nidle++;
    mutex_unlock(&lock);
}

void tmpfs_fds_close(struct tmpfs_node *node)
{
    off_idle(node);
    close_both(node->data.rw_fd, node->data.ro_fd);
}

void tmpfs_fds_trim(void)
{
    bool more = true;

    while (more) {
        int rw_fd = -1, ro_fd = -1;

        mutex_lock(&lock);
        more = nidle > LIMIT_TMPFS_IDLE;
        if (more) {
            struct tmpfs_node *node = list_entry(idle.prev, struct tmpfs_node, idle);

            off_idle_locked(node);
            rw_fd = node->data.rw_fd;
            ro_fd = node->data.ro_fd;
            node->data.rw_fd = node->data.ro_fd = -1;
        }
        mutex_unlock(&lock);
        close_both(rw_fd, ro_fd);
    }
}
