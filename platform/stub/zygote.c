/*
 * The zygote's start: a static program without libc that the Sentry executes before it confines
 * itself. It moves the vdso away, shrinks to the stub's text, puts itself under the guest filter
 * and waits to be forked. It holds no secret, no descriptor and no memory but text, the command
 * line page and vvar and vdso.
 *
 * argv[1], argv[2], …: lengths in hex of the host's vvar mappings and vdso, in address order, which
 * stand back to back and end with the vdso (AT_SYSINFO_EHDR). Descriptor 3 is a pipe: one byte says
 * that descriptor 0 is about to become the listener.
 */
#include "platform/stub/x86_64/guest_filter.h"

#include <stddef.h>
#include <stdint.h>

enum {
    SYS_write = 1,
    SYS_mmap = 9,
    SYS_mremap = 25,
    SYS_exit = 60,
    SYS_prctl = 157,
    SYS_close_range = 436,
};

#define AT_SYSINFO_EHDR 33
#define PR_SET_NAME 15
#define PR_SET_MM 35
#define PR_SET_MM_MAP 14
#define SYNC_FD 3

/* struct prctl_mm_map of linux/prctl.h. */
struct mm_map {
    uint64_t start_code, end_code, start_data, end_data, start_brk, brk, start_stack;
    uint64_t arg_start, arg_end, env_start, env_end;
    uint64_t auxv;
    uint32_t auxv_size, exe_fd;
};

extern const struct sock_fprog guest_filter_program;
const struct sock_fprog guest_filter_program = {
    .len = sizeof(guest_filter) / sizeof(guest_filter[0]),
    .filter = (struct sock_filter *)guest_filter,
};

void zygote_main(uint64_t *sp);

static long call(long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    register uint64_t r10 __asm__("r10") = d;
    register uint64_t r8 __asm__("r8") = e;
    register uint64_t r9 __asm__("r9") = f;
    long ret;

    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return ret;
}

static uint64_t parse_hex(const char *s)
{
    uint64_t v = 0;

    for (; *s; s++)
        v = v << 4 | (uint64_t)(*s <= '9' ? *s - '0' : *s - 'a' + 10);
    return v;
}

static uint64_t find_vdso(uint64_t *after_argv)
{
    while (*after_argv++) /* envp */
        ;
    for (; after_argv[0]; after_argv += 2)
        if (after_argv[0] == AT_SYSINFO_EHDR)
            return after_argv[1];
    return 0;
}

/* stash_vdso() - move the mappings, each whole, to the stash. */
static void stash_vdso(uint64_t vdso, char **lengths, uint64_t n)
{
    uint64_t total = 0, from, to = STUB_VDSO_STASH;

    for (uint64_t i = 0; i + 1 < n; i++)
        total += parse_hex(lengths[i]);
    from = vdso - total;
    for (uint64_t i = 0; vdso && i < n; i++) {
        uint64_t len = parse_hex(lengths[i]);

        if (call(SYS_mremap, from, len, len, 3, to, 0) != (long)to)
            call(SYS_exit, 101, 0, 0, 0, 0, 0);
        from += len;
        to += len;
    }
}

static void set_command_line(void)
{
    struct mm_map m = {
        .start_code = STUB_BASE, .end_code = STUB_BASE + 4096,
        .start_data = STUB_CMDLINE, .end_data = STUB_CMDLINE,
        .start_brk = STUB_CMDLINE, .brk = STUB_CMDLINE, .start_stack = STUB_CMDLINE,
        .arg_start = STUB_CMDLINE, .arg_end = STUB_CMDLINE + STUB_CMDLINE_BYTES,
        .env_start = STUB_CMDLINE, .env_end = STUB_CMDLINE, .exe_fd = ~0u,
    };

    call(SYS_mmap, STUB_CMDLINE, STUB_CMDLINE_BYTES + STUB_SCRATCH_BYTES, 3, 0x32, ~0ull, 0);
    call(SYS_prctl, PR_SET_MM, PR_SET_MM_MAP, (uint64_t)&m, sizeof(m), 0, 0);
    call(SYS_prctl, PR_SET_NAME, (uint64_t) "runsc-guest", 0, 0, 0, 0);
}

/* zygote_main() - called by _start with the initial stack pointer; what needs a stack. */
void zygote_main(uint64_t *sp)
{
    uint64_t argc = sp[0];
    char **argv = (char **)(sp + 1);

    if (argc > 1)
        stash_vdso(find_vdso(sp + 2 + argc), argv + 1, argc - 1);
    set_command_line();
    call(SYS_write, SYNC_FD, (uint64_t) "z", 1, 0, 0, 0);
    call(SYS_close_range, 0, ~0u, 0, 0, 0, 0);
}
