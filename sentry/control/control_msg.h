/*
 * control_msg.h: builds, sends, receives and takes apart the messages of control_proto.h. Both ends
 * use it: runsc and the Sentry, and the gofer at boot.
 */
#pragma once

#include "sentry/base/types.h"
#include "sentry/control/control_proto.h"

struct json_object;

/*
 * One message. A received one owns its descriptors, until they are taken; of one to be sent the
 * descriptors are borrowed. Zeroed is empty.
 */
struct control_msg {
    struct json_object *json;
    size_t fd_count;
    int fds[CONTROL_FDS_MAX];
    bool owns_fds;
};

/* control_msg_new() - an empty JSON object. Return: 0 or -ENOMEM. */
int control_msg_new(struct control_msg *msg);

/* control_msg_free() - releases all; the message is then empty. An empty one is fine. */
void control_msg_free(struct control_msg *msg);
#define auto_control_msg __attribute__((cleanup(control_msg_free)))

/* control_msg_set_*() - adds or replaces a member. Return: 0 or -ENOMEM; strings are copied. */
int control_msg_set_string(struct control_msg *msg, const char *name, const char *value);
int control_msg_set_int(struct control_msg *msg, const char *name, s64 value);
int control_msg_set_bool(struct control_msg *msg, const char *name, bool value);
/* control_msg_set() - takes @value, also on failure. */
int control_msg_set(struct control_msg *msg, const char *name, struct json_object *value);

/* control_msg_add_fd() - attaches a descriptor, borrowed, under a name. Return: 0, -E2BIG. */
int control_msg_add_fd(struct control_msg *msg, const char *name, int fd);

/*
 * control_msg_get_*() - a member of a received message. Strings are borrowed from it.
 * Return: 0, -ENOENT if there is none, -EINVAL if it has another type or holds a NUL.
 */
int control_msg_get_string(const struct control_msg *msg, const char *name, const char **out);
int control_msg_get_int(const struct control_msg *msg, const char *name, s64 *out);
int control_msg_get_bool(const struct control_msg *msg, const char *name, bool *out);
/* control_msg_get() - any member, borrowed. Return: NULL if there is none. */
struct json_object *control_msg_get(const struct control_msg *msg, const char *name);

/* control_msg_take_fd() - the descriptor of that name, now the caller's. Return: it or -ENOENT. */
int control_msg_take_fd(struct control_msg *msg, const char *name);

/*
 * control_msg_fd_name() - name of attached descriptor number @i, borrowed; NULL beyond the last.
 * One that was taken still has its name.
 */
const char *control_msg_fd_name(const struct control_msg *msg, size_t i);

/* control_msg_send() - Return: 0; -EMSGSIZE if it's longer than a packet; or what sendmsg says. */
int control_msg_send(int sock, const struct control_msg *msg);

/*
 * control_msg_recv() - waits for one packet (a non-blocking socket: -EAGAIN) and checks all that
 * control_proto.h says of packets. EINTR is not passed over.
 * @msg: empty. Return: 0; -EPIPE when the other end is gone; -EBADMSG for a packet that is
 * refused; or what recvmsg says.
 */
int control_msg_recv(int sock, struct control_msg *msg);

/* control_msg_ok() - makes @reply {"ok":true} with the request's seq. Return: 0 or -ENOMEM. */
int control_msg_ok(struct control_msg *reply, const struct control_msg *request);

/*
 * control_msg_fail() - makes @reply {"ok":false,...} with the request's seq (@request may be NULL).
 * @error: negative errno, or 0 for none. Return: 0 or -ENOMEM.
 */
int control_msg_fail(struct control_msg *reply, const struct control_msg *request, int error,
                     const char *fmt, ...) PRINTF_LIKE(4, 5);

/*
 * control_blob_read() - the text in a sealed memfd.
 * @text: set to new memory with a NUL after its @len bytes, to be freed by the caller.
 * Return: 0; -EPERM if it isn't sealed; -E2BIG; -EINVAL if it isn't a memfd; -ENOMEM; -EIO.
 */
int control_blob_read(int fd, char **text, size_t *len);
