/*
 * Address spaces: references and reaping, memory operations as ordered calls, copies.
 *
 * A dead process is reaped by the reaper thread when the last reference has gone: until then its
 * pid is a zombie's, so that a copy, kill or interrupt that is late finds nothing, never another
 * process.
 */
#include "platform/ptrace/ptrace_priv.h"

#include "platform/stub/stub.h"
#include "zygote_image.h"
#include "sentry/base/host_thread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    HOST_SYS_MMAP = 9,
    HOST_SYS_MPROTECT = 10,
    HOST_SYS_MUNMAP = 11,
    HOST_SYS_MREMAP = 25,
    HOST_SYS_MSYNC = 26,
    HOST_SYS_MADVISE = 28,
    HOST_SYS_MEMBARRIER = 324,

    MAP_OWN = 0x4032, /* PRIVATE | ANONYMOUS | FIXED | NORESERVE */
    MAP_FD_SHARED = 0x11,
    MAP_FD_PRIVATE = 0x12,
};

static struct mutex reaper_lock = MUTEX_INIT(PLATFORM);
static struct plat_mm *reaper_list; /* by reap_next */
static atomic_uint reaper_kick;

static void *reaper_thread(void *arg)
{
    (void)arg;
    for (;;) {
        unsigned int kick = atomic_load(&reaper_kick);
        struct plat_mm *list;

        mutex_lock(&reaper_lock);
        list = reaper_list;
        reaper_list = NULL;
        mutex_unlock(&reaper_lock);
        if (!list)
            host_futex_wait(&reaper_kick, kick, DEADLINE_NEVER, false);
        while (list) {
            struct plat_mm *next = list->reap_next;

            host_guest_reap(list->pid);
            free(list);
            list = next;
        }
    }
    return NULL;
}

int ptrace_reaper_start(void)
{
    return host_thread_start("reaper", reaper_thread, NULL);
}

struct plat_mm *ptrace_mm_new(int pid, struct plat_zygote *z)
{
    struct plat_mm *mm = calloc(1, sizeof(*mm));

    if (!mm)
        return NULL;
    atomic_init(&mm->refs, 1);
    mm->pid = pid;
    mm->zygote = z;
    return mm;
}

void ptrace_mm_put(struct plat_mm *mm)
{
    if (!mm || atomic_fetch_sub(&mm->refs, 1) != 1)
        return;
    host_guest_kill(mm->pid);
    mutex_lock(&reaper_lock);
    mm->reap_next = reaper_list;
    reaper_list = mm;
    mutex_unlock(&reaper_lock);
    atomic_fetch_add(&reaper_kick, 1);
    host_futex_wake(&reaper_kick, 1, false);
}

/* map_fd() - mmap of a descriptor of ours: donated with the call's notification, closed after it by
 * the same order. */
static int map_fd(struct plat_thread *th, const struct plat_map *m)
{
    struct order o = {
        .entry = ADDR_stub_order_donated,
        .nr = HOST_SYS_MMAP,
        .args = {m->addr, m->len, m->prot, m->shared ? MAP_FD_SHARED : MAP_FD_PRIVATE,
                 STUB_DONATED_FD, m->offset},
        .by_notify = true,
        .add_fd = m->fd,
    };
    s64 result;
    int err = ptrace_order(th, &o, &result);

    if (err < 0)
        return err;
    return result < 0 ? (int)result : 0;
}

int ptrace_map(struct plat_thread *th, const struct plat_map *m)
{
    s64 r;

    if (m->fd >= 0)
        return map_fd(th, m);
    r = ptrace_order_call(th, HOST_SYS_MMAP, m->addr, m->len, m->prot, MAP_OWN, (u64)-1, 0);
    return r < 0 ? (int)r : 0;
}

int ptrace_unmap(struct plat_thread *th, uaddr_t addr, u64 len)
{
    return (int)ptrace_order_call(th, HOST_SYS_MUNMAP, addr, len, 0, 0, 0, 0);
}

int ptrace_protect(struct plat_thread *th, uaddr_t addr, u64 len, u32 prot)
{
    return (int)ptrace_order_call(th, HOST_SYS_MPROTECT, addr, len, prot, 0, 0, 0);
}

int ptrace_advise(struct plat_thread *th, uaddr_t addr, u64 len, int advice)
{
    return (int)ptrace_order_call(th, HOST_SYS_MADVISE, addr, len, (u64)advice, 0, 0, 0);
}

int ptrace_remap(struct plat_thread *th, uaddr_t old_addr, u64 old_len, uaddr_t new_addr,
                 u64 new_len, bool dontunmap)
{
    s64 r = ptrace_order_call(th, HOST_SYS_MREMAP, old_addr, old_len, new_len, dontunmap ? 7 : 3,
                              new_addr, 0);

    return r < 0 ? (int)r : 0;
}

int ptrace_sync(struct plat_thread *th, uaddr_t addr, u64 len, int flags)
{
    return (int)ptrace_order_call(th, HOST_SYS_MSYNC, addr, len, (u64)flags, 0, 0, 0);
}

int ptrace_barrier(struct plat_thread *th, int cmd)
{
    return (int)ptrace_order_call(th, HOST_SYS_MEMBARRIER, (u64)cmd, 0, 0, 0, 0, 0);
}

int ptrace_map_vdso(struct plat_thread *th, uaddr_t addr, uaddr_t *vdso, u64 *len)
{
    const struct vdso_layout *l = vdso_layout_get();
    uaddr_t to = addr;

    if (!l->n)
        return -ENOSYS;
    *len = l->len;
    if (!addr)
        return 0;
    for (u32 i = 0; i < l->n; i++) {
        int err = ptrace_remap(th, l->part[i].stash, l->part[i].len, to, l->part[i].len, false);

        if (err < 0)
            return err;
        *vdso = to;
        to += l->part[i].len;
    }
    return 0;
}

void ptrace_set_cmdline(struct plat_thread *th, const char *args, u32 len)
{
    char page[STUB_CMDLINE_BYTES] = {0};

    /* The host shows one string up to its NUL if the area's last byte is not NUL. */
    len = min_of(len, (u32)sizeof(page) - 2);
    for (u32 i = 0; i < len; i++)
        page[i] = args[i] ? args[i] : ' ';
    while (len && page[len - 1] == ' ')
        page[--len] = 0;
    page[sizeof(page) - 1] = 1;
    host_guest_copy_out(th->mm->pid, STUB_CMDLINE, page, sizeof(page));
}

/* clip() - how much of a range lies in guest memory. */
static size_t clip(uaddr_t addr, size_t len)
{
    return addr >= PLAT_TASK_SIZE ? 0 : min_of(len, (size_t)(PLAT_TASK_SIZE - addr));
}

ssize_t ptrace_copy_in(struct plat_mm *mm, void *dst, uaddr_t src, size_t len)
{
    size_t n = clip(src, len);

    return n ? host_guest_copy_in(mm->pid, dst, src, n) : len ? -EFAULT : 0;
}

ssize_t ptrace_copy_out(struct plat_mm *mm, uaddr_t dst, const void *src, size_t len)
{
    size_t n = clip(dst, len);

    return n ? host_guest_copy_out(mm->pid, dst, src, n) : len ? -EFAULT : 0;
}
