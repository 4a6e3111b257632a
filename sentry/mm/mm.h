/*
 * A guest address space: the Sentry's VMA table beside the host process that is the memory. The
 * table is advisory: it answers /proc/PID/maps, MAP_FIXED, brk and limits for an honest guest and
 * is trusted for nothing; a hostile guest that maps behind our back harms itself alone.
 *
 * Operations that change memory are ordered from the calling task's own host thread (`th`), under
 * mm->lock: check everything, prepare (VMAs), order, commit. Linux's man pages give the errnos.
 */
#pragma once

#include "platform/platform.h"
#include "sentry/base/list.h"
#include "sentry/base/lock.h"
#include "sentry/base/obj.h"
#include "sentry/mm/mappable.h"
#include "sentry/mm/usermem.h"

#include <bsd/sys/tree.h>
#include <stdatomic.h>

struct vma {
    RB_ENTRY(vma) node;
    uaddr_t start, end;
    u32 prot;     /* LX_PROT_* now */
    u32 may_prot; /* what mprotect may ever give */
    u32 flags;    /* VMA_* */
    struct mappable *mappable; /* a reference; NULL: anonymous private */
    u64 offset;                /* in the mappable, of start */
    const char *name;          /* "[heap]", "[stack]", "[vdso]" …: static text, or NULL */
    u64 gap, max_gap; /* free bytes right below it; the largest such gap in its subtree */
    struct vma *link; /* lists of mm_change */
};

enum {
    VMA_SHARED = 1u << 0,
    VMA_GROWSDOWN = 1u << 1, /* mm_grow() */
    VMA_LOCKED = 1u << 2,
    VMA_DONTFORK = 1u << 3,
    VMA_WIPEONFORK = 1u << 4,
    VMA_DONTDUMP = 1u << 5,
    VMA_NORESERVE = 1u << 6,
    VMA_SPECIAL = 1u << 7,     /* vdso, vvar */
    VMA_LOCKONFAULT = 1u << 8, /* with VMA_LOCKED: once it is there */
};

RB_HEAD(vma_tree, vma);

struct mm {
    struct obj obj;
    const struct platform_ops *platform;
    struct plat_mm *plat; /* a reference */
    struct rwlock lock;
    struct vma_tree vmas; /* and below: guarded by lock */
    u32 nvmas;
    u64 total_bytes, locked_bytes, data_bytes, stack_bytes, peak_bytes;
    u32 lock_future; /* VMA_* of new mappings: mlockall(MCL_FUTURE) */
    uaddr_t brk_start, brk;
    uaddr_t mmap_base; /* top-down searches start below it */
    uaddr_t stack_top;
    /* RLIMIT_*, stored by the kernel before a call; memlock is UINT64_MAX with CAP_IPC_LOCK */
    _Atomic(u64) limit_as, limit_data, limit_stack, limit_memlock;
    /* set by exec, read by /proc and prctl */
    uaddr_t arg_start, arg_end, env_start, env_end, start_code, end_code, start_data, end_data;
    u64 auxv[64];
    u32 nauxv;
    u32 dumpable;
    _Atomic(u32) coredump_filter; /* which kinds of memory a core would have; MMF_DUMP_* */
    _Atomic(u32) membarriers; /* LX_MEMBARRIER_CMD_* that are registered */
};
OBJ_REFS(mm)

/* Anonymous memory, ELF headers, private huge pages: core(5). */
#define MM_COREDUMP_DEFAULT 0x33u

/* mm_new() - the empty address space of `th`, fresh from a zygote. */
int mm_new(const struct platform_ops *platform, struct plat_thread *th, struct mm **out);
/* mm_layout() - choose stack_top and mmap_base for a stack of at most `stack_limit` bytes. */
int mm_layout(struct mm *mm, u64 stack_limit, bool randomize);
/* mm_fork() - the table of a forked child whose host copy is `child`. mm_fork_locked(): the caller
 * has held parent->lock since before the host's fork, so that both show the same moment. */
int mm_fork(struct mm *parent, struct plat_thread *child, struct mm **out);
int mm_fork_locked(struct mm *parent, struct plat_thread *child, struct mm **out);
/* mm_fork_fixup() - carry out MADV_DONTFORK and MADV_WIPEONFORK in a forked child: by the child
 * itself, before its first instruction. Return: 0, or what the platform said (the child is unfit). */
int mm_fork_fixup(struct mm *mm, struct plat_thread *th);

struct mm_map_args {
    uaddr_t addr;
    u64 len;
    u32 prot, flags; /* LX_PROT_*, LX_MAP_* */
    struct mappable *mappable; /* borrowed; NULL: anonymous */
    u64 offset;
    u32 may_prot;     /* what the file's open mode allows */
    const char *name; /* static, or NULL */
};

/* mm_map() - mmap(2) after its descriptor is looked up. Return: 0 and *out, or its errno. */
int mm_map(struct mm *mm, struct plat_thread *th, const struct mm_map_args *args, uaddr_t *out);
/* mm_note_special() - enter what the platform itself has mapped ("[vdso]", "[vvar]"). */
int mm_note_special(struct mm *mm, uaddr_t addr, u64 len, u32 prot, const char *name);
/* mm_force() - copy from or to memory that its own protection forbids, as a debugger does. By the
 * address space's own thread. Return: 0, -EFAULT; parts may have been copied. */
int mm_force(struct mm *mm, struct plat_thread *th, uaddr_t addr, void *buf, size_t len, bool write);
/* mm_grow() - nothing was found at addr: grow what may grow down to it. Return: is it worth another
 * try? (There is a mapping now that has grown, by this call or by another thread's.) */
bool mm_grow(struct mm *mm, struct plat_thread *th, uaddr_t addr);
/* mm_find_gap() - where an unplaced mapping of `len` bytes would go now. Return: 0 if nowhere. */
uaddr_t mm_find_gap(struct mm *mm, u64 len);
int mm_unmap(struct mm *mm, struct plat_thread *th, uaddr_t addr, u64 len);
/* mm_detach() - shmdt(2): unmap what was attached at addr of an object with these `ops`. */
int mm_detach(struct mm *mm, struct plat_thread *th, uaddr_t addr, const struct mappable_ops *ops);
int mm_protect(struct mm *mm, struct plat_thread *th, uaddr_t addr, u64 len, u32 prot);
int mm_advise(struct mm *mm, struct plat_thread *th, uaddr_t addr, u64 len, int advice);
int mm_remap(struct mm *mm, struct plat_thread *th, uaddr_t old, u64 old_len, u64 new_len,
             u32 flags, uaddr_t new_addr, uaddr_t *out);
int mm_msync(struct mm *mm, struct plat_thread *th, uaddr_t addr, u64 len, int flags);
int mm_mincore(struct mm *mm, uaddr_t addr, u64 len, uaddr_t vec);
/* mm_lock() - mlock2(2); with `flags` 0 munlock(2). mm_lock_all(): mlockall(2) for what there is, if
 * `current`, and for what comes, if `future`. `flags`: VMA_LOCKED, VMA_LOCKONFAULT. */
int mm_lock(struct mm *mm, struct plat_thread *th, uaddr_t addr, u64 len, u32 flags);
int mm_lock_all(struct mm *mm, struct plat_thread *th, bool current, bool future, u32 flags);
int mm_unlock_all(struct mm *mm);
/* mm_brk() - brk(2). Return: the break as it is now. */
uaddr_t mm_brk(struct mm *mm, struct plat_thread *th, uaddr_t brk);

/* mm_find() - the VMA that holds addr, or the first above it (NULL: none). Lock held. */
struct vma *mm_find_locked(struct mm *mm, uaddr_t addr);
struct vma *mm_first_locked(struct mm *mm);
struct vma *mm_next_locked(struct vma *v);

/* mm_futex_key() - what a shared futex at addr is: (mappable identity, offset), or for private
 * memory (mm, addr). Return: 0, -EFAULT. */
struct futex_key {
    u64 word[3]; /* compared and hashed as they are */
};
int mm_futex_key(struct mm *mm, uaddr_t addr, bool shared, struct futex_key *key);

/* mm_maps_text() - lines of /proc/PID/maps for the VMAs from *cursor (0 at first) on, as many as fit;
 * *cursor moves behind them. Return: bytes, 0 at the end, -ERANGE (not even one line fits: 4 paths
 * and 256 bytes always do), -ENOMEM. */
ssize_t mm_maps_text(struct mm *mm, uaddr_t *cursor, char *buf, size_t cap);

/* mm_sizes() - the sums of /proc/PID/statm and status that the table knows, in bytes. */
struct mm_sizes {
    u64 total, peak, data, stack, locked;
    u64 text, exec; /* the executable's code; all code */
    u64 shared;
};
void mm_sizes(struct mm *mm, struct mm_sizes *out);

/* shm_anon_new() - the object that MAP_SHARED | MAP_ANONYMOUS maps, of `len` bytes. With `read_only`
 * it can be mapped by who may never write it. Return: 0 and *out, a reference; -ENOMEM. */
int shm_anon_new(u64 len, bool read_only, struct mappable **out);
/* shm_anon_resident() - bytes that such an object takes now. */
u64 shm_anon_resident(struct mappable *m);

/* mm_cmpxchg() and so on go through platform->atomic with th; see platform.h. */
