/* Inside fs/vfs: what the operations on names share. */
#pragma once

#include "fs/vfs/dentry_priv.h"
#include "fs/vfs/namei.h"

/* Owner and mode of a new file: a set-group-id directory passes its group on. `mode` has a type. */
struct new_ids {
    u32 mode, uid, gid;
};
struct new_ids name_new_ids(const struct inode *dir, const struct cred *cred, u32 mode);

/* The last component of a path and its directory, a reference. */
struct name_slot {
    struct path dir;
    const char *name; /* "." and ".." too; len 0: the root itself */
    u32 len;
    bool trailing; /* slashes followed */
};

/* name_slot_find() - walk to it. Return: 0, walk's errors. */
int name_slot_find(const struct walk_ctx *ctx, const struct path *start, const char *name,
                   struct name_slot *out);
bool name_is_dot(const struct name_slot *s);    /* "." */
bool name_is_dotdot(const struct name_slot *s); /* ".." */
/* name_is_plain() - none of ".", "..", "/". */
bool name_is_plain(const struct name_slot *s);
