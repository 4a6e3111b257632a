/* The sizes of a process's memory; see proc_pid_view.h. */
#include "fs/proc/proc_pid_view.h"

#include "sentry/mm/observer.h"

#define KB 1024u

/* estimate() - the resident size as the table has it. */
static void estimate_locked(struct proc_sizes *z, struct mm *mm)
{
    for (struct vma *v = mm_first_locked(mm); v; v = mm_next_locked(v)) {
        if (!v->prot || (v->flags & (VMA_GROWSDOWN | VMA_NORESERVE)))
            continue;
        z->resident += v->end - v->start;
        if (v->mappable)
            z->shared += v->end - v->start;
    }
    z->anon = z->resident - z->shared;
    z->file = z->shared;
    z->high = z->resident;
}

static void take_status(struct proc_sizes *z, struct mm *mm)
{
    struct observer_status s;

    if (observer_status(mm, &s) < 0)
        return;
    z->resident = s.rss * KB;
    z->anon = s.anon * KB;
    z->file = s.file * KB;
    z->shmem = s.shmem * KB;
    z->high = s.hwm * KB;
    z->page_tables = s.pte * KB;
    z->swap = s.swap * KB;
    z->voluntary = s.voluntary;
    z->involuntary = s.involuntary;
}

/* take_resident() - replace the estimate by what the host says. */
static void take_resident(struct proc_sizes *z, struct mm *mm, enum proc_sizes_for for_file)
{
    struct observer_statm statm;
    struct observer_stat stat;

    if (for_file == PROC_SIZES_STATUS) {
        take_status(z, mm);
    } else if (for_file == PROC_SIZES_STATM && observer_statm(mm, &statm) == 0) {
        z->resident = statm.resident << GUEST_PAGE_SHIFT;
        z->shared = statm.shared << GUEST_PAGE_SHIFT;
    } else if (for_file == PROC_SIZES_STAT && observer_stat(mm, &stat) == 0) {
        z->resident = stat.resident << GUEST_PAGE_SHIFT;
        z->min_flt = stat.min_flt;
        z->maj_flt = stat.maj_flt;
    }
}

void proc_sizes_take(struct proc_sizes *z, const struct proc_node *n, enum proc_sizes_for for_file)
{
    struct mm *mm = proc_mm(n);
    struct mm_sizes sums;

    *z = (struct proc_sizes){0};
    if (!mm)
        return;
    mm_sizes(mm, &sums);
    z->total = sums.total;
    z->peak = max_of(sums.peak, sums.total);
    z->text = sums.text;
    z->lib = sums.exec - min_of(sums.text, sums.exec);
    z->data = sums.data;
    z->stack = sums.stack;
    z->locked = sums.locked;
    rwlock_read(&mm->lock);
    estimate_locked(z, mm);
    z->start_code = mm->start_code;
    z->end_code = mm->end_code;
    z->start_data = mm->start_data;
    z->end_data = mm->end_data;
    z->brk_start = mm->brk_start;
    z->stack_top = mm->stack_top;
    z->arg_start = mm->arg_start;
    z->arg_end = mm->arg_end;
    z->env_start = mm->env_start;
    z->env_end = mm->env_end;
    rwlock_unlock(&mm->lock);
    take_resident(z, mm, for_file);
    mm_put(mm);
}
