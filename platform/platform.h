/*
 * The platform seam: how a guest task runs and traps. Everything above is the same on every
 * platform and sees guest code only through this header.
 *
 * Objects
 *   plat_zygote  a pristine host process, one per container, from which fresh address spaces are
 *                forked; made before the Sentry confines itself.
 *   plat_mm      a guest address space: one host process. Its thread-group leader is parked, never
 *                exited, while any plat_thread or reference of the mm is left; it is reaped only
 *                after the last reference is gone, so its pid can't come to mean another process.
 *   plat_thread  a host thread that runs one guest task.
 *
 * Life of a task. The platform owns the loop: for each event it calls step() with the task's
 * cookie on whichever Sentry thread it has, and step() runs the handler to its end in blocking style
 * (it may sleep as long as it likes). Its return value says what comes next. "The calling task"
 * below is the task whose step() is running on this thread; only it may fork, exec, make threads
 * and order memory operations in its own address space. Copies, kills and interrupts may come from
 * any thread.
 *
 * Everything that a guest address space claims (registers, memory, layout) is the guest's claim and
 * good for that guest alone. A host process that breaks the protocol is killed; the task then sees
 * PLAT_DEAD.
 *
 * All functions return 0 or a value, or a negative errno. -ESRCH: the host process is gone.
 */
#pragma once

#include "platform/arch.h"
#include "sentry/base/types.h"

struct plat_zygote;
struct plat_mm;
struct plat_thread;

/* Guest address space: [PLAT_GUEST_MIN, PLAT_TASK_SIZE). The stub has all from PLAT_STUB_BASE on;
 * between them is a gap, since the filter checks ranges in units of 64 KiB, rounded up. */
#define PLAT_GUEST_MIN 0x10000ull
#define PLAT_STUB_BASE 0x7ffff0000000ull
#define PLAT_TASK_SIZE (PLAT_STUB_BASE - 0x20000ull)

enum plat_event {
    PLAT_SYSCALL,   /* regs: a system call of the 64-bit table, ARCH_SYSCALL_* accessors */
    PLAT_FAULT,     /* a signal that the host raised for an instruction: see plat_stop.fault */
    PLAT_INTERRUPT, /* plat_interrupt() was called; nothing else happened */
    PLAT_DEAD,      /* the host process has been killed (OOM, violation); it will not run again */
};

struct plat_fault {
    int signo;    /* LX_SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP */
    int code;     /* si_code as Linux gives it: SEGV_MAPERR, … */
    uaddr_t addr; /* si_addr */
    u32 trapno;   /* for the signal frame: trap number, error code, cr2 */
    u32 err;
    u64 cr2;
};

struct plat_stop {
    enum plat_event event;
    struct plat_fault fault; /* PLAT_FAULT */
    bool vsyscall;           /* PLAT_SYSCALL: a call of the vsyscall page; EFAULT is a SIGSEGV */
    int wait_status;         /* PLAT_DEAD: the host's wait status, or 0 if not known */
};

enum plat_action {
    PLAT_RESUME, /* run the guest on from the registers of plat_regs() */
    PLAT_EXIT,   /* the task is gone; the cookie is not used again */
};

struct plat_client {
    /* step() - serve one event of the task `cookie`, which runs on `th`. */
    enum plat_action (*step)(void *cookie, struct plat_thread *th, const struct plat_stop *stop);
};

struct plat_config {
    const struct plat_client *client;
    int uid, gid; /* ids in the Sentry's user namespace under which guest processes run */
};

/* What a memory operation does; `prot` and `flags` are LX_PROT_* and LX_MAP_*. */
struct plat_map {
    uaddr_t addr; /* page-aligned; [addr, addr+len) is below PLAT_TASK_SIZE; always MAP_FIXED */
    u64 len;      /* page-aligned, not 0 */
    u32 prot;     /* LX_PROT_READ | WRITE | EXEC */
    bool shared;
    int fd;     /* -1: anonymous private; else a host descriptor of ours, borrowed, with at most
                   the rights that the guest may ever have on that file */
    u64 offset; /* of fd */
};

enum plat_atomic_op { PLAT_ATOMIC_XCHG, PLAT_ATOMIC_ADD, PLAT_ATOMIC_OR, PLAT_ATOMIC_ANDN,
                      PLAT_ATOMIC_XOR, PLAT_ATOMIC_CMPXCHG };

struct plat_usage {
    u64 user_ns, system_ns;
    u64 max_rss_kb, minor_faults, major_faults;
};

struct platform_ops {
    const char *name;

    /* init() - once, single-threaded, before the Sentry confines itself. start() - once after
     * it: the platform's own threads, for it and for the zygotes that were made by then. */
    int (*init)(const struct plat_config *config);
    int (*start)(void);

    /* zygote_create() - fork and exec a zygote, single-threaded, before the Sentry confines itself.
     * Return: a new zygote in *out. zygote_destroy() kills it and its listener. */
    int (*zygote_create)(struct plat_zygote **out);
    void (*zygote_destroy)(struct plat_zygote *z);
    /* zygote_pid() - host pid (in the sandbox's pid namespace), so that it can be moved. */
    int (*zygote_pid)(const struct plat_zygote *z);

    /*
     * thread_first() - a fresh address space from `z` and a thread in it for the first task of a
     * process that nobody forks (init, exec). May be called by any Sentry thread. The thread is
     * not running: its memory is built in the step() that comes first, with event PLAT_INTERRUPT.
     */
    int (*thread_first)(struct plat_zygote *z, void *cookie, struct plat_thread **out);
    /*
     * thread_fork() - copy the calling task's address space; `regs` are the child's registers.
     * thread_clone() - a further thread in the calling task's address space.
     * Neither runs before thread_start(); thread_start() can't fail. thread_discard() undoes a
     * thread that was never started. FPU state is the caller's.
     */
    int (*thread_fork)(struct plat_thread *self, const struct arch_regs *regs, void *cookie,
                       struct plat_thread **out);
    int (*thread_clone)(struct plat_thread *self, const struct arch_regs *regs, void *cookie,
                        struct plat_thread **out);
    void (*thread_start)(struct plat_thread *th);
    void (*thread_discard)(struct plat_thread *th);

    /*
     * exec in three parts, all by the calling task. exec_prepare() makes a fresh address space
     * with one thread; memory operations and copies work on *out at once. exec_commit() makes that
     * thread the calling task's: `self` is destroyed, later step()s get `fresh`; can't fail.
     * exec_abort() destroys `fresh`.
     */
    int (*exec_prepare)(struct plat_thread *self, struct plat_zygote *z, struct plat_thread **out);
    void (*exec_commit)(struct plat_thread *self, struct plat_thread *fresh);
    void (*exec_abort)(struct plat_thread *self, struct plat_thread *fresh);

    /* regs() - the stopped task's registers: read and written by its own step() only. */
    struct arch_regs *(*regs)(struct plat_thread *th);
    /* fpu_get(), fpu_set() - the task's extended state as XSAVE lays it out (standard format).
     * fpu_size() bytes at most; fpu_set() of a malformed area: -EINVAL; len 0: as at exec. */
    u32 (*fpu_size)(void);
    int (*fpu_get)(struct plat_thread *th, void *buf, u32 cap, u32 *len);
    int (*fpu_set)(struct plat_thread *th, const void *buf, u32 len);

    /* Memory operations, executed by `th`'s own host thread (the calling task, or a thread from
     * exec_prepare()). Those of one address space are serialised by the caller (mm->lock).
     * Return: 0 or the host's errno. */
    int (*map)(struct plat_thread *th, const struct plat_map *m);
    int (*unmap)(struct plat_thread *th, uaddr_t addr, u64 len);
    int (*protect)(struct plat_thread *th, uaddr_t addr, u64 len, u32 prot);
    int (*advise)(struct plat_thread *th, uaddr_t addr, u64 len, int advice);
    /* remap() - move pages: old range to new address (always FIXED | MAYMOVE). */
    int (*remap)(struct plat_thread *th, uaddr_t old_addr, u64 old_len, uaddr_t new_addr,
                 u64 new_len, bool dontunmap);
    int (*sync)(struct plat_thread *th, uaddr_t addr, u64 len, int flags);
    /* barrier() - membarrier(2)'s private expedited commands and their registrations. Not
     * serialised. */
    int (*barrier)(struct plat_thread *th, int cmd);
    /* map_vdso() - put the host's vvar and vdso at `addr`: *vdso is where its ELF header lands,
     * *len how much address space both take. addr 0: only tell the length. -ENOSYS: has none. */
    int (*map_vdso)(struct plat_thread *th, uaddr_t addr, uaddr_t *vdso, u64 *len);
    /* set_cmdline() - what the host's `ps` shows for the process; best effort, ≤ 4,096 bytes. */
    void (*set_cmdline)(struct plat_thread *th, const char *args, u32 len);

    /* mm_of() - the thread's address space, borrowed. mm_get()/mm_put(): references. */
    struct plat_mm *(*mm_of)(struct plat_thread *th);
    struct plat_mm *(*mm_get)(struct plat_mm *mm);
    void (*mm_put)(struct plat_mm *mm);
    int (*mm_pid)(const struct plat_mm *mm); /* host pid in the sandbox's pid namespace */

    /* copy_in(), copy_out() - by any thread. Return: bytes copied, short where guest memory ends;
     * -EFAULT if none; never more than len. Never under a lock that two guest processes share. */
    ssize_t (*copy_in)(struct plat_mm *mm, void *dst, uaddr_t src, size_t len);
    ssize_t (*copy_out)(struct plat_mm *mm, uaddr_t dst, const void *src, size_t len);
    /* atomic() - by the calling task, on an aligned 32-bit word of its own memory: old value in
     * *old. CMPXCHG stores `arg` if the word was `expect`. Return: 0, -EFAULT. */
    int (*atomic)(struct plat_thread *th, uaddr_t addr, enum plat_atomic_op op, u32 arg,
                  u32 expect, u32 *old);

    /* interrupt() - by any thread: `th` enters step() soon (at once if it runs guest code, else
     * before it next would). Idempotent until then. */
    void (*interrupt)(struct plat_thread *th);
    /* kill() - by any thread: the whole host process is killed; its threads see PLAT_DEAD. */
    void (*kill)(struct plat_mm *mm);

    /* times() - host CPU time of the thread's own execution, in ns. */
    int (*times)(struct plat_thread *th, u64 *user_ns, u64 *system_ns);
    /* usage() - by the calling task: its CPU times as times() gives them, what its host process has
     * had of memory at most, and its own page faults since it was made or executed. */
    int (*usage)(struct plat_thread *th, struct plat_usage *out);
};

extern const struct platform_ops ptrace_platform;

/* platform_find() - by name from platforms[]; NULL if there is none. */
const struct platform_ops *platform_find(const char *name);
