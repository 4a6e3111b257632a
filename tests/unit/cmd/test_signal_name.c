/* Signals by name and number. */
#include "cmd/runsc/signal_name.h"

#include <criterion/criterion.h>
#include <errno.h>

Test(signal_name, names)
{
    cr_expect_eq(signal_name_parse("TERM"), 15);
    cr_expect_eq(signal_name_parse("SIGTERM"), 15);
    cr_expect_eq(signal_name_parse("sigkill"), 9);
    cr_expect_eq(signal_name_parse("Hup"), 1);
    cr_expect_eq(signal_name_parse("SIGSYS"), 31);
    cr_expect_eq(signal_name_parse("RTMIN"), 34);
    cr_expect_eq(signal_name_parse("SIGRTMIN+3"), 37);
    cr_expect_eq(signal_name_parse("RTMAX-1"), 63);
}

Test(signal_name, numbers)
{
    cr_expect_eq(signal_name_parse("9"), 9);
    cr_expect_eq(signal_name_parse("64"), 64);
    cr_expect_eq(signal_name_parse("0"), -EINVAL);
    cr_expect_eq(signal_name_parse("65"), -EINVAL);
    cr_expect_eq(signal_name_parse("-1"), -EINVAL);
    cr_expect_eq(signal_name_parse("9x"), -EINVAL);
}

Test(signal_name, none)
{
    cr_expect_eq(signal_name_parse(""), -EINVAL);
    cr_expect_eq(signal_name_parse("SIG"), -EINVAL);
    cr_expect_eq(signal_name_parse("BOGUS"), -EINVAL);
    cr_expect_eq(signal_name_parse("RTMIN-1"), -EINVAL);
    cr_expect_eq(signal_name_parse("RTMIN+31"), -EINVAL);
    cr_expect_eq(signal_name_parse("RTMAX+1"), -EINVAL);
}
