/* The Sentry's process: namespaces, ids, clocks. */
#pragma once

#include "cmd/runsc/child.h"

struct oci_spec;

/*
 * sandbox_child_start() - clones the Sentry's process into its namespaces. It waits for child_go();
 * with @announce it then sends {"ok":true} once before its boot message, when all namespaces are
 * there.
 * @first_uid: host id of the Sentry; the next one is the guests'.
 * Return: 0 or an error, error set.
 */
int sandbox_child_start(struct child *child, const struct oci_spec *spec, u32 first_uid, int exe,
                        bool announce);
