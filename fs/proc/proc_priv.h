/* What the files of fs/proc share: the process behind a node, and the tables (proc_tree.h). */
#pragma once

#include "fs/proc/proc_tree.h"
#include "sentry/kernel/task.h"

/* --- the process that a node is about (proc_task.c); all return new references or NULL --- */

/* proc_group() - its thread group, a zombie too. */
struct thread_group *proc_group(const struct proc_node *n);
/* proc_task() - the thread, or for a process its leader. */
struct task *proc_task(const struct proc_node *n);
/* proc_alive() - has it not been reaped? */
bool proc_alive(const struct proc_node *n);
/* What a task holds; NULL once it has exited. */
struct mm *proc_mm(const struct proc_node *n);
struct fdtable *proc_files(const struct proc_node *n);
struct fs_context *proc_fs(const struct proc_node *n);
struct nsproxy *proc_ns(const struct proc_node *n);
/* proc_owner() - who owns the files about it. */
void proc_owner(const struct proc_node *n, u32 *uid, u32 *gid);
/* proc_mm_id() - which address space it has: its object's id; 0: none. */
u64 proc_mm_id(const struct proc_node *n);
/* proc_may_inspect() - may the calling task look into it? Return: 0, -EACCES, -ESRCH. */
int proc_may_inspect(const struct proc_node *n);
/* proc_inspect_mm() - may it look into the memory whose id is *id (proc_mm_id())? */
int proc_inspect_mm(const struct proc_node *n, u64 *id);
/* proc_number() - a name in decimal without leading zeros. Return: -1 if it is none. */
s32 proc_number(const char *name, u32 len);

/* --- tables --- */
extern const struct proc_entry proc_root;
extern const struct proc_entry proc_pid_dir, proc_tid_dir;
extern const struct proc_entry proc_sys_children[], proc_sys_net_children[], proc_net_children[], proc_sysvipc_children[],
    proc_ns_children[];
extern const struct proc_dynamic proc_fd_names, proc_fdinfo_names;

/* --- texts, by the file that has them --- */
typedef int proc_show_fn(const struct proc_node *n, struct proc_text *out);
typedef int proc_store_fn(const struct proc_node *n, const struct cred *opener, const char *text,
                          size_t len);

/* proc_system.c */
proc_show_fn proc_show_cgroups, proc_show_version, proc_show_uptime, proc_show_loadavg, proc_show_cpuinfo,
    proc_show_stat, proc_show_filesystems, proc_show_cmdline, proc_show_devices,
    proc_show_interrupts, proc_show_softirqs, proc_show_swaps, proc_show_execdomains,
    proc_show_nothing;
/* proc_memory.c */
proc_show_fn proc_show_meminfo, proc_show_vmstat;
/* proc_pid_stat.c, proc_pid_status.c */
proc_show_fn proc_show_pid_stat, proc_show_pid_status, proc_show_pid_statm;
/* proc_pid_sched.c */
proc_show_fn proc_show_pid_io, proc_show_pid_wchan, proc_show_pid_stack, proc_show_pid_personality,
    proc_show_pid_timerslack, proc_show_pid_schedstat, proc_show_tid_children;
proc_store_fn proc_store_pid_timerslack;
/* proc_locks.c */
proc_show_fn proc_show_locks;
/* proc_sys_ipc.c */
proc_show_fn proc_show_shmmax, proc_show_shmall, proc_show_shmmni, proc_show_rmid_forced,
    proc_show_sem, proc_show_msgmax, proc_show_msgmnb, proc_show_msgmni, proc_show_mq_queues_max,
    proc_show_mq_msg_max, proc_show_mq_msgsize_max, proc_show_mq_msg_default,
    proc_show_mq_msgsize_default;
proc_store_fn proc_store_shmmax, proc_store_shmall, proc_store_shmmni, proc_store_sem,
    proc_store_msgmax, proc_store_msgmnb, proc_store_msgmni, proc_store_mq_queues_max,
    proc_store_mq_msg_max, proc_store_mq_msgsize_max, proc_store_mq_msg_default,
    proc_store_mq_msgsize_default;
/* proc_sys_net.c: proc_sysctl_net_permission() - of PROC_SYSCTL_NET's files. Return: 0, -EACCES. */
int proc_sysctl_net_permission(const struct proc_node *n, const struct cred *cred, u32 may);
/* proc_pid_mm.c */
proc_show_fn proc_show_pid_maps, proc_show_pid_cmdline, proc_show_pid_environ, proc_show_pid_auxv;
/* proc_put_vma() - one line of maps; mm->lock held. */
struct vma;
void proc_put_vma(struct proc_text *out, const struct vma *v);
/* proc_pid_pages.c */
proc_show_fn proc_show_pid_smaps, proc_show_pid_smaps_rollup;
/* proc_pid_mem.c */
extern const struct file_ops proc_mem_ops, proc_pagemap_ops;
proc_show_fn proc_show_pid_coredump_filter;
proc_store_fn proc_store_pid_coredump_filter, proc_store_pid_clear_refs;
/* proc_pid_attr.c */
proc_show_fn proc_show_pid_comm, proc_show_pid_limits, proc_show_pid_oom_score,
    proc_show_pid_oom_score_adj, proc_show_pid_oom_adj, proc_show_pid_cgroup,
    proc_show_pid_loginuid, proc_show_pid_sessionid, proc_show_pid_setgroups, proc_show_pid_uid_map,
    proc_show_pid_gid_map, proc_show_pid_mounts, proc_show_pid_mountinfo, proc_show_pid_mountstats;
proc_store_fn proc_store_pid_comm, proc_store_pid_oom_score_adj, proc_store_pid_oom_adj;
/* proc_net.c: proc_net_ns() - the process's network namespace, a new reference; NULL: it is gone. */
struct net_ns *proc_net_ns(const struct proc_node *n);
/* proc_net_unix.c */
proc_show_fn proc_show_net_unix;
/* proc_net_inet.c */
proc_show_fn proc_show_net_dev, proc_show_net_if_inet6, proc_show_net_igmp, proc_show_net_igmp6,
    proc_show_net_ipv6_route, proc_show_net_raw, proc_show_net_raw6, proc_show_net_tcp, proc_show_net_tcp6, proc_show_net_udp, proc_show_net_udp6,
    proc_show_net_udplite, proc_show_net_udplite6, proc_show_net_icmp, proc_show_net_icmp6;
/* proc_net_count.c */
proc_show_fn proc_show_net_snmp, proc_show_net_snmp6, proc_show_net_netstat, proc_show_net_sockstat,
    proc_show_net_sockstat6;
/* proc_pid_userns.c */
proc_store_fn proc_store_pid_uid_map, proc_store_pid_gid_map, proc_store_pid_setgroups;
