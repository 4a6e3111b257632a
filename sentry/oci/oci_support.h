/*
 * oci_support.h: which parts of a well-formed config.json are refused or accepted with a warning.
 * The table is in oci_support.c; what no row names is honoured.
 */
#pragma once

#include "sentry/oci/oci_spec.h"

/* Called for each warning; the line is borrowed. */
typedef void (*oci_warn_fn)(void *arg, const char *line);

/* Conditions under which some rows hold. */
#define OCI_SUPPORT_SECCOMP (1u << 0) /* --oci-seccomp: the profile is to be enforced */

/*
 * oci_support_check() - goes through the table.
 * Return: 0, or -EOPNOTSUPP with *err filled: "config.json: process.terminal: not built yet: ..."
 */
int oci_support_check(const struct oci_spec *spec, unsigned int conditions, oci_warn_fn warn,
                      void *arg, struct oci_error *err);

/* oci_support_check_process() - the same for the process of an exec. */
int oci_support_check_process(const struct oci_process *process, oci_warn_fn warn, void *arg,
                              struct oci_error *err);
