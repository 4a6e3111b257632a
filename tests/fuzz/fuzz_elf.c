/*
 * Feeds bytes to what execve(2) parses: ELF headers, notes, the first line of scripts; and checks
 * what the parsers promise about numbers that they let through.
 */
#include "platform/platform.h"
#include "sentry/kernel/elf.h"
#include "sentry/kernel/script.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* check_segment() - no sum of it overflows or leaves the address space. */
static void check_segment(const struct elf_image *image, const struct elf_segment *s)
{
    assert(s->filesz <= s->memsz && s->memsz <= PLAT_TASK_SIZE - s->vaddr);
    assert(!s->filesz || s->vaddr % GUEST_PAGE_SIZE == s->offset % GUEST_PAGE_SIZE);
    assert(!s->filesz || s->offset + s->filesz >= s->offset);
    assert(image->header.dynamic || !s->memsz || s->vaddr >= PLAT_GUEST_MIN);
}

static void check_image(const struct elf_image *image)
{
    assert(image->nsegments && image->nsegments <= image->header.phnum);
    assert(image->low < image->high && image->high <= PLAT_TASK_SIZE);
    assert(image->align >= GUEST_PAGE_SIZE && !(image->align & (image->align - 1)));
    assert(image->end <= image->high);
    assert(image->header.entry < PLAT_TASK_SIZE);
    assert(image->interp_len <= 4096);
    assert(image->nnotes <= ELF_NOTES_MAX);
}

static void feed_elf(const uint8_t *data, size_t size)
{
    struct elf_header h;
    struct elf_image image;

    if (elf_parse_header(data, size, &h) < 0 || h.phoff > size)
        return;
    if (elf_parse_image(&h, data + h.phoff, size - h.phoff, &image) < 0)
        return;
    if (!image.map_error)
        check_image(&image);
    for (u32 i = 0; i < image.nsegments; i++)
        check_segment(&image, &image.segments[i]);
    for (u32 i = 0; i < image.nnotes; i++) {
        if (image.notes[i].offset < size)
            elf_abi_kernel(data + image.notes[i].offset, size - image.notes[i].offset);
    }
    elf_image_free(&image);
}

static void feed_script(const uint8_t *data, size_t size)
{
    struct script s;

    if (script_parse(data, size, &s) < 0)
        return;
    assert(s.interp[0] && strlen(s.interp) < SCRIPT_LINE_MAX - 2);
    assert(!strpbrk(s.interp, " \t\n"));
    assert(s.has_arg == (s.arg[0] != '\0'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    feed_elf(data, size);
    feed_script(data, size);
    elf_abi_kernel(data, size);
    return 0;
}
