/*
 * The table of rules that scripts/gen_filter.py writes for one process, and the headers that the constants in
 * declarations' conditions come from.
 */
#ifndef CMD_FILTER_EXPORT_BPF_H
#define CMD_FILTER_EXPORT_BPF_H

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/memfd.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>

/* One condition: the argument's bits under the mask equal the value. */
struct filter_condition {
    unsigned arg;
    uint64_t mask;
    uint64_t value;
};

/* One rule: the call is allowed if all its conditions hold. */
struct filter_rule {
    const char *call;
    unsigned condition_count;
    struct filter_condition conditions[6];
};

extern const char filter_name[];
extern const struct filter_rule filter_rules[];
extern const unsigned filter_rule_count;

#endif
