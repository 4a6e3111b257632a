/*
 * The dentry lock; see dentry_priv.h.
 *
 * A reader adds itself to its thread's slot and then looks for a writer; a writer announces itself
 * and then looks at the slots: whoever comes second sees the first. A reader that sees a writer
 * steps back and takes its place under the writers' mutex, so neither side starves. Readers never
 * block, so a writer waits for a few hundred ns, or for a preempted reader's next time slice.
 */
#include "fs/vfs/dentry_priv.h"
#include "sentry/base/host_thread.h"

enum { TREE_SLOTS = 16, SPINS = 200 };

static struct {
    _Alignas(64) atomic_uint readers;
} slots[TREE_SLOTS];

static struct mutex writers = MUTEX_INIT(DENTRY);
static _Alignas(64) atomic_bool writing;

static u32 own_slot(void)
{
    u64 self = (u64)(uintptr_t)__builtin_thread_pointer();

    /* Thread blocks are spaced by stacks: mix what differs into the top bits. */
    return (u32)((self * 0x9e3779b97f4a7c15ull) >> 60) % TREE_SLOTS;
}

u32 tree_read(void)
{
    u32 slot = own_slot();

    atomic_fetch_add(&slots[slot].readers, 1);
    if (likely(!atomic_load(&writing)))
        return slot;
    atomic_fetch_sub(&slots[slot].readers, 1);
    mutex_lock(&writers);
    atomic_fetch_add(&slots[slot].readers, 1);
    mutex_unlock(&writers);
    return slot;
}

void tree_read_end(u32 slot)
{
    atomic_fetch_sub_explicit(&slots[slot].readers, 1, memory_order_release);
}

void tree_write(void)
{
    mutex_lock(&writers);
    atomic_store(&writing, true);
    for (u32 i = 0; i < TREE_SLOTS; i++) {
        for (u32 n = 0; atomic_load(&slots[i].readers); n++) {
            if (n >= SPINS)
                host_sched_yield();
        }
    }
}

void tree_write_end(void)
{
    atomic_store(&writing, false);
    mutex_unlock(&writers);
}
