/* Mount namespaces: fresh ones, copies, and binding within one. */
#include "fs/vfs/mount_priv.h"

#include "fs/vfs/dentry_priv.h"
#include "fs/vfs/namei.h"
#include "sentry/base/limits.h"

#include <errno.h>
#include <stdlib.h>

static void mount_ns_free(struct obj *o)
{
    struct mount_ns *ns = container_of(o, struct mount_ns, obj);
    struct list_node left = LIST_INIT(left);

    rwlock_write(&mounts_lock);
    while (!list_empty(&ns->mounts))
        mount_unlink(list_entry(ns->mounts.next, struct mount, in_ns), &left);
    rwlock_unlock(&mounts_lock);
    mount_left_put(&left);
    mount_put(ns->root);
    hash_free(&ns->points);
    user_ns_put(ns->user_ns);
    waitq_destroy(&ns->changed);
    free(ns);
}

static struct obj_type mount_ns_type = {.name = "mount_ns", .free = mount_ns_free};

static struct mount_ns *ns_alloc(struct user_ns *user_ns)
{
    struct mount_ns *ns = calloc(1, sizeof(*ns));

    if (!ns || hash_prepare(&ns->points) < 0) {
        free(ns);
        return NULL;
    }
    obj_init(&ns->obj, &mount_ns_type);
    ns->user_ns = user_ns_get(user_ns);
    waitq_init(&ns->changed);
    list_init(&ns->mounts);
    return ns;
}

int mount_ns_new(struct user_ns *user_ns, struct super *sb, u32 flags, const char *source,
                 struct mount_ns **out)
{
    struct mount_ns *ns = ns_alloc(user_ns);
    struct mount *m = ns ? mount_alloc(sb, NULL, mount_flags_default(flags), source) : NULL;

    if (!m) {
        mount_ns_put(ns);
        return -ENOMEM;
    }
    rwlock_write(&mounts_lock);
    mount_enter(ns, m, NULL);
    ns->root = mount_get(m);
    rwlock_unlock(&mounts_lock);
    super_put(sb);
    *out = ns;
    return 0;
}

struct path mount_ns_root(struct mount_ns *ns)
{
    struct path p = {ns->root, ns->root->root};
    u32 slot = tree_read();
    struct mount *over;

    while ((over = mount_over_locked(p.mount, p.dentry)))
        p = (struct path){over, over->root};
    p = path_get(&p);
    tree_read_end(slot);
    return p;
}

/* hides_below() - would a copy of `from` without what is mounted below it show what that hides? */
static bool hides_below(const struct path *from)
{
    const struct mount *m;

    list_for_each(m, &from->mount->children, as_child)
        if (m->locked && dentry_below(m->at, from->dentry))
            return true;
    return false;
}

/* copy_for_bind() - what mount_bind() attaches. */
static int copy_for_bind(const struct mount_ns *ns, const struct path *from, bool rec,
                         struct mount **out, struct list_node *left)
{
    struct mount_copying how = {
        .root = from->dentry, .rec = rec, .kin = MOUNT_TWIN, .room = LIMIT_MOUNTS - ns->count};

    if (from->mount->ns != ns || from->mount->unbindable || (!rec && hides_below(from)))
        return -EINVAL;
    return mount_copy_tree(from->mount, &how, out, left);
}

int mount_bind(struct mount_ns *ns, const struct path *from, const struct path *at, bool rec,
               u32 flags)
{
    struct list_node left = LIST_INIT(left);
    struct mount *copy = NULL;
    struct path top;
    int err;

    rwlock_write(&mounts_lock);
    err = copy_for_bind(ns, from, rec, &copy, &left);
    if (!err)
        err = mount_check_at(ns, at, LX_S_ISDIR(inode_mode(from->dentry->inode)), &top);
    if (!err) {
        atomic_fetch_or(&copy->flags, flags & LX_MS_MOUNT_FLAGS);
        err = mount_graft(ns, copy, &top, &left);
    }
    if (err && copy)
        mount_drop_tree(copy, &left);
    rwlock_unlock(&mounts_lock);
    mount_left_put(&left);
    return err;
}

/* move_paths() - from mounts of `old` to their copies. */
static void move_paths(const struct mount_ns *old, struct path *const *paths, u32 npaths)
{
    for (u32 i = 0; i < npaths; i++) {
        struct mount *m = paths[i]->mount;

        /* The old mount keeps its namespace's reference: this one is not the last. */
        if (m && m->ns == old) {
            paths[i]->mount = mount_get(m->copy);
            mount_put(m);
        }
    }
}

int mount_ns_copy(struct mount_ns *old, struct user_ns *user_ns, struct path *const *paths,
                  u32 npaths, struct mount_ns **out)
{
    struct mount_copying how = {.root = old->root->root, .rec = true, .all = true};
    struct list_node left = LIST_INIT(left);
    struct mount_ns *ns = ns_alloc(user_ns);
    struct mount *root;
    int err;

    if (!ns)
        return -ENOMEM;
    how.kin = user_ns == old->user_ns ? MOUNT_TWIN : MOUNT_SUBJECT;
    how.room = LIMIT_MOUNTS;
    rwlock_write(&mounts_lock);
    err = mount_copy_tree(old->root, &how, &root, &left);
    if (!err) {
        if (user_ns != old->user_ns)
            mount_lock_tree(root);
        mount_enter(ns, root, &left);
        ns->root = mount_get(root);
        move_paths(old, paths, npaths);
    }
    rwlock_unlock(&mounts_lock);
    mount_left_put(&left);
    if (err) {
        mount_ns_put(ns);
        return err;
    }
    *out = ns;
    return 0;
}
