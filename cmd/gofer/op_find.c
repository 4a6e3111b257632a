/* The gofer's operations that find and open: ATTACH, WALK, OPEN, READDIR, READLINK, RELEASE. */
#include "cmd/gofer/host_path.h"
#include "cmd/gofer/op_priv.h"
#include "sentry/base/host_fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* give_handle() - put `h` (its descriptor is taken) into the reply. A full table is no failure:
 * the Sentry gets no handle then. */
static void give_handle(struct job *j, const struct handle *h)
{
    u64 number;

    if (handle_add(&j->g->handles, h, &number) < 0) {
        if (h->kind != HANDLE_NAMED)
            host_close(h->fd);
        return;
    }
    j->reply.handle = number;
    j->reply.flags |= PROTO_HAS_HANDLE;
}

int op_attach(struct job *j)
{
    const struct gofer_mount_point *m = NULL;
    struct handle h = {.kind = HANDLE_DIR};
    int r;

    for (u32 i = 0; i < j->g->nmounts && !m; i++) {
        if (j->g->mounts[i].index == j->req.arg[0]) {
            m = &j->g->mounts[i];
            h.mount = i;
        }
    }
    if (!m)
        return -ENODEV;
    r = host_stat(m->dirfd, m->name ? m->name : "", &j->reply.attr);
    if (r < 0)
        return r;
    j->reply.flags |= PROTO_HAS_ATTR;
    j->reply.arg[0] = j->g->handles.limit;
    if (m->name) {
        h.kind = HANDLE_NAMED;
        h.name = m->name;
        h.fd = m->dirfd;
    } else {
        h.fd = host_openat(m->dirfd, ".", O_PATH | O_DIRECTORY, 0);
    }
    if (h.fd < 0)
        return h.fd;
    give_handle(j, &h);
    return 0;
}

/* walk_out() - add a component's attributes to the reply. */
static void walk_out(struct job *j, const struct proto_attr *attr)
{
    if (j->reply.data_len + sizeof(*attr) <= PROTO_DATA_MAX) {
        memcpy(j->w->out + j->reply.data_len, attr, sizeof(*attr));
        j->reply.data_len += (u32)sizeof(*attr);
    }
    j->reply.attr = *attr;
    j->reply.flags |= PROTO_HAS_ATTR;
}

/* walk_step() - one component, opened if the walk goes on below it or wants its handle; *fd then
 * has it. */
static int walk_step(struct job *j, int dirfd, const char *name, bool open, int *fd)
{
    struct proto_attr attr;
    int r;

    if (!open) {
        r = host_stat(dirfd, name, &attr);
        if (r == 0)
            walk_out(j, &attr);
        return r;
    }
    r = host_openat(dirfd, name, O_PATH | O_DIRECTORY, 0);
    if (r == -ENOTDIR) {
        int err = host_stat(dirfd, name, &attr);

        if (err < 0)
            return err;
        walk_out(j, &attr);
    }
    if (r < 0)
        return r;
    *fd = r;
    r = host_stat(*fd, "", &attr);
    if (r == 0)
        walk_out(j, &attr);
    return r;
}

/* walk_link() - a symbolic link's text behind the attributes. */
static void walk_link(struct job *j, int dirfd, const char *name)
{
    u32 room = PROTO_DATA_MAX - j->reply.data_len;
    ssize_t n;

    if (room < PROTO_PATH_MAX)
        return;
    n = host_readlinkat(dirfd, name, (char *)j->w->out + j->reply.data_len, PROTO_PATH_MAX);
    if (n <= 0)
        return;
    j->reply.arg[0] = (u64)n;
    j->reply.data_len += (u32)n;
}

/* walk_end() - the walk has reached a directory (opened) or something else. */
static int walk_end(struct job *j, const struct spot *s, int fd)
{
    struct handle h = {.fd = fd, .kind = HANDLE_DIR, .mount = s->mount};

    if (fd >= 0 && (j->req.flags & PROTO_WANT_HANDLE))
        give_handle(j, &h);
    else if (fd >= 0)
        host_close(fd);
    return 0;
}

/* walk_open() - the last component, if it is a regular file, with the rights that were asked for.
 * That it can't be opened is for OPEN to tell. */
static void walk_open(struct job *j, int dirfd, const char *name)
{
    const struct spot s = {.dirfd = dirfd, .name = name};
    u32 access = (u32)j->req.arg[0];
    struct proto_attr attr;
    int fd;

    if (!access || !S_ISREG(j->reply.attr.mode) ||
        ((access & PROTO_OPEN_WRITE) && j->g->mounts[j->spot[0].mount].readonly))
        return;
    fd = spot_open_file(j->g, &s, access, &attr);
    if (fd < 0)
        return;
    if (attr.ino == j->reply.attr.ino && attr.dev == j->reply.attr.dev)
        j->fd = fd;
    else
        host_close(fd);
}

int op_walk(struct job *j)
{
    bool handle = j->req.flags & PROTO_WANT_HANDLE;
    const char *name = j->path[0];
    u32 left = j->req.target[0].path_len;
    struct spot *s = &j->spot[0];
    int dirfd = s->dirfd, fd = -1, r = 0;

    if (!left)
        return spot_attr(j, s);
    if (s->kind != HANDLE_DIR)
        return -ENOTDIR;
    while (left) {
        u32 n = (u32)strlen(name) + 1;
        int next = -1;

        r = walk_step(j, dirfd, name, left > n || handle, &next);
        if (S_ISLNK(j->reply.attr.mode) && (r == 0 || r == -ENOTDIR))
            walk_link(j, dirfd, name);
        else if (left == n && (r == 0 || r == -ENOTDIR))
            walk_open(j, dirfd, name);
        if (fd >= 0)
            host_close(fd);
        dirfd = fd = next;
        if (r < 0)
            break;
        name += n;
        left -= n;
    }
    /* That the last one is no directory is fine. */
    if (r == -ENOTDIR && left == strlen(name) + 1)
        r = 0;
    if (r < 0) {
        if (fd >= 0)
            host_close(fd);
        return r;
    }
    return walk_end(j, s, fd);
}

int op_open(struct job *j)
{
    struct handle h = {.kind = HANDLE_FILE, .mount = j->spot[0].mount};
    int fd;

    h.access = (u32)j->req.arg[0];
    fd = spot_open_file(j->g, &j->spot[0], h.access, &j->reply.attr);
    if (fd < 0)
        return fd;
    j->reply.flags |= PROTO_HAS_ATTR;
    j->fd = fd;
    if (j->req.flags & PROTO_WANT_HANDLE) {
        h.fd = host_dup(fd);
        if (h.fd >= 0)
            give_handle(j, &h);
    }
    return 0;
}

int op_readlink(struct job *j)
{
    const struct spot *s = &j->spot[0];
    ssize_t n = host_readlinkat(s->dirfd, s->name, (char *)j->w->out, PROTO_PATH_MAX);

    if (n < 0)
        return n == -ENOENT && !s->name[0] ? -EINVAL : (int)n;
    j->reply.data_len = (u32)n;
    return 0;
}

/* Layout of getdents64(2). */
struct host_dirent {
    u64 ino;
    s64 off;
    u16 reclen;
    u8 type;
    char name[];
};

/* dirent_out() - one entry into the reply, which has room for it. */
static void dirent_out(struct job *j, int fd, const struct host_dirent *d, bool attrs)
{
    struct proto_dirent e = {.len = (u16)strlen(d->name), .type = d->type, .ino = d->ino};
    struct proto_attr attr;
    u8 *p = j->w->out + j->reply.data_len;

    if (e.len == 0 || (d->name[0] == '.' && (e.len == 1 || (e.len == 2 && d->name[1] == '.'))))
        return;
    e.has_attr = attrs && host_stat(fd, d->name, &attr) == 0;
    j->reply.data_len += proto_dirent_bytes(e.len, e.has_attr);
    memcpy(p, &e, sizeof(e));
    p += sizeof(e);
    if (e.has_attr) {
        memcpy(p, &attr, sizeof(attr));
        p += sizeof(attr);
    }
    memcpy(p, d->name, e.len);
}

/*
 * read_entries() - fill the reply, part by part as long as a part is sure to fit: the shortest host
 * entry has 24 bytes and becomes one of 24, or of 136 with attributes.
 * Return: 1 if there is more, 0 at the end.
 */
static int read_entries(struct job *j, int fd, bool attrs)
{
    const u32 part = attrs ? GOFER_DENTS_BYTES / 4 : GOFER_DENTS_BYTES;
    const u32 part_max = part / 24 * (attrs ? 136 : 24) + 136;

    while (j->reply.data_len + part_max <= PROTO_DATA_MAX) {
        ssize_t n = host_getdents(fd, j->w->dents, part);

        if (n <= 0)
            return (int)n;
        for (ssize_t at = 0; at < n;) {
            const struct host_dirent *d = (const void *)(j->w->dents + at);

            dirent_out(j, fd, d, attrs);
            at += d->reclen;
        }
    }
    return 1;
}

int op_readdir(struct job *j)
{
    struct spot *s = &j->spot[0];
    bool stream = !s->name[0] && s->kind == HANDLE_STREAM;
    struct handle h = {.kind = HANDLE_STREAM, .mount = s->mount, .fd = s->dirfd};
    int r;

    if (!stream) {
        if (s->name[0])
            h.fd = host_openat(s->dirfd, s->name, O_RDONLY | O_DIRECTORY, 0);
        else
            h.fd = s->kind == HANDLE_DIR ? spot_open_any(s) : -ENOTDIR;
        if (h.fd < 0)
            return h.fd;
    }
    r = read_entries(j, h.fd, j->req.arg[0] & 1);
    if (r > 0)
        j->reply.flags |= PROTO_MORE;
    if (stream) {
        j->reply.handle = s->held;
        if (r <= 0)
            handle_release(&j->g->handles, s->held);
        return min_of(r, 0);
    }
    if (r <= 0) {
        host_close(h.fd);
        return r;
    }
    give_handle(j, &h);
    return j->reply.flags & PROTO_HAS_HANDLE ? 0 : -ENFILE;
}

int op_release(struct job *j)
{
    u32 n = j->req.data_len / (u32)sizeof(u64);

    for (u32 i = 0; i < min_of(n, (u32)PROTO_RELEASE_MAX); i++) {
        u64 number;

        memcpy(&number, j->data + i * sizeof(number), sizeof(number));
        j->reply.arg[0] += handle_release(&j->g->handles, number) == 0;
    }
    return 0;
}

int op_connect(struct job *j)
{
    return -EOPNOTSUPP;
}
