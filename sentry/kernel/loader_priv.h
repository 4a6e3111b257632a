/* What the exec loader's files share. */
#pragma once

#include "fs/vfs/vfs.h"
#include "sentry/base/limits.h"
#include "sentry/kernel/elf.h"
#include "sentry/kernel/loader.h"

/* An ELF file and where it goes. */
struct loader_image {
    struct file *file; /* a reference */
    struct elf_image elf;
    u64 bias; /* what is added to every address; set by loader_place() */
};

/* Everything known about an exec before it changes anything, then the state of building it. */
struct loader_plan {
    const struct loader_args *args;
    struct loader_image exe, interp; /* interp.file NULL: static */
    u32 abi_kernel;
    u64 stack_size;
    bool fatal; /* failures are fatal from here on */

    struct plat_thread *thread;
    struct mm *mm;
    uaddr_t vdso; /* 0: none */
};

/* loader_random() - a number for an address; 0 where nothing may lie at random. Return: 0, errno. */
int loader_random(const struct loader_plan *plan, u64 *out);

/* --- loader_image.c --- */

/* loader_image_read() - headers of `file` (taken on success). `is_interp`: errors are those of an
 * interpreter. Return: 0, or execve(2)'s errno. */
int loader_image_read(struct file *file, bool is_interp, struct loader_image *out, u32 *abi_kernel);
void loader_image_release(struct loader_image *image);
/* loader_image_interp() - the path in PT_INTERP. Return: 0, -ENOEXEC, -EIO. */
int loader_image_interp(const struct loader_image *image, char path[LIMIT_PATH]);
/* loader_image_map() - choose a bias and map all segments. Return: 0, or execve(2)'s errno. */
int loader_image_map(struct loader_plan *plan, struct loader_image *image);

/* --- loader_stack.c --- */

/* loader_stack_check() - do argv, envp and filename fit? Return: 0, -E2BIG. */
int loader_stack_check(const struct loader_args *args);
/* loader_stack_build() - map the stack and write what a program finds on it. Return: 0 and the
 * stack pointer, or execve(2)'s errno. */
int loader_stack_map(struct loader_plan *plan);
int loader_stack_build(struct loader_plan *plan, uaddr_t *sp);

/* --- exec_strings.c --- */

/* exec_strings_replace_first() - put n strings in the place of the first one (or before an empty
 * list). Return: 0, -ENOMEM, -E2BIG. */
int exec_strings_replace_first(struct exec_strings *s, const char *const *with, u32 n);
