/*
 * The exec loader: from an open file to a ready address space. It checks everything before it asks
 * the platform for a fresh address space, so that a bad executable is an errno and not a dead task.
 */
#pragma once

#include "fs/vfs/namei.h"
#include "platform/platform.h"
#include "sentry/mm/mm.h"

/* argv and envp, copied in once: strings back to back, each with its NUL. */
struct exec_strings {
    char *bytes; /* owned */
    size_t len;
    u32 count;
};

struct loader_args {
    const struct platform_ops *platform;
    struct plat_thread *self; /* the calling task's thread; NULL: `fresh` is set already */
    struct plat_zygote *zygote;
    const struct walk_ctx *walk;
    struct file *file;      /* borrowed: the executable as execve found it */
    const char *filename;   /* as the caller named it: AT_EXECFN and scripts' argument */
    struct exec_strings *argv, *envp; /* a script's interpreter line is put before argv */
    u64 stack_limit;        /* RLIMIT_STACK */
    u32 uid, euid, gid, egid; /* as seen in the new process's user namespace, for auxv */
    bool secure;
    bool fixed_layout; /* personality ADDR_NO_RANDOMIZE: nothing lies at random */
    u64 auxv_hwcap, auxv_hwcap2; /* the CPU's, as the host has them */
    u64 auxv_minsigstksz;        /* what a signal frame takes (AT_MINSIGSTKSZ); 0: not told */
    /* set_ids() - `program` is what will run (a script's interpreter), nothing is built yet: fill in
     * uid … secure by its set-id bits and capabilities. NULL: they are as given.
     * Return: 0, or execve(2)'s errno. */
    int (*set_ids)(struct loader_args *args, struct file *program);
    void *context; /* set_ids()'s own */
};

struct loader_result {
    bool fatal; /* see loader_exec() */
    struct plat_thread *thread; /* from exec_prepare(), or args->fresh */
    struct mm *mm;              /* a new reference */
    struct file *exe;           /* a new reference: what /proc/PID/exe is (the interpreter of a script) */
    struct arch_regs regs;      /* entry point and stack pointer, the rest zero */
    char comm[16];              /* base name of filename */
    u32 abi_kernel; /* oldest kernel that the executable or its interpreter demands, as
                       major << 16 | minor << 8 | patch; 0: none is named */
};

/*
 * loader_exec() - load; on failure nothing is left behind. Return: 0, or execve(2)'s errno. With an
 * errno, out->fatal alone is set: Linux would by then have given up the old program and would end
 * the process with SIGSEGV, so a caller that has a program to lose does the same.
 */
int loader_exec(const struct loader_args *args, struct plat_thread *fresh,
                struct loader_result *out);

/* loader_hwcap() - for auxv_hwcap: the CPU's own feature word, which the C library's getauxval() has
 * replaced by a value of its own. */
u64 loader_hwcap(void);

/* exec_strings_from_user() - argv or envp of execve(2): bounded by LIMIT_ARG_*; NULL uaddr is an
 * empty list. Return: 0, -EFAULT, -E2BIG, -ENOMEM. */
int exec_strings_from_user(struct mm *mm, uaddr_t uaddr, u64 budget, struct exec_strings *out);
/* exec_strings_from_array() - the same from our own NULL-terminated array. */
int exec_strings_from_array(const char *const *strings, struct exec_strings *out);
void exec_strings_free(struct exec_strings *s);
