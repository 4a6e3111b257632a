/* The gofer's process: namespaces, and a file system that holds its container's files only. */
#pragma once

#include "cmd/runsc/child.h"
#include "cmd/runsc/container.h"
#include "sentry/oci/oci_spec.h"

/*
 * gofer_child_start() - clones the gofer's process; it waits for child_go().
 * @state: the container's state as hooks get it: createContainer hooks run in this process's
 * mount namespace, before the host's tree leaves it. Borrowed while this call runs.
 * Return: 0 or an error, error set.
 */
int gofer_child_start(struct child *child, const struct container *c, const struct oci_spec *spec,
                      int exe, const char *state);
