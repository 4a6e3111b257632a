/*
 * The ptrace platform: PTRACE_SYSEMU, one Sentry thread for each guest thread.
 *
 * Tracing belongs to one host thread, so the Sentry thread that has seized a guest thread serves it
 * for life: it waits for the next stop, calls step() on it, writes registers back and resumes it.
 * Guest code only ever runs under PTRACE_SYSEMU, so none of its system calls is executed; only
 * ordered calls (order.c), which start and end in the stub, run under PTRACE_CONT and meet the
 * guest filter.
 *
 * Birth: an ordered clone by the parent (fork, thread) or by the zygote (first, exec). The child is
 * untraced and waits in its check-in. Its Sentry thread seizes it with EXITKILL and interrupts it,
 * then the listener answers the check-in, and the child stops before its first guest instruction.
 *
 * Death: a further thread is sent to exit(2) and let go. A leader stays parked in its stop, with
 * its Sentry thread, while other threads use the address space; the last of them kills the process.
 * It is reaped (by a thread of its own, so that nobody waits for the teardown) when the last
 * reference to the address space is dropped (mm.c), so its pid names nothing
 * else as long as anybody may copy, kill or interrupt by it. Killed from outside (OOM), the waiting
 * Sentry thread sees the end and reports PLAT_DEAD.
 *
 * Every wait ends by a stop or by the death of the host thread; none has a time-out.
 */
#include "platform/ptrace/ptrace_priv.h"

#include "zygote_image.h"
#include "sentry/base/clean.h"
#include "sentry/base/host_thread.h"
#include "sentry/base/log.h"

#include <errno.h>
#include <sys/ptrace.h>

enum { HOST_SYS_EXIT = 60, HOST_SYS_CLONE = 56 };

struct plat_config ptrace_config;

static int ptrace_init(const struct plat_config *config)
{
    ptrace_config = *config;
    return 0;
}

static int ptrace_start(void)
{
    int err = ptrace_reaper_start();

    return err < 0 ? err : zygote_start_all();
}

static int zygote_create(struct plat_zygote **out)
{
    return zygote_boot(&ptrace_config, out);
}

static int zygote_pid_of(const struct plat_zygote *z)
{
    return z->pid;
}

static struct plat_thread *thread_new(struct plat_mm *mm, int tid, void *cookie)
{
    struct plat_thread *th = calloc(1, sizeof(*th));

    if (!th)
        return NULL;
    th->mm = mm;
    th->tid = tid;
    th->leader = tid == mm->pid;
    th->cookie = cookie;
    return th;
}

static void thread_free(struct plat_thread *th)
{
    ptrace_mm_put(th->mm);
    free(th);
}

/* let_go() - a further thread leaves by itself: exit(2) in the stub, no tracer. */
static void let_go(struct plat_thread *th)
{
    struct arch_regs r = th->regs;

    if (th->dead || !th->seized)
        return;
    r.rip = ADDR_stub_order;
    r.rax = HOST_SYS_EXIT;
    r.orig_rax = (u64)-1;
    r.rdi = 0;
    r.eflags = 0x202;
    host_ptrace(PTRACE_SETREGS, th->tid, 0, &r);
    if (host_ptrace(PTRACE_DETACH, th->tid, 0, NULL) < 0)
        host_guest_reap(th->tid); /* it is being killed; its tracer must take note */
}

/* drop_user() - one thread less uses the address space; the last one ends it. */
static void drop_user(struct plat_mm *mm)
{
    if (atomic_fetch_sub(&mm->users, 1) == 1) {
        host_guest_kill(mm->pid);
        host_futex_wake(&mm->users, INT32_MAX, false);
    }
}

/* thread_leave() - the host thread is not wanted any more; on its Sentry thread. A leader stays
 * in its stop. */
static void thread_leave(struct plat_thread *th)
{
    if (!th->leader)
        let_go(th);
    drop_user(th->mm);
}

/* thread_free_parked() - wait until nobody uses the address spaces of `th`, if it is a leader, and
 * of the leaders that it has replaced by exec: this Sentry thread is their tracer till then. */
static void thread_free_parked(struct plat_thread *th)
{
    while (th) {
        struct plat_thread *next = th->replaced;
        struct plat_mm *mm = th->mm;
        unsigned int users;

        while (th->leader && (users = atomic_load(&mm->users)) > 0)
            host_futex_wait(&mm->users, users, DEADLINE_NEVER, false);
        thread_free(th);
        th = next;
    }
}

/* switch_to_fresh() - after exec: leave the old host thread. A leader that others still need is
 * kept behind the fresh thread. */
static struct plat_thread *switch_to_fresh(struct plat_thread *th)
{
    struct plat_thread *fresh = th->replaced_by;

    thread_leave(th);
    fresh->replaced = th->replaced;
    th->replaced = NULL;
    if (th->leader && atomic_load(&th->mm->users) > 0) {
        th->replaced = fresh->replaced;
        fresh->replaced = th;
    } else {
        thread_free(th);
    }
    return fresh;
}

/* serve() - the life of a guest thread, on its Sentry thread. */
static void *serve(void *arg)
{
    struct plat_thread *th = arg;
    struct plat_stop stop = {.event = PLAT_INTERRUPT};
    bool live;

    th->server = host_gettid();
    ptrace_attach(th);
    while (atomic_load(&th->gate) == GATE_CLOSED)
        host_futex_wait(&th->gate, GATE_CLOSED, DEADLINE_NEVER, false);
    live = atomic_load(&th->gate) == GATE_START;
    if (live && !th->first)
        ptrace_run(th, &stop);
    while (live) {
        live = ptrace_config.client->step(th->cookie, th, &stop) == PLAT_RESUME;
        if (th->replaced_by)
            th = switch_to_fresh(th);
        if (live)
            ptrace_run(th, &stop);
    }
    thread_leave(th);
    thread_free_parked(th);
    return NULL;
}

static int start_serving(struct plat_thread *th)
{
    int err;

    atomic_fetch_add(&th->mm->users, 1);
    err = host_thread_start("task", serve, th);
    if (err < 0)
        atomic_fetch_sub(&th->mm->users, 1);
    return err;
}

/* birth_failed() - a host thread exists but nobody will serve it. */
static int birth_failed(struct plat_mm *mm, int err)
{
    host_guest_kill(mm->pid);
    ptrace_mm_put(mm);
    return err;
}

/* process_from_zygote() - a fresh address space and its leader, not yet served. */
static int process_from_zygote(struct plat_zygote *z, void *cookie, struct plat_thread **out)
{
    int pid = zygote_fork(z);
    struct plat_thread *th;
    struct plat_mm *mm;

    if (pid < 0)
        return pid;
    mm = ptrace_mm_new(pid, z);
    if (!mm) {
        host_guest_kill(pid);
        host_guest_reap(pid);
        return -ENOMEM;
    }
    th = thread_new(mm, pid, cookie);
    if (!th)
        return birth_failed(mm, -ENOMEM);
    *out = th;
    return 0;
}

static int thread_first(struct plat_zygote *z, void *cookie, struct plat_thread **out)
{
    struct plat_thread *th;
    int err = process_from_zygote(z, cookie, &th);

    if (err < 0)
        return err;
    th->first = true;
    err = start_serving(th);
    if (err < 0) {
        host_guest_kill(th->tid);
        thread_free(th);
        return err;
    }
    *out = th;
    return 0;
}

/* ordered_clone() - clone(2) by a stopped guest thread. Return: the new tid or -errno. */
static int ordered_clone(struct plat_thread *self, u64 flags)
{
    struct order o = {
        .entry = ADDR_stub_order_clone,
        .nr = HOST_SYS_CLONE,
        .args = {flags},
        .by_notify = true,
        .add_fd = -1,
    };
    s64 tid;
    int err = ptrace_order(self, &o, &tid);

    return err < 0 ? err : (int)tid;
}

static int publish(struct plat_thread *th, const struct arch_regs *regs, struct plat_thread **out)
{
    int err;

    th->regs = *regs;
    th->regs_dirty = th->regs_known = true;
    err = start_serving(th);
    if (err < 0) {
        /* Nobody can trace it: the process that has it is beyond help only if it is its own. */
        if (th->leader)
            host_guest_kill(th->mm->pid);
        thread_free(th);
        return err;
    }
    *out = th;
    return 0;
}

static int thread_fork(struct plat_thread *self, const struct arch_regs *regs, void *cookie,
                       struct plat_thread **out)
{
    int pid = ordered_clone(self, STUB_FORK_FLAGS);
    struct plat_thread *th;
    struct plat_mm *mm;

    if (pid < 0)
        return pid;
    mm = ptrace_mm_new(pid, self->mm->zygote);
    if (!mm) {
        host_guest_kill(pid);
        host_guest_reap(pid);
        return -ENOMEM;
    }
    th = thread_new(mm, pid, cookie);
    if (!th)
        return birth_failed(mm, -ENOMEM);
    return publish(th, regs, out);
}

static int thread_clone(struct plat_thread *self, const struct arch_regs *regs, void *cookie,
                        struct plat_thread **out)
{
    struct plat_thread *th = thread_new(self->mm, 0, cookie);
    int tid;

    if (!th)
        return -ENOMEM;
    tid = ordered_clone(self, STUB_THREAD_FLAGS);
    if (tid < 0) {
        free(th);
        return tid;
    }
    atomic_fetch_add(&self->mm->refs, 1);
    th->tid = tid;
    th->leader = false;
    return publish(th, regs, out);
}

static void open_gate(struct plat_thread *th, unsigned int how)
{
    atomic_store(&th->gate, how);
    host_futex_wake(&th->gate, 1, false);
}

static void thread_start(struct plat_thread *th)
{
    open_gate(th, GATE_START);
}

static void thread_discard(struct plat_thread *th)
{
    open_gate(th, GATE_DISCARD);
}

static int exec_prepare(struct plat_thread *self, struct plat_zygote *z, struct plat_thread **out)
{
    struct plat_thread *th;
    int err = process_from_zygote(z, self->cookie, &th);

    if (err < 0)
        return err;
    atomic_fetch_add(&th->mm->users, 1);
    th->server = self->server;
    err = ptrace_attach(th);
    if (err < 0) {
        host_guest_kill(th->tid);
        thread_free(th);
        return err;
    }
    *out = th;
    return 0;
}

static void exec_commit(struct plat_thread *self, struct plat_thread *fresh)
{
    if (atomic_load(&self->interrupt))
        atomic_store(&fresh->interrupt, true);
    u64 system_ns;

    ptrace_times(self, &fresh->user_base_ns, &system_ns);
    fresh->user_ns = fresh->user_base_ns;
    fresh->system_ns = system_ns;
    self->replaced_by = fresh;
}

static void exec_abort(struct plat_thread *self, struct plat_thread *fresh)
{
    (void)self;
    host_guest_kill(fresh->tid);
    thread_free(fresh);
}

static struct arch_regs *thread_regs(struct plat_thread *th)
{
    th->regs_dirty = true;
    return &th->regs;
}

static struct plat_mm *mm_of(struct plat_thread *th)
{
    return th->mm;
}

static struct plat_mm *mm_get(struct plat_mm *mm)
{
    atomic_fetch_add(&mm->refs, 1);
    return mm;
}

static int mm_pid(const struct plat_mm *mm)
{
    return mm->pid;
}

static void mm_kill(struct plat_mm *mm)
{
    host_guest_kill(mm->pid);
}

const struct platform_ops ptrace_platform = {
    .name = "ptrace",
    .init = ptrace_init,
    .start = ptrace_start,
    .zygote_create = zygote_create,
    .zygote_destroy = zygote_kill,
    .zygote_pid = zygote_pid_of,
    .thread_first = thread_first,
    .thread_fork = thread_fork,
    .thread_clone = thread_clone,
    .thread_start = thread_start,
    .thread_discard = thread_discard,
    .exec_prepare = exec_prepare,
    .exec_commit = exec_commit,
    .exec_abort = exec_abort,
    .regs = thread_regs,
    .fpu_size = ptrace_fpu_size,
    .fpu_get = ptrace_fpu_get,
    .fpu_set = ptrace_fpu_set,
    .map = ptrace_map,
    .unmap = ptrace_unmap,
    .protect = ptrace_protect,
    .advise = ptrace_advise,
    .remap = ptrace_remap,
    .sync = ptrace_sync,
    .barrier = ptrace_barrier,
    .map_vdso = ptrace_map_vdso,
    .set_cmdline = ptrace_set_cmdline,
    .mm_of = mm_of,
    .mm_get = mm_get,
    .mm_put = ptrace_mm_put,
    .mm_pid = mm_pid,
    .copy_in = ptrace_copy_in,
    .copy_out = ptrace_copy_out,
    .atomic = ptrace_atomic,
    .interrupt = ptrace_interrupt,
    .kill = mm_kill,
    .times = ptrace_times,
    .usage = ptrace_usage,
};
