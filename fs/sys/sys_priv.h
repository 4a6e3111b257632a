/* What the files of fs/sys share. */
#pragma once

#include "fs/proc/proc_tree.h"

#define SYS_DIR  (LX_S_IFDIR | 0555)
#define SYS_FILE (LX_S_IFREG | 0444)

/* sys_cpus() - CPUs that the reader sees. */
u32 sys_cpus(void);
/* sys_number_behind() - of a name that is `prefix` and a number without leading zeros; else -1. */
s32 sys_number_behind(const char *name, u32 len, const char *prefix);

/* sys_cpu.c: of the CPU that the node is about */
extern const struct proc_entry sys_topology_children[];
extern const struct proc_dynamic sys_cache_names;
/* sys_net.c: of /sys/class/net, of /sys/devices/virtual/net */
extern const struct proc_entry sys_net_class[], sys_net_devices[];
/* sys_node.c */
extern const struct proc_entry sys_node_children[];
