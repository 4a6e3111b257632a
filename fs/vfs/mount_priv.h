/* Inside fs/vfs: mount points as walks see them, changes of the mount tree. */
#pragma once

#include "fs/vfs/mount.h"

/* mount_over_locked() - dentry lock held: what is mounted on (m, d) in m's namespace, borrowed, or
 * NULL. */
struct mount *mount_over_locked(struct mount *m, struct dentry *d);

/* mount_flags_default() - as mount(2) has it: relatime unless something else was asked for. */
u32 mount_flags_default(u32 flags);

/* The following want ns->lock (write) and not the dentry lock. */

/* mount_link() - put m (a reference is taken over by ns) on (parent, at); NULL: as ns's root.
 * Return: 0, -ENOMEM. */
int mount_link(struct mount_ns *ns, struct mount *m, struct mount *parent, struct dentry *at);
/* mount_unlink() - take m out of its namespace and put it on `gone`, which mount_left_put() puts
 * when no lock is held. */
void mount_unlink(struct mount *m, struct list_node *gone);
void mount_left_put(struct list_node *gone);
/* mount_check_at() - may something be mounted on `at`? *out: the topmost place there, borrowed. */
int mount_check_at(struct mount_ns *ns, const struct path *at, bool dir, struct path *out);
