/*
 * What the stub and the Sentry agree on: addresses in the stub region, numbers of the protocol.
 * Included by C, by assembly and by the linker script's makers; plain macros only.
 *
 *   STUB_BASE            the zygote's text: all code that a guest process keeps of us, r-x
 *   STUB_CMDLINE         one page: what the host's ps shows (prctl(2) PR_SET_MM_MAP)
 *   STUB_SCRATCH         where ordered calls put a result of more than a register, a slot a thread
 *   STUB_VDSO_STASH      the host's vvar and vdso until exec moves them below
 */
#pragma once

#define STUB_BASE 0x7ffff0000000
#define STUB_CMDLINE 0x7ffff0100000
#define STUB_CMDLINE_BYTES 4096
#define STUB_SCRATCH 0x7ffff0101000
#define STUB_SCRATCH_BYTES 65536
#define STUB_VDSO_STASH 0x7ffff0200000
#define STUB_VDSO_STASH_END 0x7ffff0300000
#define STUB_TOP 0x7ffffffff000

/* A system call number that Linux will not have; the filter makes it a notification.
 * Arguments: role, and for the zygote the result of its last fork. */
#define STUB_NR_CHECKIN 0x3fff0000
#define STUB_ROLE_ZYGOTE 1
#define STUB_ROLE_CHILD 2

/* Replies to the zygote's check-in. */
#define STUB_COMMAND_FORK 1

/* Where a donated descriptor stands while it is mapped: the only one that a guest process ever has. */
#define STUB_DONATED_FD 3

/* CLONE_PARENT | SIGCHLD: every guest process is the Sentry's child. */
#define STUB_FORK_FLAGS 0x8011
/* CLONE_VM FS FILES SIGHAND THREAD SYSVSEM */
#define STUB_THREAD_FLAGS 0x50f00
