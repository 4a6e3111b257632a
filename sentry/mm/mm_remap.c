/*
 * mremap(2): shrink is an unmapping, growth in place a further mapping right behind, all else a move.
 *
 * A move is one mremap of the host. What is one VMA here may be several there (pages that were
 * forked keep apart from pages that were not), and the host moves only within one of its own: it
 * then says EFAULT, and the range is moved in pieces, found by halving. Their number is bounded; an
 * honest program needs a handful.
 */
#include "sentry/abi/lx_mm.h"
#include "sentry/base/limits.h"
#include "sentry/mm/mm_priv.h"

#include <errno.h>

#define MOVE_ORDERS_MAX 4096
#define MOVE_SPARES     7 /* the new VMA, two cuts each at target, old range and tail */

struct remap_call {
    struct mm_change *c;
    struct plat_thread *th;
    uaddr_t old;
    u64 old_len, new_len;
    u32 flags;
    uaddr_t fixed; /* with LX_MREMAP_FIXED */
};

/* check_resize() - may old_len bytes of v become new_len? */
static int check_resize(const struct mm *mm, const struct vma *v, const struct remap_call *r,
                        u64 old_len)
{
    u64 more = r->new_len - old_len, end_offset;

    if (!old_len && !(v->flags & VMA_SHARED))
        return -EINVAL;
    if ((r->flags & LX_MREMAP_DONTUNMAP) && (v->flags & VMA_SPECIAL))
        return -EINVAL;
    if (old_len > v->end - r->old)
        return -EFAULT;
    if (!more)
        return 0;
    if (__builtin_add_overflow(v->offset + (r->old - v->start), r->new_len, &end_offset))
        return -EINVAL;
    if (v->flags & VMA_SPECIAL)
        return -EFAULT;
    if ((v->flags & VMA_LOCKED) && !mm_may_lock(mm, more))
        return -EAGAIN;
    return mm_may_grow(mm, v->prot, v->flags, more, 0) ? 0 : -ENOMEM;
}

/* move_pieces() - move [from, from + len) to `to` by halves. `orders` counts down. */
static int move_pieces(const struct remap_call *r, uaddr_t from, u64 len, uaddr_t to,
                       bool dontunmap, u32 *orders)
{
    const struct platform_ops *platform = r->c->mm->platform;
    u64 half = page_down(len / 2);
    int err;

    if (!*orders)
        return -ENOMEM;
    --*orders;
    err = platform->remap(r->th, from, len, to, len, dontunmap);
    if (err != -EFAULT || !half)
        return err;
    err = move_pieces(r, from, half, to, dontunmap, orders);
    if (err)
        return err;
    err = move_pieces(r, from + half, len - half, to + half, dontunmap, orders);
    if (err) {
        u32 back = MOVE_ORDERS_MAX;

        move_pieces(r, to, half, from, false, &back);
    }
    return err;
}

/* map_behind() - map [addr, addr + len) as the continuation of v at `offset` into it. */
static int map_behind(const struct remap_call *r, const struct vma *v, u64 into, uaddr_t addr,
                      u64 len)
{
    struct plat_map m = {
        .addr = addr,
        .len = len,
        .prot = v->prot,
        .shared = v->flags & VMA_SHARED,
        .offset = v->offset + into,
    };
    int err = vma_map_fd(v, &m.fd);

    return err ? err : r->c->mm->platform->map(r->th, &m);
}

/* order_move() - the host's part of a move of v's range to `to`. */
static int order_move(const struct remap_call *r, const struct vma *v, uaddr_t to)
{
    const struct platform_ops *platform = r->c->mm->platform;
    bool dontunmap = r->flags & LX_MREMAP_DONTUNMAP;
    u64 len = min_of(r->old_len, r->new_len);
    u32 orders = MOVE_ORDERS_MAX;
    int err = platform->remap(r->th, r->old, r->old_len, to, r->new_len, dontunmap);

    if (err != -EFAULT || r->old_len <= GUEST_PAGE_SIZE)
        return err;
    err = move_pieces(r, r->old, len, to, dontunmap, &orders);
    if (err)
        return err;
    if (r->new_len > len)
        return map_behind(r, v, r->old - v->start + len, to + len, r->new_len - len);
    if (r->old_len > len)
        return platform->unmap(r->th, r->old + len, r->old_len - len);
    return 0;
}

/* move_locked() - move v's range to `to`, which doesn't overlap it. */
static int move_locked(const struct remap_call *r, struct vma *v, uaddr_t to)
{
    struct vma *fresh;
    int err;

    if (r->c->mm->nvmas + MOVE_SPARES > LIMIT_VMAS)
        return -ENOMEM;
    err = order_move(r, v, to);
    if (err)
        return err;
    fresh = vma_take(r->c);
    fresh->start = to;
    fresh->end = to + r->new_len;
    fresh->prot = v->prot;
    fresh->may_prot = v->may_prot;
    fresh->flags = v->flags;
    fresh->name = v->flags & VMA_SPECIAL ? v->name : NULL;
    if (v->mappable)
        vma_set_mappable(fresh, v->mappable, v->offset + (r->old - v->start));
    vma_clear(r->c, to, to + r->new_len);
    if (r->old_len && !(r->flags & LX_MREMAP_DONTUNMAP))
        vma_clear(r->c, r->old, r->old + r->old_len);
    vma_insert(r->c->mm, fresh);
    vma_merge_range(r->c, to, to + r->new_len);
    return 0;
}

/* remap_to() - MREMAP_FIXED and MREMAP_DONTUNMAP: always a move; without the first the address is a
 * hint. */
static int remap_to(const struct remap_call *r, struct vma *v, uaddr_t *out)
{
    struct mm *mm = r->c->mm;
    u64 old_len = min_of(r->old_len, r->new_len);
    uaddr_t to = r->fixed;
    int err;

    if ((to & ~GUEST_PAGE_MASK) || r->new_len > PLAT_TASK_SIZE || to > PLAT_TASK_SIZE - r->new_len)
        return -EINVAL;
    if (r->old + r->old_len > to && to + r->new_len > r->old)
        return -EINVAL;
    if ((r->flags & LX_MREMAP_FIXED) && to < PLAT_GUEST_MIN)
        return -EPERM;
    err = check_resize(mm, v, r, old_len);
    if (err)
        return err;
    if (r->old_len > v->end - r->old && r->old_len > old_len)
        return -EFAULT;
    if ((r->flags & LX_MREMAP_DONTUNMAP) && !mm_may_grow(mm, v->prot, v->flags, old_len, 0))
        return -ENOMEM;
    if (!(r->flags & LX_MREMAP_FIXED) && (to < PLAT_GUEST_MIN || !vma_fits(mm, to, r->new_len)))
        to = vma_place(mm, r->new_len);
    if (!to)
        return -ENOMEM;
    err = move_locked(r, v, to);
    if (!err)
        *out = to;
    return err;
}

/* grow_in_place() - Return: 1 grown, 0 there is no room, errno. */
static int grow_in_place(const struct remap_call *r, struct vma *v)
{
    u64 more = r->new_len - r->old_len;
    const struct vma *next = mm_next_locked(v);
    uaddr_t start = v->start, end;
    int err;

    if (r->old_len != v->end - r->old || more > PLAT_TASK_SIZE - v->end)
        return 0;
    end = v->end + more;
    if (next && next->start < end)
        return 0;
    err = map_behind(r, v, v->end - v->start, v->end, more);
    if (err)
        return err;
    vma_resize(r->c->mm, v, end);
    vma_merge_range(r->c, start, end);
    return 1;
}

/* resize() - without an address: shrink, grow where it is, or move if it may. */
static int resize(const struct remap_call *r, struct vma *v, uaddr_t *out)
{
    uaddr_t to = r->old;
    int err;

    if (r->new_len <= r->old_len) {
        u64 less = r->old_len - r->new_len;

        if (r->old_len > PLAT_TASK_SIZE - r->old)
            return -EINVAL;
        err = less ? mm_unmap_locked(r->c, r->th, r->old + r->new_len, less) : 0;
    } else {
        err = check_resize(r->c->mm, v, r, r->old_len);
        if (!err)
            err = grow_in_place(r, v);
        if (!err) {
            to = r->flags & LX_MREMAP_MAYMOVE ? vma_place(r->c->mm, r->new_len) : 0;
            err = to ? move_locked(r, v, to) : -ENOMEM;
        }
    }
    if (err < 0)
        return err;
    *out = to;
    return 0;
}

int mm_remap(struct mm *mm, struct plat_thread *th, uaddr_t old, u64 old_len, u64 new_len,
             u32 flags, uaddr_t new_addr, uaddr_t *out)
{
    struct mm_change c;
    struct remap_call r = {
        .c = &c,
        .th = th,
        .old = old,
        .old_len = page_up(old_len),
        .new_len = page_up(new_len),
        .flags = flags,
        .fixed = new_addr,
    };
    bool populate = false;
    struct vma *v;
    int err;

    if (flags & ~(LX_MREMAP_MAYMOVE | LX_MREMAP_FIXED | LX_MREMAP_DONTUNMAP))
        return -EINVAL;
    if ((flags & (LX_MREMAP_FIXED | LX_MREMAP_DONTUNMAP)) && !(flags & LX_MREMAP_MAYMOVE))
        return -EINVAL;
    if ((flags & LX_MREMAP_DONTUNMAP) && r.old_len != r.new_len)
        return -EINVAL;
    if ((old & ~GUEST_PAGE_MASK) || !r.new_len)
        return -EINVAL;
    err = mm_change_begin(&c, mm, MOVE_SPARES);
    if (err)
        return err;
    v = mm_find_locked(mm, old);
    if (v)
        populate = (v->flags & (VMA_LOCKED | VMA_LOCKONFAULT)) == VMA_LOCKED;
    if (!v || v->start > old)
        err = -EFAULT;
    else if (flags & (LX_MREMAP_FIXED | LX_MREMAP_DONTUNMAP))
        err = remap_to(&r, v, out);
    else
        err = resize(&r, v, out);
    mm_change_end(&c);
    if (!err && populate && r.new_len > r.old_len)
        mm_populate(mm, th, *out + r.old_len, *out + r.new_len);
    return err;
}
