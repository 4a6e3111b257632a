/*
 * A child that runsc starts and hands over to: cloned, set up by code of ours, then executed again
 * as another program, told what to do by a boot message, and asked whether it could.
 */
#pragma once

#include "sentry/control/control_msg.h"

struct child {
    const char *what;  /* "sandbox", "gofer": for error lines */
    const char *argv0; /* CONTROL_ARGV0_* */
    pid_t pid;         /* 0: not started */
    int pidfd;
    int boot;       /* our end of the boot socket */
    int boot_far;   /* the child's, until it is started */
    int go;         /* our end of what holds the child back */
    int go_far;     /* the child's, until it is started */
    int last_words; /* memfd that is the child's stderr */
};

/* child_init() - nothing open, nothing started. */
void child_init(struct child *child);

/* child_prepare() - its descriptors. Return: 0 or an error, error set. */
int child_prepare(struct child *child, const char *what, const char *argv0);

/*
 * child_start() - clones it. In the child: descriptors arranged (0 and 1 /dev/null, 2 last words,
 * 3 boot socket), wait for child_go(), @setup, execution of @exe. What fails there is told through
 * the boot socket; @setup sets the error line and returns negative.
 * Return: 0 or an error, error set.
 */
int child_start(struct child *child, unsigned long clone_flags, int exe, int (*setup)(void *),
                void *arg);

/* child_go() - lets it pass. May come before child_start(). */
int child_go(struct child *child);

/*
 * child_answer() - waits for one reply on the boot socket.
 * Return: 0 if it says ok; else an error with its own words in the error line, or, if it has died
 * without any, how.
 */
int child_answer(struct child *child);

/* child_abort() - ends it, if it was started, and waits for that. */
void child_abort(struct child *child);

/* child_release() - closes what the parent holds; the child lives on. */
void child_release(struct child *child);
