/* Forking a zygote; see zygote.h. */
#include "platform/zygote.h"

#include "platform/host_guest.h"

#include <stdlib.h>

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
