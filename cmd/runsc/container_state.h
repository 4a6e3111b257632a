/* state.json of a container: reading and writing it. */
#pragma once

#include "cmd/runsc/container.h"

/* container_state_load() - Return: 0, -ENOENT if there's none, -EUCLEAN, error set for that. */
int container_state_load(struct container *c);

/* container_state_save() - Return: 0 or a negative errno. */
int container_state_save(const struct container *c);
