/* What a container has and uses; see usage.h. */
#include "sentry/kernel/usage.h"

#include "sentry/base/host_thread.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/machine.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/observer.h"
#include "sentry/oci/oci_spec.h"

#define LOAD_STEP_NS   (5 * NS_PER_SEC)
#define LOAD_ONE       (1u << 16)
#define LOAD_STEPS_MAX 1000u /* after so many the old value counts for nothing */

u32 container_cpus(const struct container *c)
{
    const struct oci_cpu *cpu = c->spec ? &c->spec->linux_.resources.cpu : NULL;
    u32 n = machine_cpus();

    if (cpu && cpu->quota.set && cpu->quota.value > 0 && cpu->period.set && cpu->period.value) {
        u64 worth = ((u64)cpu->quota.value + cpu->period.value - 1) / cpu->period.value;

        n = (u32)min_of(worth, (u64)n);
    }
    return max_of(n, 1u);
}

/* --- over all processes --- */

typedef void group_fn(struct thread_group *tg, void *arg);

static void for_each_group(struct pid_ns *ns, group_fn *fn, void *arg)
{
    for (s32 nr = 0; (nr = pid_next_group(ns, nr + 1)) > 0;) {
        struct thread_group *tg = pid_find_group(ns, nr);

        if (!tg)
            continue;
        fn(tg, arg);
        thread_group_put(tg);
    }
}

/* group_mm() - a process's memory: a new reference, or NULL. Processes of one vfork share it. */
static struct mm *group_mm(struct thread_group *tg)
{
    struct mm *mm = NULL;
    struct task *t;

    mutex_lock(&tg->lock);
    list_for_each(t, &tg->tasks, in_group) {
        mutex_lock(&t->lock);
        mm = mm_get(t->mm);
        mutex_unlock(&t->lock);
        if (mm)
            break;
    }
    mutex_unlock(&tg->lock);
    return mm;
}

static void add_memory(struct thread_group *tg, void *arg)
{
    struct mm *mm = group_mm(tg);
    u64 *used = arg;

    if (!mm)
        return;
    rwlock_read(&mm->lock);
    *used += mm->data_bytes;
    rwlock_unlock(&mm->lock);
    mm_put(mm);
}

void container_memory(struct container *c, u64 *total, u64 *free_bytes)
{
    const struct oci_memory *m = c->spec ? &c->spec->linux_.resources.memory : NULL;
    u64 used = 0;

    *total = machine_memory();
    if (m && m->limit.set && m->limit.value > 0)
        *total = min_of(*total, (u64)m->limit.value);
    for_each_group(c->pid_ns, add_memory, &used);
    *free_bytes = *total - min_of(used, *total);
}

/* add_resident() - the host's two files about a process. */
static void add_resident(struct mm *mm, struct usage_memory *u, u64 data)
{
    struct observer_status s;

    if (observer_status(mm, &s) < 0) {
        u->anon += data;
        return;
    }
    u->anon += s.anon * 1024;
    u->file += s.file * 1024;
    u->shmem += s.shmem * 1024;
    u->page_tables += s.pte * 1024;
    u->swap += s.swap * 1024;
}

static void add_group_memory(struct thread_group *tg, void *arg)
{
    struct usage_memory *u = arg;
    struct mm *mm = group_mm(tg);
    struct observer_stat stat = {0};
    struct mm_sizes sizes;
    u64 min, maj;

    if (mm) {
        mm_sizes(mm, &sizes);
        u->committed += sizes.data;
        add_resident(mm, u, sizes.data);
        observer_stat(mm, &stat);
        mm_put(mm);
    }
    mutex_lock(&tg->lock);
    min = max_of(tg->min_flt, tg->exec_min_flt + stat.min_flt);
    maj = max_of(tg->maj_flt, tg->exec_maj_flt + stat.maj_flt);
    u->min_flt += min + tg->child_min_flt;
    u->maj_flt += maj + tg->child_maj_flt;
    u->threads += tg->ntasks;
    mutex_unlock(&tg->lock);
}

void usage_memory(struct container *c, struct usage_memory *out)
{
    u64 free_bytes;

    *out = (struct usage_memory){0};
    container_memory(c, &out->total, &free_bytes);
    for_each_group(c->pid_ns, add_group_memory, out);
}

static void add_tasks(struct thread_group *tg, void *arg)
{
    struct usage_tasks *u = arg;
    struct task *t;

    u->groups++;
    mutex_lock(&tg->lock);
    list_for_each(t, &tg->tasks, in_group) {
        u->total++;
        if (atomic_load(&t->state) == TASK_RUNNING &&
            !(atomic_load(&t->in_step) && sleeper_sleeps(&t->sleeper)))
            u->running++;
    }
    mutex_unlock(&tg->lock);
}

void usage_tasks(struct pid_ns *ns, struct usage_tasks *out)
{
    *out = (struct usage_tasks){0};
    for_each_group(ns, add_tasks, out);
}

struct cpu_sum {
    u64 utime, stime;
};

static void add_cpu(struct thread_group *tg, void *arg)
{
    struct cpu_sum *sum = arg;
    u64 u, s;

    thread_group_times(tg, &u, &s);
    sum->utime += u + tg->child_utime_ns;
    sum->stime += s + tg->child_stime_ns;
}

void usage_cpu(struct pid_ns *ns, u64 *utime_ns, u64 *stime_ns)
{
    struct cpu_sum sum = {0, 0};

    for_each_group(ns, add_cpu, &sum);
    *utime_ns = sum.utime;
    *stime_ns = sum.stime;
}

void usage_load(struct pid_ns *ns, u64 load[3])
{
    /* exp(-5 s / 1, 5, 15 min) in 65,536ths */
    static const u64 keep[3] = {60296, 64453, 65173};
    static struct mutex lock = MUTEX_INIT(LEAF);
    static u64 averages[3], at; /* guarded by lock */
    struct usage_tasks tasks;
    u64 now = host_monotonic(), steps;

    usage_tasks(ns, &tasks);
    mutex_lock(&lock);
    steps = now > at ? (now - at) / LOAD_STEP_NS : 0;
    steps = min_of(steps, (u64)LOAD_STEPS_MAX);
    for (int i = 0; i < 3; i++) {
        for (u64 s = 0; s < steps; s++)
            averages[i] =
                (averages[i] * keep[i] + (u64)tasks.running * LOAD_ONE * (LOAD_ONE - keep[i])) /
                LOAD_ONE;
        load[i] = averages[i];
    }
    if (steps)
        at = now;
    mutex_unlock(&lock);
}
