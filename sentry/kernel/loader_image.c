/*
 * ELF files in the exec loader: reading their headers, choosing where they go, mapping them.
 *
 * Where: an ET_EXEC says so itself. An ET_DYN with an interpreter goes near two thirds of the address
 * space, one without (static-PIE, or the interpreter itself) among the other mappings; both at random
 * and aligned as its largest p_align asks.
 */
#include "fs/vfs/file.h"
#include "sentry/abi/lx_mm.h"
#include "sentry/base/clean.h"
#include "sentry/base/limits.h"
#include "sentry/kernel/loader_priv.h"

#include <errno.h>
#include <string.h>

#define HEAD_BYTES       1024 /* usually holds the program headers too */
#define NOTE_BYTES       1024
#define DYN_BASE         (PLAT_TASK_SIZE / 3 * 2)
#define DYN_RANDOM_PAGES (1ull << 28)

/* read_phdrs() - the program headers, from what is read already or from the file. */
static int read_phdrs(struct file *file, const struct elf_header *h, const u8 *head,
                      size_t head_len, struct elf_image *out)
{
    size_t len = (size_t)h->phnum * ELF_PHENT_SIZE;
    auto_free u8 *buf = NULL;

    if (h->phoff <= head_len && len <= head_len - h->phoff)
        return elf_parse_image(h, head + h->phoff, len, out);
    buf = malloc(len);
    if (!buf)
        return -ENOMEM;
    if (file_read_kernel(file, buf, len, h->phoff) != (ssize_t)len)
        return -ENOEXEC;
    return elf_parse_image(h, buf, len, out);
}

/* read_notes() - what kernel the file's notes demand; notes that can't be read demand none. */
static u32 read_notes(struct file *file, const struct elf_image *elf)
{
    u8 buf[NOTE_BYTES];
    u32 most = 0;

    for (u32 i = 0; i < elf->nnotes; i++) {
        size_t want = min_of(elf->notes[i].len, (u64)sizeof(buf));
        ssize_t n = file_read_kernel(file, buf, want, elf->notes[i].offset);

        if (n > 0)
            most = max_of(most, elf_abi_kernel(buf, (size_t)n));
    }
    return most;
}

int loader_image_read(struct file *file, bool is_interp, struct loader_image *out, u32 *abi_kernel)
{
    struct loader_image image = {.file = file};
    struct elf_header header;
    u8 head[HEAD_BYTES];
    ssize_t n = file_read_kernel(file, head, sizeof(head), 0);
    int err;

    if (n < 0)
        return (int)n;
    err = elf_parse_header(head, (size_t)n, &header);
    if (!err)
        err = read_phdrs(file, &header, head, (size_t)n, &image.elf);
    if (err == -ENOEXEC && is_interp)
        return -ELIBBAD;
    if (err)
        return err;
    *abi_kernel = max_of(*abi_kernel, read_notes(file, &image.elf));
    *out = image;
    return 0;
}

void loader_image_release(struct loader_image *image)
{
    elf_image_free(&image->elf);
    image->file = file_put(image->file);
}

int loader_image_interp(const struct loader_image *image, char path[LIMIT_PATH])
{
    size_t len = image->elf.interp_len;
    ssize_t n;

    if (len > LIMIT_PATH)
        return -ENOEXEC;
    n = file_read_kernel(image->file, path, len, image->elf.interp_offset);
    if (n != (ssize_t)len)
        return n < 0 ? (int)n : -EIO;
    return path[len - 1] == '\0' ? 0 : -ENOEXEC;
}

/* place() - settle image->bias. Return: 0, -ENOMEM, -EINVAL. */
static int place(struct loader_plan *plan, struct loader_image *image)
{
    const struct elf_image *elf = &image->elf;
    u64 span = elf->high - elf->low, mask = ~(elf->align - 1), random;
    uaddr_t at;
    int err;

    if (!elf->header.dynamic) {
        image->bias = 0;
        return 0;
    }
    if (image == &plan->exe && plan->interp.file) {
        err = loader_random(plan, &random);
        if (err)
            return err;
        at = (page_down(DYN_BASE) + random % DYN_RANDOM_PAGES * GUEST_PAGE_SIZE) & mask;
    } else {
        if (span + (elf->align - GUEST_PAGE_SIZE) < span)
            return -ENOMEM;
        at = mm_find_gap(plan->mm, span + (elf->align - GUEST_PAGE_SIZE));
        at = (at + elf->align - 1) & mask;
    }
    if (at < PLAT_GUEST_MIN || at > PLAT_TASK_SIZE - span)
        return -ENOMEM;
    image->bias = at - elf->low;
    return 0;
}

/* map_file_part() - the bytes that come from the file, page by page as they lie there. */
static int map_file_part(struct loader_plan *plan, struct loader_image *image,
                         const struct elf_segment *seg, bool first)
{
    uaddr_t at = page_down(image->bias + seg->vaddr), out;
    u64 in_page = seg->vaddr & ~GUEST_PAGE_MASK;
    struct mm_map_args args = {
        .addr = at,
        .len = in_page + seg->filesz,
        .prot = seg->prot,
        .flags = LX_MAP_PRIVATE | (first ? LX_MAP_FIXED_NOREPLACE : LX_MAP_FIXED),
        .mappable = &image->file->mappable,
        .offset = seg->offset - in_page,
        .may_prot = LX_PROT_RWX,
    };

    return mm_map(plan->mm, plan->thread, &args, &out);
}

/* map_zero_part() - memory beyond the file's bytes: the rest of their last page, then pages. */
static int map_zero_part(struct loader_plan *plan, struct loader_image *image,
                         const struct elf_segment *seg, bool first)
{
    uaddr_t start = image->bias + seg->vaddr + seg->filesz;
    uaddr_t end = page_up(image->bias + seg->vaddr + seg->memsz), out;
    struct mm_map_args args = {
        .prot = LX_PROT_READ | LX_PROT_WRITE | (seg->prot & LX_PROT_EXEC),
        .flags =
            LX_MAP_PRIVATE | LX_MAP_ANONYMOUS | (first ? LX_MAP_FIXED_NOREPLACE : LX_MAP_FIXED),
    };

    if (seg->filesz) {
        /* As Linux: in a segment that can't be written, the rest of the page keeps the file's. */
        if ((seg->prot & LX_PROT_WRITE) && usermem_zero(plan->mm, start, page_up(start) - start))
            return -EFAULT;
        start = page_up(start);
    } else {
        start = page_down(start);
    }
    if (start >= end)
        return 0;
    args.addr = start;
    args.len = end - start;
    return mm_map(plan->mm, plan->thread, &args, &out);
}

int loader_image_map(struct loader_plan *plan, struct loader_image *image)
{
    bool first = true;
    int err = place(plan, image);

    for (u32 i = 0; i < image->elf.nsegments && !err; i++) {
        const struct elf_segment *seg = &image->elf.segments[i];

        if (!seg->memsz)
            continue;
        if (seg->filesz) {
            err = map_file_part(plan, image, seg, first);
            first = false;
        }
        if (!err && seg->memsz > seg->filesz) {
            err = map_zero_part(plan, image, seg, first);
            first = false;
        }
    }
    return err;
}
