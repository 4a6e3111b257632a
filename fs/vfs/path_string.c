/* Paths as text: getcwd(2), /proc, mount tables. */
#include "fs/vfs/dentry_priv.h"
#include "fs/vfs/namei.h"

#include "fs/vfs/mount.h"

#include <errno.h>
#include <string.h>

/* Text that grows towards the front of a buffer. */
struct front_text {
    char *buf, *at; /* at: the first byte that is used */
};

static bool prepend(struct front_text *t, const char *s, size_t len)
{
    if ((size_t)(t->at - t->buf) < len)
        return false;
    t->at -= len;
    memcpy(t->at, s, len);
    return true;
}

/* prepend_path() - dentry lock held: from p up to root. Return: 0, -ERANGE. */
static int prepend_path(struct front_text *t, const struct path *p, const struct path *root,
                        bool *unreachable)
{
    const struct mount *m = p->mount;
    const struct dentry *d = p->dentry;
    bool any = false;

    while (!root || m != root->mount || d != root->dentry) {
        if (d == m->root || !d->parent) {
            if (d == m->root && m->parent) {
                d = m->at;
                m = m->parent;
                continue;
            }
            *unreachable = root != NULL;
            break;
        }
        if (!prepend(t, d->name, d->len) || !prepend(t, "/", 1))
            return -ERANGE;
        any = true;
        d = d->parent;
    }
    return any || prepend(t, "/", 1) ? 0 : -ERANGE;
}

ssize_t vfs_path_string(const struct path *p, const struct path *root, char *buf, size_t cap,
                        bool mark_deleted, bool *unreachable)
{
    const struct dentry *d = p->dentry;
    struct front_text t = {buf, buf + cap};
    bool outside = false, ok;
    ssize_t len = -ERANGE;
    u32 slot;

    slot = tree_read();
    ok = prepend(&t, "", 1);
    if (ok && mark_deleted && d->unhashed && d->parent)
        ok = prepend(&t, " (deleted)", 10);
    if (ok && !d->parent && d != p->mount->root)
        ok = prepend(&t, d->name, d->len); /* a pipe, a socket */
    else if (ok)
        ok = prepend_path(&t, p, root, &outside) == 0;
    tree_read_end(slot);
    if (ok) {
        len = buf + cap - t.at;
        memmove(buf, t.at, (size_t)len);
        if (unreachable)
            *unreachable = outside;
    }
    return len;
}
