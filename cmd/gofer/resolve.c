/*
 * From a target of the protocol to a place in the host's file system. Components are opened one by
 * one, O_PATH and O_NOFOLLOW, beneath the handle's descriptor; names have been checked, so none
 * goes up. What is opened for reading or writing is a regular file or a directory, never a device.
 */
#include "cmd/gofer/host_path.h"
#include "cmd/gofer/op_priv.h"
#include "sentry/base/host_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* descend() - all components but the last. */
static int descend(const char **path, u32 *len, struct spot *s)
{
    for (;;) {
        u32 n = (u32)strlen(*path) + 1;
        int fd;

        if (n == *len)
            return 0;
        fd = host_openat(s->dirfd, *path, O_PATH | O_DIRECTORY, 0);
        if (fd < 0)
            return fd;
        if (s->opened >= 0)
            host_close(s->opened);
        s->dirfd = s->opened = fd;
        *path += n;
        *len -= n;
    }
}

int resolve(struct gofer *g, u64 handle, const char *path, u32 path_len, struct spot *out)
{
    struct handle h;
    struct spot s = {.opened = -1, .held = handle};
    int r = handle_get(&g->handles, handle, &h);

    if (r < 0)
        return r;
    s.dirfd = h.fd;
    s.kind = h.kind;
    s.access = h.access;
    s.mount = h.mount;
    s.name = h.kind == HANDLE_NAMED ? h.name : "";
    if (path_len) {
        r = h.kind == HANDLE_DIR ? descend(&path, &path_len, &s) : -ENOTDIR;
        s.name = path;
    }
    if (r < 0)
        spot_release(g, &s);
    else
        *out = s;
    return r;
}

void spot_release(struct gofer *g, struct spot *s)
{
    if (s->opened >= 0)
        host_close(s->opened);
    if (s->held)
        handle_put(&g->handles, s->held);
    s->opened = -1;
    s->held = 0;
}

static int not_regular(u32 mode)
{
    return S_ISDIR(mode) ? -EISDIR : S_ISLNK(mode) ? -ELOOP : -ENXIO;
}

/* file_attr() - attributes of an open regular file, or an error if it is none. */
static int file_attr(int fd, struct proto_attr *attr)
{
    int r = host_stat(fd, "", attr);

    if (r < 0)
        return r;
    return S_ISREG(attr->mode) ? 0 : not_regular(attr->mode);
}

int spot_open_file(const struct gofer *g, const struct spot *s, u32 access, struct proto_attr *attr)
{
    static const int flags[] = {-1, O_RDONLY, O_WRONLY, O_RDWR};
    int fd, r;

    if (access == 0 || access > (PROTO_OPEN_READ | PROTO_OPEN_WRITE))
        return -EINVAL;
    if (s->name[0]) {
        /* Opening a device may do something. */
        if (!g->nodev) {
            r = host_stat(s->dirfd, s->name, attr);
            if (r < 0 || !S_ISREG(attr->mode))
                return r < 0 ? r : not_regular(attr->mode);
        }
        fd = host_openat(s->dirfd, s->name, flags[access], 0);
    } else if (s->kind != HANDLE_FILE) {
        return s->kind == HANDLE_OTHER ? -ENXIO : -EISDIR;
    } else {
        fd = s->access == access ? host_dup(s->dirfd) : -ESTALE;
    }
    if (fd < 0)
        return fd;
    r = file_attr(fd, attr);
    if (r < 0) {
        host_close(fd);
        return r;
    }
    return fd;
}

int spot_open_any(const struct spot *s)
{
    struct proto_attr attr;
    int r;

    if (!s->name[0]) {
        if (s->kind == HANDLE_DIR)
            return host_openat(s->dirfd, ".", O_RDONLY | O_DIRECTORY, 0);
        return s->kind == HANDLE_OTHER ? -EOPNOTSUPP : host_dup(s->dirfd);
    }
    r = host_stat(s->dirfd, s->name, &attr);
    if (r < 0)
        return r;
    if (S_ISDIR(attr.mode))
        return host_openat(s->dirfd, s->name, O_RDONLY | O_DIRECTORY, 0);
    if (!S_ISREG(attr.mode))
        return -EOPNOTSUPP;
    return host_openat(s->dirfd, s->name, O_RDONLY, 0);
}

int spot_attr(struct job *j, const struct spot *s)
{
    int r = host_stat(s->dirfd, s->name, &j->reply.attr);

    if (r == 0)
        j->reply.flags |= PROTO_HAS_ATTR;
    return r;
}
