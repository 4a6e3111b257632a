/* The global flags: ids, values of this run, what a container's annotations may change. */
#pragma once

#include "cmd/runsc/flag.h"

enum global_flag {
#define GLOBAL_FLAG(id, ...) GLOBAL_##id,
#include "cmd/runsc/global_flags.def"
#undef GLOBAL_FLAG
    GLOBAL_COUNT,
};

extern const struct flag global_flags_table[GLOBAL_COUNT];

/*
 * global_flags_check() - are all values ones that exist and are built?
 * Return: 0, -EINVAL or -EOPNOTSUPP with the error set ("not built yet: --network=host").
 */
int global_flags_check(const struct flag_set *flags);

/* global_flags_annotation() - applies annotation dev.gvisor.flag.@name, if it may. @value is kept. */
int global_flags_annotation(struct flag_set *flags, const char *name, const char *value);

/* global_flags_root() - the folder of containers: the flag, or its default. Borrowed. */
const char *global_flags_root(const struct flag_set *flags);
