/* Checks of what the gofer protocol's messages hold; see proto.h. Used on both sides, fuzzed. */
#include "fs/proto/proto.h"

#include <errno.h>
#include <string.h>

bool proto_name_ok(const char *name, u32 len)
{
    if (len == 0 || len > PROTO_NAME_MAX)
        return false;
    if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')))
        return false;
    return !memchr(name, '/', len) && !memchr(name, '\0', len);
}

int proto_path_ok(const char *path, u32 len)
{
    int n = 0;

    if (len > PROTO_PATH_MAX)
        return -ENAMETOOLONG;
    while (len) {
        const char *end = memchr(path, '\0', len);
        u32 name_len;

        if (!end)
            return -EINVAL;
        name_len = (u32)(end - path);
        if (name_len > PROTO_NAME_MAX)
            return -ENAMETOOLONG;
        if (!proto_name_ok(path, name_len))
            return -EINVAL;
        path = end + 1;
        len -= name_len + 1;
        n++;
    }
    return n;
}

int proto_request_check(const struct proto_request *req, u32 total)
{
    u32 paths;

    if (req->op == 0 || req->op >= PROTO_OPS)
        return -EINVAL;
    if (req->target[0].path_len > PROTO_PATH_MAX || req->target[1].path_len > PROTO_PATH_MAX ||
        req->data_len > PROTO_DATA_MAX)
        return -EINVAL;
    paths = req->target[0].path_len + req->target[1].path_len;
    return paths + req->data_len > total ? -EINVAL : 0;
}

int proto_dirent_next(const u8 *data, u32 len, u32 *pos, struct proto_dirent *entry,
                      struct proto_attr *attr, const char **name)
{
    struct proto_dirent e;
    u32 left, name_at;

    if (*pos == len)
        return 0;
    if (*pos > len || len - *pos < sizeof(e))
        return -EIO;
    left = len - *pos;
    memcpy(&e, data + *pos, sizeof(e));
    if (e.has_attr > 1 || e.len == 0 || e.len > PROTO_NAME_MAX ||
        proto_dirent_bytes(e.len, e.has_attr) > left)
        return -EIO;
    name_at = *pos + (u32)sizeof(e);
    if (e.has_attr) {
        memcpy(attr, data + name_at, sizeof(*attr));
        name_at += (u32)sizeof(*attr);
    }
    *name = (const char *)data + name_at;
    if (memchr(*name, '/', e.len) || memchr(*name, '\0', e.len))
        return -EIO;
    *entry = e;
    *pos += proto_dirent_bytes(e.len, e.has_attr);
    return 1;
}
