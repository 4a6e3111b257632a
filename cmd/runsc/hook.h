/* Hooks of config.json: programs of the host that are told the container's state on stdin. */
#pragma once

#include "cmd/runsc/container.h"
#include "sentry/oci/oci_spec.h"

/*
 * hook_run_all() - runs a list in its order, each to its end or time-out.
 * @kind: their name in config.json. @state: OCI state JSON. @dir: where they run, the bundle.
 * Return: 0; or an error for the first that fails, error set with what it said on stderr.
 */
int hook_run_all(const char *kind, const struct oci_hooks *hooks, const char *state,
                 const char *dir);

/* hook_run_best_effort() - the same, but failures are only logged: poststart, poststop. */
void hook_run_best_effort(const char *kind, const struct oci_hooks *hooks, const char *state,
                          const char *dir);

/* hook_state() - the state that hooks get, new memory, or NULL. */
char *hook_state(const struct container *c, enum container_status status);
