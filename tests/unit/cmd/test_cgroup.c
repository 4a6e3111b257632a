/* Finding hierarchies, paths that can't be used, limits as text. */
#include "cmd/runsc/cgroup.h"
#include "cmd/runsc/cgroup_limits.h"
#include "cmd/runsc/error.h"
#include "sentry/base/clean.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char hybrid[] =
    "23 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
    "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 master:3 - cgroup cgroup "
    "rw,cpu,cpuacct\n"
    "33 31 0:30 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
    "34 31 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "35 31 0:31 / /elsewhere/memory rw - cgroup cgroup rw,memory\n"
    "36 31 0:32 /part /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
    "37 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
    "38 31 0:39 / /with\\040blank rw - cgroup cgroup rw,freezer\n"
    "a line that is none\n";

Test(cgroup, mounts)
{
    struct cgroup_mounts mounts;

    cr_assert_eq(cgroup_mounts_read(hybrid, &mounts), 0);
    cr_assert_eq(mounts.count, 4);
    cr_expect_str_eq(mounts.items[0].path, "/sys/fs/cgroup/cpu,cpuacct");
    cr_expect_str_eq(mounts.items[0].controllers, "cpu,cpuacct");
    cr_expect_str_eq(mounts.items[1].controllers, "name=systemd");
    cr_expect_str_eq(mounts.items[2].path, "/sys/fs/cgroup/memory");
    cr_expect(mounts.items[3].v2);
    cgroup_mounts_free(&mounts);
    cr_expect_eq(cgroup_mounts_read("", &mounts), 0);
    cr_expect_eq(mounts.count, 0);
}

Test(cgroup, paths)
{
    cr_expect_eq(cgroup_check_path("/docker/x"), 0);
    cr_expect_eq(cgroup_check_path("docker/..x"), 0);
    cr_expect_eq(cgroup_check_path("/a/../b"), -EINVAL);
    cr_expect_eq(cgroup_check_path("a/."), -EINVAL);
    cr_expect_eq(cgroup_check_path("/"), -EINVAL);
    cr_expect_eq(cgroup_check_path("//"), -EINVAL);
    cr_expect_eq(cgroup_check_path("system.slice:docker:x"), -EOPNOTSUPP);
}

Test(cgroup, conversions)
{
    cr_expect_eq(cgroup_limits_weight(2), 1);
    cr_expect_eq(cgroup_limits_weight(0), 1);
    cr_expect_eq(cgroup_limits_weight(1024), 39);
    cr_expect_eq(cgroup_limits_weight(262144), 10000);
    cr_expect_eq(cgroup_limits_weight(1u << 30), 10000);
    cr_expect_eq(cgroup_limits_pids(10), 84);
    cr_expect_eq(cgroup_limits_pids(INT64_MAX), INT64_MAX);
}

/* A folder that stands for one of a hierarchy, with the files that a limit may be written to. */
static char dir[] = "/tmp/test_cgroup.XXXXXX";

static void make_files(const char *const *names)
{
    cr_assert_not_null(mkdtemp(dir));
    for (; *names; names++) {
        char path[256];
        int fd;

        snprintf(path, sizeof(path), "%s/%s", dir, *names);
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        cr_assert_geq(fd, 0);
        close(fd);
    }
}

static void expect_file(const char *name, const char *text)
{
    char path[256], got[256] = "";
    int fd;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    cr_assert_geq(fd, 0, "%s", name);
    cr_assert_geq(read(fd, got, sizeof(got) - 1), 0);
    close(fd);
    cr_expect_str_eq(got, text, "%s: '%s'", name, got);
}

static void remove_dir(void)
{
    char command[64];

    snprintf(command, sizeof(command), "rm -rf %s", dir);
    cr_expect_eq(system(command), 0);
}

static struct oci_resources limits(void)
{
    struct oci_resources r = {.cpu = {.cpus = "0-1"}};

    r.memory.limit = (struct oci_opt_i64){true, 1000};
    r.memory.swap = (struct oci_opt_i64){true, 3000};
    r.cpu.quota = (struct oci_opt_i64){true, 5000};
    r.cpu.period = (struct oci_opt_u64){true, 10000};
    r.cpu.shares = (struct oci_opt_u64){true, 0};
    r.pids_limit = (struct oci_opt_i64){true, 5};
    return r;
}

Test(cgroup, limits_v1)
{
    static const char *const files[] = {
        "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "pids.max",
        "cpu.cfs_quota_us",      "cpu.cfs_period_us",           NULL};
    struct cgroup_mount mount = {.controllers = (char[]){"cpu,memory,pids"}};
    struct oci_resources r = limits();

    make_files(files);
    cr_expect_eq(cgroup_limits_write(&mount, dir, &r), 0, "%s", error_text());
    expect_file("memory.limit_in_bytes", "1000");
    expect_file("memory.memsw.limit_in_bytes", "3000");
    expect_file("pids.max", "74");
    expect_file("cpu.cfs_quota_us", "5000");
    expect_file("cpu.cfs_period_us", "10000");
    remove_dir();
}

Test(cgroup, limits_v2)
{
    static const char *const files[] = {"cgroup.controllers", "memory.max", "memory.swap.max",
                                        "pids.max",           "cpu.max",    "cpuset.cpus",
                                        "memory.high",        "io.max",     NULL};
    struct oci_pair pair = {"memory.high", "77"};
    struct oci_throttle_device device = {8, 16, 99};
    struct cgroup_mount mount = {.controllers = (char[]){""}, .v2 = true};
    struct oci_resources r = limits();
    char path[256];
    int fd;

    r.unified = (struct oci_map){1, &pair};
    r.block_io.read_bps = (struct oci_throttle_list){1, &device};
    make_files(files);
    snprintf(path, sizeof(path), "%s/cgroup.controllers", dir);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    cr_assert_eq(write(fd, "cpu memory pids\n", 16), 16);
    close(fd);
    cr_expect_eq(cgroup_limits_write(&mount, dir, &r), 0, "%s", error_text());
    expect_file("memory.max", "1000");
    expect_file("memory.swap.max", "2000");
    expect_file("pids.max", "74");
    expect_file("cpu.max", "5000 10000");
    expect_file("cpuset.cpus", "0-1");
    expect_file("memory.high", "77");
    expect_file("io.max", "8:16 rbps=99");
    remove_dir();
}

Test(cgroup, limit_that_cannot_be_set)
{
    static const char *const none[] = {NULL};
    struct cgroup_mount mount = {.controllers = (char[]){"pids"}};
    struct oci_resources r = limits();

    make_files(none);
    cr_expect_eq(cgroup_limits_write(&mount, dir, &r), -ENOENT);
    cr_expect_not_null(
        strstr(error_text(), "config.json: linux.resources.pids.limit: can't write"));
    remove_dir();
}

Test(cgroup, limit_without_a_controller)
{
    struct cgroup_mounts mounts = {.count = 1};
    struct oci_resources r = limits();

    mounts.items[0] = (struct cgroup_mount){.controllers = (char[]){"cpu,pids,cpuset"}};
    cr_expect_eq(cgroup_limits_check(&mounts, &r), -ENOENT);
    cr_expect_str_eq(error_text(),
                     "config.json: linux.resources.memory.limit: this host has no memory cgroup");
    cr_expect(cgroup_limits_any(&r));
    r = (struct oci_resources){.cpu = {.cpus = ""}};
    cr_expect_not(cgroup_limits_any(&r));
}
