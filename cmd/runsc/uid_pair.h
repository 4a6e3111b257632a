/* Two host ids for each sandbox, shared with no other live one on this host. */
#pragma once

#include "sentry/base/types.h"

#define UID_PAIR_FOLDER "/run/runsc-uids"

/*
 * uid_pair_take() - reserves two ids of a range for a container, in both senses: uids and gids.
 * @folder: where reservations are kept, UID_PAIR_FOLDER but for tests. @range: "FIRST-LAST".
 * @root, @id: the container, whose folder exists already.
 * Return: 0 and the first of the two ids, or an error, error set.
 */
int uid_pair_take(const char *folder, const char *range, const char *root, const char *id,
                  u32 *first);

/* uid_pair_release() - gives them back; fine if they aren't this container's. */
void uid_pair_release(const char *folder, u32 first, const char *root, const char *id);
