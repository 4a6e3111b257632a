/*
 * The VMA table: a red-black tree by address. Each node also knows the free space right below its
 * VMA and the largest such space in its subtree, so that a place for a new mapping is found in
 * logarithmic time. What is below a VMA that grows down counts as free only under the guard gap.
 *
 * VMAs never overlap. Neighbours that are alike are joined as Linux does, so that long-running
 * allocators stay below LIMIT_VMAS and /proc/PID/maps looks as users know it.
 */
#include "sentry/abi/lx_mm.h"
#include "sentry/base/log.h"
#include "sentry/mm/mm_priv.h"

#include <errno.h>
#include <stdlib.h>

static void vma_augment(struct vma *v);

#undef RB_AUGMENT
#define RB_AUGMENT(v) vma_augment(v)

static int vma_compare(const struct vma *a, const struct vma *b)
{
    if (a->start < b->start)
        return -1;
    return a->start > b->start;
}

#define TREE_FN __attribute__((unused)) static
RB_PROTOTYPE_INTERNAL(vma_tree, vma, node, vma_compare, TREE_FN)
RB_GENERATE_INTERNAL(vma_tree, vma, node, vma_compare, TREE_FN)

/* --- gaps --- */

static void vma_augment(struct vma *v)
{
    u64 max = v->gap;

    if (RB_LEFT(v, node))
        max = max_of(max, RB_LEFT(v, node)->max_gap);
    if (RB_RIGHT(v, node))
        max = max_of(max, RB_RIGHT(v, node)->max_gap);
    v->max_gap = max;
}

static void augment_up(struct vma *v)
{
    for (; v; v = RB_PARENT(v, node))
        vma_augment(v);
}

/* gap_end() - where the free space below v ends. */
static uaddr_t gap_end(const struct vma *v)
{
    if (!(v->flags & VMA_GROWSDOWN))
        return v->start;
    return v->start > MM_STACK_GUARD ? v->start - MM_STACK_GUARD : 0;
}

/* gap_changed() - v's own range or its left neighbour's has moved. */
static void gap_changed(struct vma *v)
{
    const struct vma *prev;
    uaddr_t low;

    if (!v)
        return;
    prev = RB_PREV(vma_tree, NULL, v);
    low = prev ? prev->end : 0;
    v->gap = gap_end(v) > low ? gap_end(v) - low : 0;
    augment_up(v);
}

/* gap_search() - the highest fitting gap among those below the VMAs of subtree v. */
static uaddr_t gap_search(const struct vma *v, u64 len, uaddr_t low, uaddr_t high)
{
    uaddr_t found, from, to;

    if (!v || v->max_gap < len)
        return 0;
    if (v->end < high) {
        found = gap_search(RB_RIGHT(v, node), len, low, high);
        if (found)
            return found;
    }
    if (v->gap >= len) {
        to = min_of(gap_end(v), high);
        from = max_of(gap_end(v) - v->gap, low);
        if (to > from && to - from >= len)
            return to - len;
    }
    if (v->start <= low)
        return 0;
    return gap_search(RB_LEFT(v, node), len, low, high);
}

uaddr_t vma_gap_below(struct mm *mm, u64 len, uaddr_t low, uaddr_t high)
{
    const struct vma *last = RB_MAX(vma_tree, &mm->vmas);
    uaddr_t from = max_of(last ? last->end : 0, low);

    if (high > from && high - from >= len)
        return high - len;
    return gap_search(RB_ROOT(&mm->vmas), len, low, high);
}

uaddr_t vma_place(struct mm *mm, u64 len)
{
    uaddr_t addr = vma_gap_below(mm, len, PLAT_GUEST_MIN, mm->mmap_base);

    return addr ? addr : vma_gap_below(mm, len, PLAT_GUEST_MIN, PLAT_TASK_SIZE);
}

bool vma_fits(struct mm *mm, uaddr_t addr, u64 len)
{
    const struct vma *next = mm_find_locked(mm, addr);
    u64 guard = next && (next->flags & VMA_GROWSDOWN) ? MM_STACK_GUARD : 0;

    return addr <= PLAT_TASK_SIZE - len && (!next || addr + len + guard <= next->start);
}

/* --- sums --- */

bool vma_is_data(u32 prot, u32 flags)
{
    return (prot & LX_PROT_WRITE) && !(flags & (VMA_SHARED | VMA_GROWSDOWN));
}

/* account() - `len` bytes like v come (or, negative as two's complement, go). */
static void account(struct mm *mm, const struct vma *v, u64 len)
{
    mm->total_bytes += len;
    if (v->flags & VMA_LOCKED)
        mm->locked_bytes += len;
    if (v->flags & VMA_GROWSDOWN)
        mm->stack_bytes += len;
    if (vma_is_data(v->prot, v->flags))
        mm->data_bytes += len;
    mm->peak_bytes = max_of(mm->peak_bytes, mm->total_bytes);
}

void vma_set_prot(struct mm *mm, struct vma *v, u32 prot)
{
    account(mm, v, -(v->end - v->start));
    v->prot = prot;
    account(mm, v, v->end - v->start);
}

void vma_set_flags(struct mm *mm, struct vma *v, u32 flags)
{
    account(mm, v, -(v->end - v->start));
    v->flags = flags;
    account(mm, v, v->end - v->start);
}

/* --- lookup --- */

struct vma *mm_find_locked(struct mm *mm, uaddr_t addr)
{
    struct vma *v = RB_ROOT(&mm->vmas), *best = NULL;

    while (v) {
        if (addr < v->end) {
            best = v;
            v = RB_LEFT(v, node);
        } else {
            v = RB_RIGHT(v, node);
        }
    }
    return best;
}

struct vma *mm_first_locked(struct mm *mm)
{
    return RB_MIN(vma_tree, &mm->vmas);
}

struct vma *mm_next_locked(struct vma *v)
{
    return RB_NEXT(vma_tree, NULL, v);
}

struct vma *vma_prev(struct mm *mm, struct vma *v)
{
    return v ? RB_PREV(vma_tree, NULL, v) : RB_MAX(vma_tree, &mm->vmas);
}

u64 vma_overlap(struct mm *mm, uaddr_t start, uaddr_t end)
{
    u64 bytes = 0;

    for (struct vma *v = mm_find_locked(mm, start); v && v->start < end; v = mm_next_locked(v))
        bytes += min_of(v->end, end) - max_of(v->start, start);
    return bytes;
}

/* --- changes --- */

struct vma *vma_take(struct mm_change *c)
{
    struct vma *v = c->spare;

    if (!v)
        panic("a change of an address space has run out of prepared VMAs");
    c->spare = v->link;
    v->link = NULL;
    return v;
}

void vma_insert(struct mm *mm, struct vma *v)
{
    v->gap = v->max_gap = 0;
    RB_INSERT(vma_tree, &mm->vmas, v);
    mm->nvmas++;
    account(mm, v, v->end - v->start);
    gap_changed(v);
    gap_changed(mm_next_locked(v));
}

/* remove_vma() - out of the table, onto the dead. */
static void remove_vma(struct mm_change *c, struct vma *v)
{
    struct mm *mm = c->mm;
    struct vma *next = mm_next_locked(v), *parent = RB_PARENT(v, node);

    RB_REMOVE(vma_tree, &mm->vmas, v);
    mm->nvmas--;
    account(mm, v, -(v->end - v->start));
    augment_up(parent);
    gap_changed(next);
    v->link = c->dead;
    c->dead = v;
}

void vma_resize(struct mm *mm, struct vma *v, uaddr_t end)
{
    account(mm, v, end - v->end);
    v->end = end;
    gap_changed(v);
    gap_changed(mm_next_locked(v));
}

/* split() - cut the VMA that crosses addr, if there is one. */
static void split(struct mm_change *c, uaddr_t addr)
{
    struct vma *v = mm_find_locked(c->mm, addr), *upper;

    if (!v || v->start >= addr)
        return;
    upper = vma_take(c);
    *upper = (struct vma){
        .start = addr,
        .end = v->end,
        .prot = v->prot,
        .may_prot = v->may_prot,
        .flags = v->flags,
        .name = v->name,
    };
    if (v->mappable)
        vma_set_mappable(upper, v->mappable, v->offset + (addr - v->start));
    vma_resize(c->mm, v, addr);
    vma_insert(c->mm, upper);
}

void vma_isolate(struct mm_change *c, uaddr_t start, uaddr_t end)
{
    split(c, start);
    split(c, end);
}

void vma_clear(struct mm_change *c, uaddr_t start, uaddr_t end)
{
    struct vma *v, *next;

    vma_isolate(c, start, end);
    for (v = mm_find_locked(c->mm, start); v && v->start < end; v = next) {
        next = mm_next_locked(v);
        remove_vma(c, v);
    }
}

/* alike() - could `next`, which follows v, be part of it? */
static bool alike(const struct vma *v, const struct vma *next)
{
    if (v->end != next->start || v->prot != next->prot || v->may_prot != next->may_prot ||
        v->flags != next->flags || v->mappable != next->mappable || v->name != next->name)
        return false;
    if (v->flags & VMA_SPECIAL)
        return false;
    return !v->mappable || v->offset + (v->end - v->start) == next->offset;
}

void vma_merge_range(struct mm_change *c, uaddr_t start, uaddr_t end)
{
    struct vma *v = mm_find_locked(c->mm, start ? start - 1 : 0), *next;

    for (; v && v->start <= end; v = next) {
        next = mm_next_locked(v);
        if (!next || !alike(v, next))
            continue;
        remove_vma(c, next);
        vma_resize(c->mm, v, next->end);
        next = v;
    }
}

/* writes_through() - does the mapped object count v? */
static bool writes_through(const struct vma *v, const struct mappable *m)
{
    return (v->flags & VMA_SHARED) && (v->may_prot & LX_PROT_WRITE) && m->ops->count_writable;
}

void vma_set_mappable(struct vma *v, struct mappable *m, u64 offset)
{
    v->mappable = m->ops->get(m);
    v->offset = offset;
    if (writes_through(v, m))
        m->ops->count_writable(m, MAP_ANOTHER);
}

void vma_free_list(struct vma *v)
{
    struct vma *next;

    for (; v; v = next) {
        next = v->link;
        if (v->mappable) {
            if (writes_through(v, v->mappable))
                v->mappable->ops->count_writable(v->mappable, MAP_GONE);
            v->mappable->ops->put(v->mappable);
        }
        free(v);
    }
}

int mm_change_begin(struct mm_change *c, struct mm *mm, u32 spares)
{
    *c = (struct mm_change){.mm = mm};
    while (spares--) {
        struct vma *v = calloc(1, sizeof(*v));

        if (!v) {
            vma_free_list(c->spare);
            return -ENOMEM;
        }
        v->link = c->spare;
        c->spare = v;
    }
    rwlock_write(&mm->lock);
    return 0;
}

void mm_change_end(struct mm_change *c)
{
    rwlock_unlock(&c->mm->lock);
    vma_free_list(c->spare);
    vma_free_list(c->dead);
}

int vma_map_fd(const struct vma *v, int *fd)
{
    bool shared = v->flags & VMA_SHARED;
    int got = -1;

    if (v->mappable) {
        got =
            v->mappable->ops->map_fd(v->mappable, shared, shared && (v->may_prot & LX_PROT_WRITE));
        if (got < 0)
            return got;
    }
    *fd = got;
    return 0;
}
