/*
 * Controlling terminals and job control: what the kernel knows of a terminal. The terminals
 * themselves embed this (fs/tty).
 */
#pragma once

#include "sentry/base/obj.h"

struct pid;
struct pid_ns;
struct session;
struct task;
struct thread_group;

/* A terminal's objects are freed under the pid lock: their destructor only frees memory. */
struct ctty {
    struct obj obj;
    u32 major, minor;        /* its device, set once */
    struct session *session; /* a reference; NULL: nobody's. Guarded by the pid lock, as is … */
    struct pid *foreground;  /* a reference to the process group's pid; the group may be gone */
};
OBJ_REFS(ctty)

void ctty_init(struct ctty *c, struct obj_type *type, u32 major, u32 minor);
/* ctty_destroy() - for the destructor: nobody's foreground any more. */
void ctty_destroy(struct ctty *c);

/* ctty_of() - the task's controlling terminal as a new reference, or NULL. */
struct ctty *ctty_of(struct task *t);
/* ctty_opened() - t has opened c for reading and without O_NOCTTY: if t leads a session that has
 * no terminal, and c is nobody's, c becomes its terminal. */
void ctty_opened(struct ctty *c, struct task *t);
/* ctty_claim() - c becomes the terminal of tg's session, which has just been made for it. */
void ctty_claim(struct ctty *c, struct thread_group *tg);
/* ctty_acquire() - TIOCSCTTY: `steal`: from another session if need be (CAP_SYS_ADMIN);
 * `readable`: the descriptor is. Return: 0, -EPERM. */
int ctty_acquire(struct ctty *c, struct task *t, bool steal, bool readable);
/* ctty_give_up() - TIOCNOTTY. Return: 0, -ENOTTY (c isn't t's terminal). */
int ctty_give_up(struct ctty *c, struct task *t);

/* ctty_check() - may t, now, do to c what would raise `signo` (SIGTTIN, SIGTTOU) in the background?
 * Return: 0; -EIO; -ERESTARTSYS: its process group has been sent the signal. */
int ctty_check(struct ctty *c, struct task *t, int signo);
/* ctty_get_foreground(), ctty_set_foreground(), ctty_get_session() - TIOCGPGRP, TIOCSPGRP,
 * TIOCGSID; `far`: asked on a pty's master. Return: 0, -ENOTTY, -ESRCH, -EPERM. */
int ctty_get_foreground(struct ctty *c, struct task *t, bool far, s32 *pgid);
int ctty_set_foreground(struct ctty *c, struct task *t, s32 pgid);
int ctty_get_session(struct ctty *c, struct task *t, bool far, s32 *sid);
/* ctty_signal() - from the kernel to the foreground process group. */
void ctty_signal(struct ctty *c, int signo);
/* ctty_hang_up() - the terminal is gone: its session has none now; the leader gets SIGHUP and
 * SIGCONT. */
void ctty_hang_up(struct ctty *c);

/* Under the pid lock, for the kernel: fork; setsid(2), or the last of a process; a process's end;
 * numbers for /proc and ps (*tty_nr: as stat(5) has it, 0: none; *tpgid: -1: none). */
void ctty_inherit_locked(struct thread_group *child, const struct thread_group *parent);
void ctty_drop_locked(struct thread_group *tg);
void ctty_leader_ended_locked(struct thread_group *tg);
void ctty_view_locked(const struct thread_group *tg, const struct pid_ns *ns, u32 *tty_nr,
                      s32 *tpgid);
