/*
 * The stack of a fresh program, as Linux lays it out, from the top down:
 *
 *   8 zero bytes · filename · envp's strings · argv's strings · up to 8 KiB of randomness ·
 *   "x86_64" · 16 random bytes · alignment · auxv · envp[] · argv[] · argc  <- stack pointer
 *
 * It is built in a buffer of ours and written with one copy.
 *
 * The stack's VMA has room for that and STACK_ROOM more, within RLIMIT_STACK; then it grows
 * (mm_grow()). Below a stack without a limit other mappings leave UNLIMITED_STACK free.
 */
#include "sentry/abi/lx_mm.h"
#include "sentry/base/clean.h"
#include "sentry/base/host_mem.h"
#include "sentry/base/limits.h"
#include "sentry/kernel/loader_priv.h"

#include <errno.h>
#include <string.h>

#define UNLIMITED_STACK (16ull << 30)
#define STACK_FIXED     (16ull << 10) /* auxv, jitter, alignment */
#define STACK_ROOM      (128ull << 10)
#define ARGS_MIN        131072ull      /* Linux's ARG_MAX: always allowed */
#define PLATFORM_NAME   "x86_64"
#define RANDOM_BYTES    16
#define AUXV_MAX        24 /* entries */

/* The block of strings and what stands around them: addresses in the guest. */
struct stack_image {
    uaddr_t top, sp;
    u8 *buf; /* holds [sp, top) */
    size_t len;
    uaddr_t argv, envp, filename; /* where each block of strings begins */
    uaddr_t platform, random;
    u64 auxv[2 * AUXV_MAX];
    u32 nauxv;
};

static size_t strings_bytes(const struct loader_args *a)
{
    return a->argv->len + a->envp->len + strlen(a->filename) + 1;
}

int loader_stack_check(const struct loader_args *a)
{
    u64 limit = min_of((u64)LIMIT_ARG_STRINGS, a->stack_limit / 4);
    u64 pointers = (max_of(a->argv->count, 1u) + (u64)a->envp->count) * sizeof(u64);

    limit = max_of(limit, ARGS_MIN);
    return pointers + strings_bytes(a) > limit ? -E2BIG : 0;
}

int loader_stack_map(struct loader_plan *plan)
{
    const struct loader_args *a = plan->args;
    u64 image =
        page_up(strings_bytes(a) + (a->argv->count + a->envp->count) * sizeof(u64)) + STACK_FIXED;
    u64 limit = min_of(page_down(a->stack_limit), UNLIMITED_STACK);
    u64 size = max_of(image, min_of(limit, image + STACK_ROOM));
    u32 exec = plan->exe.elf.stack == ELF_STACK_EXEC ? LX_PROT_EXEC : 0;
    struct mm_map_args args = {
        .prot = LX_PROT_READ | LX_PROT_WRITE | exec,
        .flags = LX_MAP_PRIVATE | LX_MAP_ANONYMOUS | LX_MAP_FIXED | LX_MAP_GROWSDOWN | LX_MAP_STACK,
        .name = "[stack]",
    };
    uaddr_t out;
    int err = mm_layout(plan->mm, max_of(limit, size), !a->fixed_layout);

    if (err)
        return err;
    args.addr = plan->mm->stack_top - size;
    args.len = plan->stack_size = size;
    return mm_map(plan->mm, plan->thread, &args, &out);
}

static void aux(struct stack_image *s, u64 type, u64 value)
{
    s->auxv[s->nauxv++] = type;
    s->auxv[s->nauxv++] = value;
}

/* fill_auxv() - in Linux's order. */
static void fill_auxv(const struct loader_plan *plan, struct stack_image *s)
{
    const struct loader_args *a = plan->args;
    const struct elf_image *elf = &plan->exe.elf;

    if (plan->vdso)
        aux(s, LX_AT_SYSINFO_EHDR, plan->vdso);
    if (a->auxv_minsigstksz)
        aux(s, LX_AT_MINSIGSTKSZ, a->auxv_minsigstksz);
    aux(s, LX_AT_HWCAP, a->auxv_hwcap);
    aux(s, LX_AT_PAGESZ, GUEST_PAGE_SIZE);
    aux(s, LX_AT_CLKTCK, LX_USER_HZ);
    aux(s, LX_AT_PHDR, elf->phdr_vaddr + plan->exe.bias);
    aux(s, LX_AT_PHENT, ELF_PHENT_SIZE);
    aux(s, LX_AT_PHNUM, elf->header.phnum);
    aux(s, LX_AT_BASE, plan->interp.file ? plan->interp.bias : 0);
    aux(s, LX_AT_FLAGS, 0);
    aux(s, LX_AT_ENTRY, elf->header.entry + plan->exe.bias);
    aux(s, LX_AT_UID, a->uid);
    aux(s, LX_AT_EUID, a->euid);
    aux(s, LX_AT_GID, a->gid);
    aux(s, LX_AT_EGID, a->egid);
    aux(s, LX_AT_SECURE, a->secure);
    aux(s, LX_AT_RANDOM, s->random);
    aux(s, LX_AT_HWCAP2, a->auxv_hwcap2);
    aux(s, LX_AT_EXECFN, s->filename);
    aux(s, LX_AT_PLATFORM, s->platform);
    aux(s, LX_AT_NULL, 0);
}

/* place_strings() - settle every address above the pointers. Return: where those must end. */
static uaddr_t place_strings(const struct loader_args *a, struct stack_image *s, u64 jitter)
{
    uaddr_t at = s->top - sizeof(u64);

    s->filename = at - (strlen(a->filename) + 1);
    s->envp = s->filename - a->envp->len;
    s->argv = s->envp - a->argv->len;
    at = (s->argv - jitter % 8192) & ~15ull;
    s->platform = at - sizeof(PLATFORM_NAME);
    s->random = s->platform - RANDOM_BYTES;
    return s->random;
}

/* put() - bytes at a guest address of the image. */
static void put(struct stack_image *s, uaddr_t at, const void *bytes, size_t len)
{
    memcpy(s->buf + (at - s->sp), bytes, len);
}

/* put_pointers() - one NULL-terminated array. Return: the address behind it. */
static uaddr_t put_pointers(struct stack_image *s, uaddr_t at, const struct exec_strings *list,
                            uaddr_t first)
{
    const char *p = list->bytes;
    u64 null = 0;

    for (u32 i = 0; i < list->count; i++, at += sizeof(u64)) {
        u64 addr = first + (size_t)(p - list->bytes);

        put(s, at, &addr, sizeof(addr));
        p += strlen(p) + 1;
    }
    put(s, at, &null, sizeof(null));
    return at + sizeof(u64);
}

/* fill() - everything into the buffer. */
static void fill(const struct loader_args *a, struct stack_image *s, const u8 random[RANDOM_BYTES])
{
    u64 argc = a->argv->count;
    uaddr_t at = s->sp;

    put(s, at, &argc, sizeof(argc));
    at = put_pointers(s, at + sizeof(argc), a->argv, s->argv);
    at = put_pointers(s, at, a->envp, s->envp);
    put(s, at, s->auxv, s->nauxv * sizeof(u64));
    put(s, s->random, random, RANDOM_BYTES);
    put(s, s->platform, PLATFORM_NAME, sizeof(PLATFORM_NAME));
    put(s, s->argv, a->argv->bytes, a->argv->len);
    if (a->envp->len)
        put(s, s->envp, a->envp->bytes, a->envp->len);
    put(s, s->filename, a->filename, strlen(a->filename) + 1);
}

/* note() - what /proc and prctl(2) tell about it. */
static void note(struct mm *mm, const struct stack_image *s)
{
    mm->arg_start = s->argv;
    mm->arg_end = mm->env_start = s->envp;
    mm->env_end = s->filename;
    _Static_assert(sizeof(s->auxv) <= sizeof(mm->auxv), "auxv fits");
    memcpy(mm->auxv, s->auxv, s->nauxv * sizeof(u64));
    mm->nauxv = s->nauxv;
}

int loader_stack_build(struct loader_plan *plan, uaddr_t *sp)
{
    const struct loader_args *a = plan->args;
    struct stack_image s = {.top = plan->mm->stack_top};
    struct {
        u8 bytes[RANDOM_BYTES];
        u64 jitter;
    } random;
    auto_free u8 *buf = NULL;
    uaddr_t end;
    u64 pointers;
    int err = host_random(&random, sizeof(random));

    if (err)
        return err;
    end = place_strings(a, &s, a->fixed_layout ? 0 : random.jitter);
    fill_auxv(plan, &s);
    pointers = (1 + a->argv->count + 1 + (u64)a->envp->count + 1 + s.nauxv) * sizeof(u64);
    s.sp = (end - pointers) & ~15ull;
    s.len = s.top - s.sp;
    if (s.len + GUEST_PAGE_SIZE > plan->stack_size)
        return -E2BIG;
    s.buf = buf = calloc(1, s.len);
    if (!buf)
        return -ENOMEM;
    fill(a, &s, random.bytes);
    err = usermem_out(plan->mm, s.sp, s.buf, s.len);
    if (err)
        return err;
    note(plan->mm, &s);
    *sp = s.sp;
    return 0;
}
