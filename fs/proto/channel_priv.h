/* What both ends of a channel share; see channel.c. */
#pragma once

#include "fs/proto/channel.h"

/* channel_map() - check and map the memfd. Return: 0, -EINVAL, -ENOMEM. */
int channel_map(int fd, struct channel_shm **out);

/* channel_spin() - poll `word` for a short while, if that has paid lately and the peer was last
 * seen (*peer) on another CPU than ours, which is noted in *mine: until it is `want`, or with
 * `differ` until it is not. Return: whether it came to that. */
bool channel_spin(struct channel_spin *spin, atomic_uint *word, u32 want, bool differ,
                  atomic_uint *peer, atomic_uint *mine);
