/* The host's statm, stat, status and smaps; see parse.h. */
#include "cmd/observer/parse.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

enum { STAT_MIN_FLT = 10, STAT_MAJ_FLT = 12, STAT_RSS = 24 }; /* proc(5)'s numbers */

/* number() - decimal digits behind blanks at *p, which moves behind them. */
static u64 number(const char **p)
{
    u64 v = 0;

    while (**p == ' ' || **p == '\t')
        ++*p;
    for (; **p >= '0' && **p <= '9'; ++*p)
        v = v * 10 + (u64)(**p - '0');
    return v;
}

static u64 hex(const char **p)
{
    u64 v = 0;

    for (;; ++*p) {
        char c = **p;

        if (c >= '0' && c <= '9')
            v = v << 4 | (u64)(c - '0');
        else if (c >= 'a' && c <= 'f')
            v = v << 4 | (u64)(c - 'a' + 10);
        else
            return v;
    }
}

int parse_statm(const char *text, struct observer_statm *out)
{
    const char *p = text;

    if (*p < '0' || *p > '9')
        return -EPROTO;
    number(&p);
    out->resident = number(&p);
    out->shared = number(&p);
    return 0;
}

int parse_stat(const char *text, struct observer_stat *out)
{
    const char *p = strrchr(text, ')'); /* behind the name, which may hold anything */

    *out = (struct observer_stat){0};
    for (int field = 2; p && field <= STAT_RSS; field++) {
        const char *at = p;

        if (field == STAT_MIN_FLT)
            out->min_flt = number(&at);
        else if (field == STAT_MAJ_FLT)
            out->maj_flt = number(&at);
        else if (field == STAT_RSS)
            out->resident = number(&at);
        p = strchr(p + 1, ' ');
    }
    return p ? 0 : -EPROTO;
}

struct key {
    const char *name;
    size_t offset;
};

/* take() - store a line's number where its key says. */
static void take_line(const char *line, const struct key *keys, size_t n, void *out)
{
    const char *colon = strchr(line, ':');

    for (size_t i = 0; colon && i < n; i++) {
        size_t len = strlen(keys[i].name);

        if ((size_t)(colon - line) != len || memcmp(line, keys[i].name, len) != 0)
            continue;
        colon++;
        *(u64 *)(void *)((char *)out + keys[i].offset) = number(&colon);
        return;
    }
}

int parse_status(const char *text, struct observer_status *out)
{
#define KEY(member, name) {name, offsetof(struct observer_status, member)},
    static const struct key keys[] = {OBSERVER_STATUS_FIELDS(KEY)};
#undef KEY

    *out = (struct observer_status){0};
    /* The name on the first line has its newlines escaped, so no line can be forged. */
    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        take_line(line, keys, ARRAY_SIZE(keys), out);
    }
    return 0;
}

bool parse_smaps_head(const char *line, struct observer_vma *out)
{
    const char *p = line;
    u64 start = hex(&p), end;

    if (p == line || *p != '-')
        return false;
    p++;
    end = hex(&p);
    if (*p != ' ')
        return false;
    *out = (struct observer_vma){.start = start, .end = end};
    return true;
}

void parse_smaps_line(const char *line, struct observer_vma *out)
{
#define KEY(member, name) {name, offsetof(struct observer_vma, kb.member)},
    static const struct key keys[] = {OBSERVER_SMAPS_FIELDS(KEY)};
#undef KEY

    take_line(line, keys, ARRAY_SIZE(keys), out);
}
