/* What the files of sentry/mm share. */
#pragma once

#include "sentry/mm/mm.h"

/* Linux's stack_guard_gap: kept free below a VMA that grows down. */
#define MM_STACK_GUARD (256 * GUEST_PAGE_SIZE)

/* mm_populate() - bring what is mapped in [start, end) into memory, without mm->lock. Return: 0, or the
 * first errno: some of it can't be there. mm_populate_advise(): MADV_POPULATE_* as madvise(2) has it. */
int mm_populate(struct mm *mm, struct plat_thread *th, uaddr_t start, uaddr_t end);
int mm_populate_advise(struct mm *mm, struct plat_thread *th, uaddr_t start, uaddr_t end, int advice);

/* usermem_write_zeros() - some zero bytes to guest memory. Return: how many, -EFAULT if none. */
ssize_t usermem_write_zeros(struct mm *mm, uaddr_t dst, size_t len);

/*
 * struct mm_change: one change of the table. begin() makes the VMAs that the commit may need and
 * takes mm->lock; what the commit throws out is put in end(), after the lock is dropped, since the
 * last reference to a file may have much to do.
 */
struct mm_change {
    struct mm *mm;
    struct vma *spare, *dead; /* linked through vma.link */
};
/* mm_change_begin() - Return: 0 with mm->lock held for writing, -ENOMEM without. */
int mm_change_begin(struct mm_change *c, struct mm *mm, u32 spares);
void mm_change_end(struct mm_change *c);

/* vma_set_mappable() - v, whose flags and may_prot stand, maps this: a reference of its own. */
void vma_set_mappable(struct vma *v, struct mappable *m, u64 offset);
/* vma_free_list() - put what a list of VMAs (through link) holds, and free them. */
void vma_free_list(struct vma *v);

/* --- with mm->lock held for writing (mm_vma.c); none of them fails --- */

/* vma_take() - one of the prepared VMAs, zeroed; there must be one. */
struct vma *vma_take(struct mm_change *c);
/* vma_insert() - enter a VMA whose range is free. */
void vma_insert(struct mm *mm, struct vma *v);
/* vma_isolate() - split so that no VMA crosses start or end: takes up to two spares. */
void vma_isolate(struct mm_change *c, uaddr_t start, uaddr_t end);
/* vma_clear() - take [start, end) out of the table: takes up to two spares. */
void vma_clear(struct mm_change *c, uaddr_t start, uaddr_t end);
/* vma_resize() - move the end of a VMA; what lies there is free. */
void vma_resize(struct mm *mm, struct vma *v, uaddr_t end);
/* vma_set_prot(), vma_set_flags() - keep the sums right. */
void vma_set_prot(struct mm *mm, struct vma *v, u32 prot);
void vma_set_flags(struct mm *mm, struct vma *v, u32 flags);
/* vma_merge_range() - join what is alike among the VMAs that touch [start, end]. */
void vma_merge_range(struct mm_change *c, uaddr_t start, uaddr_t end);

/* vma_gap_below() - the highest free range of `len` bytes inside [low, high). Return: 0 if none. */
uaddr_t vma_gap_below(struct mm *mm, u64 len, uaddr_t low, uaddr_t high);
/* vma_place() - where a mapping without an address goes: below mmap_base, else wherever there is
 * room. Return: 0 if there is none. */
uaddr_t vma_place(struct mm *mm, u64 len);
/* vma_fits() - may a mapping of `len` bytes go to addr, which is not 0, without pushing others? */
bool vma_fits(struct mm *mm, uaddr_t addr, u64 len);
/* vma_overlap() - bytes of [start, end) that are mapped. */
u64 vma_overlap(struct mm *mm, uaddr_t start, uaddr_t end);
/* vma_prev() - the VMA before v, or with v NULL the last one. */
struct vma *vma_prev(struct mm *mm, struct vma *v);

/* vma_is_data() - does RLIMIT_DATA count it? */
bool vma_is_data(u32 prot, u32 flags);
/* mm_may_grow() - RLIMIT_AS and RLIMIT_DATA for `len` more bytes, `freed` of them replaced. */
bool mm_may_grow(const struct mm *mm, u32 prot, u32 flags, u64 len, u64 freed);
/* mm_may_lock() - RLIMIT_MEMLOCK for `len` more bytes. */
bool mm_may_lock(const struct mm *mm, u64 len);

/* mm_unmap_locked() - munmap(2) of a checked range: takes up to two spares. */
int mm_unmap_locked(struct mm_change *c, struct plat_thread *th, uaddr_t addr, u64 len);

/* vma_map_fd() - the descriptor to map a VMA's mappable with, borrowed (-1: anonymous private).
 * Return: 0, or why it can't be mapped. */
int vma_map_fd(const struct vma *v, int *fd);
