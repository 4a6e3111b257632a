/*
 * memfd_create(2). Such a file is a tmpfs inode without a name, in an instance of its own that is
 * mounted nowhere; what bounds it is the pool of all instances.
 */
#include "fs/tmpfs/memfd.h"

#include "fs/tmpfs/tmpfs_priv.h"

#include <errno.h>
#include <stdio.h>

static struct mount *memfd_mount; /* made once, never put */

static void memfd_init(void)
{
    const struct fs_mount_args args = {.options = "size=0,nr_inodes=0,uid=0,gid=0"};
    struct super *sb;

    if (tmpfs_mount_as(&tmpfs_type, &args, &sb) < 0)
        return;
    memfd_mount = mount_keep(mount_alloc(sb, NULL, 0, "tmpfs"));
    super_put(sb);
}

/* first_seals() - a file that nobody asked to seal can't be. */
static u32 first_seals(u32 flags)
{
    if (flags & LX_MFD_NOEXEC_SEAL)
        return LX_F_SEAL_EXEC;
    return flags & LX_MFD_ALLOW_SEALING ? 0 : LX_F_SEAL_SEAL;
}

int memfd_new(const char *name, u32 flags, const struct cred *cred, struct file **out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    u32 mode = LX_S_IFREG | (flags & LX_MFD_NOEXEC_SEAL ? 0666 : 0777);
    char shown[LX_MFD_NAME_MAX + 24];
    struct inode *ino;

    pthread_once(&once, memfd_init);
    if (!memfd_mount)
        return -ENOMEM;
    ino = tmpfs_inode(memfd_mount->super, mode, cred->fsuid, cred->fsgid);
    if (!ino)
        return -ENOMEM;
    ino->nlink = 0;
    tmpfs_node(ino)->seals = first_seals(flags);
    snprintf(shown, sizeof(shown), "/memfd:%s (deleted)", name);
    return file_new_unlinked(memfd_mount, ino, shown, cred, LX_O_RDWR | LX_O_LARGEFILE, out);
}
