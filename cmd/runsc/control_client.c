/*
 * Talks to the Sentry over <root>/<id>/control.sock. The path of a socket has room for 108 bytes
 * only, so it is always named through a descriptor of the container's folder.
 */
#include "cmd/runsc/control_client.h"

#include "cmd/runsc/error.h"
#include "sentry/base/clean.h"
#include "sentry/base/host_fd.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#define BACKLOG 128

static struct sockaddr_un address(const struct container *c)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/control.sock", c->dir);
    return a;
}

int control_client_listen(const struct container *c)
{
    struct sockaddr_un a = address(c);
    auto_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, BACKLOG) < 0)
        return -errno;
    return take_fd(fd);
}

static int gone(const struct container *c)
{
    return error_set(-ENOTCONN, "the sandbox of container \"%s\" is gone: container not running",
                     c->id);
}

int control_client_connect(const struct container *c)
{
    struct sockaddr_un a = address(c);
    auto_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return error_errno(-errno, "can't make a socket");
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
        return take_fd(fd);
    if (errno == ECONNREFUSED || errno == ENOENT)
        return gone(c);
    return error_errno(-errno, "can't connect to the sandbox of container \"%s\"", c->id);
}

int control_client_request(const struct container *c, struct control_msg *msg, const char *op)
{
    int r = control_msg_new(msg);

    if (!r)
        r = control_msg_set_string(msg, "op", op);
    if (!r)
        r = control_msg_set_string(msg, "id", c->id);
    return r ? error_errno(r, "can't make a request") : 0;
}

int control_client_check(const struct container *c, const struct control_msg *reply)
{
    const char *text = "it gave no reason";
    s64 number = EIO;
    bool ok = false;

    control_msg_get_bool(reply, "ok", &ok);
    if (ok)
        return 0;
    control_msg_get_string(reply, "error", &text);
    control_msg_get_int(reply, "errno", &number);
    return error_set(number > 0 && number < 4096 ? -(int)number : -EIO, "container \"%s\": %s",
                     c->id, text);
}

int control_client_call(const struct container *c, int sock, const struct control_msg *request,
                        struct control_msg *reply, int timeout_ms)
{
    auto_control_msg struct control_msg answer = {0};
    struct pollfd p = {.fd = sock, .events = POLLIN};
    int r = control_msg_send(sock, request);

    if (r == -EPIPE)
        return gone(c);
    if (r)
        return error_errno(r, "can't send to the sandbox of container \"%s\"", c->id);
    do {
        r = host_poll(&p, 1, timeout_ms);
    } while (r == -EINTR);
    if (r == 0)
        return error_set(-ETIMEDOUT, "the sandbox of container \"%s\" does not answer", c->id);
    r = r < 0 ? r : control_msg_recv(sock, &answer);
    if (r == -EPIPE)
        return gone(c);
    if (r)
        return error_errno(r, "can't receive from the sandbox of container \"%s\"", c->id);
    r = control_client_check(c, &answer);
    if (!r && reply) {
        *reply = answer;
        answer = (struct control_msg){.json = NULL};
    }
    return r;
}

int control_client_simple(const struct container *c, const char *op, struct control_msg *reply)
{
    auto_control_msg struct control_msg request = {0};
    auto_fd int sock = control_client_connect(c);
    int r = sock < 0 ? sock : control_client_request(c, &request, op);

    return r ? r : control_client_call(c, sock, &request, reply, -1);
}
