/*
 * execve(2), and the first program of a process that nobody forked.
 *
 * The loader builds the new program in an address space of its own while the old one stays as it
 * is, so any failure up to there is an errno. Then the caller's other tasks go (alone()), it takes
 * its leader's place and number (become_leader()), and what was prepared is installed (commit()),
 * which can't fail.
 */
#include <sys/auxv.h>

#include "sentry/abi/lx_mm.h"
#include "sentry/abi/lx_process.h"
#include "sentry/kernel/fdtable.h"
#include "sentry/kernel/fs_context.h"
#include "sentry/kernel/posix_timer.h"
#include "sentry/kernel/ptrace.h"
#include "sentry/kernel/task_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Everything that exec prepares before it can no longer fail. */
struct exec_parts {
    struct exec_cred cred;
    struct loader_result program;
    struct fdtable *files;   /* the caller's table if it shares one; NULL: it keeps its own */
    struct sighand *sighand; /* for a caller that shares its own */
    bool dumpable;           /* the new address space */
};

static void drop_parts(struct task *t, struct exec_parts *p)
{
    if (p->program.thread && p->program.thread != t->thread)
        task_platform(t)->exec_abort(t->thread, p->program.thread);
    mm_put(p->program.mm);
    file_put(p->program.exe);
    cred_put(p->cred.fresh);
    fdtable_put(p->files);
    sighand_put(p->sighand);
}

/* load() - the program into a fresh address space: `self` NULL builds it in t's own thread. */
static int load(struct task *t, struct plat_thread *self, struct file *file, const char *filename,
                struct exec_strings *argv, struct exec_strings *envp, struct exec_parts *p)
{
    struct walk_ctx walk;
    struct loader_args args = {
        .platform = task_platform(t),
        .self = self,
        .zygote = t->tg->container->zygote,
        .walk = &walk,
        .file = file,
        .filename = filename,
        .argv = argv,
        .envp = envp,
        .stack_limit = task_rlimit(t, LX_RLIMIT_STACK),
        .fixed_layout = t->personality & LX_PER_ADDR_NO_RANDOMIZE,
        .auxv_hwcap = loader_hwcap(),
        .auxv_hwcap2 = getauxval(AT_HWCAP2),
        .auxv_minsigstksz = getauxval(AT_MINSIGSTKSZ),
        .set_ids = exec_cred_set_ids,
        .context = &p->cred,
    };
    int err;

    p->cred.task = t;
    fs_context_walk(t, &walk);
    err = loader_exec(&args, self ? NULL : t->thread, &p->program);
    fs_context_walk_end(&walk);
    return err;
}

/* prepare() - what else may run out of memory. */
static int prepare(struct task *t, struct exec_parts *p)
{
    p->sighand = sighand_new(NULL);
    if (!p->sighand)
        return -ENOMEM;
    if (atomic_load(&t->files->obj.count) > 1) {
        p->files = fdtable_dup(t->files);
        if (!p->files)
            return -ENOMEM;
    }
    return 0;
}

/* --- the point of no return --- */

/* alone() - wait until every other task of the group has left. Return: 0 with tg->exec_task set,
 * -EAGAIN: another task is faster, or the group exits. */
static int alone(struct task *t)
{
    struct thread_group *tg = t->tg;
    int err;

    mutex_lock(&tg->lock);
    if (tg->exiting || tg->exec_task) {
        mutex_unlock(&tg->lock);
        return -EAGAIN;
    }
    tg->exec_task = t;
    group_kill_others_locked(tg, t);
    mutex_unlock(&tg->lock);
    err = wait_event_killable(&tg->stop_wait, 0, DEADLINE_NEVER, atomic_load(&tg->ntasks) == 1);
    mutex_lock(&tg->lock);
    if (tg->exiting)
        err = -EAGAIN;
    if (err)
        tg->exec_task = NULL;
    mutex_unlock(&tg->lock);
    return err ? -EAGAIN : 0;
}

/* become_leader() - the process keeps its number: the task takes over the one of its leader, which
 * is a zombie by now and is forgotten. */
static void become_leader(struct task *t)
{
    struct thread_group *tg = t->tg;
    struct task *old = tg->leader;
    struct pid *pid = t->pid;

    if (old == t)
        return;
    pid_lock();
    mutex_lock(&tg->lock);
    t->pid = old->pid;
    t->pid->task = t;
    old->pid = pid;
    t->start_time = old->start_time;
    tg->leader = task_get(t);
    atomic_store(&old->state, TASK_DEAD);
    mutex_unlock(&tg->lock);
    trace_forget_locked(old);
    pid_release_locked(pid);
    task_count_release(tg->container, old->cred->uid);
    pid_unlock();
    task_put(old);
}

/* install_group() - what belongs to the process. */
static void install_group(struct task *t, struct exec_parts *p)
{
    struct thread_group *tg = t->tg;
    struct sighand *shared = NULL;
    struct file *exe;

    pid_lock();
    mutex_lock(&tg->lock);
    if (atomic_load(&tg->sighand->obj.count) > 1) {
        shared = tg->sighand;
        mutex_lock(&shared->lock);
        memcpy(p->sighand->action, shared->action, sizeof(shared->action));
        mutex_unlock(&shared->lock);
        tg->sighand = p->sighand;
        p->sighand = NULL;
    }
    exe = tg->exe;
    tg->exe = p->program.exe;
    tg->exec_task = NULL;
    tg->did_exec = true;
    tg->exec_min_flt = tg->min_flt;
    tg->exec_maj_flt = tg->maj_flt;
    tg->exec_id++;
    tg->exit_signal = LX_SIGCHLD;
    mutex_unlock(&tg->lock);
    pid_unlock();
    sighand_exec(tg->sighand);
    sighand_put(shared);
    sighand_put(p->sighand);
    file_put(exe);
}

/* install_thread() - the new address space becomes the task's; its old one is left. */
static void install_thread(struct task *t, struct exec_parts *p)
{
    const struct platform_ops *ops = task_platform(t);
    struct plat_thread *old_thread = t->thread;
    struct mm *old_mm = t->mm;
    struct plat_usage usage;

    if (old_mm) {
        atomic_store(&p->program.mm->coredump_filter, atomic_load(&old_mm->coredump_filter));
        task_account(t, true, &usage);
        task_release_mm(t);
    }
    mutex_lock(&t->tg->lock);
    t->thread = p->program.thread;
    mutex_unlock(&t->tg->lock);
    /* From the start: nobody looks into it with what the old program's credentials allow. */
    __atomic_store_n(&p->program.mm->dumpable, p->dumpable, __ATOMIC_RELAXED);
    mutex_lock(&t->lock);
    t->mm = p->program.mm;
    memcpy(t->comm, p->program.comm, sizeof(t->comm));
    mutex_unlock(&t->lock);
    if (old_thread != t->thread)
        ops->exec_commit(old_thread, t->thread);
    vfork_done(t);
    mm_put(old_mm);
    arch_regs_exec(ops->regs(t->thread), &p->program.regs, t->syscall_nr);
}

static void install_files(struct task *t, struct exec_parts *p)
{
    struct fdtable *old = t->files;

    if (p->files) {
        mutex_lock(&t->lock);
        t->files = p->files;
        mutex_unlock(&t->lock);
        fdtable_put(old);
    }
    fd_close_on_exec(t->files);
}

static bool becomes_dumpable(const struct exec_parts *p, const struct cred *old)
{
    return !p->cred.gained && !p->cred.unreadable && old->euid == old->uid && old->egid == old->gid;
}

/* install_cred() - after all that they were the key to: see task_access.c. A change of credentials is
 * not to clear the address space's flag. */
static void install_cred(struct task *t, struct exec_parts *p)
{
    if (p->cred.secure)
        t->parent_death_signal = 0;
    if (p->cred.clear_personality)
        t->personality &= ~LX_PER_CLEAR_ON_SETID;
    task_set_cred(t, p->cred.fresh);
    __atomic_store_n(&t->mm->dumpable, p->dumpable, __ATOMIC_RELAXED);
}

/* note_abi() - remember the newest kernel that any program here demands. */
static void note_abi(struct container *c, u32 abi)
{
    u32 was = atomic_load(&c->abi_kernel);

    while (was < abi && !atomic_compare_exchange_weak(&c->abi_kernel, &was, abi))
        ;
}

static void commit(struct task *t, struct exec_parts *p)
{
    p->dumpable = becomes_dumpable(p, t->cred);
    install_thread(t, p);
    posix_timer_delete_all(t->tg);
    install_group(t, p);
    install_files(t, p);
    install_cred(t, p);
    note_abi(t->tg->container, p->program.abi_kernel);
    t->altstack = (struct sigaltstack_state){0};
    t->dispatch = (struct user_dispatch){0};
    t->restart = (struct restart_block){0};
    t->fault = (struct plat_fault){0};
}

/* check_nproc() - a set*uid(2) that went over RLIMIT_NPROC fails here, as the program that ignored
 * it would run with rights it meant to give up. */
static int check_nproc(struct task *t)
{
    bool over = t->nproc_exceeded && task_count_of(t->cred->uid) > task_rlimit(t, LX_RLIMIT_NPROC);

    t->nproc_exceeded = false;
    return over ? -EAGAIN : 0;
}

/* exec_begin(), exec_end() - nobody attaches between the look at who traces and the new rights. */
static void exec_begin(struct thread_group *tg)
{
    mutex_lock(&tg->lock);
    tg->execs++;
    mutex_unlock(&tg->lock);
}

static void exec_end(struct thread_group *tg)
{
    mutex_lock(&tg->lock);
    tg->execs--;
    waitq_wake_all(&tg->stop_wait, 0);
    mutex_unlock(&tg->lock);
}

int task_exec(struct task *t, struct file *file, const char *filename, struct exec_strings *argv,
              struct exec_strings *envp)
{
    struct exec_parts parts = {0};
    struct pid *old = pid_get(t->pid);
    int err = check_nproc(t);

    exec_begin(t->tg);

    if (!err)
        err = load(t, t->thread, file, filename, argv, envp, &parts);
    if (!err)
        err = prepare(t, &parts);
    if (!err)
        err = alone(t);
    if (err) {
        drop_parts(t, &parts);
        if (parts.program.fatal)
            group_exit(t->tg, LX_SIGSEGV);
    } else {
        become_leader(t);
        commit(t, &parts);
    }
    exec_end(t->tg);
    exec_strings_free(argv);
    exec_strings_free(envp);
    if (!err && unlikely(t->tracee))
        trace_exec(t, old);
    pid_put(old);
    return err;
}

/* --- the first program --- */

static void exec_request_free(struct obj *o)
{
    struct exec_request *r = container_of(o, struct exec_request, obj);

    file_put(r->file);
    free(r->filename);
    exec_strings_free(&r->argv);
    exec_strings_free(&r->envp);
    waitq_destroy(&r->done_wait);
    free(r);
}

static struct obj_type exec_request_type = {.name = "exec_request", .free = exec_request_free};

struct exec_request *exec_request_new(void)
{
    struct exec_request *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    obj_init(&r->obj, &exec_request_type);
    waitq_init(&r->done_wait);
    return r;
}

void exec_request_finish(struct task *t, int result)
{
    struct exec_request *r = t->boot;

    t->boot = NULL;
    r->result = result;
    atomic_store(&r->done, true);
    waitq_wake_all(&r->done_wait, 0);
    exec_request_put(r);
}

void task_boot(struct task *t)
{
    struct exec_request *r = t->boot;
    struct exec_parts parts = {0};
    int err = load(t, NULL, r->file, r->filename, &r->argv, &r->envp, &parts);

    if (!err)
        err = prepare(t, &parts);
    if (err) {
        drop_parts(t, &parts);
        group_exit(t->tg, lx_status_exited(127));
        task_exit(t, lx_status_exited(127));
    } else {
        commit(t, &parts);
    }
    exec_request_finish(t, err);
}
