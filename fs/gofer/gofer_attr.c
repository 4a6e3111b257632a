/* Attributes: taking them over, keeping them right, changing them. See gofer_super.c. */
#include "fs/gofer/gofer_priv.h"
#include "sentry/base/host_fd.h"
#include "sentry/base/host_thread.h"

#include <errno.h>
#include <string.h>

/* How long a walk's answer serves the stat that asked for it, in a shared mount. */
#define FRESH_NS (2 * 1000 * 1000ull)

/* A setattr travels as it is. */
#define SAME(name) static_assert((int)SET_##name == (int)PROTO_SET_##name, "one meaning")
SAME(MODE);
SAME(UID);
SAME(GID);
SAME(SIZE);
SAME(ATIME);
SAME(MTIME);
SAME(ATIME_NOW);
SAME(MTIME_NOW);

static struct lx_time time_of(s64 sec, u64 nsec)
{
    return (struct lx_time){.sec = sec, .nsec = nsec < NS_PER_SEC ? (u32)nsec : 0};
}

void gofer_attr_apply_locked(struct gofer_node *n, const struct proto_attr *a)
{
    struct inode *ino = n->inode;

    inode_set(&ino->mode, (ino->mode & LX_S_IFMT) | (a->mode & LX_S_IALLUGO));
    inode_set(&ino->uid, a->uid);
    inode_set(&ino->gid, a->gid);
    ino->nlink = a->nlink;
    ino->size = min_of(a->size, (u64)INT64_MAX);
    ino->blksize = a->blksize ? a->blksize : GUEST_PAGE_SIZE;
    ino->atime = time_of(a->atime, a->atime_nsec);
    ino->mtime = time_of(a->mtime, a->mtime_nsec);
    ino->ctime = time_of(a->ctime, a->ctime_nsec);
    n->blocks = a->blocks;
    n->replaced = gofer_super_of(n)->replaced;
}

void gofer_attr_apply(struct gofer_node *n, const struct proto_attr *a)
{
    struct mutex *auto_unlock lock = mutex_locked(&n->inode->lock);

    gofer_attr_apply_locked(n, a);
}

/* refresh_by_fd() - what fstat() tells, whose ids are not those of the container. */
static int refresh_by_fd(struct gofer_node *n)
{
    struct inode *ino = n->inode;
    int fd = gofer_fd_use(n, false), r;
    struct stat st;

    if (fd < 0)
        return fd;
    r = host_fstat(fd, &st);
    gofer_fd_close(n);
    if (r < 0)
        return r;
    inode_set(&ino->mode, (ino->mode & LX_S_IFMT) | (st.st_mode & LX_S_IALLUGO));
    ino->nlink = (u32)st.st_nlink;
    ino->size = (u64)st.st_size;
    ino->atime = time_of(st.st_atim.tv_sec, (u64)st.st_atim.tv_nsec);
    ino->mtime = time_of(st.st_mtim.tv_sec, (u64)st.st_mtim.tv_nsec);
    ino->ctime = time_of(st.st_ctim.tv_sec, (u64)st.st_ctim.tv_nsec);
    n->blocks = (u64)st.st_blocks;
    n->replaced = gofer_super_of(n)->replaced;
    return 0;
}

static int refresh_by_gofer(struct gofer_node *n)
{
    struct proto_attr attrs[GOFER_STEPS];
    struct gofer_request r;
    int err = gofer_request_new(&r, PROTO_WALK, n, NULL, 0);

    if (err < 0)
        return err;
    r.call.out = attrs;
    r.call.out_cap = sizeof(attrs);
    err = gofer_request_run(&r);
    if (err < 0)
        return err;
    if (!(r.call.reply.flags & PROTO_HAS_ATTR))
        return -EIO;
    gofer_attr_apply_locked(n, &r.call.reply.attr);
    return 0;
}

/* gone() - nobody but an open descriptor can tell more. */
static bool gone(int err)
{
    return err == -ENOENT || err == -ESTALE || err == -ENOTDIR;
}

static int refresh_exclusive(struct gofer_node *n)
{
    const struct gofer_super *gs = gofer_super_of(n);
    int err;

    if (!n->stale && !n->mapped && (n->inode->nlink <= 1 || n->replaced == gs->replaced))
        return 0;
    /* Before the answer: what happens meanwhile counts as later. */
    atomic_store(&n->stale, false);
    err = refresh_by_fd(n);
    if (err == -ENOENT)
        err = refresh_by_gofer(n);
    if (gone(err))
        return 0;
    if (err < 0)
        atomic_store(&n->stale, true);
    return err;
}

static int refresh_shared(struct gofer_node *n)
{
    u64 fresh = atomic_exchange(&n->fresh, 0);
    int err;

    if (fresh && !n->stale && host_monotonic() - fresh < FRESH_NS)
        return 0;
    atomic_store(&n->stale, false);
    err = refresh_by_gofer(n);
    if (gone(err)) {
        err = refresh_by_fd(n);
        return err == -ENOENT ? 0 : err;
    }
    return err;
}

int gofer_attr_refresh_locked(struct gofer_node *n)
{
    return gofer_super_of(n)->exclusive ? refresh_exclusive(n) : refresh_shared(n);
}

int gofer_getattr(struct inode *ino, struct attr *out)
{
    struct mutex *auto_unlock lock = mutex_locked(&ino->lock);
    struct gofer_node *n = gofer_node(ino);
    int r = gofer_attr_refresh_locked(n);

    if (r < 0)
        return r;
    *out = (struct attr){
        .ino = ino->ino,
        .size = ino->size,
        .blocks = n->blocks,
        .mode = ino->mode,
        .nlink = ino->nlink,
        .uid = ino->uid,
        .gid = ino->gid,
        .blksize = ino->blksize,
        .rdev_major = ino->rdev_major,
        .rdev_minor = ino->rdev_minor,
        .atime = ino->atime,
        .mtime = ino->mtime,
        .ctime = ino->ctime,
        .btime = ino->btime,
        .has_btime = n->has_btime,
    };
    return 0;
}

/* set_size() - on the descriptor, if that is all there is to do and one is there. */
static int set_size(struct gofer_node *n, const struct setattr *s)
{
    int fd, r;

    if ((s->valid & ~(u32)SET_MTIME_NOW) != SET_SIZE)
        return -EAGAIN;
    fd = gofer_fd_use(n, true);
    if (fd < 0)
        return -EAGAIN;
    r = host_ftruncate(fd, s->size);
    gofer_fd_close(n);
    if (r == 0)
        n->inode->size = s->size;
    atomic_store(&n->stale, true);
    return r;
}

int gofer_setattr(struct inode *ino, const struct setattr *s)
{
    struct gofer_node *n = gofer_node(ino);
    struct proto_times times = {.atime = s->atime.sec,
                                .mtime = s->mtime.sec,
                                .atime_nsec = s->atime.nsec,
                                .mtime_nsec = s->mtime.nsec};
    struct gofer_request r;
    int err = set_size(n, s);

    if (err != -EAGAIN)
        return err;
    err = gofer_request_new(&r, PROTO_SETATTR, n, NULL, 0);
    if (err < 0)
        return err;
    r.call.req.arg[0] = s->valid;
    r.call.req.arg[1] = s->mode;
    r.call.req.arg[2] = s->uid;
    r.call.req.arg[3] = s->gid;
    r.call.req.arg[4] = s->size;
    r.call.data[0] = &times;
    r.call.data_len[0] = sizeof(times);
    err = gofer_request_run(&r);
    /* Also after a failure: some of it may have been done. */
    if (r.call.reply.flags & PROTO_HAS_ATTR)
        gofer_attr_apply_locked(n, &r.call.reply.attr);
    return err;
}
