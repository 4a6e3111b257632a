/*
 * Buffers for copies between guest memory and a file's data: a guest copy may stall for long, so it
 * goes on without locks, into a buffer of ours. A few are kept, so that reads and writes don't
 * allocate.
 */
#include "fs/vfs/file.h"

#include <stdlib.h>

enum { KEPT = 8 };

static struct mutex lock = MUTEX_INIT(LEAF);
static void *kept[KEPT]; /* and below: guarded by lock */
static u32 nkept;

void *bounce_get(void)
{
    void *buf = NULL;

    mutex_lock(&lock);
    if (nkept)
        buf = kept[--nkept];
    mutex_unlock(&lock);
    return buf ? buf : malloc(BOUNCE_BYTES);
}

void bounce_put(void *buf)
{
    mutex_lock(&lock);
    if (buf && nkept < KEPT) {
        kept[nkept++] = buf;
        buf = NULL;
    }
    mutex_unlock(&lock);
    free(buf);
}
