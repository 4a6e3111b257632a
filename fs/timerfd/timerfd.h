/* timerfd_create(2): a timer behind a descriptor. */
#pragma once

#include "fs/vfs/vfs.h"

/* What a timer is set to: times in ns; value 0: not armed. */
struct timerfd_spec {
    u64 value, interval;
};

/* timerfd_open() - on `clock` (checked by the caller). flags: LX_TFD_*. */
int timerfd_open(s32 clock, u32 flags, const struct cred *cred, struct file **out);
/* timerfd_is() - is f one? */
bool timerfd_is(struct file *f);
/* timerfd_set() - arm or disarm; `absolute`: value is a time of its clock, else from now.
 * Return: 0 and what it was before (value: what was left), -ENOMEM. */
int timerfd_set(struct file *f, bool absolute, const struct timerfd_spec *spec,
                struct timerfd_spec *old);
void timerfd_get(struct file *f, struct timerfd_spec *out);
