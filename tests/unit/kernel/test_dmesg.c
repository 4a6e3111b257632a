/* The kernel log: start-up lines, reading from a position, the ring's end. */
#include "sentry/kernel/dmesg.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(dmesg, starts_and_ends_as_people_expect)
{
    static char text[DMESG_BYTES + 1];
    u64 from = 0;
    double last = -1;
    size_t n, lines = 0;

    dmesg_boot();
    n = dmesg_read(&from, text, DMESG_BYTES);
    cr_assert_eq(from, dmesg_end());
    text[n] = 0;
    cr_assert_eq(strncmp(text, "<6>[    0.000000] Starting gVisor...\n", 37), 0);
    cr_assert_str_eq(text + n - strlen("] Ready!\n"), "] Ready!\n");
    for (char *p = text; *p; p = strchr(p, '\n') + 1) {
        double t = strtod(p + strlen("<6>["), NULL);

        cr_assert_gt(t, last);
        last = t;
        lines++;
    }
    cr_assert_gt(lines, 4);
}

Test(dmesg, reads_whole_lines)
{
    char text[64];
    u64 from = 0, first;

    dmesg_line(3, "alpha");
    first = dmesg_end();
    dmesg_line(4, "beta");
    cr_assert_eq(dmesg_read(&from, text, 8), 0);
    cr_assert_eq(from, 0);
    cr_assert_eq(dmesg_read(&from, text, first), first);
    cr_assert_eq(from, first);
    cr_assert_eq(strncmp(text, "<3>[", 4), 0);
    /* From the middle of a line: the next one. */
    from = 1;
    cr_assert_eq(dmesg_read(&from, text, sizeof(text)), dmesg_end() - first);
    cr_assert_eq(strncmp(text, "<4>[", 4), 0);
    cr_assert_eq(dmesg_read(&from, text, sizeof(text)), 0);
}

Test(dmesg, overwrites_the_oldest)
{
    static char text[DMESG_BYTES + 1];
    char longest[600];
    u64 from = 0;
    size_t n;

    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = 0;
    for (int i = 0; i < 400; i++)
        dmesg_line(6, "line %d %s", i, i % 7 ? "" : longest);
    n = dmesg_read(&from, text, DMESG_BYTES);
    cr_assert_leq(n, DMESG_BYTES);
    cr_assert_gt(n, DMESG_BYTES - 600);
    text[n] = 0;
    cr_assert_eq(strncmp(text, "<6>[", 4), 0);
    cr_assert_not_null(strstr(text, "line 398 \n"));
    cr_assert_null(strstr(text, "line 1 "));
}
