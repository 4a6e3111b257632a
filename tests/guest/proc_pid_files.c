/*
 * /proc/PID, the rarer files: scheduling, limits of the OOM killer, personality, memory as a file,
 * counters of input and output.
 */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char text[65536];

static char *slurp(const char *path)
{
    ssize_t n = guest_slurp(path, text, sizeof(text));

    if (!guest_check(n > 0, __FILE__, __LINE__, "%s: %zd bytes", path, n))
        guest_finish();
    return text;
}

/* put() - one write to a file. Return: 0 or errno */
static int put(const char *path, const char *what)
{
    int fd = open(path, O_WRONLY), err = 0;

    if (fd < 0)
        return errno;
    if (write(fd, what, strlen(what)) < 0)
        err = errno;
    close(fd);
    return err;
}

static long long stat_field(const char *path, int n)
{
    char *at = strrchr(slurp(path), ')');

    REQUIRE(at);
    for (int i = 2; i < n; i++) {
        at = strchr(at + 1, ' ');
        REQUIRE(at);
    }
    return strtoll(at + 1, NULL, 10);
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

static const char *of_pid(pid_t pid, const char *name)
{
    static char path[64];

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    return path;
}

TEST(stat_scheduling, "setpriority sched_setscheduler read")
{
    struct sched_param none = {0};

    EXPECT_EQ(stat_field("/proc/self/stat", 18), 20);
    EXPECT_EQ(stat_field("/proc/self/stat", 19), 0);
    REQUIRE_OK(SYS(setpriority, PRIO_PROCESS, 0, 7));
    EXPECT_EQ(stat_field("/proc/self/stat", 18), 27);
    EXPECT_EQ(stat_field("/proc/self/stat", 19), 7);
    EXPECT_EQ(stat_field("/proc/self/stat", 41), SCHED_OTHER);
    REQUIRE_OK(SYS(sched_setscheduler, 0, SCHED_BATCH, &none));
    EXPECT_EQ(stat_field("/proc/self/stat", 41), SCHED_BATCH);
    EXPECT_EQ(stat_field("/proc/self/stat", 40), 0);
    EXPECT_GE(stat_field("/proc/self/stat", 39), 0);
}

/* PF_FORKNOEXEC, the bit from which ps makes the 1 of its F column */
TEST(stat_flags, "fork execve")
{
    pid_t pid;

    EXPECT_EQ(stat_field("/proc/self/stat", 9) & 0x40, 0x40);
    pid = guest_fork();
    if (pid == 0) {
        execl("/proc/self/exe", "self", "--helper", "flags", NULL);
        _exit(9);
    }
    EXPECT_EQ(guest_wait(pid), 0);
}

HELPER(flags)
{
    return stat_field("/proc/self/stat", 9) & 0x40 ? 1 : 0;
}

TEST(status_lines, "read")
{
    static const char *const lines[] = {
        "Name:\t",
        "Umask:\t",
        "State:\t",
        "Tgid:\t",
        "Ngid:\t",
        "Pid:\t",
        "PPid:\t",
        "TracerPid:\t",
        "Uid:\t",
        "Gid:\t",
        "FDSize:\t",
        "Groups:\t",
        "NStgid:\t",
        "NSpid:\t",
        "NSpgid:\t",
        "NSsid:\t",
        "VmPeak:\t",
        "VmSize:\t",
        "VmLck:\t",
        "VmPin:\t",
        "VmHWM:\t",
        "VmRSS:\t",
        "RssAnon:\t",
        "RssFile:\t",
        "RssShmem:\t",
        "VmData:\t",
        "VmStk:\t",
        "VmExe:\t",
        "VmLib:\t",
        "VmPTE:\t",
        "VmSwap:\t",
        "HugetlbPages:\t",
        "CoreDumping:\t",
        "THP_enabled:\t",
        "Threads:\t",
        "SigQ:\t",
        "SigPnd:\t",
        "ShdPnd:\t",
        "SigBlk:\t",
        "SigIgn:\t",
        "SigCgt:\t",
        "CapInh:\t",
        "CapPrm:\t",
        "CapEff:\t",
        "CapBnd:\t",
        "CapAmb:\t",
        "NoNewPrivs:\t",
        "Seccomp:\t",
        "Seccomp_filters:\t",
        "Cpus_allowed:\t",
        "Cpus_allowed_list:\t",
        "Mems_allowed:\t",
        "Mems_allowed_list:\t",
        "voluntary_ctxt_switches:\t",
        "nonvoluntary_ctxt_switches:\t",
    };
    const char *at = slurp("/proc/self/status");

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        const char *next = strstr(at, lines[i]);

        if (guest_check(next, __FILE__, __LINE__, "no %s in its place", lines[i]))
            at = next;
    }
}

TEST(status_affinity, "sched_setaffinity read")
{
    cpu_set_t one;
    char want[64];

    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    snprintf(want, sizeof(want), "Cpus_allowed_list:\t%d\n", sched_getcpu());
    for (int cpu = 0; cpu < 64; cpu++) {
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        if (sched_setaffinity(0, sizeof(one), &one) < 0)
            continue;
        snprintf(want, sizeof(want), "Cpus_allowed_list:\t%d\n", cpu);
        EXPECT(strstr(slurp("/proc/self/status"), want));
    }
}

TEST(personality_file, "personality read")
{
    EXPECT_STREQ(slurp("/proc/self/personality"), "00000000\n");
    REQUIRE_OK(SYS(personality, ADDR_NO_RANDOMIZE));
    EXPECT_STREQ(slurp("/proc/self/personality"), "00040000\n");
}

TEST(timer_slack, "prctl read write")
{
    REQUIRE_OK(SYS(prctl, PR_SET_TIMERSLACK, 70000, 0, 0, 0));
    EXPECT_STREQ(slurp("/proc/self/timerslack_ns"), "70000\n");
    EXPECT_EQ(put("/proc/self/timerslack_ns", "60000"), 0);
    EXPECT_EQ(SYS(prctl, PR_GET_TIMERSLACK, 0, 0, 0, 0), 60000);
    EXPECT_EQ(put("/proc/self/timerslack_ns", "x"), EINVAL);
}

TEST(oom_adj, "read write:EINVAL")
{
    REQUIRE(put("/proc/self/oom_score_adj", "500") == 0);
    EXPECT_STREQ(slurp("/proc/self/oom_adj"), "8\n");
    EXPECT_EQ(put("/proc/self/oom_adj", "15"), 0);
    EXPECT_STREQ(slurp("/proc/self/oom_score_adj"), "1000\n");
    EXPECT_STREQ(slurp("/proc/self/oom_adj"), "15\n");
    EXPECT_EQ(put("/proc/self/oom_adj", "16"), EINVAL);
    EXPECT_EQ(put("/proc/self/oom_adj", "-18"), EINVAL);
    EXPECT_EQ(put("/proc/self/oom_adj", "14"), guest_has_cap(24) ? 0 : EACCES);
}

TEST(coredump_filter, "fork read write:EINVAL")
{
    pid_t pid;

    EXPECT_EQ(put("/proc/self/coredump_filter", "0x7f"), 0);
    EXPECT_STREQ(slurp("/proc/self/coredump_filter"), "0000007f\n");
    EXPECT_EQ(put("/proc/self/coredump_filter", "nonsense"), EINVAL);
    pid = guest_fork();
    if (pid == 0) {
        EXPECT_STREQ(slurp("/proc/self/coredump_filter"), "0000007f\n");
        guest_finish();
    }
    EXPECT_EQ(guest_wait(pid), 0);
}

TEST(schedstat, "read")
{
    unsigned long long ran, waited, slices, again;

    EXPECT_EQ(sscanf(slurp("/proc/self/schedstat"), "%llu %llu %llu", &ran, &waited, &slices), 3);
    for (volatile int i = 0; i < 30000000; i++)
        ;
    EXPECT_EQ(sscanf(slurp("/proc/self/schedstat"), "%llu", &again), 1);
    EXPECT_GT(again, ran);
}

TEST(io_counters, "read write pread64 readv")
{
    long before[4], after[4];
    char buf[3000] = {0};
    int fd = REQUIRE_OK(open("/dev/zero", O_RDWR));

    slurp("/proc/self/io");
    before[0] = number_after("rchar: ");
    before[1] = number_after("wchar: ");
    before[2] = number_after("syscr: ");
    before[3] = number_after("syscw: ");
    for (int i = 0; i < 10; i++) {
        EXPECT_EQ(read(fd, buf, 3000), 3000);
        EXPECT_EQ(write(fd, buf, 2000), 2000);
    }
    slurp("/proc/self/io");
    after[0] = number_after("rchar: ");
    after[1] = number_after("wchar: ");
    after[2] = number_after("syscr: ");
    after[3] = number_after("syscw: ");
    EXPECT_GE(after[0] - before[0], 30000);
    EXPECT_LT(after[0] - before[0], 40000);
    EXPECT_EQ(after[1] - before[1], 20000);
    EXPECT_GE(after[2] - before[2], 11);
    EXPECT_LE(after[2] - before[2], 14);
    EXPECT_EQ(after[3] - before[3], 10);
    EXPECT_GE(number_after("cancelled_write_bytes: "), 0);
}

/* What a reaped child has done counts to its parent's own */
TEST(io_of_children, "wait4 write")
{
    int fd = REQUIRE_OK(open("/dev/null", O_WRONLY));
    long before;
    pid_t pid;

    slurp("/proc/self/io");
    before = number_after("wchar: ");
    pid = guest_fork();
    if (pid == 0) {
        EXPECT_EQ(write(fd, text, 5000), 5000);
        guest_finish();
    }
    EXPECT_EQ(guest_wait(pid), 0);
    slurp("/proc/self/io");
    EXPECT_EQ(number_after("wchar: ") - before, 5000);
}

TEST(children_file, "fork read")
{
    pid_t a = guest_fork(), b;
    char want[64], path[64];

    if (a == 0) {
        pause();
        _exit(0);
    }
    b = guest_fork();
    if (b == 0) {
        pause();
        _exit(0);
    }
    snprintf(want, sizeof(want), "%d %d ", (int)a, (int)b);
    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    if (access(path, F_OK) != 0) {
        guest_end(a);
        guest_end(b);
        SKIP("this kernel has no list of children");
    }
    EXPECT_STREQ(slurp(path), want);
    guest_end(a);
    guest_end(b);
}

/* --- memory as a file --- */

TEST(mem_reads_and_writes, "open pread64 pwrite64")
{
    static char word[] = "before";
    int fd = REQUIRE_OK(open("/proc/self/mem", O_RDWR));
    char got[8] = {0};

    EXPECT_EQ(pread(fd, got, 7, (off_t)(uintptr_t)word), 7);
    EXPECT_STREQ(got, "before");
    EXPECT_EQ(pwrite(fd, "after!", 6, (off_t)(uintptr_t)word), 6);
    EXPECT_STREQ(word, "after!");
    EXPECT_EQ(lseek(fd, (off_t)(uintptr_t)word, SEEK_SET), (off_t)(uintptr_t)word);
    EXPECT_EQ(read(fd, got, 3), 3);
    EXPECT_EQ(lseek(fd, 0, SEEK_CUR), (off_t)(uintptr_t)word + 3);
}

TEST(mem_holes, "pread64:EIO pwrite64:EIO")
{
    char *bad = guest_bad_page(), got[64];
    int fd = REQUIRE_OK(open("/proc/self/mem", O_RDWR));

    bad[-1] = 'x';
    EXPECT_EQ(pread(fd, got, 1, (off_t)(uintptr_t)bad - 1), 1);
    EXPECT_EQ(got[0], 'x');
    munmap(bad, 4096);
    EXPECT_ERRNO(pread(fd, got, 8, (off_t)(uintptr_t)bad), EIO);
    EXPECT_ERRNO(pwrite(fd, got, 8, (off_t)(uintptr_t)bad), EIO);
    EXPECT_ERRNO(pread(fd, got, 8, 16), EIO);
}

TEST(mem_of_another, "open:EACCES pread64 pwrite64")
{
    volatile int *shared = guest_shared(4096);
    static volatile int mine = 5;
    int fd, got = 0, put_value = 9;
    pid_t pid = guest_fork();

    if (pid == 0) {
        mine = 7;
        shared[0] = 1;
        while (mine == 7)
            guest_sleep_ms(1);
        _exit(mine);
    }
    WAIT_UNTIL(shared[0]);
    fd = REQUIRE_OK(open(of_pid(pid, "mem"), O_RDWR));
    EXPECT_EQ(pread(fd, &got, 4, (off_t)(uintptr_t)&mine), 4);
    EXPECT_EQ(got, 7);
    EXPECT_EQ(pwrite(fd, &put_value, 4, (off_t)(uintptr_t)&mine), 4);
    EXPECT_EQ(guest_wait(pid), 9 << 8);
    EXPECT_EQ(mine, 5);
    /* The memory is gone with the process, the file is not. */
    EXPECT_EQ(pread(fd, &got, 4, (off_t)(uintptr_t)&mine), 0);
}

HELPER(wait_for_end)
{
    char c;

    return read(0, &c, 1) == 0 ? 0 : 1;
}

/* What was opened is about the program of that time, not about the one that followed: it might have
 * more rights than who opened. */
TEST(memory_before_exec, "open read pread64 execve")
{
    static const char *const names[] = {"mem", "pagemap", "maps", "smaps", "environ"};
    enum { MAPS = 2, N = 5 };
    int fds[N], go[2], hold[2], done[2];
    char buf[64];
    pid_t pid;

    REQUIRE_OK(pipe(go));
    REQUIRE_OK(pipe(hold));
    REQUIRE_OK(pipe2(done, O_CLOEXEC));
    pid = guest_fork();
    if (pid == 0) {
        close(go[1]);
        close(hold[1]);
        if (read(go[0], buf, 1) != 0)
            _exit(8);
        dup2(hold[0], 0);
        execl("/proc/self/exe", "self", "--helper", "wait_for_end", NULL);
        _exit(9);
    }
    for (int i = 0; i < N; i++)
        fds[i] = REQUIRE_OK(open(of_pid(pid, names[i]), O_RDONLY));
    EXPECT_GT(pread(fds[MAPS], buf, sizeof(buf), 0), 0); /* one that was used already */
    close(go[1]);
    close(done[1]);
    EXPECT_EQ(read(done[0], buf, 1), 0); /* it has exec'ed */
    for (int i = 0; i < N; i++)
        EXPECT_EQ(pread(fds[i], buf, sizeof(buf), i == 0 ? (off_t)(uintptr_t)text : 0), 0);
    close(hold[1]);
    EXPECT_EQ(guest_wait(pid), 0);
}

TEST(mem_is_private, "open:EACCES setresuid")
{
    volatile int *shared = guest_shared(4096);
    pid_t pid;

    if (geteuid() != 0)
        SKIP("needs another user's process");
    pid = guest_fork();
    if (pid == 0) {
        shared[0] = 1;
        pause();
        _exit(0);
    }
    WAIT_UNTIL(shared[0]);
    REQUIRE_OK(SYS(setresuid, 1000, 1000, 1000));
    EXPECT_ERRNO(open(of_pid(pid, "mem"), O_RDONLY), EACCES);
    EXPECT_ERRNO(open(of_pid(pid, "pagemap"), O_RDONLY), EACCES);
    EXPECT_ERRNO(open(of_pid(pid, "smaps_rollup"), O_RDONLY), EACCES);
    shared[0] = 0;
    kill(pid, SIGKILL);
}

/* --- what is in memory --- */

#define PAGES 64

/* resident_kb() - VmRSS of the calling process */
static long resident_kb(void)
{
    slurp("/proc/self/status");
    return number_after("VmRSS:");
}

TEST(resident_size, "mmap munmap read")
{
    size_t len = 32u << 20;
    long before = resident_kb(), statm, high;
    char *p = pages(len, PROT_READ | PROT_WRITE);

    /* Mapped is not resident, touched is. */
    EXPECT_LT(resident_kb(), before + 2048);
    memset(p, 1, len);
    EXPECT_GE(resident_kb(), before + (long)len / 1024 - 1024);
    EXPECT_LE(resident_kb(), before + (long)len / 1024 + 4096);
    slurp("/proc/self/statm");
    REQUIRE(sscanf(text, "%*d %ld", &statm) == 1);
    EXPECT_GE(statm * 4, (long)len / 1024);
    EXPECT_GE(stat_field("/proc/self/stat", 24) * 4, (long)len / 1024);
    REQUIRE_OK(madvise(p, len, MADV_DONTNEED));
    EXPECT_LT(resident_kb(), before + 4096);
    slurp("/proc/self/status");
    high = number_after("VmHWM:");
    EXPECT_GE(high, (long)len / 1024);
}

TEST(faults_of_another, "read")
{
    volatile int *shared = guest_shared(4096);
    char *p = pages(8u << 20, PROT_READ | PROT_WRITE);
    long before;
    pid_t pid;

    madvise(p, 8u << 20, MADV_NOHUGEPAGE);
    pid = guest_fork();
    if (pid == 0) {
        shared[0] = 1;
        while (!shared[1])
            guest_sleep_ms(1);
        memset(p, 1, 8u << 20);
        shared[0] = 2;
        pause();
        _exit(0);
    }
    WAIT_UNTIL(shared[0] == 1);
    before = stat_field(of_pid(pid, "stat"), 10);
    shared[1] = 1;
    WAIT_UNTIL(shared[0] == 2);
    EXPECT_GE(stat_field(of_pid(pid, "stat"), 10) - before, 2000);
    guest_end(pid);
}

TEST(pagemap_file, "pread64:EINVAL")
{
    size_t page = 4096;
    char *p = pages(PAGES * page, PROT_READ | PROT_WRITE);
    int fd = REQUIRE_OK(open("/proc/self/pagemap", O_RDONLY));
    off_t at = (off_t)((uintptr_t)p / page * 8);
    uint64_t got[PAGES];

    madvise(p, PAGES * page, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < PAGES; i += 2)
        p[i * page] = 1;
    EXPECT_EQ(pread(fd, got, sizeof(got), at), (long)sizeof(got));
    for (size_t i = 0; i < PAGES; i++)
        EXPECT_EQ(got[i] >> 63, i % 2 == 0);
    EXPECT_ERRNO(pread(fd, got, 12, at), EINVAL);
    EXPECT_ERRNO(pread(fd, got, 8, at + 4), EINVAL);
    EXPECT_EQ(pread(fd, got, 8, 16), 8);
    EXPECT_EQ(got[0], 0);
}

/* smaps_of() - a number of the mapping that starts at p, or -1 */
static long smaps_of(const void *p, const char *key)
{
    char head[32];
    const char *at;

    slurp("/proc/self/smaps");
    snprintf(head, sizeof(head), "%08lx-", (unsigned long)(uintptr_t)p);
    at = strstr(text, head);
    at = at ? strstr(at, key) : NULL;
    return at ? strtol(at + strlen(key), NULL, 10) : -1;
}

TEST(smaps_counts, "mmap fork read")
{
    size_t page = 4096;
    /* A hole on each side, so that the mapping is one by itself. */
    char *p = pages((PAGES + 2) * page, PROT_NONE);
    pid_t pid;

    p += page;
    REQUIRE_OK(mprotect(p, PAGES * page, PROT_READ | PROT_WRITE));
    madvise(p, PAGES * page, MADV_NOHUGEPAGE);
    EXPECT_EQ(smaps_of(p, "Rss:"), 0);
    memset(p, 1, PAGES / 2 * page);
    EXPECT_EQ(smaps_of(p, "\nSize:"), PAGES * 4);
    EXPECT_EQ(smaps_of(p, "Rss:"), PAGES / 2 * 4);
    EXPECT_EQ(smaps_of(p, "\nPss:"), PAGES / 2 * 4);
    EXPECT_EQ(smaps_of(p, "Private_Dirty:"), PAGES / 2 * 4);
    EXPECT_EQ(smaps_of(p, "Anonymous:"), PAGES / 2 * 4);
    EXPECT_EQ(smaps_of(p, "Swap:"), 0);
    pid = guest_fork();
    if (pid == 0) {
        EXPECT_EQ(smaps_of(p, "Rss:"), PAGES / 2 * 4);
        EXPECT_EQ(smaps_of(p, "\nPss:"), PAGES / 4 * 4);
        EXPECT_EQ(smaps_of(p, "Private_Dirty:"), 0);
        guest_finish();
    }
    EXPECT_EQ(guest_wait(pid), 0);
}

TEST(smaps_rollup, "read")
{
    long rss, pss, sum = 0;
    const char *at;

    slurp("/proc/self/smaps_rollup");
    EXPECT(strstr(text, "[rollup]"));
    rss = number_after("Rss:");
    pss = number_after("\nPss:");
    EXPECT_GT(rss, 0);
    EXPECT_GT(pss, 0);
    EXPECT_LE(pss, rss);
    slurp("/proc/self/smaps");
    for (at = text; (at = strstr(at, "\nRss:")); at++)
        sum += strtol(at + 5, NULL, 10);
    EXPECT_GE(sum + 256, rss);
    EXPECT_LE(sum, rss + 256);
}

TEST(clear_refs, "write:EINVAL")
{
    size_t page = 4096;
    char *p = pages((PAGES + 2) * page, PROT_NONE);

    p += page;
    REQUIRE_OK(mprotect(p, PAGES * page, PROT_READ | PROT_WRITE));
    madvise(p, PAGES * page, MADV_NOHUGEPAGE);
    memset(p, 1, PAGES * page);
    EXPECT_EQ(smaps_of(p, "Referenced:"), PAGES * 4);
    EXPECT_EQ(put("/proc/self/clear_refs", "1"), 0);
    EXPECT_EQ(smaps_of(p, "Referenced:"), 0);
    p[0] = 2;
    EXPECT_EQ(smaps_of(p, "Referenced:"), 4);
    EXPECT_EQ(put("/proc/self/clear_refs", "6"), EINVAL);
    EXPECT_EQ(put("/proc/self/clear_refs", "0"), EINVAL);
    EXPECT_EQ(put("/proc/self/clear_refs", "x"), EINVAL);
}

TEST(mincore_tells_the_truth, "mincore")
{
    size_t page = 4096;
    unsigned char vec[PAGES];
    char *p = pages(PAGES * page, PROT_READ | PROT_WRITE);

    madvise(p, PAGES * page, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < PAGES; i += 3)
        p[i * page] = 1;
    REQUIRE_OK(SYS(mincore, p, PAGES * page, vec));
    for (size_t i = 0; i < PAGES; i++)
        EXPECT_EQ(vec[i] & 1, i % 3 == 0);
}

/* --- other files --- */

TEST(mountstats_file, "read")
{
    EXPECT(strstr(slurp("/proc/self/mountstats"), " mounted on /proc with fstype proc\n"));
}

TEST(stack_is_secret, "open read")
{
    int fd = open("/proc/self/stack", O_RDONLY);
    char got[64];

    if (fd < 0 && errno == ENOENT)
        SKIP("this kernel has no stacks to show");
    REQUIRE(fd >= 0);
    EXPECT(read(fd, got, sizeof(got)) >= 0 || errno == EPERM);
}
