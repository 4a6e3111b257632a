/*
 * Path walk (path_resolution(7)).
 *
 * Most of a walk goes through cached names. walk_cached() does that under the dentry lock (read),
 * with no reference taken and nothing allocated, however many components there are; it ends at the
 * first one that needs more: a name that is not cached, a symbolic link, a file system that must be
 * asked (revalidate, permission). walk_slow() does that one component with references and without
 * locks, and walk_cached() goes on behind it.
 *
 * Order of checks for each component, as Linux has it: the directory may be searched (EACCES), the
 * name is not too long, it exists (ENOENT), links are followed (ELOOP), what has more behind it is
 * a directory (ENOTDIR).
 */
#include "fs/vfs/mount_priv.h"
#include "fs/vfs/permission.h"
#include "fs/vfs/walk_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct path path_get(const struct path *p)
{
    return (struct path){mount_get(p->mount), dentry_get(p->dentry)};
}

void path_put(struct path *p)
{
    struct path old = *p;

    *p = (struct path){0};
    dentry_put(old.dentry);
    mount_put(old.mount);
}

bool path_equal(const struct path *a, const struct path *b)
{
    return a->mount == b->mount && a->dentry == b->dentry;
}

static bool is_dir(const struct dentry *d)
{
    return LX_S_ISDIR(inode_mode(d->inode));
}

static bool is_link(const struct dentry *d)
{
    return LX_S_ISLNK(inode_mode(d->inode));
}

/* set_at() - the walk is here now; references are taken over. */
static void set_at(struct walk_state *w, struct mount *m, struct dentry *d)
{
    if (w->owned)
        path_put(&w->at);
    w->at = (struct path){m, d};
    w->owned = true;
}

int walk_begin(struct walk_state *w, const struct walk_ctx *ctx, const struct path *start,
               const char *name, u32 flags, bool parent)
{
    w->ctx = ctx;
    w->cred = ctx->cred;
    w->flags = flags;
    w->root = ctx->root;
    w->at = start ? *start : ctx->cwd;
    w->owned = false;
    w->parent = parent;
    w->must_dir = false;
    w->links = w->depth = w->intent = 0;
    w->rest = name;
    w->kind = LAST_ROOT;
    w->comp = name;
    w->len = 0;
    w->last = true;
    if (!*name)
        return flags & WALK_EMPTY ? 0 : -ENOENT;
    if (flags & (WALK_IN_ROOT | WALK_BENEATH))
        w->root = w->at;
    if (*name == '/') {
        if (flags & WALK_BENEATH)
            return -EXDEV;
        w->at = w->root;
    }
    return is_dir(w->at.dentry) ? 0 : -ENOTDIR;
}

void walk_end(struct walk_state *w)
{
    for (u32 i = 0; i < w->links; i++) {
        inode_put(w->texts[i].pin);
        free(w->texts[i].body);
    }
    w->links = 0;
    if (w->owned)
        path_put(&w->at);
    w->owned = false;
}

void walk_take(struct walk_state *w, struct path *out)
{
    *out = w->owned ? w->at : path_get(&w->at);
    w->owned = false;
}

static const char *skip_slashes(const char *s)
{
    while (*s == '/')
        s++;
    return s;
}

/* parse() - the next component into comp, len, kind, last; the text moves behind it.
 * Return: false: there is none, the walk is at its end. */
static bool parse(struct walk_state *w)
{
    const char *s = skip_slashes(w->rest), *end;

    while (!*s) {
        if (!w->depth)
            return false;
        s = skip_slashes(w->outer[--w->depth]);
    }
    end = strchrnul(s, '/');
    w->comp = s;
    w->len = (u32)(end - s);
    w->kind = LAST_NORM;
    if (s[0] == '.' && w->len == 1)
        w->kind = LAST_DOT;
    else if (s[0] == '.' && s[1] == '.' && w->len == 2)
        w->kind = LAST_DOTDOT;
    w->rest = skip_slashes(end);
    w->last = !*w->rest && !w->depth;
    if (w->last && *end)
        w->must_dir = true;
    return true;
}

void walk_cross_locked(struct mount **m, struct dentry **d)
{
    while (unlikely((*d)->mounts)) {
        struct mount *over = mount_over_locked(*m, *d);

        if (!over)
            return;
        *m = over;
        *d = over->root;
    }
}

/* dotdot_locked() - `..` from *m, *d: stops at the walk's root, leaves mounts, enters what is
 * mounted on the parent. Return: 0, -EXDEV by the walk's flags. */
static int dotdot_locked(const struct walk_state *w, struct mount **m, struct dentry **d)
{
    struct mount *from = *m;

    for (;;) {
        if (*m == w->root.mount && *d == w->root.dentry)
            return w->flags & WALK_BENEATH ? -EXDEV : 0;
        if (*d != (*m)->root)
            break;
        if (!(*m)->parent)
            return 0;
        *d = (*m)->at;
        *m = (*m)->parent;
    }
    if ((*d)->parent)
        *d = (*d)->parent;
    walk_cross_locked(m, d);
    return (w->flags & WALK_NO_XDEV) && *m != from ? -EXDEV : 0;
}

/* follow_last() - is a link in the last place followed? */
static bool follow_last(const struct walk_state *w)
{
    return (w->flags & WALK_FOLLOW) || w->must_dir;
}

enum step { STEP_DONE, STEP_SLOW };

/* walk_cached() - as far as cached names go. Return: STEP_DONE: the end (with `parent`: the last
 * component is parsed, not resolved); STEP_SLOW: the parsed component needs walk_slow(); errno. */
static int walk_cached(struct walk_state *w)
{
    struct mount *m = w->at.mount, *next_m;
    struct dentry *d = w->at.dentry, *next;
    u32 slot = tree_read();
    int result = STEP_SLOW;

    for (;;) {
        struct inode *dir = d->inode;

        if (!parse(w)) {
            result = STEP_DONE;
            break;
        }
        if (dir->ops->permission) {
            result = STEP_SLOW;
            break;
        }
        result = inode_permission_generic(dir, w->cred, MAY_EXEC);
        if (result)
            break;
        if (w->last && w->parent)
            break; /* STEP_DONE */
        if (w->kind == LAST_DOT)
            continue;
        next_m = m;
        next = d;
        if (w->kind == LAST_DOTDOT) {
            result = dotdot_locked(w, &next_m, &next);
            if (result)
                break;
        } else {
            result = STEP_SLOW;
            if (d->super->flags & (SUPER_REVALIDATE | SUPER_NO_CACHE) || w->len > LIMIT_NAME)
                break;
            next = dentry_child(d, w->comp, w->len);
            if (!next)
                break;
            result = -ENOENT;
            if (!next->inode)
                break;
            result = STEP_SLOW;
            if (is_link(next) && (!w->last || follow_last(w)))
                break;
            walk_cross_locked(&next_m, &next);
            result = -EXDEV;
            if (next_m != m && (w->flags & WALK_NO_XDEV))
                break;
            result = -ENOTDIR;
            if (!w->last && !is_dir(next))
                break;
        }
        m = next_m;
        d = next;
    }
    if (result >= 0 && (m != w->at.mount || d != w->at.dentry)) {
        struct path old = w->at;
        bool owned = w->owned;

        w->at = (struct path){mount_get(m), dentry_get(d)};
        w->owned = true;
        tree_read_end(slot);
        if (owned)
            path_put(&old);
        return result;
    }
    tree_read_end(slot);
    return result;
}

/* cross() - enter what is mounted on p; references move along. */
static void cross(struct path *p)
{
    struct path over = *p;
    u32 slot;

    if (likely(!p->dentry->mounts))
        return;
    slot = tree_read();
    walk_cross_locked(&over.mount, &over.dentry);
    over = path_get(&over);
    tree_read_end(slot);
    path_put(p);
    *p = over;
}

static int walk_dotdot(struct walk_state *w)
{
    struct path up = w->at;
    u32 slot = tree_read();
    int err = dotdot_locked(w, &up.mount, &up.dentry);

    if (!err)
        up = path_get(&up);
    tree_read_end(slot);
    if (!err)
        set_at(w, up.mount, up.dentry);
    return err;
}

/* look_ahead() - the parsed component is not cached, perhaps: ask for it and what follows at once. */
static void look_ahead(struct walk_state *w)
{
    struct dentry *dir = w->at.dentry;
    struct name_ahead names[LOOKUP_AHEAD] = {{w->comp, w->len}};
    const char *s = w->rest, *end;
    u32 n = 1;
    bool whole = w->last && !w->must_dir;

    if (!dir->inode->ops->lookup_ahead || w->len > LIMIT_NAME ||
        (dir->super->flags & (SUPER_REVALIDATE | SUPER_NO_CACHE)))
        return;
    for (; *s && n < LOOKUP_AHEAD; s = skip_slashes(end)) {
        u32 len;

        end = strchrnul(s, '/');
        len = (u32)(end - s);
        if (len > LIMIT_NAME || (s[0] == '.' && (len == 1 || (len == 2 && s[1] == '.'))))
            break;
        /* Of a walk to a parent, what is to be made there is asked for by who makes it. */
        if (w->parent && !w->depth && !*skip_slashes(end))
            break;
        names[n++] = (struct name_ahead){s, len};
        whole = !*end && !w->depth;
    }
    if (n > 1 || (whole && w->intent))
        dentry_look_ahead(dir, names, n, whole ? w->intent : 0);
}

/* walk_slow() - the parsed component, asking whoever must be asked. Return: STEP_DONE (`parent` and
 * it is the last), STEP_SLOW: go on behind it, errno. */
static int walk_slow(struct walk_state *w)
{
    struct path next = {0};
    int err = inode_permission(w->at.dentry->inode, w->cred, MAY_EXEC);

    if (err)
        return err;
    if (w->last && w->parent)
        return STEP_DONE;
    if (w->kind == LAST_DOT)
        return STEP_SLOW;
    if (w->kind == LAST_DOTDOT) {
        err = walk_dotdot(w);
        return err ? err : STEP_SLOW;
    }
    look_ahead(w);
    err = dentry_lookup(w->at.dentry, w->comp, w->len, false, &next.dentry);
    if (err)
        return err;
    next.mount = mount_get(w->at.mount);
    cross(&next);
    if (is_link(next.dentry) && (!w->last || follow_last(w)))
        err = walk_link(w, next.mount, next.dentry);
    else if (next.mount != w->at.mount && (w->flags & WALK_NO_XDEV))
        err = -EXDEV;
    else if (!w->last && !is_dir(next.dentry))
        err = -ENOTDIR;
    else
        set_at(w, mount_get(next.mount), dentry_get(next.dentry));
    path_put(&next);
    return err ? err : STEP_SLOW;
}

/* walk_magic() - follow a link that is no text. */
static int walk_magic(struct walk_state *w, struct inode *ino)
{
    struct path to = {0};
    int err;

    if (w->flags & WALK_NO_MAGIC)
        return -ELOOP;
    if (w->flags & (WALK_BENEATH | WALK_IN_ROOT))
        return -EXDEV;
    err = ino->ops->follow(ino, &to.mount, &to.dentry);
    if (err)
        return err;
    if ((w->flags & WALK_NO_XDEV) && to.mount != w->at.mount)
        err = -EXDEV;
    else if (!w->last && !is_dir(to.dentry))
        err = -ENOTDIR;
    if (err) {
        path_put(&to);
        return err;
    }
    set_at(w, to.mount, to.dentry);
    w->kind = LAST_ROOT;
    w->len = 0;
    return 0;
}

/* link_text() - the target of a link, valid until walk_end(). */
static int link_text(struct inode *ino, struct walk_text *t, const char **out)
{
    const char *text = atomic_load_explicit(&ino->link, memory_order_acquire);
    ssize_t n;

    if (text) {
        t->pin = inode_get(ino);
        *out = text;
        return 0;
    }
    if (!ino->ops->readlink)
        return -EINVAL;
    t->body = malloc(LIMIT_PATH);
    if (!t->body)
        return -ENOMEM;
    n = ino->ops->readlink(ino, t->body, LIMIT_PATH - 1);
    if (n < 0)
        return (int)n;
    t->body[n] = '\0';
    *out = t->body;
    return 0;
}

int walk_link(struct walk_state *w, struct mount *m, struct dentry *link)
{
    struct walk_text *t = &w->texts[w->links];
    const char *target = "";
    int err;

    if (w->links == LIMIT_SYMLINKS || (w->flags & WALK_NO_SYMLINKS) ||
        (m->flags & LX_MS_NOSYMFOLLOW))
        return -ELOOP;
    *t = (struct walk_text){0};
    w->links++;
    if (link->inode->ops->follow)
        return walk_magic(w, link->inode);
    err = link_text(link->inode, t, &target);
    if (err)
        return err;
    if (!*target)
        return -ENOENT;
    if (*target == '/') {
        if (w->flags & WALK_BENEATH)
            return -EXDEV;
        if ((w->flags & WALK_NO_XDEV) && w->at.mount != w->root.mount)
            return -EXDEV;
        set_at(w, mount_get(w->root.mount), dentry_get(w->root.dentry));
    }
    if (*w->rest)
        w->outer[w->depth++] = w->rest;
    w->rest = target;
    w->kind = LAST_ROOT;
    w->len = 0;
    return 0;
}

int walk_run(struct walk_state *w)
{
    int step;

    do {
        step = walk_cached(w);
        if (step == STEP_SLOW)
            step = walk_slow(w);
    } while (step == STEP_SLOW);
    if (step < 0)
        return step;
    if (!w->parent && (w->must_dir || (w->flags & WALK_DIRECTORY)) && !is_dir(w->at.dentry))
        return -ENOTDIR;
    return 0;
}

int walk(const struct walk_ctx *ctx, const struct path *start, const char *name, u32 flags,
         struct path *out)
{
    struct walk_state w;
    int err = walk_begin(&w, ctx, start, name, flags, false);

    if (!err)
        err = walk_run(&w);
    if (!err)
        walk_take(&w, out);
    walk_end(&w);
    return err;
}

int walk_parent(const struct walk_ctx *ctx, const struct path *start, const char *name, u32 flags,
                struct path *dir, const char **last, u32 *len, bool *trailing)
{
    struct walk_state w;
    int err = walk_begin(&w, ctx, start, name, flags & ~(u32)WALK_EMPTY, true);

    if (!err)
        err = walk_run(&w);
    if (!err) {
        walk_take(&w, dir);
        *last = w.comp;
        *len = w.len;
        *trailing = w.must_dir;
    }
    walk_end(&w);
    return err;
}
