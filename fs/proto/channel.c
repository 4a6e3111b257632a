/*
 * The channel between the Sentry and a gofer: what both ends share.
 *
 * SLOTS     The memfd has CHANNEL_SLOTS slots. The Sentry keeps in private memory which are free. A
 *           thread takes one, writes its request, sets the slot's state to PENDING, sets the slot's
 *           bit in `submitted` and, if a worker sleeps and none spins, wakes one. A worker takes a bit
 *           away (which makes the slot its own), copies the request into private memory, serves it,
 *           writes the answer, sets the state to DONE, and wakes the thread if the state was
 *           SLEEPING. Only the lowest free slots are used, so that few pages are ever touched.
 * SLEEP     The Sentry's thread sleeps on its slot's state, having changed it from PENDING to
 *           SLEEPING; the workers sleep on `submitted` while it is 0, counted in `sleepers`. Both are
 *           futexes of shared memory. Before it sleeps each side polls for a few microseconds, but
 *           only if the other was last seen on another CPU and polling has paid lately (the score
 *           falls with each miss; at zero it is tried now and then). A worker that polls is counted
 *           in `spinners` and takes a request only after it has left that count: a request that
 *           came while it was in it finds it looking, and wakes nobody.
 * DEATH     A thread of the Sentry sleeps in poll() for the socket's hang-up. It sets `dead` and
 *           makes every slot DONE; a caller tests `dead` after it has become PENDING, so that none
 *           can be missed. The gofer's main thread watches its end likewise and exits.
 * FDS       A descriptor is sent before its answer is posted, so it is always there when the answer
 *           is. The reader takes messages off the socket until its own comes; what belongs to another
 *           slot's request is put by for it, what belongs to nobody is closed.
 * TRUST     Whatever stands in shared memory may change at any time and hold anything. It is copied
 *           before it is checked; states and bits that make no sense cost only their writer.
 *           The memfd's size is sealed, so no access faults.
 */
#include "fs/proto/channel_priv.h"
#include "sentry/base/host_fd.h"
#include "sentry/base/host_mem.h"
#include "sentry/base/host_thread.h"

#include <errno.h>
#include <fcntl.h>

enum { SPIN_ROUNDS = 256, SPIN_SCORE_MAX = 8, SPIN_RETRY = 32 };

static inline void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#else
    __asm__ volatile("yield");
#endif
}

int channel_map(int fd, struct channel_shm **out)
{
    const int need = F_SEAL_SHRINK | F_SEAL_GROW;
    struct stat st;
    void *p;
    int r;

    r = host_fstat(fd, &st);
    if (r < 0)
        return r;
    r = host_fcntl(fd, F_GET_SEALS, 0);
    if (r < 0 || (r & need) != need || st.st_size != CHANNEL_BYTES)
        return -EINVAL;
    r = host_map_shared(fd, CHANNEL_BYTES, &p);
    if (r < 0)
        return r;
    *out = p;
    return 0;
}

/* worth() - should we poll at all? */
static bool worth(struct channel_spin *spin, u32 here, u32 there)
{
    if (here == there)
        return false;
    return spin->score > 0 || ++spin->skipped % SPIN_RETRY == 0;
}

bool channel_spin(struct channel_spin *spin, atomic_uint *word, u32 want, bool differ,
                  atomic_uint *peer, atomic_uint *mine)
{
    u32 here = host_cpu();
    u8 score;

    atomic_store_explicit(mine, here, memory_order_relaxed);
    if (!worth(spin, here, atomic_load_explicit(peer, memory_order_relaxed)))
        return false;
    score = spin->score;
    for (u32 i = 0; i < SPIN_ROUNDS; i++) {
        u32 v = atomic_load_explicit(word, memory_order_acquire);

        if ((v == want) != differ) {
            if (score < SPIN_SCORE_MAX)
                spin->score = score + 1;
            return true;
        }
        relax();
    }
    if (score > 0)
        spin->score = score - 1;
    return false;
}
