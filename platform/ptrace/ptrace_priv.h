/* Inside the ptrace platform; see thread.c for its theory of operation. */
#pragma once

#include "platform/host_guest.h"
#include "platform/platform.h"
#include "platform/zygote.h"
#include "sentry/base/lock.h"

#include <stdatomic.h>

struct plat_mm {
    atomic_uint refs;
    int pid; /* the leader's; pinned until the last reference is gone */
    struct plat_zygote *zygote; /* borrowed: outlives its address spaces */
    atomic_uint users;  /* threads that are not parked; futex of the parked leader */
    struct plat_mm *reap_next;
};

enum { GATE_CLOSED, GATE_START, GATE_DISCARD };
enum { RUN_STOPPED, RUN_GUEST };

struct plat_thread {
    struct plat_mm *mm; /* a reference */
    int tid;
    bool leader;
    bool first;     /* made by thread_first(): step() comes before guest code */
    bool seized;    /* this Sentry thread traces it */
    bool dead;      /* the host thread is gone */
    int dead_status;
    bool regs_known; /* regs are what the host thread has, but for regs_dirty */
    bool regs_dirty; /* regs must be written before guest code runs */
    struct arch_regs regs;
    u64 cr2;                         /* of its last page fault, as the host's frames show it */
    void *cookie;
    atomic_uint gate;      /* GATE_*: thread_start() or thread_discard() */
    atomic_uint run;       /* RUN_*: may an interrupt be needed? */
    atomic_bool interrupt; /* step() is wanted */
    struct plat_thread *replaced_by; /* exec_commit() */
    struct plat_thread *replaced;    /* leaders left behind by exec, still traced from here */
    atomic_int server;         /* tid of the Sentry thread that serves it */
    u64 user_base_ns;          /* of the host threads that it has replaced */
    _Atomic(u64) user_ns, system_ns; /* as last read */
};

extern struct plat_config ptrace_config;

/* mm.c */
/* ptrace_reaper_start() - the thread that reaps dead processes. */
int ptrace_reaper_start(void);
struct plat_mm *ptrace_mm_new(int pid, struct plat_zygote *z);
void ptrace_mm_put(struct plat_mm *mm);
int ptrace_map(struct plat_thread *th, const struct plat_map *m);
int ptrace_unmap(struct plat_thread *th, uaddr_t addr, u64 len);
int ptrace_protect(struct plat_thread *th, uaddr_t addr, u64 len, u32 prot);
int ptrace_advise(struct plat_thread *th, uaddr_t addr, u64 len, int advice);
int ptrace_remap(struct plat_thread *th, uaddr_t old_addr, u64 old_len, uaddr_t new_addr,
                 u64 new_len, bool dontunmap);
int ptrace_sync(struct plat_thread *th, uaddr_t addr, u64 len, int flags);
int ptrace_barrier(struct plat_thread *th, int cmd);
int ptrace_map_vdso(struct plat_thread *th, uaddr_t addr, uaddr_t *vdso, u64 *len);
void ptrace_set_cmdline(struct plat_thread *th, const char *args, u32 len);
ssize_t ptrace_copy_in(struct plat_mm *mm, void *dst, uaddr_t src, size_t len);
ssize_t ptrace_copy_out(struct plat_mm *mm, uaddr_t dst, const void *src, size_t len);

/* order.c: run something of the stub in a stopped thread, then have it stopped again. */
struct order {
    u64 entry;    /* address in the stub; it ends in int3 */
    s64 nr;       /* a host call: its number; -1: none */
    u64 args[6];
    bool by_notify; /* the filter asks the listener about it */
    int add_fd;     /* descriptor to donate with it, or -1 */
};
/* Return: 0 and rax in *result, -EFAULT (the stub's instruction faulted), -ESRCH. */
int ptrace_order(struct plat_thread *th, const struct order *o, s64 *result);
/* ptrace_order_call() - a host call by value. Return: its result or -errno. */
s64 ptrace_order_call(struct plat_thread *th, s64 nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f);
int ptrace_atomic(struct plat_thread *th, uaddr_t addr, enum plat_atomic_op op, u32 arg,
                  u32 expect, u32 *old);

/* run.c */
/* ptrace_attach() - become the tracer of th's host thread and hold it in the stub. */
int ptrace_attach(struct plat_thread *th);
/* ptrace_run() - run guest code until something happens. */
void ptrace_run(struct plat_thread *th, struct plat_stop *stop);
/* ptrace_wait() - until the thread stops or dies. Return: stop status, or -ESRCH (th->dead set). */
int ptrace_wait(struct plat_thread *th);
void ptrace_interrupt(struct plat_thread *th);

/* times.c */
int ptrace_times(struct plat_thread *th, u64 *user_ns, u64 *system_ns);
int ptrace_usage(struct plat_thread *th, struct plat_usage *out);

/* fault.c */
/* ptrace_fault() - what a signal stop means. Return: false: nothing, run on. */
bool ptrace_fault(struct plat_thread *th, int signo, struct plat_stop *stop);
/* ptrace_foreign_entry() - a system call stop that did not come from a 64-bit `syscall`. */
bool ptrace_foreign_entry(struct plat_thread *th, struct plat_stop *stop);

/* fpu.c */
u32 ptrace_fpu_size(void);
int ptrace_fpu_get(struct plat_thread *th, void *buf, u32 cap, u32 *len);
int ptrace_fpu_set(struct plat_thread *th, const void *buf, u32 len);
