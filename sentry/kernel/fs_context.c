/* Root, working directory and umask of processes; see fs_context.h. */
#include "sentry/kernel/fs_context.h"

#include "fs/vfs/mount.h"
#include "sentry/base/limits.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <stdlib.h>

static void fs_context_free(struct obj *o)
{
    struct fs_context *fs = container_of(o, struct fs_context, obj);

    path_put(&fs->root);
    path_put(&fs->cwd);
    mutex_destroy(&fs->lock);
    free(fs);
}

static struct obj_type fs_context_type = {.name = "fs_context", .free = fs_context_free};

struct fs_context *fs_context_new(const struct path *root, const struct path *cwd, u32 umask)
{
    struct fs_context *fs = calloc(1, sizeof(*fs));

    if (!fs)
        return NULL;
    obj_init(&fs->obj, &fs_context_type);
    mutex_init(&fs->lock, LOCK_FS_CONTEXT);
    fs->root = path_get(root);
    fs->cwd = path_get(cwd);
    fs->umask = umask;
    return fs;
}

struct fs_context *fs_context_dup(struct fs_context *fs)
{
    struct fs_context *copy;

    mutex_lock(&fs->lock);
    copy = fs_context_new(&fs->root, &fs->cwd, fs->umask);
    mutex_unlock(&fs->lock);
    return copy;
}

/* replace() - put a reference of `fresh` at `slot`; the old one is dropped outside the lock. */
static void replace(struct fs_context *fs, struct path *slot, const struct path *fresh)
{
    struct path old;

    mutex_lock(&fs->lock);
    old = *slot;
    *slot = path_get(fresh);
    mutex_unlock(&fs->lock);
    path_put(&old);
}

void fs_context_set_cwd(struct fs_context *fs, const struct path *cwd)
{
    replace(fs, &fs->cwd, cwd);
}

u32 fs_context_umask(struct fs_context *fs)
{
    u32 mask;

    mutex_lock(&fs->lock);
    mask = fs->umask;
    mutex_unlock(&fs->lock);
    return mask;
}

void fs_context_set_root(struct fs_context *fs, const struct path *root)
{
    replace(fs, &fs->root, root);
}

static bool same_path(const struct path *a, const struct path *b)
{
    return a->mount == b->mount && a->dentry == b->dentry;
}

/* move_paths() - of one context. */
static void move_paths(struct fs_context *fs, const struct path *from, const struct path *to)
{
    struct path old[2] = {{0}, {0}};

    mutex_lock(&fs->lock);
    if (same_path(&fs->root, from)) {
        old[0] = fs->root;
        fs->root = path_get(to);
    }
    if (same_path(&fs->cwd, from)) {
        old[1] = fs->cwd;
        fs->cwd = path_get(to);
    }
    mutex_unlock(&fs->lock);
    path_put(&old[0]);
    path_put(&old[1]);
}

/* contexts_of() - those of all tasks of `ns`: references, `cap` at most. Return: how many. */
static u32 contexts_of(struct pid_ns *ns, struct fs_context **out, u32 cap)
{
    struct hash_node *h;
    u32 i, n = 0;

    pid_lock();
    hash_for_each(&ns->by_number, i, h) {
        struct task *t = container_of(h, struct pid_number, node)->pid->task;

        if (!t || n == cap)
            continue;
        mutex_lock(&t->lock);
        out[n] = fs_context_get(t->fs);
        mutex_unlock(&t->lock);
        n += out[n] != NULL;
    }
    pid_unlock();
    return n;
}

int fs_context_pivot_prepare(struct fs_context_list *l)
{
    l->cap = LIMIT_PIDS;
    l->all = malloc(l->cap * sizeof(struct fs_context *));
    return l->all ? 0 : -ENOMEM;
}

void fs_context_pivot(struct fs_context_list *l, struct pid_ns *ns, const struct path *from,
                      const struct path *to)
{
    u32 n = contexts_of(ns, l->all, l->cap);

    for (u32 i = 0; i < n; i++) {
        move_paths(l->all[i], from, to);
        fs_context_put(l->all[i]);
    }
}

bool fs_context_chrooted(struct task *t)
{
    struct path top = mount_ns_root(t->ns->mount);
    bool same;

    mutex_lock(&t->fs->lock);
    same = t->fs->root.mount == top.mount && t->fs->root.dentry == top.dentry;
    mutex_unlock(&t->fs->lock);
    path_put(&top);
    return !same;
}

void fs_context_walk(struct task *t, struct walk_ctx *ctx)
{
    struct fs_context *fs = t->fs;

    ctx->cred = task_cred(t);
    ctx->ns = t->ns->mount;
    mutex_lock(&fs->lock);
    ctx->root = path_get(&fs->root);
    ctx->cwd = path_get(&fs->cwd);
    mutex_unlock(&fs->lock);
}

void fs_context_walk_end(struct walk_ctx *ctx)
{
    path_put(&ctx->root);
    path_put(&ctx->cwd);
}
