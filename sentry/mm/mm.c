/*
 * Address spaces: making, laying out, copying and releasing them; limits; what a futex word is.
 * mm.h says what the table is worth.
 *
 * Layout, top down: the stub (PLAT_TASK_SIZE and above), up to 16 GiB of randomness, the stack with
 * all that it may grow to, a gap of the stack limit, up to 1 TiB of randomness, mmap_base. Linux
 * has the same order and the same entropy.
 */
#include "sentry/mm/mm.h"

#include "sentry/abi/lx_mm.h"
#include "sentry/base/host_mem.h"
#include "sentry/mm/mm_priv.h"

#include <errno.h>
#include <stdlib.h>

#define HUGE_PAGE          (2ull << 20)
#define STACK_RANDOM_PAGES (1ull << 22)
#define MMAP_RANDOM_PAGES  (1ull << 28)
#define STACK_GAP_MIN      (128ull << 20)
#define STACK_GAP_MAX      (PLAT_TASK_SIZE / 6 * 5)

static void mm_free(struct obj *o)
{
    struct mm *mm = (struct mm *)(void *)o;
    struct vma *v = mm_first_locked(mm), *next, *dead = NULL;

    for (; v; v = next) {
        next = mm_next_locked(v);
        v->link = dead;
        dead = v;
    }
    vma_free_list(dead);
    mm->platform->mm_put(mm->plat);
    rwlock_destroy(&mm->lock);
    free(mm);
}

static struct obj_type mm_type = {.name = "mm", .free = mm_free};

int mm_new(const struct platform_ops *platform, struct plat_thread *th, struct mm **out)
{
    struct mm *mm = calloc(1, sizeof(*mm));

    if (!mm)
        return -ENOMEM;
    obj_init(&mm->obj, &mm_type);
    rwlock_init(&mm->lock, LOCK_MM);
    RB_INIT(&mm->vmas);
    mm->platform = platform;
    mm->plat = platform->mm_get(platform->mm_of(th));
    mm->coredump_filter = MM_COREDUMP_DEFAULT;
    mm->limit_as = UINT64_MAX;
    mm->limit_data = UINT64_MAX;
    mm->limit_stack = UINT64_MAX;
    mm->limit_memlock = UINT64_MAX;
    mm->stack_top = PLAT_TASK_SIZE;
    mm->mmap_base = PLAT_TASK_SIZE - STACK_GAP_MIN;
    mm->dumpable = 1;
    *out = mm;
    return 0;
}

int mm_layout(struct mm *mm, u64 stack_limit, bool randomize)
{
    u64 gap = min_of(max_of(stack_limit, STACK_GAP_MIN), STACK_GAP_MAX);
    u64 random[2] = {0, 0};
    int err = randomize ? host_random(random, sizeof(random)) : 0;

    if (err)
        return err;
    gap = page_down(gap) + STACK_RANDOM_PAGES * GUEST_PAGE_SIZE + MM_STACK_GUARD;
    mm->stack_top = PLAT_TASK_SIZE - random[0] % STACK_RANDOM_PAGES * GUEST_PAGE_SIZE;
    /* Off a huge page's boundary: the first touch of a stack must not cost a whole huge page. */
    if (mm->stack_top % HUGE_PAGE < HUGE_PAGE / 4)
        mm->stack_top -= HUGE_PAGE / 2;
    mm->mmap_base = PLAT_TASK_SIZE - min_of(gap, STACK_GAP_MAX) -
                    random[1] % MMAP_RANDOM_PAGES * GUEST_PAGE_SIZE;
    return 0;
}

/* copy_vmas() - the parent's table into an empty child. Memory locks are not inherited. */
static int copy_vmas(struct mm *mm, struct mm *parent)
{
    for (struct vma *v = mm_first_locked(parent); v; v = mm_next_locked(v)) {
        struct vma *copy = calloc(1, sizeof(*copy));

        if (!copy)
            return -ENOMEM;
        copy->start = v->start;
        copy->end = v->end;
        copy->prot = v->prot;
        copy->may_prot = v->may_prot;
        copy->flags = v->flags & ~(u32)(VMA_LOCKED | VMA_LOCKONFAULT);
        copy->name = v->name;
        if (v->mappable)
            vma_set_mappable(copy, v->mappable, v->offset);
        vma_insert(mm, copy);
    }
    return 0;
}

int mm_fork_locked(struct mm *parent, struct plat_thread *child, struct mm **out)
{
    struct mm *mm;
    int err = mm_new(parent->platform, child, &mm);

    if (err)
        return err;
    err = copy_vmas(mm, parent);
    if (err) {
        mm_put(mm);
        return err;
    }
    mm->brk_start = parent->brk_start;
    mm->brk = parent->brk;
    mm->mmap_base = parent->mmap_base;
    mm->stack_top = parent->stack_top;
    mm->limit_as = atomic_load(&parent->limit_as);
    mm->limit_data = atomic_load(&parent->limit_data);
    mm->limit_stack = atomic_load(&parent->limit_stack);
    mm->limit_memlock = atomic_load(&parent->limit_memlock);
    mm->arg_start = parent->arg_start;
    mm->arg_end = parent->arg_end;
    mm->env_start = parent->env_start;
    mm->env_end = parent->env_end;
    mm->start_code = parent->start_code;
    mm->end_code = parent->end_code;
    mm->start_data = parent->start_data;
    mm->end_data = parent->end_data;
    memcpy(mm->auxv, parent->auxv, sizeof(mm->auxv));
    mm->nauxv = parent->nauxv;
    mm->dumpable = parent->dumpable;
    mm->coredump_filter = atomic_load(&parent->coredump_filter);
    mm->membarriers = atomic_load(&parent->membarriers);
    *out = mm;
    return 0;
}

int mm_fork(struct mm *parent, struct plat_thread *child, struct mm **out)
{
    int err;

    rwlock_read(&parent->lock);
    err = mm_fork_locked(parent, child, out);
    rwlock_unlock(&parent->lock);
    return err;
}

int mm_fork_fixup(struct mm *mm, struct plat_thread *th)
{
    struct mm_change c;
    struct vma *v, *next;
    int err = mm_change_begin(&c, mm, 0);

    if (err)
        return err;
    for (v = mm_first_locked(mm); v && !err; v = next) {
        next = mm_next_locked(v);
        if (v->flags & VMA_DONTFORK) {
            err = mm->platform->unmap(th, v->start, v->end - v->start);
            vma_clear(&c, v->start, v->end);
        } else if (v->flags & VMA_WIPEONFORK) {
            err = mm->platform->advise(th, v->start, v->end - v->start, LX_MADV_DONTNEED);
        }
    }
    mm_change_end(&c);
    return err;
}

bool mm_may_grow(const struct mm *mm, u32 prot, u32 flags, u64 len, u64 freed)
{
    u64 more = len - freed;

    if (mm->total_bytes + more > page_down(mm->limit_as))
        return false;
    return !vma_is_data(prot, flags) || mm->data_bytes + more <= page_down(mm->limit_data);
}

bool mm_may_lock(const struct mm *mm, u64 len)
{
    return mm->locked_bytes + len <= page_down(mm->limit_memlock);
}

uaddr_t mm_find_gap(struct mm *mm, u64 len)
{
    uaddr_t addr;

    rwlock_read(&mm->lock);
    addr = vma_place(mm, len);
    rwlock_unlock(&mm->lock);
    return addr;
}

int mm_note_special(struct mm *mm, uaddr_t addr, u64 len, u32 prot, const char *name)
{
    struct mm_change c;
    struct vma *v;
    int err = mm_change_begin(&c, mm, 3);

    if (err)
        return err;
    vma_clear(&c, addr, addr + len);
    v = vma_take(&c);
    v->start = addr;
    v->end = addr + len;
    v->prot = prot;
    v->may_prot = LX_PROT_RWX;
    v->flags = VMA_SPECIAL;
    v->name = name;
    vma_insert(mm, v);
    mm_change_end(&c);
    return 0;
}

/* A word of a shared mapping is the same word in every process that maps the object. */
#define FUTEX_KEY_SHARED (1ull << 63)
#define FUTEX_KEY_OBJECT (1ull << 62) /* by an id of ours, not by device and inode */

static void shared_key(const struct vma *v, uaddr_t addr, struct futex_key *k)
{
    const struct mappable_ops *ops = v->mappable->ops;
    u32 major = 0, minor = 0;
    u64 ino;

    k->word[0] = FUTEX_KEY_SHARED;
    if (ops->futex_id) {
        k->word[0] |= FUTEX_KEY_OBJECT;
        k->word[1] = ops->futex_id(v->mappable);
    } else {
        ops->identity(v->mappable, &major, &minor, &ino);
        k->word[0] |= (u64)major << 32 | minor;
        k->word[1] = ino;
    }
    k->word[2] = v->offset + (addr - v->start);
}

int mm_futex_key(struct mm *mm, uaddr_t addr, bool shared, struct futex_key *key)
{
    struct futex_key k = {{mm->obj.id, addr, 0}};
    struct vma *v;
    int err = 0;

    if (addr < PLAT_GUEST_MIN || addr > PLAT_TASK_SIZE - sizeof(u32))
        return -EFAULT;
    if (shared) {
        rwlock_read(&mm->lock);
        v = mm_find_locked(mm, addr);
        if (!v || v->start > addr || !(v->prot & LX_PROT_READ)) {
            err = -EFAULT;
        } else if (v->flags & VMA_SHARED) {
            shared_key(v, addr, &k);
        }
        rwlock_unlock(&mm->lock);
    }
    if (!err)
        *key = k;
    return err;
}
