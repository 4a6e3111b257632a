/* A gofer's directory mounted in a mount namespace of the Sentry, for tests through the vfs. */
#pragma once

#include "fs/gofer/gofer.h"
#include "fs/vfs/namei.h"
#include "tests/unit/gofer/fixture.h"

struct sentry {
    struct fixture f;
    struct gofer_conn *conn;
    struct cred *cred;
    struct mount_ns *ns;
    struct walk_ctx ctx; /* as root, at the root */
};

void sentry_start(struct sentry *s, bool exclusive);
/* sentry_mount() - on a gofer that runs already (its own client is not used). */
void sentry_mount(struct sentry *s, bool exclusive);
void sentry_stop(struct sentry *s);

/* Short forms; each asserts nothing and returns what the vfs does. */
int s_open(struct sentry *s, const char *name, u32 flags, u32 mode, struct file **out);
ssize_t s_read(struct file *f, void *buf, size_t len);
ssize_t s_write(struct file *f, const void *buf, size_t len);
int s_stat(struct sentry *s, const char *name, struct attr *out);
int s_setattr(struct sentry *s, const char *name, const struct setattr *change);
/* s_names() - the directory's entries but the dots, sorted, joined by blanks. */
int s_names(struct sentry *s, const char *name, char *buf, size_t cap);
