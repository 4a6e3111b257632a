/* The machine from the host's texts: CPUs that may be used, limits, hostile input. */
#include "sentry/kernel/machine.h"

#include <criterion/criterion.h>
#include <string.h>

static const char cpuinfo[] = "processor\t: 0\nmodel name\t: First\n\n"
                              "processor\t: 1\nmodel name\t: Second\n\n"
                              "processor\t: 2\nmodel name\t: Third\n\n";
static const char meminfo[] = "MemTotal:        2048 kB\nMemFree:         1024 kB\n";

Test(machine, takes_the_allowed_cpus_in_order)
{
    const u64 allowed[1] = {0x6};

    cr_assert_eq(machine_set(cpuinfo, meminfo, allowed, 1, 0, 0), 0);
    cr_assert_eq(machine_cpus(), 2);
    cr_assert_str_eq(machine_cpu_text(0), "model name\t: Second\n");
    cr_assert_str_eq(machine_cpu_text(1), "model name\t: Third\n");
    cr_assert_str_eq(machine_cpu_text(2), "");
    cr_assert_eq(machine_memory(), 2048 * 1024);
}

Test(machine, limits_are_upper_bounds)
{
    const u64 allowed[1] = {0x7};

    cr_assert_eq(machine_set(cpuinfo, meminfo, allowed, 1, 1, 1 << 20), 0);
    cr_assert_eq(machine_cpus(), 1);
    cr_assert_str_eq(machine_cpu_text(0), "model name\t: First\n");
    cr_assert_eq(machine_memory(), 1 << 20);
    cr_assert_eq(machine_set(cpuinfo, meminfo, allowed, 1, 99, 1ull << 40), 0);
    cr_assert_eq(machine_cpus(), 3);
    cr_assert_eq(machine_memory(), 2048 * 1024);
}

Test(machine, texts_that_say_nothing)
{
    const u64 none[1] = {0}, one[1] = {1};

    cr_assert_eq(machine_set("", "", none, 1, 0, 0), 0);
    cr_assert_eq(machine_cpus(), 1);
    cr_assert_str_eq(machine_cpu_text(0), "");
    cr_assert_gt(machine_memory(), 0);
    cr_assert_eq(machine_set("processor\t: 99999999999999999999\n\nprocessor", "MemTotal:", one, 1, 0, 0),
                 0);
    cr_assert_eq(machine_cpus(), 1);
    /* The last block needs no empty line behind it. */
    cr_assert_eq(machine_set("processor\t: 0\nflags\t: fpu", meminfo, one, 1, 0, 0), 0);
    cr_assert_str_eq(machine_cpu_text(0), "flags\t: fpu");
}
