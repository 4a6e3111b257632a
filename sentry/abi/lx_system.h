/* Guest ABI: what a system says of itself and its scheduler (utsname.h, sysinfo.h, sched.h …). */
#pragma once

#include "sentry/base/types.h"

#define LX_UTS_LEN 65

struct lx_utsname {
    char sysname[LX_UTS_LEN], nodename[LX_UTS_LEN], release[LX_UTS_LEN], version[LX_UTS_LEN],
        machine[LX_UTS_LEN], domainname[LX_UTS_LEN];
};

struct lx_sysinfo {
    s64 uptime;
    u64 loads[3]; /* fixed point, 16 bits of fraction */
    u64 totalram, freeram, sharedram, bufferram, totalswap, freeswap;
    u16 procs, pad;
    u32 pad2;
    u64 totalhigh, freehigh;
    u32 mem_unit, pad3;
};

_Static_assert(sizeof(struct lx_sysinfo) == 112, "struct sysinfo is 112 bytes");

#define LX_REBOOT_MAGIC1        0xfee1deadu
#define LX_REBOOT_MAGIC2        672274793u
#define LX_REBOOT_MAGIC2A       85072278u
#define LX_REBOOT_MAGIC2B       369367448u
#define LX_REBOOT_MAGIC2C       537993216u
#define LX_REBOOT_CMD_RESTART   0x01234567u
#define LX_REBOOT_CMD_RESTART2  0xa1b2c3d4u
#define LX_REBOOT_CMD_HALT      0xcdef0123u
#define LX_REBOOT_CMD_POWER_OFF 0x4321fedcu

#define LX_GRND_NONBLOCK 1u
#define LX_GRND_RANDOM   2u
#define LX_GRND_INSECURE 4u

enum {
    LX_SYSLOG_ACTION_CLOSE,
    LX_SYSLOG_ACTION_OPEN,
    LX_SYSLOG_ACTION_READ,
    LX_SYSLOG_ACTION_READ_ALL,
    LX_SYSLOG_ACTION_READ_CLEAR,
    LX_SYSLOG_ACTION_CLEAR,
    LX_SYSLOG_ACTION_CONSOLE_OFF,
    LX_SYSLOG_ACTION_CONSOLE_ON,
    LX_SYSLOG_ACTION_CONSOLE_LEVEL,
    LX_SYSLOG_ACTION_SIZE_UNREAD,
    LX_SYSLOG_ACTION_SIZE_BUFFER,
};

enum {
    LX_SCHED_OTHER = 0,
    LX_SCHED_FIFO = 1,
    LX_SCHED_RR = 2,
    LX_SCHED_BATCH = 3,
    LX_SCHED_IDLE = 5,
    LX_SCHED_DEADLINE = 6,
};
#define LX_SCHED_RESET_ON_FORK 0x40000000

enum { LX_PRIO_PROCESS, LX_PRIO_PGRP, LX_PRIO_USER };

/* ioprio_set(2): a class above 13 bits of data, whose lowest three are the level. */
enum { LX_IOPRIO_WHO_PROCESS = 1, LX_IOPRIO_WHO_PGRP = 2, LX_IOPRIO_WHO_USER = 3 };
enum { LX_IOPRIO_CLASS_NONE, LX_IOPRIO_CLASS_RT, LX_IOPRIO_CLASS_BE, LX_IOPRIO_CLASS_IDLE };
#define LX_IOPRIO_CLASS_SHIFT 13
#define LX_IOPRIO_LEVEL_MASK  7

struct lx_sched_attr {
    u32 size, policy;
    u64 flags;
    s32 nice;
    u32 priority;
    u64 runtime, deadline, period;
    u32 util_min, util_max;
};

_Static_assert(sizeof(struct lx_sched_attr) == 56, "struct sched_attr, version 1");
