/* Forking a zygote; see zygote.h. */
#include "platform/zygote.h"

#include "platform/host_guest.h"

#include <stdlib.h>

static struct plat_zygote *zygotes;

void zygote_register(struct plat_zygote *z)
{
    z->next = zygotes;
    zygotes = z;
}

int zygote_start_all(void)
{
    for (struct plat_zygote *z = zygotes; z; z = z->next) {
        int err = notify_start(z->notify);

        if (err < 0)
            return err;
    }
    return 0;
}

int zygote_fork(struct plat_zygote *z)
{
    int pid;

    mutex_lock(&z->lock);
    pid = notify_zygote_fork(z->notify);
    mutex_unlock(&z->lock);
    return pid;
}

void zygote_kill(struct plat_zygote *z)
{
    host_guest_kill(z->pid);
    host_guest_reap(z->pid);
    notify_stop(z->notify);
    mutex_destroy(&z->lock);
    free(z);
}
