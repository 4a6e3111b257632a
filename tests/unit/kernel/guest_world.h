/*
 * A container whose guest code is C functions of the test: each guest task is a host thread that
 * calls the kernel's step() as a platform does, with memory shared by all (guest addresses are our
 * own). System calls, signals, handlers and restarts are real; forked memory is not copied.
 */
#pragma once

#include "sentry/kernel/container.h"
#include "sentry/kernel/task.h"

typedef void guest_fn(void);

/* world_run() - boot a container whose init is `init`, wait for its end, tear all down.
 * Return: init's wait status. Checks that no object is left. */
u32 world_run(guest_fn *init);
/* world_container() - of the world that runs. */
struct container *world_container(void);
/* world_failures() - CHECKs that failed so far, in any guest. */
int world_failures(void);
void world_fail(const char *file, int line, const char *what);

#define CHECK(cond)                                \
    do {                                           \
        if (!(cond))                               \
            world_fail(__FILE__, __LINE__, #cond); \
    } while (0)
/* UNTIL() - let the guest run until cond holds, taking interrupts. */
#define UNTIL(cond)       \
    do {                  \
        while (!(cond))   \
            guest_spin(); \
    } while (0)

/* --- called by guest functions --- */

/* guest_call() - a system call. Pointers are passed as (uaddr_t)(uintptr_t)p. */
s64 guest_call(s64 nr, u64 a, u64 b, u64 c, u64 d, u64 e);
/* guest_spin() - a moment of guest code: interrupts and signals are taken. */
void guest_spin(void);
/* guest_fork() - clone(2) whose child runs `fn` and exits with 0 if that returns. */
s64 guest_clone(u64 flags, guest_fn *fn);
s64 guest_fork(guest_fn *fn);
s64 guest_thread(guest_fn *fn);
_Noreturn void guest_exit(int status);
_Noreturn void guest_exit_thread(int status);
/* guest_wait() - wait4(2): its result; *status its status. */
s64 guest_wait(s32 pid, u32 *status, u32 options);
s64 guest_kill(s32 pid, int signo);
s64 guest_getpid(void);
s64 guest_getppid(void);
/* guest_handle() - install a handler (or LX_SIG_IGN, LX_SIG_DFL as pointers). */
void guest_handle(int signo, void (*fn)(int), u64 flags);
void guest_block(int signo);
void guest_unblock(int signo);

enum {
    NR_RT_SIGACTION = 13,
    NR_RT_SIGPROCMASK = 14,
    NR_RT_SIGRETURN = 15,
    NR_PAUSE = 34,
    NR_GETPID = 39,
    NR_CLONE = 56,
    NR_EXIT = 60,
    NR_WAIT4 = 61,
    NR_KILL = 62,
    NR_SETPGID = 109,
    NR_GETPPID = 110,
    NR_SETSID = 112,
    NR_SETRESUID = 117,
    NR_PRCTL = 157,
    NR_GETTID = 186,
    NR_EXIT_GROUP = 231,
    NR_WAITID = 247,
};
