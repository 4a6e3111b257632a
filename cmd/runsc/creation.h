/* The making of a container, which create and run share. See creation.c for its steps. */
#pragma once

#include "cmd/runsc/child.h"
#include "cmd/runsc/console.h"
#include "cmd/runsc/container.h"
#include "cmd/runsc/verb.h"
#include "sentry/oci/oci_spec.h"

/* What the command line says about a new container. Strings are borrowed. */
struct creation_options {
    const char *id, *bundle, *pid_file, *user_log, *console_socket;
    bool detached; /* this process doesn't wait for the container's end */
    const char *const *pass_fds; /* "HOST:GUEST" or "N", NULL at the end */
};

/* A container being made, and what of it the caller may go on with. */
struct creation {
    struct cli *cli;
    const struct creation_options *options;
    struct container *container;
    struct oci_spec *spec;
    char *spec_text;
    size_t spec_len;
    struct child sentry, gofer;
    struct console console; /* of init */
};

/*
 * creation_make() - from options to a container that is "created": parse and check, folder and
 * lock, namespaces and cgroup, gofer and Sentry, hooks. That it is created is for the caller to
 * save, as "created" or, once started, as "running"; then comes the pid file.
 * On failure nothing is left of it. The lock is held until creation_free().
 * Return: 0 or an error, error set.
 */
int creation_make(struct creation *creation, struct cli *cli,
                  const struct creation_options *options);

/* creation_pid_file() - writes it, if one is asked for. Return: 0 or an error, error set. */
int creation_pid_file(const struct creation *creation);

/* creation_undo() - ends and removes what was made. The error line stays what it is. */
void creation_undo(struct creation *creation);

/* creation_free() - frees what belongs to this process; the container lives on. */
void creation_free(struct creation *creation);

/* Flags that create and run share, in this order at the start of their tables. */
enum creation_flag {
    CREATION_BUNDLE,
    CREATION_PID_FILE,
    CREATION_CONSOLE_SOCKET,
    CREATION_USER_LOG,
    CREATION_PASS_FD,
    CREATION_FLAGS,
};
#define CREATION_FLAG_ROWS                                                                 \
    [CREATION_BUNDLE] = {"bundle", FLAG_STRING, "",                                        \
                         "folder of the OCI bundle; default: this one"},                   \
    [CREATION_PID_FILE] = {"pid-file", FLAG_STRING, "", "file for the pid, written last"}, \
    [CREATION_CONSOLE_SOCKET] = {"console-socket", FLAG_STRING, "",                        \
                                 "socket to which the terminal's master is sent"},         \
    [CREATION_USER_LOG] = {"user-log", FLAG_STRING, "", "file for what users should see"}, \
    [CREATION_PASS_FD] = {"pass-fd", FLAG_LIST, "",                                        \
                          "descriptor for the container: HOST:GUEST or N, may be repeated"}

/* creation_options_from() - options from those flags. */
struct creation_options creation_options_from(const struct flag_set *flags, const char *id);
