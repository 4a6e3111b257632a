/*
 * Feeds texts to the observer's parsers, as /proc of the host would show them: names in them are the
 * guest's. The first byte says which file it is; smaps goes line by line, as the observer cuts it.
 */
#include "cmd/observer/parse.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void smaps(char *text)
{
    struct observer_vma vma = {0}, next;
    char *rest = text, *line;

    while ((line = strsep(&rest, "\n"))) {
        struct observer_vma before = vma;

        if (parse_smaps_head(line, &next)) {
            assert(!next.kb.rss && !next.kb.swap_pss); /* a mapping's sums begin at 0 */
            vma = next;
            continue;
        }
        parse_smaps_line(line, &vma);
        assert(vma.start == before.start && vma.end == before.end);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct observer_statm statm;
    struct observer_stat stat;
    struct observer_status status;
    char *text;
    int err = 0;

    if (!size)
        return 0;
    /* Of exactly its size, so that a step behind the end is seen. */
    text = malloc(size);
    assert(text);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = 0;
    switch (data[0]) {
    case 'm': err = parse_statm(text, &statm); break;
    case 's': err = parse_stat(text, &stat); break;
    case 'S': err = parse_status(text, &status); break;
    default: smaps(text);
    }
    assert(err == 0 || err == -EPROTO);
    free(text);
    return 0;
}
