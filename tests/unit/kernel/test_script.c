/* The first line of scripts, as Linux reads it. */
#include "sentry/kernel/script.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static struct script s;

static int parse(const char *text)
{
    return script_parse(text, strlen(text), &s);
}

Test(script, interpreter_and_argument)
{
    cr_assert_eq(parse("#!/bin/sh\n"), 0);
    cr_assert_str_eq(s.interp, "/bin/sh");
    cr_assert(!s.has_arg);
    cr_assert_eq(parse("#! \t /bin/sh \t\n"), 0);
    cr_assert_str_eq(s.interp, "/bin/sh");
    cr_assert(!s.has_arg);
    cr_assert_eq(parse("#!/usr/bin/env  python3 -u \nprint()"), 0);
    cr_assert_str_eq(s.interp, "/usr/bin/env");
    cr_assert_str_eq(s.arg, "python3 -u");
    cr_assert(s.has_arg);
    cr_assert_eq(parse("#!/bin/sh"), 0, "no newline at the end of a short file");
    cr_assert_str_eq(s.interp, "/bin/sh");
    cr_assert_eq(parse("#!a"), 0);
    cr_assert_eq(script_parse("#!/bin/a\0b c\n", 13, &s), 0);
    cr_assert_str_eq(s.interp, "/bin/a", "a NUL ends the line");
}

Test(script, no_script)
{
    cr_assert_eq(parse(""), -ENOEXEC);
    cr_assert_eq(parse("#"), -ENOEXEC);
    cr_assert_eq(parse("#!"), -ENOEXEC);
    cr_assert_eq(parse("#!\n/bin/sh"), -ENOEXEC);
    cr_assert_eq(parse("#!  \t \n"), -ENOEXEC);
    cr_assert_eq(parse(" #!/bin/sh\n"), -ENOEXEC);
    cr_assert_eq(script_parse("\0\0", 2, &s), -ENOEXEC);
}

Test(script, long_lines)
{
    char line[600];

    memset(line, 'x', sizeof(line));
    memcpy(line, "#!/", 3);
    cr_assert_eq(script_parse(line, sizeof(line), &s), -ENOEXEC, "a path that may be cut off");
    line[254] = '\n';
    cr_assert_eq(script_parse(line, sizeof(line), &s), 0);
    cr_assert_eq(strlen(s.interp), 252);
    line[254] = 'x';
    line[255] = '\n';
    cr_assert_eq(script_parse(line, sizeof(line), &s), -ENOEXEC,
                 "the newline is not among the 255");
    line[100] = ' ';
    cr_assert_eq(script_parse(line, sizeof(line), &s), 0, "a cut argument is fine");
    cr_assert_eq(strlen(s.interp), 98);
    cr_assert_eq(strlen(s.arg), 154);
    memset(line + 2, ' ', sizeof(line) - 2);
    cr_assert_eq(script_parse(line, sizeof(line), &s), -ENOEXEC);
}
