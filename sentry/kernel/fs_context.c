/* Root, working directory and umask of processes; see fs_context.h. */
#include "sentry/kernel/fs_context.h"

#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/task.h"

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

void fs_context_set_root(struct fs_context *fs, const struct path *root)
{
    replace(fs, &fs->root, root);
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
