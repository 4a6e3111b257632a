/* The gofer's operations that change names: CREATE, SYMLINK, LINK, REMOVE, RENAME. */
#include "cmd/gofer/host_path.h"
#include "cmd/gofer/op_priv.h"
#include "sentry/base/host_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* Flags of renameat2(2) that a guest may use; the value is the kernel's. */
enum { RENAME_FLAGS = 1 /* NOREPLACE */ | 2 /* EXCHANGE */ };

/* use_ids() - what this thread makes next belongs to the guest's user. */
static int use_ids(u64 uid, u64 gid)
{
    static _Thread_local u32 now_uid, now_gid;
    int r;

    if (uid == now_uid && gid == now_gid)
        return 0;
    if (uid >= UINT32_MAX || gid >= UINT32_MAX)
        return -EINVAL;
    r = host_set_fsids((u32)uid, (u32)gid);
    if (r < 0) {
        host_set_fsids(0, 0);
        now_uid = now_gid = 0;
        return r;
    }
    now_uid = (u32)uid;
    now_gid = (u32)gid;
    return 0;
}

/* add_handle() - a handle to what was just made or unlinked; `fd` is taken. */
static int add_handle(struct job *j, int fd, u32 mode, u32 mount, u32 access)
{
    struct handle h = {.fd = fd, .mount = mount, .access = access};
    int r;

    h.kind = S_ISDIR(mode) ? HANDLE_DIR : S_ISREG(mode) ? HANDLE_FILE : HANDLE_OTHER;
    r = handle_add(&j->g->handles, &h, &j->reply.handle);
    if (r < 0)
        host_close(fd);
    else
        j->reply.flags |= PROTO_HAS_HANDLE;
    return r;
}

/* create_tmpfile() - a file without a name: a descriptor and a handle. */
static int create_tmpfile(struct job *j, const struct spot *s, u32 mode)
{
    int fd = host_openat(s->dirfd, s->name[0] ? s->name : ".", O_RDWR | O_TMPFILE, mode), copy, r;

    if (fd < 0)
        return fd;
    r = host_stat(fd, "", &j->reply.attr);
    copy = r < 0 ? r : host_dup(fd);
    r = copy < 0 ? copy
                 : add_handle(j, copy, S_IFREG, s->mount, PROTO_OPEN_READ | PROTO_OPEN_WRITE);
    if (r < 0) {
        host_close(fd);
        return r;
    }
    j->fd = fd;
    j->reply.flags |= PROTO_HAS_ATTR;
    return 0;
}

/* create_file() - a regular file, opened if rights are asked for. */
static int create_file(struct job *j, const struct spot *s, u32 mode)
{
    static const int flags[] = {O_WRONLY, O_RDONLY, O_WRONLY, O_RDWR};
    u64 access = j->req.arg[4];
    int fd, r;

    if (access > (PROTO_OPEN_READ | PROTO_OPEN_WRITE))
        return -EINVAL;
    if (j->req.flags & PROTO_TMPFILE)
        return create_tmpfile(j, s, mode);
    fd = host_openat(s->dirfd, s->name, flags[access] | O_CREAT | O_EXCL, mode);
    if (fd < 0)
        return fd;
    r = host_stat(fd, "", &j->reply.attr);
    if (r == 0 && access)
        j->fd = fd;
    else
        host_close(fd);
    if (r == 0)
        j->reply.flags |= PROTO_HAS_ATTR;
    return r;
}

static int create_dir(struct job *j, const struct spot *s, u32 mode)
{
    int r = host_mkdirat(s->dirfd, s->name, mode);

    if (r == 0)
        r = spot_attr(j, s);
    if (r == 0 && (j->req.flags & PROTO_WANT_HANDLE)) {
        int fd = host_openat(s->dirfd, s->name, O_PATH | O_DIRECTORY, 0);

        /* Without a handle the directory is made all the same. */
        if (fd >= 0)
            add_handle(j, fd, S_IFDIR, s->mount, 0);
    }
    return r;
}

int op_create(struct job *j)
{
    const struct spot *s = &j->spot[0];
    u32 mode = (u32)j->req.arg[0];
    int r;

    if (!s->name[0] && !(j->req.flags & PROTO_TMPFILE))
        return -EINVAL;
    r = use_ids(j->req.arg[1], j->req.arg[2]);
    if (r < 0)
        return r;
    switch (mode & S_IFMT) {
    case S_IFREG: return create_file(j, s, mode & 07777);
    case S_IFDIR: return create_dir(j, s, mode & 07777);
    case S_IFIFO:
    case S_IFSOCK:
    case S_IFCHR:
    case S_IFBLK:
        r = host_mknodat(s->dirfd, s->name, mode, (u32)(j->req.arg[3] >> 32), (u32)j->req.arg[3]);
        return r < 0 ? r : spot_attr(j, s);
    default: return -EINVAL;
    }
}

int op_symlink(struct job *j)
{
    const struct spot *s = &j->spot[0];
    char target[PROTO_PATH_MAX];
    int r;

    if (j->req.data_len == 0 || memchr(j->data, '\0', j->req.data_len))
        return -EINVAL;
    if (j->req.data_len >= sizeof(target))
        return -ENAMETOOLONG;
    memcpy(target, j->data, j->req.data_len);
    target[j->req.data_len] = '\0';
    r = use_ids(j->req.arg[1], j->req.arg[2]);
    if (r == 0)
        r = host_symlinkat(target, s->dirfd, s->name);
    return r < 0 ? r : spot_attr(j, s);
}

int op_link(struct job *j)
{
    const struct spot *from = &j->spot[0], *to = &j->spot[1];
    int r;

    if (from->mount != to->mount)
        return -EXDEV;
    r = host_linkat(from->dirfd, from->name, to->dirfd, to->name);
    return r < 0 ? r : spot_attr(j, to);
}

/* keep() - open what is about to lose its name. */
static int keep(struct job *j, const struct spot *s)
{
    int r = spot_attr(j, s), fd;

    if (r < 0)
        return r;
    if (S_ISREG(j->reply.attr.mode)) {
        struct proto_attr attr;

        fd = spot_open_file(j->g, s, PROTO_OPEN_READ, &attr);
    } else {
        fd = host_openat(s->dirfd, s->name, O_PATH, 0);
    }
    return fd < 0 ? fd : add_handle(j, fd, j->reply.attr.mode, s->mount, PROTO_OPEN_READ);
}

int op_remove(struct job *j)
{
    const struct spot *s = &j->spot[0];
    bool want = j->req.flags & PROTO_KEEP;
    struct handle h;
    int r;

    if (want) {
        r = keep(j, s);
        if (r < 0)
            return r;
    }
    r = host_unlinkat(s->dirfd, s->name, j->req.arg[0] & 1);
    if (!want)
        return r;
    if (r < 0) {
        handle_release(&j->g->handles, j->reply.handle);
        j->reply.flags = 0;
        return r;
    }
    if (handle_get(&j->g->handles, j->reply.handle, &h) == 0) {
        host_stat(h.fd, "", &j->reply.attr);
        handle_put(&j->g->handles, j->reply.handle);
    }
    return 0;
}

int op_rename(struct job *j)
{
    const struct spot *from = &j->spot[0], *to = &j->spot[1];
    int r;

    if (j->req.arg[0] & ~(u64)RENAME_FLAGS)
        return -EINVAL;
    if (from->mount != to->mount)
        return -EXDEV;
    r = host_renameat(from->dirfd, from->name, to->dirfd, to->name, (u32)j->req.arg[0]);
    return r < 0 ? r : spot_attr(j, to);
}
