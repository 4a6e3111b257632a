/*
 * Zygotes: a pristine confined host process per container, forked for every fresh address space.
 * Shared by the platforms. See platform/README.md for the protocol.
 */
#pragma once

#include "platform/notify.h"
#include "platform/platform.h"
#include "platform/stub/stub.h"

/* One of the host's vvar and vdso mappings, in the order in which they lie in the stash. */
struct vdso_part {
    uaddr_t stash;
    u64 len;
};
#define VDSO_PARTS_MAX 6

struct vdso_layout {
    u32 n;
    struct vdso_part part[VDSO_PARTS_MAX]; /* the last one is the vdso itself */
    u64 len;                               /* of all */
};

struct plat_zygote {
    int pid;
    struct notify *notify; /* owned: its listener thread */
    struct mutex lock;     /* one fork at a time */
    struct plat_zygote *next; /* list of all, written before there are threads */
};

/* zygote_boot() - make one (zygote_boot.c; before the Sentry confines itself). */
int zygote_boot(const struct plat_config *config, struct plat_zygote **out);
/* zygote_register() - put a new one on the list of zygote_start_all(). */
void zygote_register(struct plat_zygote *z);
/* zygote_start_all() - the listener threads of the zygotes made so far. */
int zygote_start_all(void);
/* zygote_fork() - a fresh process, which waits in its check-in. Return: its pid, or -errno. */
int zygote_fork(struct plat_zygote *z);
void zygote_kill(struct plat_zygote *z);
/* vdso_layout_get() - what the host has; read once at boot. */
const struct vdso_layout *vdso_layout_get(void);
