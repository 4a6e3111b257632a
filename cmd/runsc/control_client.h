/* The command line's end of a container's control socket. */
#pragma once

#include "cmd/runsc/container.h"
#include "sentry/control/control_msg.h"

/* control_client_listen() - makes the socket. Return: it, listening, or a negative errno. */
int control_client_listen(const struct container *c);

/* control_client_connect() - Return: a connection, or an error, error set. */
int control_client_connect(const struct container *c);

/* control_client_request() - @msg becomes a request of that op. Return: 0 or an error, error set. */
int control_client_request(const struct container *c, struct control_msg *msg, const char *op);

/*
 * control_client_call() - sends a request and waits for its reply, at most @timeout_ms (-1: for
 * ever).
 * @reply: set, to be freed, if 0 is returned; may be NULL.
 * Return: 0 if it says ok; else an error with its words in the error line: the reply's errno, or
 * -EIO; -ENOTCONN if the sandbox has gone; -ETIMEDOUT.
 */
int control_client_call(const struct container *c, int sock, const struct control_msg *request,
                        struct control_msg *reply, int timeout_ms);

/* control_client_check() - does a reply say ok? Return: as of control_client_call(). */
int control_client_check(const struct container *c, const struct control_msg *reply);

/* control_client_simple() - one request without members besides op, on a connection of its own. */
int control_client_simple(const struct container *c, const char *op, struct control_msg *reply);
