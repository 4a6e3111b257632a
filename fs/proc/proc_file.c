/*
 * /proc files that are text. A read at the start makes the text, reads behind it go on in the same
 * text, so that who reads in pieces sees one moment. The text is made without locks, since it may
 * need any of them and guest memory; it is an object that is swapped under a leaf lock.
 */
#include "fs/proc/proc_priv.h"

#include "fs/vfs/file.h"
#include "fs/vfs/permission.h"

#include <errno.h>
#include <stdlib.h>

#define WRITE_MAX GUEST_PAGE_SIZE

struct moment {
    struct obj obj;
    struct proc_text text;
};
OBJ_REFS(moment)

struct proc_file {
    u64 memory; /* PROC_MEMORY: the id of what it is about */
    struct mutex lock;
    struct moment *moment; /* guarded by lock: a reference; NULL: nothing was read yet */
};

static void moment_free(struct obj *o)
{
    struct moment *m = container_of(o, struct moment, obj);

    free(m->text.buf);
    free(m);
}

static struct obj_type moment_type = {.name = "proc_text", .free = moment_free};

static int show(const struct proc_node *n, struct proc_text *out)
{
    int rc = n->pid && !proc_alive(n) ? -ESRCH : 0;

    if (rc == 0 && (n->entry->flags & PROC_INSPECT))
        rc = proc_may_inspect(n);
    return rc < 0 ? rc : n->entry->show(n, out);
}

/* show_one() - the text of one program: the one that the reader may look into, or whose memory the
 * file is about. `memory`: PROC_MEMORY's. */
static int show_one(const struct proc_node *n, u64 memory, struct proc_text *out)
{
    bool of_memory = n->entry->flags & PROC_MEMORY;
    u64 id = of_memory ? memory : proc_mm_id(n), now;
    int rc = show(n, out);

    while ((now = proc_mm_id(n)) != id) {
        out->len = 0;
        if (of_memory)
            break;
        id = now;
        rc = show(n, out);
    }
    return rc;
}

/* make_text() - the file's text as it is now: a new reference. */
static int make_text(const struct proc_node *n, u64 memory, struct moment **out)
{
    struct moment *m = calloc(1, sizeof(*m));
    int rc;

    if (!m)
        return -ENOMEM;
    obj_init(&m->obj, &moment_type);
    rc = n->entry->flags & (PROC_INSPECT | PROC_MEMORY) ? show_one(n, memory, &m->text)
                                                        : show(n, &m->text);
    if (rc == 0 && m->text.failed)
        rc = -ENOMEM;
    if (rc < 0)
        moment_put(m);
    else
        *out = m;
    return rc;
}

/* get_text() - what a read at `pos` reads from: a new reference. */
static int get_text(struct file *f, s64 pos, struct moment **out)
{
    struct proc_file *pf = f->private;
    struct moment *m, *old;
    int rc;

    mutex_lock(&pf->lock);
    m = moment_get(pf->moment);
    mutex_unlock(&pf->lock);
    if (m && pos != 0) {
        *out = m;
        return 0;
    }
    moment_put(m);
    rc = make_text(proc_node_of(f->inode), pf->memory, &m);
    if (rc < 0)
        return rc;
    mutex_lock(&pf->lock);
    old = pf->moment;
    pf->moment = moment_get(m);
    mutex_unlock(&pf->lock);
    moment_put(old);
    *out = m;
    return 0;
}

static ssize_t file_text_read(struct file *f, struct uio *to, s64 *pos)
{
    struct moment *m;
    ssize_t n = get_text(f, *pos, &m);

    if (n < 0)
        return n;
    if ((u64)*pos < m->text.len)
        n = uio_to(to, m->text.buf + *pos, min_of(m->text.len - (u64)*pos, to->left));
    if (n > 0)
        *pos += n;
    moment_put(m);
    return n;
}

static ssize_t file_text_write(struct file *f, struct uio *from, s64 *pos)
{
    const struct proc_node *n = proc_node_of(f->inode);
    char text[WRITE_MAX];
    ssize_t len;
    int rc;

    if (!n->entry->store)
        return -EIO;
    if (from->left >= sizeof(text))
        return -EINVAL;
    len = uio_from(from, text, from->left);
    if (len < 0)
        return len;
    text[len] = 0;
    rc = n->entry->store(n, f->cred, text, (size_t)len);
    if (rc < 0)
        return rc;
    *pos += len;
    return len;
}

static s64 file_text_seek(struct file *f, s64 offset, int whence)
{
    if (whence == LX_SEEK_CUR && __builtin_add_overflow(f->pos, offset, &offset))
        return -EOVERFLOW;
    if (whence != LX_SEEK_SET && whence != LX_SEEK_CUR)
        return -EINVAL;
    return offset < 0 ? -EINVAL : offset;
}

static void file_text_release(struct file *f)
{
    struct proc_file *pf = f->private;

    if (!pf)
        return;
    moment_put(pf->moment);
    mutex_destroy(&pf->lock);
    free(pf);
}

static const struct file_ops text_ops = {
    .read = file_text_read,
    .write = file_text_write,
    .seek = file_text_seek,
    .release = file_text_release,
};

/* file_permission() - a sysctl's mode binds everybody, as on Linux; else the usual rules. */
static int file_permission(struct inode *ino, const struct cred *cred, u32 may)
{
    const struct proc_node *n = proc_node_of(ino);

    if (n->entry->flags & PROC_SYSCTL_NET)
        return proc_sysctl_net_permission(n, cred, may);
    if ((n->entry->flags & PROC_SYSCTL) && (may & MAY_WRITE) && !(n->entry->mode & 0222))
        return -EACCES;
    return inode_permission_generic(ino, cred, may);
}

/* may_open() - *memory: what a PROC_MEMORY file is about. */
static int may_open(const struct proc_node *n, u64 *memory)
{
    *memory = 0;
    if (n->entry->flags & PROC_MEMORY)
        return proc_inspect_mm(n, memory);
    return n->entry->flags & PROC_INSPECT ? proc_may_inspect(n) : 0;
}

static int file_open(struct inode *ino, struct file *f)
{
    const struct proc_node *n = proc_node_of(ino);
    struct proc_file *pf;
    u64 memory;
    int rc = may_open(n, &memory);

    if (rc < 0)
        return rc;
    if (n->entry->ops) {
        f->ops = n->entry->ops;
        f->private = (void *)(uintptr_t)memory;
        return 0;
    }
    pf = calloc(1, sizeof(*pf));
    if (!pf)
        return -ENOMEM;
    pf->memory = memory;
    mutex_init(&pf->lock, LOCK_LEAF);
    f->private = pf;
    f->ops = &text_ops;
    return 0;
}

const struct inode_ops proc_file_ops = {
    .revalidate = proc_node_revalidate,
    .getattr = proc_node_getattr,
    .setattr = proc_node_setattr,
    .permission = file_permission,
    .open = file_open,
    .free = proc_node_free,
};
