/* Inside fs/vfs: mount points as walks see them, changes of mount trees. */
#pragma once

#include "fs/vfs/mount.h"

/* mount_over_locked() - dentry lock held: what is mounted on (m, d) in m's namespace, borrowed, or
 * NULL. */
struct mount *mount_over_locked(struct mount *m, struct dentry *d);

/* mount_flags_default() - as mount(2) has it: relatime unless something else was asked for. */
u32 mount_flags_default(u32 flags);

/* All that follows wants mounts_lock, for writing where it changes something, and not the dentry
 * lock. */

/* --- one mount (mount.c) --- */

/* mount_over() - as mount_over_locked(). mount_top(): the topmost of what lies over (*m, *d). */
struct mount *mount_over(struct mount *m, struct dentry *d);
void mount_top(struct mount **m, struct dentry **d);
/* mount_enter() - a tree that is in no namespace goes into `ns`, which takes over a reference to each.
 * Its top has a place already (parent, at; or NULL: it is the root); what lies there comes over it. */
void mount_enter(struct mount_ns *ns, struct mount *top, struct list_node *left);
/* mount_move_to() - one that is in a namespace goes elsewhere in it, with all below it. What it held
 * and a reference to it are on `left`. */
void mount_move_to(struct mount *m, struct mount *parent, struct dentry *at,
                   struct list_node *left);
/* mount_unlink() - take m out of its namespace, its group and from its parent; it goes to `left`. */
void mount_unlink(struct mount *m, struct list_node *left);
/* mount_left_put() - drop what changes have left over; no lock is held. */
void mount_left_put(struct list_node *left);
/* mount_note_change() - who polls the mount table of ns looks again. */
void mount_note_change(struct mount_ns *ns);
/* mount_check_at() - may something be mounted on `at`? *out: the topmost place there, borrowed. */
int mount_check_at(struct mount_ns *ns, const struct path *at, bool dir, struct path *out);
/* mount_is_root() - is `p` the root of a mount of ns? */
bool mount_is_root(const struct mount_ns *ns, const struct path *p);
/* mount_reachable() - is `p` at or below `top`, over mounts? */
bool mount_reachable(const struct path *p, const struct path *top);
/* mount_next() - of the tree below `top` the one after `m`, parents first; NULL at its end.
 * mount_next_beside(): without those below m. */
struct mount *mount_next(struct mount *m, const struct mount *top);
struct mount *mount_next_beside(struct mount *m, const struct mount *top);

/* --- groups (mount_group.c) --- */

/* Mounts that are shared with each other, and those that follow them. It is there while it has
 * members. */
struct mount_group {
    u32 id;
    struct list_node members, slaves;
    /* while mount_reach() runs */
    struct list_node reached;
    struct mount *lead; /* see mount_graft.c */
    bool own_lead;
};

/* mount_share() - m is in a group, a fresh one if it is in none. Return: 0, -ENOMEM. */
int mount_share(struct mount *m);
void mount_join(struct mount *m, struct mount_group *group);
void mount_follow(struct mount *m, struct mount_group *master);
/* mount_unshare() - m leaves its group; the last one's slaves follow its master. mount_private():
 * and is nobody's slave. */
void mount_unshare(struct mount *m);
void mount_private(struct mount *m);
/* mount_reach() - call fn for each mount but m that a change on `m` comes to, masters before slaves,
 * until it fails; `in`: the group it is a member of, or, if it is in none, the one it follows.
 * Mounts that join a group meanwhile are seen too. Return: 0, what fn said. */
typedef int mount_reach_fn(struct mount *m, struct mount_group *in, void *arg);
int mount_reach(struct mount *m, mount_reach_fn *fn, void *arg);

/* --- trees (mount_copy.c, mount_graft.c) --- */

/* How a copy stands to its original. */
enum mount_kin {
    MOUNT_TWIN,         /* in the same group, a slave of the same master */
    MOUNT_SLAVE,        /* a slave of the original's group */
    MOUNT_SHARED_SLAVE, /* that, and in a group of its own */
    MOUNT_SUBJECT,      /* a slave of what it shares with, else a twin: for a user namespace below */
};
/* mount_copy_tree() - copies of `top` (whose root becomes `root`) and, if `rec`, of all below it that
 * are mounted below `root` and not unbindable (with `all`: those too); `room`: at most so many. They
 * are on each other and in no namespace; m->copy leads to each one's. Return: 0, -ENOMEM, -ENOSPC,
 * -EPERM. */
struct mount_copying {
    struct dentry *root;
    bool rec, all;
    enum mount_kin kin;
    u32 room;
};
int mount_copy_tree(struct mount *top, const struct mount_copying *how, struct mount **out,
                    struct list_node *left);
/* mount_drop_tree() - unlink `top` and all below it. */
void mount_drop_tree(struct mount *top, struct list_node *left);
/* mount_lock_tree() - who gets this tree must not see more by it than who gave it. */
void mount_lock_tree(struct mount *top);
/* mount_graft() - `top`'s tree, which is in no namespace or elsewhere in ns, goes on `on`, and copies of
 * it where else that comes to. Return: 0; -ENOMEM, -ENOSPC: nothing has changed. */
int mount_graft(struct mount_ns *ns, struct mount *top, const struct path *on,
                struct list_node *left);
