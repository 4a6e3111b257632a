/* ELF files for tests, built in memory header by header. */
#pragma once

#include "sentry/base/types.h"

#include <elf.h>

#define ELF_BUILD_PHDRS 16

struct elf_build {
    Elf64_Ehdr e;
    Elf64_Phdr p[ELF_BUILD_PHDRS];
};

/* elf_build_start() - an x86-64 executable of `type` with no segments yet, headers side by side. */
void elf_build_start(struct elf_build *b, u16 type, u64 entry);
/* elf_build_add() - one program header; page-aligned p_align. Return: it, to change at will. */
Elf64_Phdr *elf_build_add(struct elf_build *b, u32 type, u32 flags, u64 offset, u64 vaddr,
                          u64 filesz, u64 memsz);
