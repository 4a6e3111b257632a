/* --strace: names of flags, quoting, bounds; that every row's types are known words. */
#include "sentry/syscalls/strace.h"
#include "sentry/syscalls/strace_priv.h"
#include "sentry/syscalls/syscall.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static const char *flags(const char *set, u64 value)
{
    static struct strace_line l;

    l.len = 0;
    strace_put_flags(&l, set, value);
    return l.text;
}

Test(strace, names_of_flags)
{
    cr_assert_str_eq(flags("open", 0), "O_RDONLY");
    cr_assert_str_eq(flags("open", LX_O_RDWR | LX_O_CREAT | LX_O_CLOEXEC),
                     "O_RDWR|O_CREAT|O_CLOEXEC");
    cr_assert_str_eq(flags("open", LX_O_SYNC), "O_RDONLY|O_SYNC");
    cr_assert_str_eq(flags("open", LX_O_TMPFILE | LX_O_WRONLY), "O_WRONLY|O_TMPFILE");
    cr_assert_str_eq(flags("open", 1ull << 31), "O_RDONLY|0x80000000");
    cr_assert_str_eq(flags("prot", 0), "PROT_NONE");
    cr_assert_str_eq(flags("prot", 3), "PROT_READ|PROT_WRITE");
    cr_assert_str_eq(flags("whence", 2), "SEEK_END");
    cr_assert_str_eq(flags("whence", 77), "0x4d");
    cr_assert_str_eq(flags("at", 0), "0");
    cr_assert_str_eq(flags("no such set", 5), "0x5");
    cr_assert_str_eq(flags("clone", 17), "SIGCHLD");
}

Test(strace, quoting)
{
    static struct strace_line l;
    static u8 big[8192];

    strace_put_bytes(&l, (const u8 *)"a\n\"\\\x01\xff", 6, true);
    cr_assert_str_eq(l.text, "\"a\\n\\\"\\\\\\x01\\xff\"…");
    strace_put_bytes(&l, big, sizeof(big), false);
    cr_assert_lt(l.len, sizeof(l.text));
    cr_assert_eq(strlen(l.text), l.len);
}

Test(strace, filter_names)
{
    cr_assert_eq(strace_configure(true, "read,write,openat", 64), 0);
    cr_assert(atomic_load(&strace_on));
    cr_assert_eq(strace_configure(true, "read,no_such_call", 64), -EINVAL);
    cr_assert_not(atomic_load(&strace_on));
    cr_assert_eq(strace_configure(false, NULL, 64), 0);
    cr_assert_not(atomic_load(&strace_on));
}

/* known_type() - is the text of a row's argument after the colon one that is formatted? */
static bool known_type(const char *type)
{
    static const char *const plain[] = {"FD", "PATH", "STR", "PTR", "INT", "UINT", "HEX", "SIZE",
                                        "OFF", "MODE", "SIGNO", "PID", "TIMESPEC", "TIMEVAL",
                                        "SIGSET", "SIGACTION", "STAT", "STRV", "MSGHDR_IN",
                                        "MSGHDR_OUT"};
    static const char *const with[] = {"FLAGS(", "IN(", "OUT(", "IOV_IN(", "IOV_OUT(", "SOCKADDR(",
                                       "SOCKADDR_OUT("};
    size_t len = strcspn(type, " ");

    for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
        if (strlen(plain[i]) == len && memcmp(plain[i], type, len) == 0)
            return true;
    for (size_t i = 0; i < ARRAY_SIZE(with); i++)
        if (strncmp(with[i], type, strlen(with[i])) == 0)
            return true;
    return false;
}

Test(strace, rows_are_well_formed)
{
    for (int nr = 0; nr < SYSCALL_TABLE_SIZE; nr++) {
        const struct syscall_row *row = &syscall_table[nr];

        if (!row->name)
            continue;
        for (const char *p = row->args; *p;) {
            const char *colon = strchr(p, ':');

            cr_assert(colon && colon < p + strcspn(p, " "), "%s: no type at \"%s\"", row->name, p);
            cr_assert(known_type(colon + 1), "%s: type at \"%s\"", row->name, p);
            p += strcspn(p, " ");
            p += strspn(p, " ");
        }
    }
}
