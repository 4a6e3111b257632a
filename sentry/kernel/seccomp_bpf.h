/* The classic BPF of seccomp filters: checked once, then run for each system call. */
#pragma once

#include "sentry/abi/lx_seccomp.h"

/* seccomp_bpf_check() - may this program be a filter? Every jump goes forward and stays inside, every
 * load is aligned and within struct seccomp_data, no word of scratch memory is read before it is
 * written, and it ends with a return. Return: 0, -EINVAL, -ENOMEM. */
int seccomp_bpf_check(const struct lx_sock_filter *insns, u32 n);
/* seccomp_bpf_run() - a checked program's verdict. */
u32 seccomp_bpf_run(const struct lx_sock_filter *insns, const struct lx_seccomp_data *data);
