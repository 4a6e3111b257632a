/*
 * The exec loader. Three steps:
 *   resolve  follow scripts to an ELF file, find its interpreter, read and check all headers, count
 *            the strings. Nothing has changed yet; a bad executable ends here with its errno.
 *   build    ask the platform for a fresh address space and fill it: stack, executable, interpreter,
 *            heap, vdso, strings. If anything fails, the fresh address space is thrown away.
 *   finish   hand out what was made.
 *
 * Linux builds after it has given up the old program, so a process whose build fails is killed. Here
 * the old program would still be there, but programs must not see the difference: loader_exec() says
 * which kind of failure it was.
 */
#include "sentry/kernel/loader.h"

#include "fs/vfs/file.h"
#include "sentry/abi/lx_mm.h"
#include "sentry/base/clean.h"
#include "sentry/base/host_mem.h"
#include "sentry/base/limits.h"
#include "sentry/kernel/loader_priv.h"
#include "sentry/kernel/script.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BRK_RANDOM_PAGES (1ull << 18) /* 1 GiB */

/* --- resolve --- */

/* script_step() - if `file` is a script: change argv and open its interpreter. `name` is what the
 * script is called, and then what its interpreter is. Return: 0, errno. */
static int script_step(const struct loader_args *a, const struct script *script, char **name,
                       struct file **next)
{
    const char *with[3] = {script->interp, script->arg, *name};
    auto_free char *interp = NULL;
    int err;

    if (!script->has_arg)
        with[1] = *name;
    err = exec_strings_replace_first(a->argv, with, script->has_arg ? 3 : 2);
    if (err)
        return err;
    interp = strdup(script->interp);
    if (!interp)
        return -ENOMEM;
    err = vfs_open_exec(a->walk, NULL, interp, WALK_FOLLOW, next);
    if (err)
        return err;
    free(*name);
    *name = take(interp);
    return 0;
}

/* follow_scripts() - from the file that was named to the one to load: a new reference. */
static int follow_scripts(const struct loader_args *a, struct file **out)
{
    auto_put(file) struct file *file = file_get(a->file);
    auto_free char *name = strdup(a->filename);

    if (!name)
        return -ENOMEM;
    for (u32 depth = 0;; depth++) {
        struct file *next;
        struct script script;
        char line[SCRIPT_LINE_MAX];
        ssize_t n;
        int err;

        if (depth > LIMIT_EXEC_DEPTH)
            return -ELOOP;
        n = file_read_kernel(file, line, sizeof(line), 0);
        if (n < 0)
            return (int)n;
        if (script_parse(line, (size_t)n, &script) < 0)
            break;
        err = script_step(a, &script, &name, &next);
        if (err)
            return err;
        file_put(file);
        file = next;
    }
    *out = take(file);
    return 0;
}

/* check_mappable() - can its pages be had at all? Asked before anything is given up for it. */
static int check_mappable(struct file *file)
{
    int fd = file->mappable.ops->map_fd(&file->mappable, false, false);

    return fd < 0 ? fd : 0;
}

/* find_interp() - the dynamic linker that the executable names. */
static int find_interp(struct loader_plan *plan)
{
    auto_free char *path = NULL;
    auto_put(file) struct file *file = NULL;
    int err;

    if (!plan->exe.elf.interp_len)
        return 0;
    path = malloc(LIMIT_PATH);
    if (!path)
        return -ENOMEM;
    err = loader_image_interp(&plan->exe, path);
    if (!err)
        err = vfs_open_exec(plan->args->walk, NULL, path, WALK_FOLLOW, &file);
    if (!err)
        err = check_mappable(file);
    if (!err)
        err = loader_image_read(file, true, &plan->interp, &plan->abi_kernel);
    if (!err)
        take(file);
    return err;
}

/* resolve() - all that can be known without changing anything. */
static int resolve(struct loader_plan *plan)
{
    const struct loader_args *a = plan->args;
    static const char *const no_name[] = {""};
    auto_put(file) struct file *file = NULL;
    int err = 0;

    /* A program finds at least an empty argv[0], as on Linux since 5.18. */
    if (!a->argv->count)
        err = exec_strings_replace_first(a->argv, no_name, 1);
    if (!err)
        err = follow_scripts(a, &file);
    if (!err)
        err = loader_stack_check(a);
    if (!err)
        err = check_mappable(file);
    if (!err)
        err = loader_image_read(file, false, &plan->exe, &plan->abi_kernel);
    if (err)
        return err;
    take(file);
    return find_interp(plan);
}

/* --- build --- */

int loader_random(const struct loader_plan *plan, u64 *out)
{
    u64 n = 0;
    int err = plan->args->fixed_layout ? 0 : host_random(&n, sizeof(n));

    if (err)
        return err;
    *out = n;
    return 0;
}

/* place_heap() - the heap begins at random behind the executable; a static-PIE, which lies among
 * the mappings, gets its heap where other executables lie. */
static int place_heap(struct loader_plan *plan)
{
    const struct elf_image *elf = &plan->exe.elf;
    u64 start = page_up(elf->end + plan->exe.bias), random;
    int err = loader_random(plan, &random);

    if (err)
        return err;
    if (elf->header.dynamic && !plan->interp.file)
        start = page_down(PLAT_TASK_SIZE / 3 * 2);
    start += random % BRK_RANDOM_PAGES * GUEST_PAGE_SIZE;
    plan->mm->brk_start = plan->mm->brk = start;
    plan->mm->start_code = elf->start_code + plan->exe.bias;
    plan->mm->end_code = elf->end_code + plan->exe.bias;
    plan->mm->start_data = elf->start_data + plan->exe.bias;
    plan->mm->end_data = elf->end_data + plan->exe.bias;
    return 0;
}

/* map_vdso() - a platform without one is fine: programs then use system calls. */
static int map_vdso(struct loader_plan *plan)
{
    const struct platform_ops *platform = plan->args->platform;
    uaddr_t at, vdso;
    u64 len;
    int err;

    if (platform->map_vdso(plan->thread, 0, &vdso, &len) < 0)
        return 0;
    len = page_up(len);
    at = mm_find_gap(plan->mm, len);
    if (!at)
        return -ENOMEM;
    err = platform->map_vdso(plan->thread, at, &vdso, &len);
    if (err)
        return err == -ENOSYS ? 0 : err;
    plan->vdso = vdso;
    err = vdso > at ? mm_note_special(plan->mm, at, vdso - at, LX_PROT_READ, "[vvar]") : 0;
    if (!err)
        err =
            mm_note_special(plan->mm, vdso, at + len - vdso, LX_PROT_READ | LX_PROT_EXEC, "[vdso]");
    return err;
}

/* entry() - the first instruction: the interpreter's if there is one. */
static int entry(const struct loader_plan *plan, uaddr_t *out)
{
    const struct loader_image *image = plan->interp.file ? &plan->interp : &plan->exe;
    uaddr_t at = image->elf.header.entry + image->bias;

    if (at >= PLAT_TASK_SIZE)
        return -EINVAL;
    *out = at;
    return 0;
}

/* fill() - everything into the fresh address space. */
static int fill(struct loader_plan *plan, struct arch_regs *regs)
{
    uaddr_t pc, sp;
    int err = loader_stack_map(plan);

    if (!err)
        err = loader_image_map(plan, &plan->exe);
    if (!err && plan->interp.file)
        err = loader_image_map(plan, &plan->interp);
    if (!err)
        err = place_heap(plan);
    if (!err)
        err = map_vdso(plan);
    if (!err)
        err = entry(plan, &pc);
    if (!err)
        err = loader_stack_build(plan, &sp);
    if (err)
        return err;
    *regs = (struct arch_regs){.rip = pc, .rsp = sp};
    return 0;
}

/* build() - fresh address space and contents, or nothing. */
static int build(struct loader_plan *plan, struct plat_thread *fresh, struct arch_regs *regs)
{
    const struct loader_args *a = plan->args;
    int err = 0;

    plan->fatal = true;
    err = plan->exe.elf.map_error ? plan->exe.elf.map_error : plan->interp.elf.map_error;
    if (err)
        return err;
    plan->thread = fresh;
    if (!fresh)
        err = a->platform->exec_prepare(a->self, a->zygote, &plan->thread);
    if (err) {
        plan->fatal = false; /* the host has no room: the caller may try again */
        return err;
    }
    err = mm_new(a->platform, plan->thread, &plan->mm);
    if (!err)
        err = fill(plan, regs);
    if (err) {
        plan->mm = mm_put(plan->mm);
        if (!fresh)
            a->platform->exec_abort(a->self, plan->thread);
    }
    return err;
}

/* --- finish --- */

static void finish(struct loader_plan *plan, const struct arch_regs *regs,
                   struct loader_result *out)
{
    const struct loader_args *a = plan->args;
    const char *base = strrchr(a->filename, '/');

    *out = (struct loader_result){
        .thread = plan->thread,
        .mm = plan->mm,
        .exe = file_get(plan->exe.file),
        .regs = *regs,
        .abi_kernel = plan->abi_kernel,
    };
    base = base ? base + 1 : a->filename;
    memcpy(out->comm, base, strnlen(base, sizeof(out->comm) - 1));
    a->platform->set_cmdline(plan->thread, a->argv->bytes, (u32)min_of(a->argv->len, (size_t)4096));
}

int loader_exec(const struct loader_args *args, struct plat_thread *fresh,
                struct loader_result *out)
{
    struct loader_args known = *args;
    struct loader_plan plan = {.args = &known};
    struct arch_regs regs;
    int err = resolve(&plan);

    if (!err && known.set_ids)
        err = known.set_ids(&known, plan.exe.file);
    if (known.secure)
        known.fixed_layout = false; /* no caller may tell a privileged program where to lie */
    if (!err)
        err = build(&plan, fresh, &regs);
    if (!err)
        finish(&plan, &regs, out);
    else
        out->fatal = plan.fatal;
    loader_image_release(&plan.exe);
    loader_image_release(&plan.interp);
    return err;
}
