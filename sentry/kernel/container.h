/*
 * A container: what one OCI bundle is to the Sentry. One Sentry holds many.
 */
#pragma once

#include "platform/platform.h"
#include "sentry/base/lock.h"
#include "sentry/base/obj.h"
#include "sentry/wait/wait.h"

struct cgroup_ns;
struct cred;
struct ctty;
struct file;
struct ipc_ns;
struct mount_ns;
struct net_ns;
struct oci_process;
struct oci_spec;
struct pid_ns;
struct thread_group;
struct uts_ns;
struct user_ns;

enum container_state { CONTAINER_CREATED, CONTAINER_RUNNING, CONTAINER_STOPPED };

struct container {
    struct obj obj;
    char *id;                /* owned */
    struct oci_spec *spec;   /* owned */
    const struct platform_ops *platform;
    struct plat_zygote *zygote; /* owned */
    struct user_ns *user_ns; /* references, set once */
    struct pid_ns *pid_ns;
    struct mount_ns *mount_ns;
    struct uts_ns *uts_ns;
    struct net_ns *net_ns;
    struct ipc_ns *ipc_ns;
    struct cgroup_ns *cgroup_ns;
    u32 pids_limit;
    bool allow_suid;      /* set-user-ID bits and file capabilities count at exec */
    bool stop_tasks;      /* task_stop_all(); guarded by the pid lock */
    _Atomic(u32) abi_kernel; /* newest kernel that a program run so far demands; see loader.h */
    const char *kernel_release; /* uname -r; see uname.h */
    _Atomic(u32) ntasks;

    struct mutex lock;
    enum container_state state; /* and below: guarded by lock */
    struct thread_group *init;  /* a reference; NULL before start */
    u32 exit_status;            /* wait status of init, once stopped */
    bool paused;
    struct waitq changed; /* woken on every change of state, and when an exec'd process ends */
};
OBJ_REFS(container)

extern const char *container_default_kernel_release;

/* container_new() - objects only; boot (sentry/boot.c) builds the mounts. `spec` is taken. */
int container_new(const char *id, struct oci_spec *spec, const struct platform_ops *platform,
                  struct plat_zygote *zygote, struct user_ns *user_ns, struct container **out);

/* What a process that nobody forks is started from. */
struct process_args {
    const struct oci_process *process; /* borrowed for the call */
    struct file *stdio[3];             /* borrowed; NULL: closed */
    struct ctty *tty;                  /* its session's terminal, borrowed; NULL: none */
    bool is_init;
    const char *failed; /* out, on failure: "cwd", "program" or "process" */
};
/* container_start_process() - make a thread group and load its program in its first step; waits
 * until it has been loaded. Return: 0 and a reference in *out, or the errno of what failed. */
int container_start_process(struct container *c, struct process_args *args,
                            struct thread_group **out);
/* container_wait() - sleep (control thread) until `tg` has ended. Return: its wait status. */
u32 container_wait(struct container *c, struct thread_group *tg);
/* container_kill() - signal init, or with `all` every process. */
int container_kill(struct container *c, int signo, bool all);
/* container_group_ended() - called by the kernel when a parentless group has become a zombie. */
void container_group_ended(struct container *c, struct thread_group *tg);
/* container_shut() - it has ended for good: let go of its init, which holds it. Before the last
 * container_put(). */
void container_shut(struct container *c);
