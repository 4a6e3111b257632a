/*
 * FIFOs: a pipe behind a name. It exists while anybody has it open. Opening follows fifo(7): a
 * reader waits for a writer and a writer for a reader, unless O_NONBLOCK; O_RDWR waits for nobody.
 */
#include "fs/pipe/pipe_priv.h"

#include <errno.h>

/* attach() - the inode's pipe, made at need, with one more file. */
static struct pipe *attach(struct inode *ino, const struct cred *cred)
{
    struct pipe *p;

    mutex_lock(&ino->lock);
    if (!ino->fifo)
        ino->fifo = pipe_alloc(cred);
    p = ino->fifo;
    if (p)
        p->files++;
    mutex_unlock(&ino->lock);
    return p;
}

static bool partner_came(struct pipe *p, const u32 *count, u32 was)
{
    bool came;

    mutex_lock(&p->lock);
    came = *count != was;
    mutex_unlock(&p->lock);
    return came;
}

/* wait_partner() - until the count of opens of the other side has changed. */
static int wait_partner(struct pipe *p, const u32 *count, u32 was)
{
    return wait_event(&p->wait, 0, DEADLINE_NEVER, partner_came(p, count, was));
}

/* meet() - count in and find out whether to wait. Return: 0, 1: for *count to change from *was,
 * -ENXIO: a writer that finds no reader and would not wait. */
static int meet(struct pipe *p, struct file *f, const u32 **count, u32 *was)
{
    bool nonblock = f->flags & LX_O_NONBLOCK;
    bool reads = file_readable(f), writes = file_writable(f);
    /* A pipe(2)'s end that is opened again (/proc/PID/fd) waits for nobody. */
    bool named = f->inode->super->magic != LX_ANON_INODE_FS_MAGIC;
    int wait = 0;

    mutex_lock(&p->lock);
    if (named && writes && !reads && nonblock && !p->readers) {
        mutex_unlock(&p->lock);
        return -ENXIO;
    }
    pipe_end_in_locked(p, f);
    if (named && reads && !writes && !p->writers) {
        *count = &p->writes;
        wait = !nonblock;
        f->pos = nonblock ? (s64)p->writes + 1 : 0;
    } else if (named && writes && !reads && !p->readers) {
        *count = &p->reads;
        wait = 1;
    }
    if (wait)
        *was = **count;
    mutex_unlock(&p->lock);
    return wait;
}

static int fifo_open(struct inode *ino, struct file *f)
{
    const u32 *count = NULL;
    struct pipe *p;
    u32 was = 0;
    int err;

    if ((f->flags & LX_O_ACCMODE) == LX_O_ACCMODE)
        return -EINVAL;
    p = attach(ino, f->cred);
    if (!p)
        return -ENOMEM;
    err = meet(p, f, &count, &was);
    if (err == -ENXIO) {
        mutex_lock(&ino->lock);
        if (--p->files == 0)
            ino->fifo = NULL;
        else
            p = NULL;
        mutex_unlock(&ino->lock);
        if (p)
            pipe_free(p);
        return err;
    }
    /* From here on release() undoes it. */
    f->private = p;
    f->ops = &pipe_ops;
    waitq_wake_all(&p->wait, LX_POLLIN | LX_POLLOUT);
    return err ? wait_partner(p, count, was) : 0;
}

void pipe_init(void)
{
    vfs_set_special_open(LX_S_IFIFO, fifo_open);
}
