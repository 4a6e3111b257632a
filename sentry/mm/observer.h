/*
 * The observer, as the Sentry asks it: what only the host knows of a guest's memory (how much of it
 * is there, shared, dirty, swapped; page faults). cmd/observer is the other side.
 *
 * Each call is a round trip and may wait for the host's locks of that process: not under a lock
 * that guests share. Where there is no observer, or it has broken its protocol, all say -ENOSYS, and
 * the caller shows what its own tables know. -ESRCH: the process is gone.
 */
#pragma once

#include "sentry/mm/observer_proto.h"

struct mm;

/* observer_init() - the socket to it (taken); once, at boot. */
void observer_init(int fd);

/* observer_statm(), observer_stat(), observer_status() - what the file of that name says. */
int observer_statm(struct mm *mm, struct observer_statm *out);
int observer_stat(struct mm *mm, struct observer_stat *out);
int observer_status(struct mm *mm, struct observer_status *out);
/* observer_vmas() - the host's mappings below the stub that hold anything, ascending.
 * Return: 0 and *out (free() it) of *n. */
int observer_vmas(struct mm *mm, struct observer_vma **out, u32 *n);
/* observer_pagemap() - pagemap's words for `n` pages from addr on; 0 for what is not there. */
int observer_pagemap(struct mm *mm, uaddr_t addr, u64 *out, u32 n);
/* observer_clear_refs() - write `how` (proc(5)) to clear_refs. */
int observer_clear_refs(struct mm *mm, int how);

#define OBSERVER_PAGES_MAX ((OBSERVER_PACKET - sizeof(struct observer_reply)) / sizeof(u64))
