/* Guest ABI: capabilities and securebits (capabilities(7), linux/capability.h). */
#pragma once

#include "sentry/base/types.h"

enum {
    LX_CAP_CHOWN = 0,
    LX_CAP_DAC_OVERRIDE = 1,
    LX_CAP_DAC_READ_SEARCH = 2,
    LX_CAP_FOWNER = 3,
    LX_CAP_FSETID = 4,
    LX_CAP_KILL = 5,
    LX_CAP_SETGID = 6,
    LX_CAP_SETUID = 7,
    LX_CAP_SETPCAP = 8,
    LX_CAP_LINUX_IMMUTABLE = 9,
    LX_CAP_NET_BIND_SERVICE = 10,
    LX_CAP_NET_BROADCAST = 11,
    LX_CAP_NET_ADMIN = 12,
    LX_CAP_NET_RAW = 13,
    LX_CAP_IPC_LOCK = 14,
    LX_CAP_IPC_OWNER = 15,
    LX_CAP_SYS_MODULE = 16,
    LX_CAP_SYS_RAWIO = 17,
    LX_CAP_SYS_CHROOT = 18,
    LX_CAP_SYS_PTRACE = 19,
    LX_CAP_SYS_PACCT = 20,
    LX_CAP_SYS_ADMIN = 21,
    LX_CAP_SYS_BOOT = 22,
    LX_CAP_SYS_NICE = 23,
    LX_CAP_SYS_RESOURCE = 24,
    LX_CAP_SYS_TIME = 25,
    LX_CAP_SYS_TTY_CONFIG = 26,
    LX_CAP_MKNOD = 27,
    LX_CAP_LEASE = 28,
    LX_CAP_AUDIT_WRITE = 29,
    LX_CAP_AUDIT_CONTROL = 30,
    LX_CAP_SETFCAP = 31,
    LX_CAP_MAC_OVERRIDE = 32,
    LX_CAP_MAC_ADMIN = 33,
    LX_CAP_SYSLOG = 34,
    LX_CAP_WAKE_ALARM = 35,
    LX_CAP_BLOCK_SUSPEND = 36,
    LX_CAP_AUDIT_READ = 37,
    LX_CAP_PERFMON = 38,
    LX_CAP_BPF = 39,
    LX_CAP_CHECKPOINT_RESTORE = 40,
    LX_CAP_LAST = 40,
};

#define LX_SECBIT_NOROOT (1u << 0)
#define LX_SECBIT_NO_SETUID_FIXUP (1u << 2)
#define LX_SECBIT_KEEP_CAPS (1u << 4)
#define LX_SECBIT_NO_CAP_AMBIENT_RAISE (1u << 6)
#define LX_SECURE_ALL_BITS 0x55u
#define LX_SECURE_ALL_LOCKS 0xaau

#define LX_CAPABILITY_VERSION_1 0x19980330u
#define LX_CAPABILITY_VERSION_2 0x20071026u
#define LX_CAPABILITY_VERSION_3 0x20080522u

struct lx_cap_header {
    u32 version;
    s32 pid;
};

struct lx_cap_data {
    u32 effective, permitted, inheritable;
};
