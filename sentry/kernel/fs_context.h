/* A process's root, working directory and umask, shared by CLONE_FS. */
#pragma once

#include "fs/vfs/namei.h"

struct task;

struct fs_context {
    struct obj obj;
    struct mutex lock;
    struct path root, cwd; /* and below: guarded by lock; references */
    u32 umask;
};
OBJ_REFS(fs_context)

/*
 * fs_context_new(), fs_context_dup() - new references to the paths. Return: NULL without memory.
 * fs_context_set_cwd(), fs_context_set_root() - take references of their own.
 */
struct fs_context *fs_context_new(const struct path *root, const struct path *cwd, u32 umask);
struct fs_context *fs_context_dup(struct fs_context *fs);
void fs_context_set_cwd(struct fs_context *fs, const struct path *cwd);
void fs_context_set_root(struct fs_context *fs, const struct path *root);

/* fs_context_umask() - as it is now. */
u32 fs_context_umask(struct fs_context *fs);

/* fs_context_pivot() - every process of `ns` whose root or working directory is `from` gets `to`.
 * fs_context_pivot_prepare(): before there is no way back; the caller frees l->all. */
struct pid_ns;
struct fs_context_list {
    struct fs_context **all;
    u32 cap;
};
int fs_context_pivot_prepare(struct fs_context_list *l);
void fs_context_pivot(struct fs_context_list *l, struct pid_ns *ns, const struct path *from,
                      const struct path *to);
/* fs_context_chrooted() - is the calling task's root not that of its mount namespace? */
bool fs_context_chrooted(struct task *t);

/* fs_context_walk() - fill a walk's context for the calling task: credentials borrowed, paths with
 * references that fs_context_walk_end() drops. */
void fs_context_walk(struct task *t, struct walk_ctx *ctx);
void fs_context_walk_end(struct walk_ctx *ctx);
