/* Open directories: readdir from a listing, which is read when the first entry is asked for. */
#include "fs/gofer/gofer_listing.h"
#include "fs/gofer/gofer_priv.h"
#include "fs/vfs/file.h"

#include <errno.h>
#include <stdlib.h>

/* Positions: 0 is ".", 1 is "..", then the listing's entries. */
enum { POS_FIRST = 2 };

/* file->private; guarded by the file's pos_lock, under which vfs calls. */
struct dir_file {
    struct gofer_listing *listing; /* a reference; NULL: not read yet */
};

/* begin() - the listing as it is now. */
static int begin(struct file *f, struct dir_file *df)
{
    struct gofer_node *n = gofer_node(f->inode);
    int r = 0;

    gofer_listing_put(df->listing);
    df->listing = gofer_listing_of(n);
    if (df->listing)
        return 0;
    mutex_lock(&f->inode->dir_lock);
    df->listing = gofer_listing_of(n);
    if (!df->listing)
        r = gofer_listing_fetch(n, false, &df->listing);
    mutex_unlock(&f->inode->dir_lock);
    /* A directory that was removed while it is open is empty. */
    if (r == -ESTALE || r == -ENOENT) {
        df->listing = gofer_listing_new();
        r = df->listing ? 0 : -ENOMEM;
    }
    return r;
}

static int dir_readdir(struct file *f, s64 *pos, struct dir_emit *e)
{
    struct gofer_conn *c = gofer_super(f->inode->super)->conn;
    struct dir_file *df = f->private;
    char name[LIMIT_NAME + 1];
    struct gofer_entry entry;
    int r;

    if (*pos < 0)
        return -EINVAL;
    if (*pos == 0 || !df->listing) {
        r = begin(f, df);
        if (r < 0)
            return r;
    }
    if (!dir_emit_dots(f, pos, e))
        return 0;
    while (*pos - POS_FIRST < UINT32_MAX &&
           gofer_listing_entry(c, df->listing, (u32)(*pos - POS_FIRST), &entry, name)) {
        if (entry.state != ENTRY_GONE &&
            !e->emit(e, name, entry.len, entry.ino, entry.type, *pos + 1))
            return 0;
        ++*pos;
    }
    return 0;
}

static int dir_fsync(struct file *f, bool data_only)
{
    struct gofer_request r;
    int err = gofer_request_new(&r, PROTO_FSYNC, gofer_node(f->inode), NULL, 0);

    if (err < 0)
        return err;
    r.call.req.arg[0] = data_only ? PROTO_SYNC_DATA : 0;
    return gofer_request_run(&r);
}

static void dir_release(struct file *f)
{
    struct dir_file *df = f->private;

    if (!df)
        return;
    gofer_listing_put(df->listing);
    free(df);
}

static const struct file_ops gofer_dir_ops = {
    .seek = file_seek_dir,
    .readdir = dir_readdir,
    .fsync = dir_fsync,
    .release = dir_release,
};

int gofer_dir_open(struct inode *ino, struct file *file)
{
    file->private = calloc(1, sizeof(struct dir_file));
    if (!file->private)
        return -ENOMEM;
    file->seekable = true;
    file->ops = &gofer_dir_ops;
    return 0;
}
