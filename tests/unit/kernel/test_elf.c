/* The ELF parser: what it makes of good headers, and which errno each bad one gets. */
#include "elf_build.h"
#include "platform/platform.h"
#include "sentry/abi/lx_mm.h"
#include "sentry/kernel/elf.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#define TEXT 0x400000ull

static struct elf_build b;
static struct elf_image image;

/* parse() - header and program headers of b; what mapping it would fail with, too. */
static int parse(void)
{
    struct elf_header h;
    int err = elf_parse_header(&b, sizeof(b), &h);

    if (err)
        return err;
    cr_assert_eq(h.phoff, offsetof(struct elf_build, p));
    err = elf_parse_image(&h, b.p, sizeof(b.p), &image);
    if (!err && image.map_error) {
        err = image.map_error;
        elf_image_free(&image);
    }
    return err;
}

/* A static program with text, data and bss. */
static void plain(void)
{
    elf_build_start(&b, ET_EXEC, TEXT + 0x100);
    elf_build_add(&b, PT_LOAD, PF_R | PF_X, 0, TEXT, 0x1800, 0x1800);
    elf_build_add(&b, PT_LOAD, PF_R | PF_W, 0x1800, TEXT + 0x2800, 0x100, 0x5000);
    elf_build_add(&b, PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0);
}

TestSuite(elf, .init = plain);

Test(elf, a_plain_program)
{
    cr_assert_eq(parse(), 0);
    cr_assert(!image.header.dynamic);
    cr_assert_eq(image.nsegments, 2);
    cr_assert_eq(image.segments[0].prot, LX_PROT_READ | LX_PROT_EXEC);
    cr_assert_eq(image.segments[1].prot, LX_PROT_READ | LX_PROT_WRITE);
    cr_assert_eq(image.low, TEXT);
    cr_assert_eq(image.high, TEXT + 0x8000);
    cr_assert_eq(image.end, TEXT + 0x7800);
    cr_assert_eq(image.phdr_vaddr, TEXT + 64);
    cr_assert_eq(image.start_code, TEXT);
    cr_assert_eq(image.end_code, TEXT + 0x1800);
    cr_assert_eq(image.start_data, TEXT + 0x2800);
    cr_assert_eq(image.end_data, TEXT + 0x2900);
    cr_assert_eq(image.stack, ELF_STACK_NOEXEC);
    cr_assert_eq(image.interp_len, 0);
    elf_image_free(&image);
}

Test(elf, headers_that_are_none)
{
    struct elf_header h;

    for (size_t n = 0; n < sizeof(b.e); n++)
        cr_assert_eq(elf_parse_header(&b, n, &h), -ENOEXEC);
    cr_assert_eq(elf_parse_header(&b, sizeof(b.e), &h), 0);
    for (size_t n = 0; n < 3 * sizeof(b.p[0]); n++)
        cr_assert_eq(elf_parse_image(&h, b.p, n, &image), -ENOEXEC);
#define BAD(field, value)                        \
    do {                                         \
        plain();                                 \
        b.e.field = (value);                     \
        cr_assert_eq(parse(), -ENOEXEC, #field); \
    } while (0)
    BAD(e_ident[0], 'x');
    BAD(e_ident[EI_CLASS], ELFCLASS32);
    BAD(e_type, ET_REL);
    BAD(e_type, ET_CORE);
    BAD(e_machine, EM_AARCH64);
    BAD(e_machine, EM_386);
    BAD(e_phentsize, 32);
    BAD(e_phentsize, 0);
    BAD(e_phnum, 0);
    BAD(e_phnum, 65535);
    BAD(e_phnum, 1171);
    BAD(e_phoff, UINT64_MAX);
    BAD(e_phoff, (u64)INT64_MAX - 100);
#undef BAD
}

Test(elf, segments_that_can_not_be)
{
#define BAD(field, value, err)                            \
    do {                                                  \
        plain();                                          \
        b.p[1].field = (value);                           \
        cr_assert_eq(parse(), -(err), #field " " #value); \
    } while (0)
    BAD(p_filesz, 0x5001, EINVAL);
    BAD(p_filesz, UINT64_MAX, EINVAL);
    BAD(p_memsz, UINT64_MAX, EINVAL);
    BAD(p_memsz, PLAT_TASK_SIZE, EINVAL);
    BAD(p_vaddr, PLAT_TASK_SIZE - 0x1000 + 0x800, EINVAL);
    BAD(p_vaddr, UINT64_MAX - 0x7ff, EINVAL);
    BAD(p_vaddr, 0x800, EPERM);
    BAD(p_vaddr, TEXT + 0x2801, EINVAL);
    BAD(p_offset, 0x1801, EINVAL);
    BAD(p_offset, 0x8000000000001800ull, EOVERFLOW);
#undef BAD
    plain();
    b.e.e_entry = PLAT_TASK_SIZE;
    cr_assert_eq(parse(), -EINVAL);
    plain();
    b.p[0].p_type = b.p[1].p_type = PT_NULL;
    cr_assert_eq(parse(), -EINVAL, "nothing to load");
    plain();
    b.p[0].p_memsz = b.p[0].p_filesz = b.p[1].p_memsz = b.p[1].p_filesz = 0;
    b.p[1].p_vaddr = b.p[0].p_vaddr;
    cr_assert_eq(parse(), -EINVAL, "nothing in what is to load");
}

Test(elf, a_shared_object_may_begin_at_zero)
{
    elf_build_start(&b, ET_DYN, 0x100);
    elf_build_add(&b, PT_LOAD, PF_R | PF_X, 0, 0, 0x1800, 0x1800);
    elf_build_add(&b, PT_LOAD, PF_R | PF_W, 0x1800, 0x2800, 0x100, 0x100)->p_align = 0x200000;
    cr_assert_eq(parse(), 0);
    cr_assert(image.header.dynamic);
    cr_assert_eq(image.low, 0);
    cr_assert_eq(image.align, 0x200000);
    cr_assert_eq(image.stack, ELF_STACK_DEFAULT);
    elf_image_free(&image);
}

Test(elf, odd_alignments_are_passed_over)
{
    b.p[0].p_align = 0x3000;
    b.p[1].p_align = UINT64_MAX;
    cr_assert_eq(parse(), 0);
    cr_assert_eq(image.align, 4096);
    elf_image_free(&image);
}

Test(elf, unsorted_and_overlapping_segments_keep_their_order)
{
    elf_build_start(&b, ET_EXEC, TEXT);
    elf_build_add(&b, PT_LOAD, PF_R, 0x1000, TEXT + 0x5000, 0x1000, 0x1000);
    elf_build_add(&b, PT_LOAD, PF_R | PF_X, 0, TEXT, 0x6000, 0x6000);
    cr_assert_eq(parse(), 0);
    cr_assert_eq(image.segments[0].vaddr, TEXT + 0x5000);
    cr_assert_eq(image.segments[1].vaddr, TEXT);
    cr_assert_eq(image.low, TEXT);
    cr_assert_eq(image.high, TEXT + 0x6000);
    elf_image_free(&image);
}

Test(elf, interpreter)
{
    Elf64_Phdr *p = elf_build_add(&b, PT_INTERP, PF_R, 0x300, 0, 28, 28);

    elf_build_add(&b, PT_INTERP, PF_R, 0x500, 0, 50, 50);
    cr_assert_eq(parse(), 0);
    cr_assert_eq(image.interp_offset, 0x300);
    cr_assert_eq(image.interp_len, 28);
    elf_image_free(&image);
    p->p_filesz = 1;
    cr_assert_eq(parse(), -ENOEXEC);
    p->p_filesz = 4097;
    cr_assert_eq(parse(), -ENOEXEC);
    p->p_filesz = 28;
    p->p_offset = UINT64_MAX;
    cr_assert_eq(parse(), -ENOEXEC);
}

Test(elf, executable_stack)
{
    b.p[2].p_flags = PF_R | PF_W | PF_X;
    cr_assert_eq(parse(), 0);
    cr_assert_eq(image.stack, ELF_STACK_EXEC);
    elf_image_free(&image);
}

Test(elf, abi_note)
{
    struct {
        Elf64_Nhdr h1;
        char name1[4];
        u8 id[20];
        Elf64_Nhdr h2;
        char name2[4];
        u32 desc[4];
    } notes = {
        .h1 = {4, 20, NT_GNU_BUILD_ID},
        .name1 = "GNU",
        .h2 = {4, 16, NT_GNU_ABI_TAG},
        .name2 = "GNU",
        .desc = {0, 5, 10, 3},
    };

    cr_assert_eq(elf_abi_kernel(&notes, sizeof(notes)), 5 << 16 | 10 << 8 | 3);
    for (size_t n = 0; n < sizeof(notes); n++)
        cr_assert_eq(elf_abi_kernel(&notes, n), 0);
    notes.desc[0] = 1;
    cr_assert_eq(elf_abi_kernel(&notes, sizeof(notes)), 0, "not Linux");
    notes.desc[0] = 0;
    notes.h1.n_descsz = UINT32_MAX;
    cr_assert_eq(elf_abi_kernel(&notes, sizeof(notes)), 0);
    notes.h1.n_namesz = UINT32_MAX;
    cr_assert_eq(elf_abi_kernel(&notes, sizeof(notes)), 0);
}
