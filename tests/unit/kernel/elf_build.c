/* See elf_build.h. */
#include "elf_build.h"

#include <criterion/criterion.h>
#include <string.h>

void elf_build_start(struct elf_build *b, u16 type, u64 entry)
{
    memset(b, 0, sizeof(*b));
    memcpy(b->e.e_ident, ELFMAG, SELFMAG);
    b->e.e_ident[EI_CLASS] = ELFCLASS64;
    b->e.e_ident[EI_DATA] = ELFDATA2LSB;
    b->e.e_ident[EI_VERSION] = EV_CURRENT;
    b->e.e_type = type;
    b->e.e_machine = EM_X86_64;
    b->e.e_version = EV_CURRENT;
    b->e.e_entry = entry;
    b->e.e_phoff = offsetof(struct elf_build, p);
    b->e.e_ehsize = sizeof(b->e);
    b->e.e_phentsize = sizeof(b->p[0]);
}

Elf64_Phdr *elf_build_add(struct elf_build *b, u32 type, u32 flags, u64 offset, u64 vaddr,
                          u64 filesz, u64 memsz)
{
    Elf64_Phdr *p = &b->p[b->e.e_phnum];

    cr_assert_lt(b->e.e_phnum, ELF_BUILD_PHDRS);
    b->e.e_phnum++;
    *p = (Elf64_Phdr){
        .p_type = type,
        .p_flags = flags,
        .p_offset = offset,
        .p_vaddr = vaddr,
        .p_paddr = vaddr,
        .p_filesz = filesz,
        .p_memsz = memsz,
        .p_align = 4096,
    };
    return p;
}
