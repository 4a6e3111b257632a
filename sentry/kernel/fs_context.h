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

/* fs_context_walk() - fill a walk's context for the calling task: credentials borrowed, paths with
 * references that fs_context_walk_end() drops. */
void fs_context_walk(struct task *t, struct walk_ctx *ctx);
void fs_context_walk_end(struct walk_ctx *ctx);
