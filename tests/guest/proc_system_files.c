/*
 * /proc and /sys about the system: tables, counters, sysctls, CPUs, nodes; what tools and language
 * run-times read when they start.
 */
#include "tests/guest/guest.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>

static char text[262144];

static char *slurp(const char *path)
{
    ssize_t n = guest_slurp(path, text, sizeof(text));

    if (!guest_check(n > 0, __FILE__, __LINE__, "%s: %zd bytes", path, n))
        guest_finish();
    return text;
}

/* pages() - fresh private memory */
static char *pages(size_t len, int prot)
{
    char *p = mmap(NULL, len, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    REQUIRE(p != MAP_FAILED);
    return p;
}

static long number_after(const char *key)
{
    const char *at = strstr(text, key);

    return at ? strtol(at + strlen(key), NULL, 10) : -1;
}

static long number_in(const char *path)
{
    char *end;
    long v = strtol(slurp(path), &end, 10);

    guest_check(end != text && *end == '\n', __FILE__, __LINE__, "%s: %.40s", path, text);
    return v;
}

TEST(meminfo_fields, "read")
{
    static const char *const fields[] = {
        "MemTotal:",     "MemFree:",        "MemAvailable:", "Buffers:",      "Cached:",
        "SwapCached:",   "Active:",         "Inactive:",     "Active(anon):", "Inactive(anon):",
        "Active(file):", "Inactive(file):", "Unevictable:",  "Mlocked:",      "SwapTotal:",
        "SwapFree:",     "Dirty:",          "Writeback:",    "AnonPages:",    "Mapped:",
        "Shmem:",        "KReclaimable:",   "Slab:",         "SReclaimable:", "SUnreclaim:",
        "KernelStack:",  "PageTables:",     "NFS_Unstable:", "Bounce:",       "WritebackTmp:",
        "CommitLimit:",  "Committed_AS:",   "VmallocTotal:", "VmallocUsed:",  "VmallocChunk:",
        "Hugepagesize:",
    };

    slurp("/proc/meminfo");
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (i >= 27 && i <= 29)
            continue; /* gone from some kernels */
        guest_check(number_after(fields[i]) >= 0, __FILE__, __LINE__, "no %s", fields[i]);
    }
    EXPECT_LE(number_after("MemFree:"), number_after("MemTotal:"));
    EXPECT_LE(number_after("MemAvailable:"), number_after("MemTotal:"));
    EXPECT_EQ(number_after("Hugepagesize:"), 2048);
}

TEST(vmstat_counts, "read mmap")
{
    static const char *const fields[] = {
        "pgpgin ",        "pgpgout ",   "pswpin ",   "pswpout ",      "pgfault ", "pgmajfault ",
        "nr_free_pages ", "nr_mapped ", "nr_dirty ", "nr_writeback ", "oom_kill "};
    long before;
    char *p;

    slurp("/proc/vmstat");
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        guest_check(number_after(fields[i]) >= 0, __FILE__, __LINE__, "no %s", fields[i]);
    before = number_after("pgfault ");
    p = pages(8u << 20, PROT_READ | PROT_WRITE);
    madvise(p, 8u << 20, MADV_NOHUGEPAGE);
    memset(p, 1, 8u << 20);
    slurp("/proc/vmstat");
    EXPECT_GE(number_after("pgfault "), before + 2000);
}

TEST(stat_lines, "read")
{
    static const char *const fields[] = {"\nintr ",      "\nctxt ",          "\nbtime ",
                                         "\nprocesses ", "\nprocs_running ", "\nprocs_blocked ",
                                         "\nsoftirq "};

    slurp("/proc/stat");
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        guest_check(number_after(fields[i]) >= 0, __FILE__, __LINE__, "no %s", fields[i]);
}

/* cpu_ms() - CPU time of the calling process */
static long cpu_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

TEST(stat_counts_cpu, "read")
{
    long u, n, s, before;

    REQUIRE(sscanf(slurp("/proc/stat"), "cpu %ld %ld %ld", &u, &n, &s) == 3);
    before = u + n + s;
    while (cpu_ms() < 200)
        for (volatile int i = 0; i < 100000; i++)
            ;
    REQUIRE(sscanf(slurp("/proc/stat"), "cpu %ld %ld %ld", &u, &n, &s) == 3);
    EXPECT_GE(u + n + s, before + 5);
}

TEST(tables_are_there, "open read")
{
    static const char *const empty_allowed[] = {"/proc/diskstats", "/proc/partitions",
                                                "/proc/modules", "/proc/misc", "/proc/consoles"};

    EXPECT(strstr(slurp("/proc/swaps"), "Filename\t\t\t\tType\t\tSize"));
    for (size_t i = 0; i < sizeof(empty_allowed) / sizeof(empty_allowed[0]); i++)
        guest_check(guest_slurp(empty_allowed[i], text, sizeof(text)) >= 0 ||
                        (errno == ENOENT && !guest_sandboxed()), /* by configuration */
                    __FILE__, __LINE__, "%s: %s", empty_allowed[i], strerror(errno));
    EXPECT(strstr(slurp("/proc/devices"), "Character devices:\n  1 mem\n"));
    EXPECT(strstr(slurp("/proc/softirqs"), "CPU0"));
}

TEST(sysctl_kernel, "read")
{
    struct utsname u;
    size_t len;

    uname(&u);
    len = strlen(u.release);
    EXPECT(strncmp(slurp("/proc/sys/kernel/osrelease"), u.release, len) == 0 && text[len] == '\n');
    EXPECT_GE(number_in("/proc/sys/kernel/pid_max"), 301);
    EXPECT_GT(number_in("/proc/sys/kernel/threads-max"), 1);
    EXPECT_EQ(number_in("/proc/sys/kernel/ngroups_max"), 65536);
    EXPECT_GE(number_in("/proc/sys/kernel/cap_last_cap"), 37);
    EXPECT_EQ(number_in("/proc/sys/kernel/overflowuid"), 65534);
    EXPECT_EQ(number_in("/proc/sys/kernel/overflowgid"), 65534);
    EXPECT_GE(number_in("/proc/sys/kernel/randomize_va_space"), 0);
    EXPECT_GE(number_in("/proc/sys/kernel/tainted"), 0);
    EXPECT_GE(number_in("/proc/sys/kernel/panic"), -1);
    EXPECT_GE(number_in("/proc/sys/kernel/core_uses_pid"), 0);
    EXPECT_GE(number_in("/proc/sys/kernel/perf_event_paranoid"), -1);
    EXPECT_GE(number_in("/proc/sys/kernel/dmesg_restrict"), 0);
    EXPECT_GE(number_in("/proc/sys/kernel/kptr_restrict"), 0);
    slurp("/proc/sys/kernel/core_pattern");
    slurp("/proc/sys/kernel/printk");
    EXPECT_ERRNO(open("/proc/sys/kernel/nothing", O_RDONLY), ENOENT);
}

TEST(sysctl_random, "read")
{
    char first[64], second[64];

    EXPECT_EQ((long)strlen(slurp("/proc/sys/kernel/random/boot_id")), 37);
    snprintf(first, sizeof(first), "%.63s", text);
    EXPECT_STREQ(slurp("/proc/sys/kernel/random/boot_id"), first);
    snprintf(second, sizeof(second), "%.63s", slurp("/proc/sys/kernel/random/uuid"));
    EXPECT(strcmp(slurp("/proc/sys/kernel/random/uuid"), second) != 0);
    EXPECT_EQ(number_in("/proc/sys/kernel/random/poolsize"), 256);
    EXPECT_GE(number_in("/proc/sys/kernel/random/entropy_avail"), 0);
    EXPECT_GE(number_in("/proc/sys/kernel/random/urandom_min_reseed_secs"), 0);
}

TEST(sysctl_vm_and_fs, "read")
{
    long used, unused, max;

    EXPECT_GE(number_in("/proc/sys/vm/overcommit_memory"), 0);
    EXPECT_GE(number_in("/proc/sys/vm/overcommit_ratio"), 0);
    EXPECT_GE(number_in("/proc/sys/vm/max_map_count"), 65530);
    EXPECT_GE(number_in("/proc/sys/vm/mmap_min_addr"), 0);
    EXPECT_GE(number_in("/proc/sys/vm/swappiness"), 0);
    EXPECT_GE(number_in("/proc/sys/vm/nr_hugepages"), 0);
    EXPECT_GE(number_in("/proc/sys/vm/min_free_kbytes"), 0);
    EXPECT_GE(number_in("/proc/sys/vm/panic_on_oom"), 0);
    EXPECT_GT(number_in("/proc/sys/fs/nr_open"), 1024);
    EXPECT_GT(number_in("/proc/sys/fs/pipe-user-pages-soft"), 0);
    EXPECT_GE(number_in("/proc/sys/fs/protected_symlinks"), 0);
    EXPECT_GE(number_in("/proc/sys/fs/protected_hardlinks"), 0);
    EXPECT_GE(number_in("/proc/sys/fs/suid_dumpable"), 0);
    EXPECT_GE(number_in("/proc/sys/fs/aio-max-nr"), 0);
    REQUIRE(sscanf(slurp("/proc/sys/fs/file-nr"), "%ld %ld %ld", &used, &unused, &max) == 3);
    EXPECT_GE(used, 3);
    EXPECT_EQ(unused, 0);
    EXPECT_GT(max, used);
}

TEST(sysctl_file_nr_counts, "open read")
{
    long before, after;
    int fds[200];

    REQUIRE(sscanf(slurp("/proc/sys/fs/file-nr"), "%ld", &before) == 1);
    for (int i = 0; i < 200; i++)
        fds[i] = REQUIRE_OK(open("/dev/null", O_RDONLY));
    REQUIRE(sscanf(slurp("/proc/sys/fs/file-nr"), "%ld", &after) == 1);
    if (guest_sandboxed())
        EXPECT_GE(after, before + 200);
    for (int i = 0; i < 200; i++)
        close(fds[i]);
}

TEST(sysctl_not_for_writing, "open:EACCES")
{
    EXPECT_ERRNO(open("/proc/sys/kernel/osrelease", O_WRONLY), EACCES);
    EXPECT_ERRNO(open("/proc/sys/kernel/random/uuid", O_RDWR), EACCES);
    EXPECT_ERRNO(open("/proc/sys/kernel/nothing", O_WRONLY), ENOENT);
}

/* --- /sys --- */

/* list_covers() - is CPU nr in a list like "0-3,8"? */
static int list_covers(const char *list, long nr)
{
    while (*list) {
        char *end;
        long first = strtol(list, &end, 10), last = first;

        if (end == list)
            return 0;
        if (*end == '-')
            last = strtol(end + 1, &end, 10);
        if (nr >= first && nr <= last)
            return 1;
        list = *end == ',' ? end + 1 : end + strlen(end);
    }
    return 0;
}

TEST(sys_cpus, "read")
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    EXPECT(list_covers(slurp("/sys/devices/system/cpu/online"), n - 1));
    EXPECT(list_covers(slurp("/sys/devices/system/cpu/possible"), n - 1));
    EXPECT(list_covers(slurp("/sys/devices/system/cpu/present"), n - 1));
    guest_slurp("/sys/devices/system/cpu/isolated", text, sizeof(text));
    EXPECT_GE(number_in("/sys/devices/system/cpu/cpu0/topology/physical_package_id"), 0);
    EXPECT_GE(number_in("/sys/devices/system/cpu/cpu0/topology/core_id"), 0);
    EXPECT(list_covers(slurp("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list"), 0));
    EXPECT(list_covers(slurp("/sys/devices/system/cpu/cpu0/topology/core_siblings_list"), 0));
    EXPECT(strtoul(slurp("/sys/devices/system/cpu/cpu0/topology/thread_siblings"), NULL, 16) & 1);
    EXPECT_ERRNO(open("/sys/devices/system/cpu/cpu9999", O_RDONLY), ENOENT);
}

TEST(sys_caches, "read")
{
    if (access("/sys/devices/system/cpu/cpu0/cache/index0", F_OK) != 0)
        SKIP("this machine tells nothing of its caches");
    EXPECT_EQ(number_in("/sys/devices/system/cpu/cpu0/cache/index0/level"), 1);
    EXPECT_GE(number_in("/sys/devices/system/cpu/cpu0/cache/index0/coherency_line_size"), 16);
    EXPECT_GE(number_in("/sys/devices/system/cpu/cpu0/cache/index0/ways_of_associativity"), 0);
    slurp("/sys/devices/system/cpu/cpu0/cache/index0/type");
    EXPECT(strcmp(text, "Data\n") == 0 || strcmp(text, "Unified\n") == 0 ||
           strcmp(text, "Instruction\n") == 0);
    EXPECT(strchr(slurp("/sys/devices/system/cpu/cpu0/cache/index0/size"), 'K'));
    EXPECT(list_covers(slurp("/sys/devices/system/cpu/cpu0/cache/index0/shared_cpu_list"), 0));
    EXPECT_EQ(sysconf(_SC_LEVEL1_DCACHE_LINESIZE) >= 0, 1);
}

TEST(sys_nodes, "read")
{
    if (access("/sys/devices/system/node", F_OK) != 0)
        SKIP("this kernel has no nodes");
    EXPECT(list_covers(slurp("/sys/devices/system/node/online"), 0));
    EXPECT(list_covers(slurp("/sys/devices/system/node/node0/cpulist"), 0));
    slurp("/sys/devices/system/node/node0/meminfo");
    EXPECT_GT(number_after("MemTotal:"), 0);
    EXPECT(strtoul(slurp("/sys/devices/system/node/node0/cpumap"), NULL, 16) & 1);
    EXPECT_EQ(number_in("/sys/devices/system/node/node0/distance") % 10, 0);
}

TEST(sys_huge_pages, "read")
{
    if (access("/sys/kernel/mm/transparent_hugepage", F_OK) != 0)
        SKIP("this kernel has no huge pages");
    EXPECT(strchr(slurp("/sys/kernel/mm/transparent_hugepage/enabled"), '['));
    EXPECT(strchr(slurp("/sys/kernel/mm/transparent_hugepage/defrag"), '['));
    EXPECT_EQ(number_in("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size"), 2 << 20);
}

TEST(sys_directories, "open getdents64")
{
    static const char *const dirs[] = {
        "/sys/block",   "/sys/bus", "/sys/class",  "/sys/dev",    "/sys/dev/block", "/sys/dev/char",
        "/sys/devices", "/sys/fs",  "/sys/kernel", "/sys/module", "/sys/class/net"};

    for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
        DIR *d = opendir(dirs[i]);

        if (guest_check(d, __FILE__, __LINE__, "%s: %s", dirs[i], strerror(errno)))
            closedir(d);
    }
}
