/* The end of a container: whatever is left of it, at whatever point it is. */
#pragma once

#include "cmd/runsc/container.h"

/*
 * destruction_run() - kills what runs, removes cgroup, host ids and folder, in an order such that
 * it can be run again after a crash. @c may be half made. Runs poststop hooks if it was created.
 * Return: 0 or an error, error set; what could be removed is.
 */
int destruction_run(struct container *c);
