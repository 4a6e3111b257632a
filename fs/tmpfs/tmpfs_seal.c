/*
 * Seals (F_ADD_SEALS in fcntl(2)): what nobody will do to a file any more. They stand in the node
 * under inode->lock, which every change of the file takes, so a seal holds from the moment that it
 * is set.
 *
 * A mapping changes a file without asking, so F_SEAL_WRITE needs that there is none that may write:
 * the address spaces count theirs (map_writable), from before a mapping is made until after it is
 * gone. That is what the table of a guest's memory says. The memory itself is its host process's: a
 * program that takes over its own process there, and keeps a mapping which the table has let go,
 * goes on writing to the host's file. So a seal is no defence of one container from another's
 * hostile code, which on Linux it is; to be one, a file that was ever mapped writable would have to
 * move to a new host file when it is sealed, and its readers' mappings with it.
 */
#include "fs/tmpfs/memfd.h"
#include "fs/tmpfs/tmpfs_priv.h"

#include <errno.h>

#define SEALS_WRITE (LX_F_SEAL_WRITE | LX_F_SEAL_FUTURE_WRITE)

int tmpfs_seal_write(const struct inode *ino, u64 pos, u64 *len)
{
    u32 seals = tmpfs_node(ino)->seals;
    u64 whole = ino->size & GUEST_PAGE_MASK;

    if (likely(!(seals & (SEALS_WRITE | LX_F_SEAL_GROW))) || !*len)
        return 0;
    if (seals & SEALS_WRITE)
        return -EPERM;
    if (pos + *len <= ino->size)
        return 0;
    /* Linux goes page by page and stops at the one that would grow the file. */
    if (pos >= whole)
        return -EPERM;
    *len = whole - pos;
    return 0;
}

int tmpfs_seal_allocate(const struct inode *ino, u64 end, bool punch)
{
    u32 seals = tmpfs_node(ino)->seals;

    if (punch)
        return seals & SEALS_WRITE ? -EPERM : 0;
    return (seals & LX_F_SEAL_GROW) && end > ino->size ? -EPERM : 0;
}

int tmpfs_seal_resize(const struct inode *ino, u64 size)
{
    u32 seals = tmpfs_node(ino)->seals;

    if ((size < ino->size && (seals & LX_F_SEAL_SHRINK)) ||
        (size > ino->size && (seals & LX_F_SEAL_GROW)))
        return -EPERM;
    return 0;
}

int tmpfs_seal_mode(const struct inode *ino, u32 mode)
{
    bool sealed = tmpfs_node(ino)->seals & LX_F_SEAL_EXEC;

    return sealed && ((ino->mode ^ mode) & LX_S_IXUGO) ? -EPERM : 0;
}

int tmpfs_map_writable(struct file *f, enum map_count what)
{
    struct tmpfs_node *node = tmpfs_node(f->inode);
    int err = 0;

    mutex_lock(&f->inode->lock);
    if (what == MAP_NEW && (node->seals & SEALS_WRITE))
        err = -EPERM;
    else
        node->writable += what == MAP_GONE ? UINT32_MAX : 1;
    mutex_unlock(&f->inode->lock);
    return err;
}

static bool sealable(const struct file *f)
{
    return f->ops == &tmpfs_file_ops;
}

/* add_locked() - inode->lock held. */
static int add_locked(struct inode *ino, u32 seals)
{
    struct tmpfs_node *node = tmpfs_node(ino);

    if (node->seals & LX_F_SEAL_SEAL)
        return -EPERM;
    if ((seals & ~node->seals & LX_F_SEAL_WRITE) && node->writable)
        return -EBUSY;
    /* What can be executed must not change either. */
    if ((seals & LX_F_SEAL_EXEC) && (ino->mode & LX_S_IXUGO))
        seals |= LX_F_SEAL_SHRINK | LX_F_SEAL_GROW | SEALS_WRITE;
    node->seals |= seals;
    return 0;
}

int memfd_add_seals(struct file *f, u32 seals)
{
    int err;

    if (!file_writable(f))
        return -EPERM;
    if ((seals & ~(u32)LX_F_SEAL_ALL) || !sealable(f))
        return -EINVAL;
    mutex_lock(&f->inode->lock);
    err = add_locked(f->inode, seals);
    mutex_unlock(&f->inode->lock);
    return err;
}

int memfd_seals(struct file *f)
{
    int seals = -EINVAL;

    if (sealable(f)) {
        mutex_lock(&f->inode->lock);
        seals = (int)tmpfs_node(f->inode)->seals;
        mutex_unlock(&f->inode->lock);
    }
    return seals;
}
