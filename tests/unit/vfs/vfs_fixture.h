/*
 * What tests of files share: a mount namespace on a tmpfs, credentials, a walk context, sleepers, and
 * reads and writes of our own buffers. One fixture a test process.
 */
#pragma once

#include "fs/dev/dev.h"
#include "fs/tmpfs/tmpfs.h"
#include "fs/vfs/dentry.h"
#include "fs/vfs/file.h"
#include "fs/vfs/mount.h"
#include "fs/vfs/namei.h"

#include <errno.h>
#include <string.h>

struct fixture {
    struct user_ns *user_ns;
    struct cred *root;
    struct mount_ns *ns;
    struct walk_ctx ctx;
    struct sleeper sleeper;
};

extern struct fixture fx;

/* fixture_init() - "/" is an empty tmpfs with `options`; root is root. fixture_fini() - drop all, and
 * fail the test if objects of vfs are left. */
void fixture_init_with(const char *options);
void fixture_init(void);
void fixture_fini(void);

/* fx_user() - a credential of an ordinary user, a new reference. */
struct cred *fx_user(u32 uid, u32 gid);
/* fx_as() - walk as `cred` (borrowed) from now on. */
void fx_as(struct cred *cred);

struct file *fx_open(const char *name, u32 flags, u32 mode); /* fails the test if it can't */
int fx_try_open(const char *name, u32 flags, u32 mode);      /* opens and closes; errno */
void fx_file(const char *name, const char *text);            /* make a file with this text */
void fx_mkdir(const char *name);
int fx_stat(const char *name, struct attr *out);  /* follows */
int fx_lstat(const char *name, struct attr *out); /* does not */
bool fx_exists(const char *name);
int fx_chmod(const char *name, u32 mode);
int fx_chown(const char *name, u32 uid, u32 gid);
ssize_t fx_read(struct file *f, void *buf, size_t len);
ssize_t fx_write(struct file *f, const void *buf, size_t len);
ssize_t fx_pread(struct file *f, void *buf, size_t len, s64 pos);
ssize_t fx_pwrite(struct file *f, const void *buf, size_t len, s64 pos);
/* fx_path() - a walk's result as text, in a static buffer; NULL: no such file. */
const char *fx_path(const char *name, u32 flags);
/* fx_list() - names of a directory, sorted and joined by blanks, without dots. */
const char *fx_list(const char *name);
/* fx_mount() - a fresh tmpfs on a directory. */
int fx_mount(const char *at, const char *options);
/* fx_thread_init() - a sleeper for a thread of the test. */
void fx_thread_init(struct sleeper *s);
