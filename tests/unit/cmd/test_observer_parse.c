/* What the observer makes of the host's texts. */
#include "cmd/observer/parse.h"

#include <criterion/criterion.h>
#include <errno.h>

Test(observer_parse, statm)
{
    struct observer_statm s;

    cr_assert_eq(parse_statm("2745 827 709 5 0 263 0\n", &s), 0);
    cr_assert_eq(s.resident, 827);
    cr_assert_eq(s.shared, 709);
    cr_assert_eq(parse_statm("", &s), -EPROTO);
    cr_assert_eq(parse_statm("no", &s), -EPROTO);
    cr_assert_eq(parse_statm("1", &s), 0);
    cr_assert_eq(s.shared, 0);
}

Test(observer_parse, stat)
{
    struct observer_stat s;

    cr_assert_eq(
        parse_stat("7 (a) b) 9) S 1 7 7 0 -1 4194560 111 222 33 44 5 6 7 8 20 0 1 0 99 12345 77 "
                   "18446744073709551615 1\n",
                   &s),
        0);
    cr_assert_eq(s.min_flt, 111);
    cr_assert_eq(s.maj_flt, 33);
    cr_assert_eq(s.resident, 77);
    cr_assert_eq(parse_stat("7 (name) S 1 2", &s), -EPROTO);
    cr_assert_eq(parse_stat("", &s), -EPROTO);
}

Test(observer_parse, status)
{
    struct observer_status s;

    cr_assert_eq(
        parse_status("Name:\tVmRSS:\nVmHWM:\t    3308 kB\nVmRSS:\t 3300 kB\nRssAnon:\t 12 kB\n"
                     "voluntary_ctxt_switches:\t150\nnonvoluntary_ctxt_switches:\t545",
                     &s),
        0);
    cr_assert_eq(s.hwm, 3308);
    cr_assert_eq(s.rss, 3300);
    cr_assert_eq(s.anon, 12);
    cr_assert_eq(s.voluntary, 150);
    cr_assert_eq(s.involuntary, 545);
    cr_assert_eq(s.swap, 0);
}

Test(observer_parse, smaps)
{
    struct observer_vma v = {0};

    cr_assert(parse_smaps_head("55d3c0a00000-55d3c0a21000 rw-p 00000000 00:00 0   [heap]", &v));
    cr_assert_eq(v.start, 0x55d3c0a00000);
    cr_assert_eq(v.end, 0x55d3c0a21000);
    cr_assert_not(parse_smaps_head("Rss:                   4 kB", &v));
    cr_assert_not(parse_smaps_head("abcdef", &v));
    cr_assert_not(parse_smaps_head("", &v));
    cr_assert_not(parse_smaps_head("Anonymous:             8 kB", &v));
    parse_smaps_line("Rss:                  96 kB", &v);
    parse_smaps_line("Pss:                  48 kB", &v);
    parse_smaps_line("Pss_Dirty:             4 kB", &v);
    parse_smaps_line("Rss", &v);
    parse_smaps_line("VmFlags: rd wr mr mw me ac sd", &v);
    cr_assert_eq(v.kb.rss, 96);
    cr_assert_eq(v.kb.pss, 48);
    cr_assert_eq(v.kb.pss_dirty, 4);
}
