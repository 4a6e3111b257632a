/*
 * One timer heap for the whole Sentry, one thread that sleeps until its first deadline. Times are
 * CLOCK_MONOTONIC of the sandbox's time namespace, in ns.
 */
#pragma once

#include "sentry/base/types.h"

struct timer {
    u64 when;       /* deadline; meaningful while armed */
    size_t at;      /* index in the heap plus one; 0: not armed */
    /* fire() - on the timer thread, no lock held; it may arm the timer again. */
    void (*fire)(struct timer *t);
};

/* timer_start() - start the timer thread; before the Sentry confines itself. */
int timer_start(void);
void timer_init(struct timer *t, void (*fire)(struct timer *t));
/* timer_arm() - (re)arm for `when`; a past time fires at once. Return: 0, -ENOMEM. */
int timer_arm(struct timer *t, u64 when);
/* timer_cancel() - disarm. Return: was it armed? With `sync` it also waits for a fire() that is
 * running on the timer thread to return (not from fire() itself, and under no lock it takes). */
bool timer_cancel(struct timer *t, bool sync);
/* timer_elapse() - every timer that is armed now fires, as if its time had come: for the end of a
 * sandbox, where nobody waits for what they hold. */
void timer_elapse(void);
