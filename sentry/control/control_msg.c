/*
 * Messages of the control and boot sockets; see control_proto.h for the rules that a packet obeys.
 * Everything received is checked here once: length, JSON, depth, that "fds" names the descriptors
 * that came. What the members mean is the caller's business.
 */
#include "sentry/control/control_msg.h"

#include "sentry/base/clean.h"
#include "sentry/base/host_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

int control_msg_new(struct control_msg *msg)
{
    struct json_object *json = json_object_new_object();

    if (!json)
        return -ENOMEM;
    *msg = (struct control_msg){.json = json};
    return 0;
}

static void close_fds(struct control_msg *msg)
{
    for (size_t i = 0; i < msg->fd_count; i++) {
        if (msg->owns_fds && msg->fds[i] >= 0)
            host_close(msg->fds[i]);
    }
    msg->fd_count = 0;
}

void control_msg_free(struct control_msg *msg)
{
    close_fds(msg);
    json_object_put(msg->json);
    *msg = (struct control_msg){.json = NULL};
}

int control_msg_set(struct control_msg *msg, const char *name, struct json_object *value)
{
    if (!value)
        return -ENOMEM;
    if (json_object_object_add(msg->json, name, value) < 0) {
        json_object_put(value);
        return -ENOMEM;
    }
    return 0;
}

int control_msg_set_string(struct control_msg *msg, const char *name, const char *value)
{
    return control_msg_set(msg, name, json_object_new_string(value));
}

int control_msg_set_int(struct control_msg *msg, const char *name, s64 value)
{
    return control_msg_set(msg, name, json_object_new_int64(value));
}

int control_msg_set_bool(struct control_msg *msg, const char *name, bool value)
{
    return control_msg_set(msg, name, json_object_new_boolean(value));
}

int control_msg_add_fd(struct control_msg *msg, const char *name, int fd)
{
    struct json_object *names = control_msg_get(msg, "fds"), *item;
    int r;

    if (msg->fd_count == CONTROL_FDS_MAX)
        return -E2BIG;
    if (!names) {
        r = control_msg_set(msg, "fds", json_object_new_array());
        if (r)
            return r;
        names = control_msg_get(msg, "fds");
    }
    item = json_object_new_string(name);
    if (!item)
        return -ENOMEM;
    if (json_object_array_add(names, item) < 0) {
        json_object_put(item);
        return -ENOMEM;
    }
    msg->fds[msg->fd_count++] = fd;
    return 0;
}

struct json_object *control_msg_get(const struct control_msg *msg, const char *name)
{
    struct json_object *value = NULL;

    json_object_object_get_ex(msg->json, name, &value);
    return value;
}

/* plain_string() - the text of a JSON string that holds no NUL, or NULL. */
static const char *plain_string(struct json_object *value)
{
    const char *s;

    if (!json_object_is_type(value, json_type_string))
        return NULL;
    s = json_object_get_string(value);
    if (!s || strlen(s) != (size_t)json_object_get_string_len(value))
        return NULL;
    return s;
}

int control_msg_get_string(const struct control_msg *msg, const char *name, const char **out)
{
    struct json_object *value = control_msg_get(msg, name);
    const char *s;

    if (!value)
        return -ENOENT;
    s = plain_string(value);
    if (!s)
        return -EINVAL;
    *out = s;
    return 0;
}

int control_msg_get_int(const struct control_msg *msg, const char *name, s64 *out)
{
    struct json_object *value = control_msg_get(msg, name);

    if (!value)
        return -ENOENT;
    if (!json_object_is_type(value, json_type_int))
        return -EINVAL;
    *out = json_object_get_int64(value);
    return 0;
}

int control_msg_get_bool(const struct control_msg *msg, const char *name, bool *out)
{
    struct json_object *value = control_msg_get(msg, name);

    if (!value)
        return -ENOENT;
    if (!json_object_is_type(value, json_type_boolean))
        return -EINVAL;
    *out = json_object_get_boolean(value);
    return 0;
}

const char *control_msg_fd_name(const struct control_msg *msg, size_t i)
{
    if (i >= msg->fd_count)
        return NULL;
    return plain_string(json_object_array_get_idx(control_msg_get(msg, "fds"), i));
}

int control_msg_take_fd(struct control_msg *msg, const char *name)
{
    for (size_t i = 0; i < msg->fd_count; i++)
        if (msg->fds[i] >= 0 && strcmp(control_msg_fd_name(msg, i), name) == 0)
            return take_fd(msg->fds[i]);
    return -ENOENT;
}

int control_msg_send(int sock, const struct control_msg *msg)
{
    size_t len = 0, fd_bytes = msg->fd_count * sizeof(int);
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(CONTROL_FDS_MAX * sizeof(int))];
    } control = {.space = ""};
    const char *text = json_object_to_json_string_length(msg->json, JSON_C_TO_STRING_PLAIN, &len);
    struct iovec iov = {(void *)(uintptr_t)text, len};
    struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t n;

    if (!text)
        return -ENOMEM;
    if (len > CONTROL_PACKET_MAX)
        return -EMSGSIZE;
    if (msg->fd_count) {
        control.header = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(fd_bytes), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), msg->fds, fd_bytes);
        header.msg_control = &control;
        header.msg_controllen = CMSG_SPACE(fd_bytes);
    }
    n = host_sendmsg(sock, &header, 0);
    return n < 0 ? (int)n : 0;
}

/* collect_fds() - every descriptor of a received packet goes into the message, which owns it. */
static void collect_fds(struct msghdr *header, struct control_msg *msg)
{
    msg->owns_fds = true;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        size_t n;

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
            if (msg->fd_count < CONTROL_FDS_MAX)
                msg->fds[msg->fd_count++] = fd;
            else
                host_close(fd);
        }
    }
}

/* parse() - a packet's text to a JSON object. Return: NULL if it isn't one. */
static struct json_object *parse(const char *text, size_t len)
{
    struct json_tokener *tokener = json_tokener_new_ex(CONTROL_DEPTH_MAX);
    struct json_object *json;
    bool good;

    if (!tokener)
        return NULL;
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    json = json_tokener_parse_ex(tokener, text, (int)len);
    good = json_tokener_get_error(tokener) == json_tokener_success &&
           json_tokener_get_parse_end(tokener) == len &&
           json_object_is_type(json, json_type_object);
    json_tokener_free(tokener);
    if (good)
        return json;
    json_object_put(json);
    return NULL;
}

/* names_fit() - does "fds" hold one short name for each descriptor? */
static bool names_fit(const struct control_msg *msg)
{
    struct json_object *names = control_msg_get(msg, "fds");

    if (!names)
        return msg->fd_count == 0;
    if (!json_object_is_type(names, json_type_array) ||
        json_object_array_length(names) != msg->fd_count)
        return false;
    for (size_t i = 0; i < msg->fd_count; i++) {
        const char *name = control_msg_fd_name(msg, i);

        if (!name || strlen(name) >= CONTROL_FD_NAME_MAX)
            return false;
    }
    return true;
}

int control_msg_recv(int sock, struct control_msg *msg)
{
    auto_free char *text = malloc(CONTROL_PACKET_MAX);
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(CONTROL_FDS_MAX * sizeof(int))];
    } control;
    struct iovec iov = {text, CONTROL_PACKET_MAX};
    struct msghdr header = {.msg_iov = &iov,
                            .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = sizeof(control)};
    ssize_t n;

    if (!text)
        return -ENOMEM;
    n = host_recvmsg(sock, &header, 0);
    if (n < 0)
        return n == -ECONNRESET ? -EPIPE : (int)n;
    *msg = (struct control_msg){.json = NULL};
    collect_fds(&header, msg);
    if (n == 0 && msg->fd_count == 0)
        return -EPIPE;
    if (!(header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
        msg->json = parse(text, (size_t)n);
    if (msg->json && names_fit(msg))
        return 0;
    control_msg_free(msg);
    return -EBADMSG;
}

/* copy_seq() - a reply repeats the request's seq. */
static int copy_seq(struct control_msg *reply, const struct control_msg *request)
{
    s64 seq;

    if (!request || !request->json || control_msg_get_int(request, "seq", &seq))
        return 0;
    return control_msg_set_int(reply, "seq", seq);
}

int control_msg_ok(struct control_msg *reply, const struct control_msg *request)
{
    int r = control_msg_new(reply);

    if (!r)
        r = control_msg_set_bool(reply, "ok", true);
    return r ? r : copy_seq(reply, request);
}

int control_msg_fail(struct control_msg *reply, const struct control_msg *request, int error,
                     const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    int r = control_msg_new(reply);

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (!r)
        r = control_msg_set_bool(reply, "ok", false);
    if (!r)
        r = control_msg_set_string(reply, "error", text);
    if (!r && error)
        r = control_msg_set_int(reply, "errno", -error);
    return r ? r : copy_seq(reply, request);
}

int control_blob_read(int fd, char **text, size_t *len)
{
    auto_free char *buf = NULL;
    struct stat st;
    size_t got = 0;
    int seals = host_fcntl(fd, F_GET_SEALS, 0);
    int r;

    if (seals < 0)
        return -EINVAL;
    if ((seals & ALL_SEALS) != ALL_SEALS)
        return -EPERM;
    r = host_fstat(fd, &st);
    if (r)
        return r;
    if (st.st_size > CONTROL_BLOB_MAX)
        return -E2BIG;
    buf = malloc((size_t)st.st_size + 1);
    if (!buf)
        return -ENOMEM;
    while (got < (size_t)st.st_size) {
        ssize_t n = host_pread(fd, buf + got, (size_t)st.st_size - got, got);

        if (n <= 0)
            return n ? (int)n : -EIO;
        got += (size_t)n;
    }
    buf[got] = '\0';
    *text = take(buf);
    *len = got;
    return 0;
}
