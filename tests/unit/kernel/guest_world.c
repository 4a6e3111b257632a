/* See guest_world.h. The platform here has no processes: threads stand for tasks. */
#include "tests/unit/kernel/guest_world.h"

#include "sentry/abi/lx_process.h"
#include "sentry/base/lock.h"
#include "sentry/kernel/fdtable.h"
#include "sentry/kernel/fs_context.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/mm/usermem.h"
#include "sentry/oci/oci_spec.h"
#include "sentry/syscalls/syscall.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GUEST_RIP   0x400000ull
#define GUEST_STACK 65536u

struct plat_mm {
    atomic_int refs;
};

struct plat_thread {
    struct plat_mm *mm;
    struct arch_regs regs;
    atomic_bool interrupt;
    guest_fn *fn;
    struct task *task;
    char *stack;
};

static struct container *container;
static atomic_int failures, live_mms, live_threads;
static _Thread_local struct plat_thread *self;
static _Thread_local guest_fn
    *next_fn; /* what the child of the clone that this thread makes runs */

void world_fail(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: %s\n", file, line, what);
    atomic_fetch_add(&failures, 1);
}

int world_failures(void)
{
    return atomic_load(&failures);
}

struct container *world_container(void)
{
    return container;
}

/* --- the platform --- */

static struct plat_mm *mm_get_(struct plat_mm *mm)
{
    atomic_fetch_add(&mm->refs, 1);
    return mm;
}

static void mm_put_(struct plat_mm *mm)
{
    if (atomic_fetch_sub(&mm->refs, 1) != 1)
        return;
    atomic_fetch_sub(&live_mms, 1);
    free(mm);
}

static struct plat_mm *new_mm(void)
{
    struct plat_mm *mm = calloc(1, sizeof(*mm));

    atomic_init(&mm->refs, 1);
    atomic_fetch_add(&live_mms, 1);
    return mm;
}

static struct plat_thread *new_thread(struct plat_mm *mm, guest_fn *fn, void *cookie)
{
    struct plat_thread *th = calloc(1, sizeof(*th));

    th->mm = mm;
    th->fn = fn;
    th->task = cookie;
    th->stack = malloc(GUEST_STACK);
    th->regs.rip = GUEST_RIP;
    th->regs.rsp = (uintptr_t)th->stack + GUEST_STACK - 64;
    atomic_fetch_add(&live_threads, 1);
    return th;
}

static void thread_discard(struct plat_thread *th)
{
    mm_put_(th->mm);
    free(th->stack);
    free(th);
    atomic_fetch_sub(&live_threads, 1);
}

static int thread_fork(struct plat_thread *from, const struct arch_regs *regs, void *cookie,
                       struct plat_thread **out)
{
    CHECK(from == self && regs->rax == 0);
    *out = new_thread(new_mm(), next_fn, cookie);
    return 0;
}

static int thread_clone(struct plat_thread *from, const struct arch_regs *regs, void *cookie,
                        struct plat_thread **out)
{
    CHECK(from == self && regs->rax == 0);
    *out = new_thread(mm_get_(from->mm), next_fn, cookie);
    return 0;
}

static void *serve(void *arg)
{
    self = arg;
    guest_spin();
    self->fn();
    guest_exit(0);
    return NULL;
}

static void thread_start(struct plat_thread *th)
{
    host_thread_start("guest", serve, th);
}

static struct arch_regs *regs_of(struct plat_thread *th)
{
    return &th->regs;
}

static u32 fpu_size(void)
{
    return 512;
}

static int fpu_get(struct plat_thread *th, void *buf, u32 cap, u32 *len)
{
    (void)th;
    memset(buf, 0, cap);
    *len = 512;
    return 0;
}

static int fpu_set(struct plat_thread *th, const void *buf, u32 len)
{
    (void)th;
    (void)buf;
    (void)len;
    return 0;
}

static struct plat_mm *mm_of(struct plat_thread *th)
{
    return th->mm;
}

static ssize_t copy_in(struct plat_mm *mm, void *dst, uaddr_t src, size_t len)
{
    (void)mm;
    if (src < PLAT_GUEST_MIN)
        return -EFAULT;
    memcpy(dst, (const void *)(uintptr_t)src, len);
    return (ssize_t)len;
}

static ssize_t copy_out(struct plat_mm *mm, uaddr_t dst, const void *src, size_t len)
{
    (void)mm;
    if (dst < PLAT_GUEST_MIN)
        return -EFAULT;
    memcpy((void *)(uintptr_t)dst, src, len);
    return (ssize_t)len;
}

static void interrupt(struct plat_thread *th)
{
    atomic_store(&th->interrupt, true);
}

static int times(struct plat_thread *th, u64 *user_ns, u64 *system_ns)
{
    (void)th;
    *user_ns = 20000000;
    *system_ns = 10000000;
    return 0;
}

static int usage(struct plat_thread *th, struct plat_usage *out)
{
    *out = (struct plat_usage){.max_rss_kb = 100};
    return times(th, &out->user_ns, &out->system_ns);
}

static void zygote_destroy(struct plat_zygote *z)
{
    (void)z;
}

static const struct platform_ops threads_platform = {
    .name = "threads",
    .zygote_destroy = zygote_destroy,
    .thread_fork = thread_fork,
    .thread_clone = thread_clone,
    .thread_start = thread_start,
    .thread_discard = thread_discard,
    .regs = regs_of,
    .fpu_size = fpu_size,
    .fpu_get = fpu_get,
    .fpu_set = fpu_set,
    .mm_of = mm_of,
    .mm_get = mm_get_,
    .mm_put = mm_put_,
    .copy_in = copy_in,
    .copy_out = copy_out,
    .interrupt = interrupt,
    .times = times,
    .usage = usage,
};

/* --- guest code --- */

static void step(enum plat_event event)
{
    struct plat_stop stop = {.event = event};

    if (task_step(self->task, self, &stop) == PLAT_RESUME)
        return;
    thread_discard(self);
    pthread_exit(NULL);
}

/* settle() - do what the registers say until guest code is back where it was: run handlers, repeat
 * calls. */
static void settle(void)
{
    struct arch_regs *r = &self->regs;

    while (r->rip != GUEST_RIP) {
        if (r->rip == GUEST_RIP - 2) {
            r->rip = GUEST_RIP;
            r->orig_rax = r->rax;
        } else {
            void (*handler)(int) = (void (*)(int))(uintptr_t)r->rip;
            u64 frame = r->rsp;

            r->rip = GUEST_RIP;
            handler((int)r->rdi);
            r->rsp = frame + 8;
            r->orig_rax = NR_RT_SIGRETURN;
        }
        step(PLAT_SYSCALL);
    }
}

s64 guest_call(s64 nr, u64 a, u64 b, u64 c, u64 d, u64 e)
{
    struct arch_regs *r = &self->regs;

    r->orig_rax = (u64)nr;
    r->rdi = a, r->rsi = b, r->rdx = c, r->r10 = d, r->r8 = e, r->r9 = 0;
    step(PLAT_SYSCALL);
    settle();
    return (s64)self->regs.rax;
}

void guest_spin(void)
{
    if (atomic_exchange(&self->interrupt, false)) {
        step(PLAT_INTERRUPT);
        settle();
    } else {
        host_sched_yield();
    }
}

s64 guest_clone(u64 flags, guest_fn *fn)
{
    next_fn = fn;
    return guest_call(NR_CLONE, flags, 0, 0, 0, 0);
}

s64 guest_fork(guest_fn *fn)
{
    return guest_clone(LX_SIGCHLD, fn);
}

s64 guest_thread(guest_fn *fn)
{
    return guest_clone(
        LX_CLONE_VM | LX_CLONE_FS | LX_CLONE_FILES | LX_CLONE_SIGHAND | LX_CLONE_THREAD, fn);
}

void guest_exit(int status)
{
    guest_call(NR_EXIT_GROUP, (u64)status, 0, 0, 0, 0);
    abort();
}

void guest_exit_thread(int status)
{
    guest_call(NR_EXIT, (u64)status, 0, 0, 0, 0);
    abort();
}

s64 guest_wait(s32 pid, u32 *status, u32 options)
{
    return guest_call(NR_WAIT4, (u64)pid, (uintptr_t)status, options, 0, 0);
}

s64 guest_kill(s32 pid, int signo)
{
    return guest_call(NR_KILL, (u64)pid, (u64)signo, 0, 0, 0);
}

s64 guest_getpid(void)
{
    return guest_call(NR_GETPID, 0, 0, 0, 0, 0);
}

s64 guest_getppid(void)
{
    return guest_call(NR_GETPPID, 0, 0, 0, 0, 0);
}

void guest_handle(int signo, void (*fn)(int), u64 flags)
{
    struct lx_sigaction sa = {.handler = (uintptr_t)fn, .flags = flags | LX_SA_RESTORER};

    CHECK(guest_call(NR_RT_SIGACTION, (u64)signo, (uintptr_t)&sa, 0, 8, 0) == 0);
}

static void change_mask(int how, int signo)
{
    u64 set = sigbit(signo);

    CHECK(guest_call(NR_RT_SIGPROCMASK, (u64)how, (uintptr_t)&set, 0, 8, 0) == 0);
}

void guest_block(int signo)
{
    change_mask(LX_SIG_BLOCK, signo);
}

void guest_unblock(int signo)
{
    change_mask(LX_SIG_UNBLOCK, signo);
}

/* --- the world --- */

/* world_dispatch() - of the system calls, those about processes. */
static s64 world_dispatch(struct task *t, s64 nr, const u64 a[6])
{
    static syscall_fn *const calls[] = {
        [NR_RT_SIGACTION] = sys_rt_sigaction,
        [NR_RT_SIGPROCMASK] = sys_rt_sigprocmask,
        [NR_RT_SIGRETURN] = sys_rt_sigreturn,
        [NR_PAUSE] = sys_pause,
        [NR_GETPID] = sys_getpid,
        [NR_CLONE] = sys_clone,
        [NR_EXIT] = sys_exit,
        [NR_WAIT4] = sys_wait4,
        [NR_KILL] = sys_kill,
        [NR_SETPGID] = sys_setpgid,
        [NR_GETPPID] = sys_getppid,
        [NR_SETSID] = sys_setsid,
        [NR_SETRESUID] = sys_setresuid,
        [NR_PRCTL] = sys_prctl,
        [NR_GETTID] = sys_gettid,
        [NR_EXIT_GROUP] = sys_exit_group,
        [NR_WAITID] = sys_waitid,
    };

    return nr >= 0 && nr < (s64)ARRAY_SIZE(calls) && calls[nr] ? calls[nr](t, a) : -ENOSYS;
}

static const char spec_text[] =
    "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"rootfs\"},"
    "\"process\":{\"args\":[\"x\"],\"cwd\":\"/\",\"user\":{\"uid\":0,\"gid\":0}},"
    "\"linux\":{\"resources\":{\"pids\":{\"limit\":50}}}}";

static void make_container(struct user_ns *ns)
{
    struct oci_error error;
    struct oci_spec *spec;

    if (oci_spec_parse(spec_text, sizeof(spec_text) - 1, &spec, &error) < 0) {
        fprintf(stderr, "%s\n", error.text);
        abort();
    }
    if (container_new("world", spec, &threads_platform, NULL, ns, &container) < 0)
        abort();
    /* container_put() hands the zygote to the platform only if there is one. */
}

static struct thread_group *make_init(struct user_ns *ns, guest_fn *fn)
{
    const struct path nowhere = {NULL, NULL};
    struct thread_group *tg;
    struct task *t;
    struct pid *pid;

    if (pid_alloc(container->pid_ns, &pid) < 0 || thread_group_alloc(container, pid, &tg) < 0 ||
        task_alloc(tg, pid, &t) < 0)
        abort();
    pid_put(pid);
    rlimit_defaults(tg->limits);
    tg->sighand = sighand_new(NULL);
    t->cred = cred_root(ns);
    t->fs = fs_context_new(&nowhere, &nowhere, 022);
    t->files = fdtable_new();
    t->ns = nsproxy_new(&(struct nsproxy){.uts = container->uts_ns,
                                          .net = container->net_ns,
                                          .ipc = container->ipc_ns,
                                          .cgroup = container->cgroup_ns,
                                          .pid_for_children = container->pid_ns});
    t->thread = new_thread(new_mm(), fn, t);
    if (mm_new(&threads_platform, t->thread, &t->mm) < 0 ||
        task_count_charge(container, t->cred, RLIM_NONE) < 0)
        abort();
    pid_lock();
    if (session_new_locked(tg) < 0)
        abort();
    mutex_lock(&tg->lock);
    task_link_locked(t);
    tg->unkillable = true;
    container->pid_ns->init = tg;
    mutex_unlock(&tg->lock);
    pid_unlock();
    container->init = thread_group_get(tg);
    container->state = CONTAINER_RUNNING;
    return tg;
}

static void check_nothing_left(void)
{
    for (struct obj_type *type = obj_types(); type; type = type->next) {
        if (atomic_load(&type->live)) {
            fprintf(stderr, "%lu objects of type %s are left\n",
                    (unsigned long)atomic_load(&type->live), type->name);
            atomic_fetch_add(&failures, 1);
        }
    }
    CHECK(atomic_load(&live_mms) == 0);
}

u32 world_run(guest_fn *init)
{
    struct user_ns *ns = user_ns_first();
    struct thread_group *tg;
    u32 status;

    task_set_dispatch(world_dispatch);
    usermem_set_fault_in(task_fault_in);
    make_container(ns);
    tg = make_init(ns, init);
    thread_start(tg->leader->thread);
    status = container_wait(container, tg);
    while (atomic_load(&live_threads))
        host_sched_yield();
    CHECK(atomic_load(&container->ntasks) == 0);
    CHECK(container->state == CONTAINER_STOPPED);
    thread_group_put(tg);
    container_shut(container);
    container_put(container);
    user_ns_put(ns);
    check_nothing_left();
    return status;
}
