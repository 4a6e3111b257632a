/* Inside fs/vfs: the walk as a machine that open(2) drives too. */
#pragma once

#include "fs/vfs/dentry_priv.h"
#include "fs/vfs/namei.h"
#include "sentry/base/limits.h"

enum walk_last { LAST_NORM, LAST_DOT, LAST_DOTDOT, LAST_ROOT };

/* A link's target that the walk is in or came through: kept to its end. */
struct walk_text {
    struct inode *pin; /* a reference: the text is pin->link */
    char *body;        /* owned: the text was read into it */
};

struct walk_state {
    const struct walk_ctx *ctx;
    const struct cred *cred;
    u32 flags;
    struct path root; /* borrowed: what "/" is */
    struct path at;   /* where the walk is; references if `owned` */
    bool owned;
    bool parent;      /* stop before the last component */
    const struct file_maker *maker; /* of what it may make; NULL: the directory's create() */
    u32 intent;       /* MAY_*: the result will be opened so */
    bool must_dir;    /* a trailing slash was seen */
    const char *rest; /* of the text that is being walked */
    u32 depth;        /* texts to come back to */
    const char *outer[LIMIT_SYMLINKS];
    u32 links; /* followed so far */
    struct walk_text texts[LIMIT_SYMLINKS];
    /* the component that the walk is at */
    enum walk_last kind;
    const char *comp;
    u32 len;
    bool last; /* nothing follows it */
};

/* walk_begin() - set up; nothing is resolved yet. Return: 0, -ENOENT, -ENOTDIR. */
int walk_begin(struct walk_state *w, const struct walk_ctx *ctx, const struct path *start,
               const char *name, u32 flags, bool parent);
/* walk_run() - go on to the end: w->at is the object, or with `parent` its directory, the last
 * component then being in w->comp, len and kind. Return: 0, errno. */
int walk_run(struct walk_state *w);
/* walk_link() - the component that the walk is at is this symbolic link: walk_run() goes on with its
 * target. A magic link has led there already: kind is then LAST_ROOT. Return: 0, errno. */
int walk_link(struct walk_state *w, struct mount *m, struct dentry *link);
/* walk_take() - the result's references become the caller's. */
void walk_take(struct walk_state *w, struct path *out);
void walk_end(struct walk_state *w);
/* walk_cross_locked() - dentry lock held: the topmost of what is mounted on *m, *d. */
void walk_cross_locked(struct mount **m, struct dentry **d);
