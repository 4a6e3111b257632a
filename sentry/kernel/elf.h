/* ELF64 executables as bytes: what their headers ask for, checked. No files, no memory, no host. */
#pragma once

#include "sentry/base/types.h"

/* The most that program headers may take (Linux: ELF_MIN_ALIGN's 64 KiB). */
#define ELF_PHDRS_MAX  65536u
#define ELF_NOTES_MAX  4
#define ELF_PHENT_SIZE 56u

struct elf_header {
    bool dynamic; /* ET_DYN: may be placed anywhere */
    u64 entry, phoff;
    u32 phnum;
};

struct elf_segment {
    u64 vaddr, memsz, filesz, offset; /* vaddr and offset agree modulo the page size */
    u32 prot;                         /* LX_PROT_* */
};

enum elf_stack { ELF_STACK_DEFAULT, ELF_STACK_NOEXEC, ELF_STACK_EXEC };

struct elf_image {
    struct elf_header header;
    struct elf_segment *segments; /* owned: PT_LOAD in the order of the file */
    u32 nsegments;
    u64 low, high;  /* page-rounded span of all segments, before any bias */
    u64 align;      /* the largest p_align that is a power of two; at least a page */
    u64 phdr_vaddr; /* where the program headers are in memory, before any bias; 0: nowhere */
    u64 end;        /* end of the highest segment's memory: the heap comes after it */
    u64 start_code, end_code, start_data, end_data;
    u64 interp_offset, interp_len; /* PT_INTERP; interp_len 0: none */
    enum elf_stack stack;          /* PT_GNU_STACK */
    struct {
        u64 offset, len;
    } notes[ELF_NOTES_MAX]; /* the first PT_NOTEs */
    u32 nnotes;
    /* What mapping it will fail with, as a negative errno, if that can be told from the headers; the
     * segments and what is worked out from them then stop before the one that can't be. 0: nothing
     * is known to be wrong. */
    int map_error;
};

/* elf_parse_header() - the file's first `len` bytes. Return: 0, -ENOEXEC. */
int elf_parse_header(const void *buf, size_t len, struct elf_header *out);
/* elf_parse_image() - the program headers: `len` bytes from header->phoff on. Return: 0 and *out,
 * which elf_image_free() releases; -ENOEXEC, -ENOMEM. Segments that are wrong in themselves are no
 * error yet (see map_error): Linux, too, finds them only when it maps them. */
int elf_parse_image(const struct elf_header *header, const void *phdrs, size_t len,
                    struct elf_image *out);
void elf_image_free(struct elf_image *image);
/* elf_abi_kernel() - the oldest kernel that a PT_NOTE's bytes demand (NT_GNU_ABI_TAG for Linux), as
 * major << 16 | minor << 8 | patch; 0: they demand none. */
u32 elf_abi_kernel(const void *notes, size_t len);
