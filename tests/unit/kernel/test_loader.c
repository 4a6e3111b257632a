/* The exec loader on a real vfs and a platform without processes: memory, stack, scripts, errnos. */
#include "tests/unit/kernel/elf_build.h"
#include "tests/unit/kernel/exec_fs.h"
#include "tests/unit/mm/fixture.h"

#include "sentry/kernel/loader.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT  0x400000ull
#define X_REG (LX_S_IFREG | 0755)
#define PAGE  4096ull

static struct loader_result got;
static u64 stack_limit = MB(8);
static bool fixed_layout;

/* A program's file: headers, then a page of 'T' and one whose first 256 bytes are 'D'. */
static u8 image_bytes[3 * PAGE];

static void put_program(const char *name, u16 type, u64 base, const char *interp)
{
    struct elf_build b;

    elf_build_start(&b, type, base + PAGE + 16);
    if (interp)
        elf_build_add(&b, PT_INTERP, PF_R, 0x600, 0, strlen(interp) + 1, strlen(interp) + 1);
    elf_build_add(&b, PT_LOAD, PF_R, 0, base, PAGE, PAGE);
    elf_build_add(&b, PT_LOAD, PF_R | PF_X, PAGE, base + PAGE, PAGE, PAGE);
    elf_build_add(&b, PT_LOAD, PF_R | PF_W, 2 * PAGE, base + 2 * PAGE, 256, 3 * PAGE + 100);
    memset(image_bytes, 0, sizeof(image_bytes));
    memcpy(image_bytes, &b, sizeof(b));
    if (interp)
        memcpy(image_bytes + 0x600, interp, strlen(interp) + 1);
    memset(image_bytes + PAGE, 'T', PAGE);
    memset(image_bytes + 2 * PAGE, 'D', PAGE);
    exec_fs_add(name, X_REG, image_bytes, sizeof(image_bytes));
}

static void setup(void)
{
    fixture_setup();
    exec_fs_start();
    put_program("static", ET_EXEC, TEXT, NULL);
    put_program("pie", ET_DYN, 0, "/ld.so");
    put_program("static-pie", ET_DYN, 0, NULL);
    put_program("ld.so", ET_DYN, 0, NULL);
}

static void teardown(void)
{
    exec_fs_end();
    fixture_teardown();
}

TestSuite(loader, .init = setup, .fini = teardown, .timeout = 60);

static int exec_args(const char *name, const char *const *argv, const char *const *envp)
{
    struct exec_strings args, env;
    struct loader_args a = {
        .platform = &fake_platform,
        .self = thread,
        .walk = &exec_ctx,
        .filename = name,
        .argv = &args,
        .envp = &env,
        .stack_limit = stack_limit,
        .fixed_layout = fixed_layout,
        .uid = 1,
        .euid = 2,
        .gid = 3,
        .egid = 4,
        .auxv_hwcap = 0x55,
    };
    struct file *file;
    int err = vfs_open_exec(&exec_ctx, NULL, name, WALK_FOLLOW, &file);

    if (err)
        return err;
    a.file = file;
    cr_assert_eq(exec_strings_from_array(argv, &args), 0);
    cr_assert_eq(exec_strings_from_array(envp, &env), 0);
    err = loader_exec(&a, NULL, &got);
    exec_strings_free(&args);
    exec_strings_free(&env);
    file_put(file);
    return err;
}

static int exec_name(const char *name)
{
    const char *const argv[] = {name, "one", NULL}, *const envp[] = {"A=b", NULL};

    return exec_args(name, argv, envp);
}

static void release(void)
{
    mm_put(got.mm);
    file_put(got.exe);
    fake_thread_free(got.thread);
}

static u64 word(uaddr_t at)
{
    u64 v;

    cr_assert_eq(usermem_get(got.mm, &v, at), 0);
    return v;
}

static const char *text(uaddr_t at)
{
    static char buf[4][400];
    static int turn;
    char *s = buf[turn++ % 4];

    cr_assert_geq(usermem_string(got.mm, s, at, sizeof(buf[0])), 0);
    return s;
}

/* argv_of(), envp_of() - pointers on the new stack; aux(): a value of auxv. */
static const char *argv_of(u64 i)
{
    u64 p = word(got.regs.rsp + 8 + i * 8);

    return p ? text(p) : NULL;
}

static const char *envp_of(u64 i)
{
    u64 p = word(got.regs.rsp + 8 + (word(got.regs.rsp) + 1 + i) * 8);

    return p ? text(p) : NULL;
}

static u64 aux(u64 type)
{
    uaddr_t at = got.regs.rsp + 8 + (word(got.regs.rsp) + 1) * 8;

    while (word(at))
        at += 8;
    for (at += 8; word(at) != type; at += 16)
        cr_assert(word(at), "auxv lacks %llu", (unsigned long long)type);
    return word(at + 8);
}

static int byte(uaddr_t at)
{
    u8 v;

    return usermem_get(got.mm, &v, at) ? -1 : v;
}

/* check_segments() - what put_program() describes, at `base`. */
static void check_segments(uaddr_t base)
{
    cr_assert_eq(byte(base), 0x7f);
    cr_assert_eq(byte(base + PAGE), 'T');
    cr_assert_eq(byte(base + 2 * PAGE - 1), 'T');
    cr_assert_eq(byte(base + 2 * PAGE + 255), 'D');
    cr_assert_eq(byte(base + 2 * PAGE + 256), 0, "the rest of the page is bss");
    cr_assert_eq(byte(base + 3 * PAGE - 1), 0);
    cr_assert_eq(byte(base + 5 * PAGE + 99), 0);
    cr_assert_eq(byte(base + 6 * PAGE), -1);
}

Test(loader, a_static_program)
{
    char maps[20000];
    uaddr_t cursor = 0;
    struct vma *stack;

    cr_assert_eq(exec_name("/static"), 0);
    check_table(got.mm);
    check_segments(TEXT);
    cr_assert_eq(got.regs.rip, TEXT + PAGE + 16);
    cr_assert_str_eq(got.comm, "static");
    cr_assert_eq(got.regs.rsp % 16, 0);
    cr_assert_eq(word(got.regs.rsp), 2);
    cr_assert_str_eq(argv_of(0), "/static");
    cr_assert_str_eq(argv_of(1), "one");
    cr_assert_null(argv_of(2));
    cr_assert_str_eq(envp_of(0), "A=b");
    cr_assert_null(envp_of(1));
    cr_assert_eq(aux(LX_AT_PHDR), TEXT + 64);
    cr_assert_eq(aux(LX_AT_PHENT), 56);
    cr_assert_eq(aux(LX_AT_PHNUM), 3);
    cr_assert_eq(aux(LX_AT_BASE), 0);
    cr_assert_eq(aux(LX_AT_ENTRY), TEXT + PAGE + 16);
    cr_assert_eq(aux(LX_AT_UID), 1);
    cr_assert_eq(aux(LX_AT_EGID), 4);
    cr_assert_eq(aux(LX_AT_SECURE), 0);
    cr_assert_eq(aux(LX_AT_HWCAP), 0x55);
    cr_assert_eq(aux(LX_AT_PAGESZ), 4096);
    cr_assert_str_eq(text(aux(LX_AT_EXECFN)), "/static");
    cr_assert_str_eq(text(aux(LX_AT_PLATFORM)), "x86_64");
    cr_assert_neq(word(aux(LX_AT_RANDOM)), word(aux(LX_AT_RANDOM) + 8));
    cr_assert_eq(word(got.mm->stack_top - 8), 0);
    cr_assert_eq(fake_find(got.mm->plat, aux(LX_AT_SYSINFO_EHDR))->prot, RX);
    cr_assert_str_eq(text(got.mm->arg_start), "/static");
    cr_assert_str_eq(text(got.mm->env_start), "A=b");
    cr_assert_eq(got.mm->env_end - got.mm->env_start, 4);
    cr_assert_eq(got.mm->auxv[got.mm->nauxv - 2], LX_AT_NULL);
    stack = mm_find_locked(got.mm, got.regs.rsp);
    cr_assert_eq(stack->end, got.mm->stack_top);
    cr_assert(stack->end - stack->start >= KB(128) && stack->end - stack->start < KB(256));
    cr_assert_eq(stack->prot, RW);
    cr_assert_geq(got.mm->brk_start, TEXT + 6 * PAGE);
    cr_assert_gt(mm_maps_text(got.mm, &cursor, maps, sizeof(maps) - 1), 0);
    cr_assert(strstr(maps, "[stack]\n") && strstr(maps, "[vdso]\n") && strstr(maps, "[vvar]\n"));
    cr_assert(strstr(maps, "/static\n"));
    cr_assert_arr_eq(got.thread->cmdline, "/static\0one", 12);
    cr_assert_eq(got.thread->cmdline_len, 12);
    /* The heap works from where it begins. */
    cr_assert_eq(mm_brk(got.mm, got.thread, got.mm->brk_start + 10000), got.mm->brk_start + 10000);
    release();
}

Test(loader, addresses_are_random)
{
    uaddr_t sp[2], base[2], brk[2];

    for (int i = 0; i < 2; i++) {
        cr_assert_eq(exec_name("/static-pie"), 0);
        sp[i] = got.mm->stack_top;
        base[i] = aux(LX_AT_ENTRY);
        brk[i] = got.mm->brk_start;
        check_segments(base[i] - PAGE - 16);
        release();
    }
    cr_assert_neq(sp[0], sp[1]);
    cr_assert_neq(base[0], base[1]);
    cr_assert_neq(brk[0], brk[1]);
}

Test(loader, addresses_are_fixed_on_demand)
{
    struct arch_regs regs[2];

    fixed_layout = true;
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(exec_name("/pie"), 0);
        regs[i] = got.regs;
        cr_assert_eq(got.mm->brk_start, aux(LX_AT_ENTRY) - PAGE - 16 + 6 * PAGE);
        release();
    }
    cr_assert_eq(regs[0].rsp, regs[1].rsp);
    cr_assert_eq(regs[0].rip, regs[1].rip);
}

Test(loader, a_dynamic_program)
{
    uaddr_t base;

    cr_assert_eq(exec_name("/pie"), 0);
    check_table(got.mm);
    base = aux(LX_AT_BASE);
    cr_assert_eq(got.regs.rip, base + PAGE + 16);
    check_segments(base);
    check_segments(aux(LX_AT_ENTRY) - PAGE - 16);
    cr_assert_eq(aux(LX_AT_PHDR), aux(LX_AT_ENTRY) - PAGE - 16 + 64);
    cr_assert_geq(aux(LX_AT_ENTRY), PLAT_TASK_SIZE / 3 * 2);
    release();
}

Test(loader, interpreters_that_are_none)
{
    put_program("no-ld", ET_DYN, 0, "/missing");
    cr_assert_eq(exec_name("/no-ld"), -ENOENT);
    exec_fs_add_text("text", X_REG, "hello\n");
    put_program("text-ld", ET_DYN, 0, "/text");
    cr_assert_eq(exec_name("/text-ld"), -ELIBBAD);
    exec_fs_add_text("plain", LX_S_IFREG | 0644, "hello\n");
    put_program("plain-ld", ET_DYN, 0, "/plain");
    cr_assert_eq(exec_name("/plain-ld"), -EACCES);
    put_program("dir-ld", ET_DYN, 0, "/");
    cr_assert_eq(exec_name("/dir-ld"), -EACCES);
    /* What is wrong with the interpreter comes before what is wrong with the segments. */
    put_program("both", ET_EXEC, 0, "/missing");
    cr_assert_eq(exec_name("/both"), -ENOENT);
    cr_assert(!got.fatal);
    cr_assert_eq(fake.prepared, 0, "all that is found out before anything is made");
}

Test(loader, files_that_are_no_programs)
{
    exec_fs_add_text("text", X_REG, "hello\n");
    cr_assert_eq(exec_name("/text"), -ENOEXEC);
    exec_fs_add_text("empty", X_REG, "");
    cr_assert_eq(exec_name("/empty"), -ENOEXEC);
    put_program("cut", ET_EXEC, TEXT, NULL);
    exec_fs_truncate("cut", 70);
    cr_assert_eq(exec_name("/cut"), -ENOEXEC);
    cr_assert_eq(exec_name("/missing"), -ENOENT);
    cr_assert_eq(exec_name("/"), -EACCES);
    cr_assert_eq(fake.prepared, 0);
}

Test(loader, a_program_at_no_address)
{
    put_program("stub", ET_EXEC, PLAT_TASK_SIZE - 3 * PAGE, NULL);
    cr_assert_eq(exec_name("/stub"), -EINVAL);
    cr_assert(got.fatal);
    put_program("null", ET_EXEC, 0, NULL);
    cr_assert_eq(exec_name("/null"), -EPERM);
    cr_assert(got.fatal);
    cr_assert_eq(fake.prepared, 0);
}

Test(loader, a_file_shorter_than_its_segments)
{
    /* The data segment's page is missing: on Linux the clearing of its end faults. */
    put_program("short", ET_EXEC, TEXT, NULL);
    exec_fs_truncate("short", 2 * PAGE);
    /* The fake host reads zeros there; what matters is that nothing breaks. */
    cr_assert_eq(exec_name("/short"), 0);
    release();
}

Test(loader, scripts)
{
    exec_fs_add_text("run", X_REG, "#!/static -x y\n");
    cr_assert_eq(exec_name("/run"), 0);
    cr_assert_eq(word(got.regs.rsp), 4);
    cr_assert_str_eq(argv_of(0), "/static");
    cr_assert_str_eq(argv_of(1), "-x y");
    cr_assert_str_eq(argv_of(2), "/run");
    cr_assert_str_eq(argv_of(3), "one");
    cr_assert_str_eq(text(aux(LX_AT_EXECFN)), "/run");
    cr_assert_str_eq(got.comm, "run");
    cr_assert_str_eq(got.exe->path.dentry->name, "static");
    release();
    exec_fs_add_text("outer", X_REG, "#! run\n");
    cr_assert_eq(exec_name("/outer"), 0);
    cr_assert_str_eq(argv_of(0), "/static");
    cr_assert_str_eq(argv_of(1), "-x y");
    cr_assert_str_eq(argv_of(2), "run");
    cr_assert_str_eq(argv_of(3), "/outer");
    cr_assert_str_eq(argv_of(4), "one");
    release();
    exec_fs_add_text("lost", X_REG, "#!/missing\n");
    cr_assert_eq(exec_name("/lost"), -ENOENT);
    exec_fs_add_text("mute", LX_S_IFREG | 0644, "#!/static\n");
    exec_fs_add_text("ask-mute", X_REG, "#!/mute\n");
    cr_assert_eq(exec_name("/ask-mute"), -EACCES);
    exec_fs_add_text("self", X_REG, "#!/self\n");
    cr_assert_eq(exec_name("/self"), -ELOOP);
}

Test(loader, five_scripts_deep_and_no_more)
{
    char name[8] = "s0", line[32] = "#!/static\n";

    for (int i = 0; i < 6; i++) {
        name[1] = (char)('0' + i);
        exec_fs_add_text(name, X_REG, line);
        snprintf(line, sizeof(line), "#!/%s\n", name);
    }
    cr_assert_eq(exec_name("/s4"), 0);
    cr_assert_eq(word(got.regs.rsp), 2 + 5);
    release();
    cr_assert_eq(exec_name("/s5"), -ELOOP);
}

Test(loader, an_empty_argv_gets_a_name)
{
    const char *const none[] = {NULL};

    cr_assert_eq(exec_args("/static", none, none), 0);
    cr_assert_eq(word(got.regs.rsp), 1);
    cr_assert_str_eq(argv_of(0), "");
    cr_assert_null(envp_of(0));
    release();
}

Test(loader, strings_have_a_limit)
{
    const char *argv[100], *const none[] = {NULL};
    char *big = malloc(100000);
    u64 n = 30;

    memset(big, 'x', 99999);
    big[99999] = '\0';
    for (u64 i = 0; i < n; i++)
        argv[i] = big;
    argv[n] = NULL;
    stack_limit = MB(8);
    cr_assert_eq(exec_args("/static", argv, none), -E2BIG, "a quarter of the stack");
    argv[20] = NULL;
    cr_assert_eq(exec_args("/static", argv, none), 0);
    cr_assert_eq(word(got.regs.rsp), 20);
    release();
    stack_limit = KB(64);
    argv[1] = NULL;
    cr_assert_eq(exec_args("/static", argv, none), 0, "128 KiB are always allowed");
    release();
    stack_limit = UINT64_MAX;
    cr_assert_eq(exec_args("/static", argv, none), 0);
    release();
    free(big);
}

Test(loader, alignment_is_honoured)
{
    struct elf_build b;

    elf_build_start(&b, ET_DYN, PAGE);
    elf_build_add(&b, PT_LOAD, PF_R | PF_X, 0, 0, PAGE, PAGE)->p_align = 0x200000;
    exec_fs_add("aligned", X_REG, &b, sizeof(b));
    cr_assert_eq(exec_name("/aligned"), 0);
    cr_assert_eq((aux(LX_AT_ENTRY) - PAGE) % 0x200000, 0);
    release();
    elf_build_start(&b, ET_DYN, PAGE);
    elf_build_add(&b, PT_LOAD, PF_R | PF_X, 0, 0, PAGE, PAGE)->p_align = 1ull << 46;
    exec_fs_add("far", X_REG, &b, sizeof(b));
    cr_assert_eq(exec_name("/far"), 0);
    cr_assert_eq(aux(LX_AT_ENTRY) - PAGE, 1ull << 46);
    release();
    elf_build_start(&b, ET_DYN, PAGE);
    elf_build_add(&b, PT_LOAD, PF_R | PF_W, 0, 0, 0, PLAT_TASK_SIZE);
    exec_fs_add("huge", X_REG, &b, sizeof(b));
    cr_assert_eq(exec_name("/huge"), -ENOMEM);
    cr_assert_eq(fake.prepared - fake.aborted, 2);
}

Test(loader, executable_stack_and_abi_note)
{
    struct {
        struct elf_build b;
        u32 note[8];
    } f;

    elf_build_start(&f.b, ET_EXEC, TEXT);
    elf_build_add(&f.b, PT_LOAD, PF_R | PF_X, 0, TEXT, PAGE, PAGE);
    elf_build_add(&f.b, PT_GNU_STACK, PF_R | PF_W | PF_X, 0, 0, 0, 0);
    elf_build_add(&f.b, PT_NOTE, PF_R, sizeof(f.b), 0, sizeof(f.note), sizeof(f.note));
    memcpy(f.note, (u32[]){4, 16, 1, 0x554e47, 0, 5, 1, 2}, sizeof(f.note));
    exec_fs_add("noted", X_REG, &f, sizeof(f));
    cr_assert_eq(exec_name("/noted"), 0);
    cr_assert_eq(mm_find_locked(got.mm, got.regs.rsp)->prot, LX_PROT_RWX);
    cr_assert_eq(got.abi_kernel, 5 << 16 | 1 << 8 | 2);
    release();
}

Test(loader, without_a_vdso)
{
    fake.no_vdso = true;
    cr_assert_eq(exec_name("/static"), 0);
    cr_assert_eq(aux(LX_AT_PAGESZ), 4096);
    release();
}

/* Whatever order fails, the errno comes back and nothing is left. */
Test(loader, each_order_may_fail)
{
    u32 orders, n;

    cr_assert_eq(exec_name("/pie"), 0);
    orders = fake.orders;
    release();
    cr_assert_geq(orders, 9);
    for (n = 1; n <= orders; n++) {
        fake.orders = 0;
        fake.fail_at = n;
        fake.fail_errno = -EAGAIN;
        cr_assert_eq(exec_name("/pie"), -EAGAIN, "order %u", n);
        cr_assert_eq(fake_live(), 1);
    }
    cr_assert_eq(fake.aborted, orders);
}
