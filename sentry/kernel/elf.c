/*
 * The ELF64 parser: a pure function over a hostile file's bytes, which accepts what Linux accepts and
 * gives its errnos. After it, no sum of an address or offset and a length of a segment overflows, and
 * every segment it hands out lies in [0, PLAT_TASK_SIZE). Segments may still overlap or come unsorted: Linux maps
 * them in the file's order, one over the other, and so do we.
 */
#include "sentry/kernel/elf.h"

#include "platform/platform.h"
#include "sentry/abi/lx_mm.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ELF_ABI_NOTE_NAME "GNU"

_Static_assert(sizeof(Elf64_Phdr) == ELF_PHENT_SIZE, "a program header of the 64-bit class");

int elf_parse_header(const void *buf, size_t len, struct elf_header *out)
{
    Elf64_Ehdr e;

    if (len < sizeof(e))
        return -ENOEXEC;
    memcpy(&e, buf, sizeof(e));
    if (memcmp(e.e_ident, ELFMAG, SELFMAG) != 0)
        return -ENOEXEC;
    if (e.e_type != ET_EXEC && e.e_type != ET_DYN)
        return -ENOEXEC;
    /* Linux looks at the machine alone; a 32-bit class with it would be read wrongly, so refuse. */
    if (e.e_machine != EM_X86_64 || e.e_ident[EI_CLASS] != ELFCLASS64)
        return -ENOEXEC;
    if (e.e_phentsize != sizeof(Elf64_Phdr) || e.e_phnum == 0)
        return -ENOEXEC;
    if (e.e_phnum * sizeof(Elf64_Phdr) > ELF_PHDRS_MAX)
        return -ENOEXEC;
    if (e.e_phoff > INT64_MAX - ELF_PHDRS_MAX)
        return -ENOEXEC;
    *out = (struct elf_header){
        .dynamic = e.e_type == ET_DYN,
        .entry = e.e_entry,
        .phoff = e.e_phoff,
        .phnum = e.e_phnum,
    };
    return 0;
}

static u32 prot_of_flags(u32 flags)
{
    return (flags & PF_R ? LX_PROT_READ : 0) | (flags & PF_W ? LX_PROT_WRITE : 0) |
           (flags & PF_X ? LX_PROT_EXEC : 0);
}

/* check_load() - a PT_LOAD's numbers. Return: 0, or what Linux's mapping of it would give. */
static int check_load(const Elf64_Phdr *p, bool dynamic)
{
    if (p->p_filesz > p->p_memsz || p->p_memsz > PLAT_TASK_SIZE ||
        p->p_vaddr > PLAT_TASK_SIZE - p->p_memsz)
        return -EINVAL;
    if (p->p_filesz) {
        if ((p->p_vaddr ^ p->p_offset) & ~GUEST_PAGE_MASK)
            return -EINVAL;
        if (p->p_offset > INT64_MAX - PLAT_TASK_SIZE)
            return -EOVERFLOW;
    }
    if (!dynamic && p->p_memsz && page_down(p->p_vaddr) < PLAT_GUEST_MIN)
        return -EPERM;
    return 0;
}

static void add_load(struct elf_image *image, const Elf64_Phdr *p)
{
    const struct elf_header *h = &image->header;
    u64 file_end = p->p_vaddr + p->p_filesz, end = p->p_vaddr + p->p_memsz;

    image->segments[image->nsegments++] = (struct elf_segment){
        .vaddr = p->p_vaddr,
        .memsz = p->p_memsz,
        .filesz = p->p_filesz,
        .offset = p->p_offset,
        .prot = prot_of_flags(p->p_flags),
    };
    image->low = min_of(image->low, page_down(p->p_vaddr));
    image->high = max_of(image->high, page_up(end));
    image->end = max_of(image->end, end);
    if (p->p_align && !(p->p_align & (p->p_align - 1)) && p->p_align <= PLAT_TASK_SIZE)
        image->align = max_of(image->align, (u64)p->p_align);
    if (h->phoff >= p->p_offset && h->phoff - p->p_offset < p->p_filesz)
        image->phdr_vaddr = p->p_vaddr + (h->phoff - p->p_offset);

    if (p->p_flags & PF_X) {
        image->start_code = min_of(image->start_code, (u64)p->p_vaddr);
        image->end_code = max_of(image->end_code, file_end);
    }
    image->start_data = max_of(image->start_data, (u64)p->p_vaddr);
    image->end_data = max_of(image->end_data, file_end);
}

/* add_interp() - the first PT_INTERP counts. */
static int add_interp(struct elf_image *image, const Elf64_Phdr *p)
{
    if (image->interp_len)
        return 0;
    if (p->p_filesz < 2 || p->p_filesz > 4096 || p->p_offset > INT64_MAX - 4096)
        return -ENOEXEC;
    image->interp_offset = p->p_offset;
    image->interp_len = p->p_filesz;
    return 0;
}

static void add_note(struct elf_image *image, const Elf64_Phdr *p)
{
    if (image->nnotes == ELF_NOTES_MAX || p->p_offset > INT64_MAX - UINT32_MAX)
        return;
    image->notes[image->nnotes].offset = p->p_offset;
    image->notes[image->nnotes].len = p->p_filesz;
    image->nnotes++;
}

static int add_phdr(struct elf_image *image, const Elf64_Phdr *p)
{
    int err;

    switch (p->p_type) {
    case PT_LOAD:
        err = image->map_error ? image->map_error : check_load(p, image->header.dynamic);
        if (err)
            image->map_error = err;
        else
            add_load(image, p);
        return 0;
    case PT_INTERP: return add_interp(image, p);
    case PT_GNU_STACK:
        image->stack = p->p_flags & PF_X ? ELF_STACK_EXEC : ELF_STACK_NOEXEC;
        return 0;
    case PT_NOTE: add_note(image, p); return 0;
    default: return 0;
    }
}

/* check_image() - what only all segments together show. */
static int check_image(const struct elf_image *image)
{
    if (!image->nsegments || image->low >= image->high)
        return -EINVAL;
    return image->header.entry >= PLAT_TASK_SIZE ? -EINVAL : 0;
}

int elf_parse_image(const struct elf_header *header, const void *phdrs, size_t len,
                    struct elf_image *out)
{
    struct elf_image image = {
        .header = *header, .low = UINT64_MAX, .align = GUEST_PAGE_SIZE, .start_code = UINT64_MAX};
    Elf64_Phdr p;
    int err = 0;

    if (len < header->phnum * sizeof(p))
        return -ENOEXEC;
    image.segments = calloc(header->phnum, sizeof(*image.segments));
    if (!image.segments)
        return -ENOMEM;
    for (u32 i = 0; i < header->phnum && !err; i++) {
        memcpy(&p, (const u8 *)phdrs + i * sizeof(p), sizeof(p));
        err = add_phdr(&image, &p);
    }
    if (!image.map_error)
        image.map_error = check_image(&image);
    if (err) {
        free(image.segments);
        return err;
    }
    if (image.start_code == UINT64_MAX)
        image.start_code = 0;
    *out = image;
    return 0;
}

void elf_image_free(struct elf_image *image)
{
    free(image->segments);
    image->segments = NULL;
    image->nsegments = 0;
}

u32 elf_abi_kernel(const void *notes, size_t len)
{
    const u8 *at = notes;
    u32 desc[4];
    Elf64_Nhdr n;

    while (len >= sizeof(n)) {
        size_t name_len, desc_len;

        memcpy(&n, at, sizeof(n));
        at += sizeof(n);
        len -= sizeof(n);
        name_len = ((size_t)n.n_namesz + 3) & ~(size_t)3;
        desc_len = ((size_t)n.n_descsz + 3) & ~(size_t)3;
        if (name_len > len || desc_len > len - name_len)
            return 0;
        if (n.n_type == NT_GNU_ABI_TAG && n.n_namesz == sizeof(ELF_ABI_NOTE_NAME) &&
            memcmp(at, ELF_ABI_NOTE_NAME, sizeof(ELF_ABI_NOTE_NAME)) == 0 &&
            n.n_descsz >= sizeof(desc)) {
            memcpy(desc, at + name_len, sizeof(desc));
            if (desc[0] != 0 || desc[1] > 255 || desc[2] > 255 || desc[3] > 255)
                return 0;
            return desc[1] << 16 | desc[2] << 8 | desc[3];
        }
        at += name_len + desc_len;
        len -= name_len + desc_len;
    }
    return 0;
}
