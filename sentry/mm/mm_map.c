/*
 * mmap(2) and munmap(2). The order of checks is Linux's: what is wrong with the call, with the
 * address, with the descriptor's rights, then limits. What asks the file (its descriptor may come
 * from the gofer) is done before mm->lock is taken.
 */
#include "sentry/abi/lx_mm.h"
#include "sentry/base/limits.h"
#include "sentry/mm/mm_priv.h"

#include <errno.h>

#define LOW_2G_START 0x40000000ull
#define LOW_2G_END   0x80000000ull

/* A mapping that has passed its checks. */
struct map_plan {
    uaddr_t addr;
    u64 len;
    u32 prot, may_prot;
    u32 flags;                 /* LX_MAP_* of the caller */
    u32 vma_flags;             /* VMA_* */
    struct mappable *mappable; /* borrowed from args, or owned with own_mappable */
    bool own_mappable;
    bool counted; /* as a writer, by the mappable; until the VMA is or all has failed */
    int fd;       /* borrowed from mappable; -1: anonymous private */
    u64 offset;
    const char *name;
};

/* check_huge() - MAP_HUGETLB, as a kernel answers whose pool of huge pages is empty. */
static int check_huge(const struct mm_map_args *a)
{
    u32 log = a->flags >> LX_MAP_HUGE_SHIFT & LX_MAP_HUGE_MASK;

    if (!(a->flags & LX_MAP_HUGETLB))
        return 0;
    if (a->mappable || (log != 0 && log != 21 && log != 30))
        return -EINVAL;
    return a->len ? -ENOMEM : -EINVAL;
}

/* check_address() - what can be said of length and address without the table. */
static int check_address(struct map_plan *p)
{
    if (p->len > PLAT_TASK_SIZE)
        return -ENOMEM;
    if (!(p->flags & LX_MAP_FIXED)) {
        /* A hint below the lowest address is moved up to it. */
        p->addr = page_down(p->addr);
        if (p->addr && p->addr < PLAT_GUEST_MIN)
            p->addr = PLAT_GUEST_MIN;
        return 0;
    }
    if (p->addr > PLAT_TASK_SIZE - p->len)
        return -ENOMEM;
    if (p->addr & ~GUEST_PAGE_MASK)
        return -EINVAL;
    return p->addr < PLAT_GUEST_MIN ? -EPERM : 0;
}

/* check_file() - type, rights and extent of a file mapping. */
static int check_file(struct map_plan *p, const struct mm_map_args *a)
{
    u32 type = p->flags & LX_MAP_TYPE;

    if (a->offset + p->len < a->offset || a->offset + p->len > INT64_MAX)
        return -EOVERFLOW;
    if (type == LX_MAP_SHARED_VALIDATE && (p->flags & ~LX_MAP_LEGACY))
        return -EOPNOTSUPP;
    if (type == LX_MAP_SHARED || type == LX_MAP_SHARED_VALIDATE)
        p->vma_flags |= VMA_SHARED;
    else if (type != LX_MAP_PRIVATE)
        return -EINVAL;
    if ((p->vma_flags & VMA_SHARED) && (p->prot & LX_PROT_WRITE) && !(a->may_prot & LX_PROT_WRITE))
        return -EACCES;
    if (!(a->may_prot & LX_PROT_READ))
        return -EACCES;
    /* A file on a noexec mount: its may_prot lacks EXEC. */
    if ((p->prot & LX_PROT_EXEC) && !(a->may_prot & LX_PROT_EXEC))
        return -EPERM;
    if (p->flags & LX_MAP_GROWSDOWN)
        return -EINVAL;
    p->may_prot = a->may_prot;
    if (!(p->vma_flags & VMA_SHARED))
        p->may_prot |= LX_PROT_WRITE;
    return 0;
}

static int check_anonymous(struct map_plan *p)
{
    switch (p->flags & LX_MAP_TYPE) {
    case LX_MAP_SHARED:
        if (p->flags & LX_MAP_GROWSDOWN)
            return -EINVAL;
        p->vma_flags |= VMA_SHARED;
        break;
    case LX_MAP_PRIVATE: break;
    default: return -EINVAL;
    }
    p->may_prot = LX_PROT_RWX;
    p->offset = 0;
    return 0;
}

/* check_memlock_locked() - MAP_LOCKED and mlockall(MCL_FUTURE). */
static int check_memlock_locked(struct mm *mm, struct map_plan *p)
{
    if ((p->flags & LX_MAP_LOCKED) && !mm->limit_memlock)
        return -EPERM;
    if (p->flags & LX_MAP_LOCKED)
        p->vma_flags |= VMA_LOCKED;
    p->vma_flags |= mm->lock_future;
    return (p->vma_flags & VMA_LOCKED) && !mm_may_lock(mm, p->len) ? -EAGAIN : 0;
}

/* count_writer() - a shared mapping that may ever write; of a sealed file one that does not write
 * now never will. Return: 0, -EPERM. */
static int count_writer(struct map_plan *p)
{
    int err;

    if (!(p->vma_flags & VMA_SHARED) || !(p->may_prot & LX_PROT_WRITE) ||
        !p->mappable->ops->count_writable)
        return 0;
    err = p->mappable->ops->count_writable(p->mappable, MAP_NEW);
    p->counted = !err;
    if (!err || (p->prot & LX_PROT_WRITE))
        return err;
    p->may_prot &= ~(u32)LX_PROT_WRITE;
    return 0;
}

/* find_source() - the descriptor behind the mapping. */
static int find_source(struct map_plan *p)
{
    bool shared = p->vma_flags & VMA_SHARED;
    int fd;

    if (!p->mappable && shared) {
        int err = shm_anon_new(p->len, false, &p->mappable);

        if (err)
            return err;
        p->own_mappable = true;
    }
    if (!p->mappable)
        return 0;
    fd = count_writer(p);
    if (fd < 0)
        return fd;
    fd = p->mappable->ops->map_fd(p->mappable, shared, shared && (p->may_prot & LX_PROT_WRITE));
    if (fd < 0)
        return fd;
    p->fd = fd;
    return 0;
}

/* plan() - all checks that need no lock. Return: 0, or mmap(2)'s errno. */
static int plan(const struct mm_map_args *a, struct map_plan *p)
{
    int err;

    *p = (struct map_plan){
        .addr = a->addr,
        .len = page_up(a->len),
        .prot = a->prot & LX_PROT_RWX,
        .flags = a->flags,
        .mappable = a->mappable,
        .fd = -1,
        .offset = a->offset,
        .name = a->name,
    };
    if (a->offset & ~GUEST_PAGE_MASK)
        return -EINVAL;
    err = check_huge(a);
    if (err)
        return err;
    if (!a->len)
        return -EINVAL;
    if (!p->len)
        return -ENOMEM;
    if (p->flags & LX_MAP_FIXED_NOREPLACE)
        p->flags |= LX_MAP_FIXED;
    if (p->flags & LX_MAP_GROWSDOWN)
        p->vma_flags |= VMA_GROWSDOWN;
    if (p->flags & LX_MAP_NORESERVE)
        p->vma_flags |= VMA_NORESERVE;
    err = check_address(p);
    if (!err)
        err = a->mappable ? check_file(p, a) : check_anonymous(p);
    return err;
}

/* place_locked() - settle the address. Return: 0, -ENOMEM, -EEXIST. */
static int place_locked(struct mm *mm, struct map_plan *p)
{
    if (p->flags & LX_MAP_FIXED) {
        if ((p->flags & LX_MAP_FIXED_NOREPLACE) && vma_overlap(mm, p->addr, p->addr + p->len))
            return -EEXIST;
        return 0;
    }
    if (p->addr && vma_fits(mm, p->addr, p->len))
        return 0;
    p->addr = 0;
    if (p->flags & LX_MAP_32BIT)
        p->addr = vma_gap_below(mm, p->len, LOW_2G_START, LOW_2G_END);
    else
        p->addr = vma_place(mm, p->len);
    return p->addr ? 0 : -ENOMEM;
}

/* order_locked() - limits that depend on the place, then the host's mapping. */
static int order_locked(struct mm *mm, struct plat_thread *th, const struct map_plan *p)
{
    struct plat_map m = {
        .addr = p->addr,
        .len = p->len,
        .prot = p->prot,
        .shared = p->vma_flags & VMA_SHARED,
        .fd = p->fd,
        .offset = p->offset,
    };
    u64 freed = vma_overlap(mm, p->addr, p->addr + p->len);

    if (!mm_may_grow(mm, p->prot, p->vma_flags, p->len, freed))
        return -ENOMEM;
    return mm->platform->map(th, &m);
}

static void commit_locked(struct mm_change *c, const struct map_plan *p)
{
    struct vma *v = vma_take(c);

    v->start = p->addr;
    v->end = p->addr + p->len;
    v->prot = p->prot;
    v->may_prot = p->may_prot;
    v->flags = p->vma_flags;
    v->name = p->name;
    if (p->mappable)
        vma_set_mappable(v, p->mappable, p->offset);
    vma_clear(c, v->start, v->end);
    vma_insert(c->mm, v);
    vma_merge_range(c, p->addr, p->addr + p->len);
}

/* run() - the part under the lock: place, order, commit. */
static int run(struct mm *mm, struct plat_thread *th, struct map_plan *p)
{
    struct mm_change c;
    int err = mm_change_begin(&c, mm, 3);

    if (err)
        return err;
    err = mm->nvmas > LIMIT_VMAS ? -ENOMEM : place_locked(mm, p);
    if (!err)
        err = check_memlock_locked(mm, p);
    if (!err)
        err = order_locked(mm, th, p);
    if (!err)
        commit_locked(&c, p);
    mm_change_end(&c);
    return err;
}

/* populates() - is it to be there at once? A wish: nobody hears that it failed. */
static bool populates(const struct map_plan *p)
{
    if ((p->flags & (LX_MAP_POPULATE | LX_MAP_NONBLOCK)) == LX_MAP_POPULATE)
        return true;
    return (p->vma_flags & (VMA_LOCKED | VMA_LOCKONFAULT)) == VMA_LOCKED;
}

int mm_map(struct mm *mm, struct plat_thread *th, const struct mm_map_args *args, uaddr_t *out)
{
    struct map_plan p;
    int err = plan(args, &p);

    if (!err)
        err = find_source(&p);
    if (!err)
        err = run(mm, th, &p);
    if (p.counted)
        p.mappable->ops->count_writable(p.mappable, MAP_GONE);
    if (p.own_mappable)
        p.mappable->ops->put(p.mappable);
    if (err)
        return err;
    if (populates(&p))
        mm_populate(mm, th, p.addr, p.addr + p.len);
    *out = p.addr;
    return 0;
}

/* splits_middle() - would [start, end) leave both ends of one VMA? */
static bool splits_middle(struct mm *mm, uaddr_t start, uaddr_t end)
{
    const struct vma *v = mm_find_locked(mm, start);

    return v && v->start < start && v->end > end;
}

int mm_unmap_locked(struct mm_change *c, struct plat_thread *th, uaddr_t addr, u64 len)
{
    struct mm *mm = c->mm;
    int err;

    if (!vma_overlap(mm, addr, addr + len))
        return 0;
    if (mm->nvmas >= LIMIT_VMAS && splits_middle(mm, addr, addr + len))
        return -ENOMEM;
    err = mm->platform->unmap(th, addr, len);
    if (!err)
        vma_clear(c, addr, addr + len);
    return err;
}

int mm_unmap(struct mm *mm, struct plat_thread *th, uaddr_t addr, u64 len)
{
    struct mm_change c;
    int err;

    if ((addr & ~GUEST_PAGE_MASK) || addr > PLAT_TASK_SIZE || len > PLAT_TASK_SIZE - addr)
        return -EINVAL;
    len = page_up(len);
    if (!len)
        return -EINVAL;
    err = mm_change_begin(&c, mm, 2);
    if (err)
        return err;
    err = mm_unmap_locked(&c, th, addr, len);
    mm_change_end(&c);
    return err;
}
