/* Two host ids for each sandbox, shared with no other live one on this host. */
#pragma once

#include "sentry/base/types.h"

#define UID_PAIR_FOLDER "/run/runsc-uids"

/*
 * uid_pair_take() - reserves two ids of a range for a container, in both senses: uids and gids.
 * @folder: where reservations are kept, UID_PAIR_FOLDER but for tests. @range: "FIRST-LAST".
 * @root, @id: the container, whose folder exists already.
 * @record: called with the first of the two ids before each try to reserve it, so that the
 * container's record names what may be its own; returns 0 or an error, error set.
 * Return: 0, and the last pair that @record was told is reserved; or an error, error set.
 */
int uid_pair_take(const char *folder, const char *range, const char *root, const char *id,
                  int (*record)(void *arg, u32 first), void *arg);

/* uid_pair_release() - gives them back; fine if they aren't this container's. */
void uid_pair_release(const char *folder, u32 first, const char *root, const char *id);
