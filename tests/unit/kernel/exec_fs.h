/* A file system of one directory with files that a test gives it, seen through the real vfs. */
#pragma once

#include "fs/vfs/namei.h"

/* What a walk needs; made by exec_fs_start(), gone with exec_fs_end(). */
extern struct walk_ctx exec_ctx;

void exec_fs_start(void);
void exec_fs_end(void);
/* exec_fs_add() - a file of these bytes at "/name". */
void exec_fs_add(const char *name, u32 mode, const void *bytes, size_t len);
void exec_fs_add_text(const char *name, u32 mode, const char *text);
/* exec_fs_truncate() - cut its contents. */
void exec_fs_truncate(const char *name, size_t len);
