/* Mount points that a container's root file system lacks. */
#pragma once

#include "sentry/oci/oci_spec.h"

/*
 * mount_points_make() - makes those that config.json's mounts, and the mandatory ones, need.
 * The Sentry makes them itself where it may write; this is for a root that will be read-only.
 * What can't be made is left for the Sentry to complain about.
 * @root: the root file system's path; nothing outside is touched, whatever links it holds.
 */
void mount_points_make(const struct oci_spec *spec, const char *bundle, const char *root);
