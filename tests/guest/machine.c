/*
 * Calls about the machine and the limits: uname, sysinfo, random numbers, rlimits, scheduling,
 * thread areas.
 */
#include "tests/guest/guest.h"

#include <asm/prctl.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/personality.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/utsname.h>

TEST(uname_basic, "uname uname:EFAULT")
{
    struct utsname name;
    unsigned int major = 0, minor = 0;

    memset(&name, 0xff, sizeof(name));
    EXPECT_OK(SYS(uname, &name));
    EXPECT_STREQ(name.sysname, "Linux");
    EXPECT_STREQ(name.machine, "x86_64");
    EXPECT_EQ(sscanf(name.release, "%u.%u", &major, &minor), 2);
    EXPECT_GE(major, 4);
    EXPECT_EQ(name.version[0], '#');
    EXPECT_GT(strlen(name.nodename), 0);
    EXPECT_ERRNO(SYS(uname, (void *)8), EFAULT);
}

TEST(sethostname_denied, "sethostname:EPERM setdomainname:EPERM")
{
    pid_t pid;

    if (!guest_has_cap(CAP_SETUID))
        SKIP("needs CAP_SETUID");
    IN_CHILD(pid) {
        REQUIRE_OK(SYS(setresuid, 65534, 65534, 65534));
        EXPECT_ERRNO(SYS(sethostname, "x", 1), EPERM);
        EXPECT_ERRNO(SYS(setdomainname, "x", 1), EPERM);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(sysinfo_basic, "sysinfo sysinfo:EFAULT")
{
    struct sysinfo info;

    memset(&info, 0xff, sizeof(info));
    EXPECT_OK(SYS(sysinfo, &info));
    EXPECT_GE(info.uptime, 0);
    EXPECT_GT(info.totalram, 0);
    EXPECT_LE(info.freeram, info.totalram);
    EXPECT_GT(info.procs, 0);
    EXPECT_GE(info.mem_unit, 1);
    EXPECT_ERRNO(SYS(sysinfo, (void *)8), EFAULT);
}

TEST(getrandom_basic, "getrandom getrandom:EINVAL,EFAULT")
{
    unsigned char a[256] = {0}, b[256] = {0};
    int different = 0;

    EXPECT_EQ(SYS(getrandom, a, sizeof(a), 0), sizeof(a));
    EXPECT_EQ(SYS(getrandom, b, sizeof(b), GRND_NONBLOCK), sizeof(b));
    for (size_t i = 0; i < sizeof(a); i++)
        different += a[i] != b[i];
    EXPECT_GT(different, 200);
    EXPECT_EQ(SYS(getrandom, a, 0, 0), 0);
    EXPECT_ERRNO(SYS(getrandom, a, 1, 0x40), EINVAL);
    EXPECT_ERRNO(SYS(getrandom, (void *)8, 16, 0), EFAULT);
}

TEST(rlimit_basic, "getrlimit setrlimit prlimit64 getrlimit:EINVAL,EFAULT setrlimit:EINVAL,EFAULT prlimit64:EINVAL,ESRCH,EFAULT")
{
    struct rlimit limit, other;

    for (int i = 0; i < 16; i++) {
        EXPECT_OK(SYS(getrlimit, i, &limit));
        EXPECT_LE((unsigned long)limit.rlim_cur / 2, (unsigned long)limit.rlim_max / 2);
        EXPECT_OK(SYS(prlimit64, 0, i, NULL, &other));
        EXPECT(other.rlim_cur == limit.rlim_cur && other.rlim_max == limit.rlim_max);
    }
    EXPECT_ERRNO(SYS(getrlimit, 16, &limit), EINVAL);
    EXPECT_ERRNO(SYS(getrlimit, RLIMIT_NOFILE, (void *)8), EFAULT);
    EXPECT_ERRNO(SYS(setrlimit, 16, &limit), EINVAL);
    EXPECT_ERRNO(SYS(setrlimit, RLIMIT_NOFILE, (void *)8), EFAULT);
    EXPECT_OK(SYS(getrlimit, RLIMIT_NOFILE, &limit));
    EXPECT_GE(limit.rlim_max, 256);
    other = (struct rlimit){100, limit.rlim_max};
    EXPECT_OK(SYS(setrlimit, RLIMIT_NOFILE, &other));
    EXPECT_OK(SYS(getrlimit, RLIMIT_NOFILE, &limit));
    EXPECT_EQ(limit.rlim_cur, 100);
    other = (struct rlimit){101, 100};
    EXPECT_ERRNO(SYS(setrlimit, RLIMIT_NOFILE, &other), EINVAL);
    EXPECT_ERRNO(SYS(prlimit64, 0, 16, NULL, &other), EINVAL);
    EXPECT_ERRNO(SYS(prlimit64, 0x3ffffff0, RLIMIT_NOFILE, NULL, &other), ESRCH);
    EXPECT_ERRNO(SYS(prlimit64, 0, RLIMIT_NOFILE, (void *)8, NULL), EFAULT);
}

TEST(rlimit_inherited, "setrlimit fork")
{
    struct rlimit limit;
    pid_t pid;

    REQUIRE_OK(getrlimit(RLIMIT_STACK, &limit));
    limit.rlim_cur = 3 << 20;
    REQUIRE_OK(setrlimit(RLIMIT_STACK, &limit));
    IN_CHILD(pid) {
        EXPECT_OK(getrlimit(RLIMIT_STACK, &limit));
        EXPECT_EQ(limit.rlim_cur, 3 << 20);
        limit.rlim_cur = 2 << 20;
        EXPECT_OK(setrlimit(RLIMIT_STACK, &limit));
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_OK(getrlimit(RLIMIT_STACK, &limit));
    EXPECT_EQ(limit.rlim_cur, 3 << 20);
}

TEST(prlimit_of_child, "prlimit64 prlimit64:EPERM")
{
    struct rlimit limit = {50, 50}, old;
    pid_t pid, parent = getpid();

    IN_CHILD(pid) {
        for (;;)
            pause();
    }
    EXPECT_OK(SYS(prlimit64, pid, RLIMIT_NOFILE, &limit, &old));
    EXPECT_GE(old.rlim_max, 256);
    EXPECT_OK(SYS(prlimit64, pid, RLIMIT_NOFILE, NULL, &limit));
    EXPECT_EQ(limit.rlim_max, 50);
    guest_end(pid);
    if (!guest_has_cap(CAP_SETUID))
        SKIP("the rest needs CAP_SETUID");
    IN_CHILD(pid) {
        REQUIRE_OK(SYS(setresuid, 65534, 65534, 65534));
        EXPECT_ERRNO(SYS(prlimit64, parent, RLIMIT_NOFILE, NULL, &old), EPERM);
        /* Without privilege a hard limit goes only down. */
        limit = (struct rlimit){10, 100};
        EXPECT_OK(SYS(setrlimit, RLIMIT_NOFILE, &limit));
        limit = (struct rlimit){10, 101};
        EXPECT_ERRNO(SYS(setrlimit, RLIMIT_NOFILE, &limit), EPERM);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(rlimit_cpu, "setrlimit")
{
    struct rlimit limit = {1, 3};
    pid_t pid;

    IN_CHILD(pid) {
        REQUIRE_OK(setrlimit(RLIMIT_CPU, &limit));
        for (volatile unsigned long i = 0;; i++)
            continue;
    }
    EXPECT_KILLED(pid, SIGXCPU);
}

TEST(scheduling, "sched_yield sched_getaffinity sched_getscheduler sched_getparam sched_get_priority_max sched_get_priority_min sched_getaffinity:EINVAL,ESRCH,EFAULT")
{
    unsigned long mask[128] = {0};
    int param = -1;
    long n = EXPECT_OK(SYS(sched_getaffinity, 0, sizeof(mask), mask));

    EXPECT_OK(SYS(sched_yield));
    EXPECT(n >= 8 && n % 8 == 0);
    EXPECT_NE(mask[0] | mask[1], 0);
    EXPECT_ERRNO(SYS(sched_getaffinity, 0, 4, mask), EINVAL);
    EXPECT_ERRNO(SYS(sched_getaffinity, 0x3ffffff0, sizeof(mask), mask), ESRCH);
    EXPECT_ERRNO(SYS(sched_getaffinity, 0, sizeof(mask), (void *)8), EFAULT);
    EXPECT_EQ(SYS(sched_getscheduler, 0), SCHED_OTHER);
    EXPECT_OK(SYS(sched_getparam, 0, &param));
    EXPECT_EQ(param, 0);
    EXPECT_EQ(SYS(sched_get_priority_max, SCHED_FIFO), 99);
    EXPECT_EQ(SYS(sched_get_priority_min, SCHED_FIFO), 1);
}

TEST(affinity_set, "sched_setaffinity sched_setaffinity:EINVAL,ESRCH,EFAULT")
{
    unsigned long mask[128] = {0}, none[128] = {0}, now[128] = {0};
    long first = -1;
    unsigned int cpu = ~0u;

    NEEDS(sched_setaffinity);
    REQUIRE_OK(SYS(sched_getaffinity, 0, sizeof(mask), mask));
    for (long i = 63; i >= 0; i--) {
        if (mask[0] >> i & 1)
            first = i;
    }
    REQUIRE(first >= 0);
    memset(mask, 0, sizeof(mask));
    mask[0] = 1ul << first;
    EXPECT_OK(SYS(sched_setaffinity, 0, sizeof(mask), mask));
    EXPECT_OK(SYS(sched_getaffinity, 0, sizeof(now), now));
    EXPECT_EQ(now[0], mask[0]);
    EXPECT_OK(SYS(getcpu, &cpu, NULL, NULL));
    EXPECT_ERRNO(SYS(sched_setaffinity, 0, sizeof(none), none), EINVAL);
    EXPECT_ERRNO(SYS(sched_setaffinity, 0x3ffffff0, sizeof(mask), mask), ESRCH);
    EXPECT_ERRNO(SYS(sched_setaffinity, 0, sizeof(mask), (void *)8), EFAULT);
}

TEST(policies, "sched_setscheduler sched_setparam sched_rr_get_interval sched_setscheduler:EINVAL,ESRCH sched_setparam:EINVAL sched_rr_get_interval:EINVAL,ESRCH,EFAULT")
{
    struct timespec slice = {-1, -1};
    int zero = 0, one = 1;

    EXPECT_OK(SYS(sched_setscheduler, 0, SCHED_BATCH, &zero));
    EXPECT_EQ(SYS(sched_getscheduler, 0), SCHED_BATCH);
    EXPECT_OK(SYS(sched_setparam, 0, &zero));
    EXPECT_OK(SYS(sched_setscheduler, 0, SCHED_OTHER, &zero));
    EXPECT_EQ(SYS(sched_getscheduler, 0), SCHED_OTHER);
    EXPECT_ERRNO(SYS(sched_setscheduler, 0, SCHED_OTHER, &one), EINVAL);
    EXPECT_ERRNO(SYS(sched_setscheduler, 0, 99, &zero), EINVAL);
    EXPECT_ERRNO(SYS(sched_setscheduler, 0, SCHED_OTHER, NULL), EINVAL);
    EXPECT_ERRNO(SYS(sched_setscheduler, 0x3ffffff0, SCHED_OTHER, &zero), ESRCH);
    EXPECT_ERRNO(SYS(sched_setparam, 0, &one), EINVAL);
    EXPECT_OK(SYS(sched_rr_get_interval, 0, &slice));
    EXPECT(slice.tv_sec == 0 && slice.tv_nsec >= 0);
    EXPECT_ERRNO(SYS(sched_rr_get_interval, -1, &slice), EINVAL);
    EXPECT_ERRNO(SYS(sched_rr_get_interval, 0x3ffffff0, &slice), ESRCH);
    EXPECT_ERRNO(SYS(sched_rr_get_interval, 0, (void *)8), EFAULT);
}

TEST(getcpu_basic, "getcpu getcpu:EFAULT")
{
    unsigned int cpu = ~0u, node = ~0u;

    EXPECT_OK(SYS(getcpu, &cpu, &node, NULL));
    EXPECT(cpu < 65536 && node < 65536);
    EXPECT_OK(SYS(getcpu, NULL, NULL, NULL));
    EXPECT_ERRNO(SYS(getcpu, (void *)8, NULL, NULL), EFAULT);
}

TEST(priorities, "getpriority setpriority getpriority:EINVAL,ESRCH setpriority:EINVAL,ESRCH")
{
    NEEDS(getpriority);
    /* The call itself gives 20 - nice. */
    EXPECT_GE(SYS(getpriority, PRIO_PROCESS, 0), 1);
    EXPECT_OK(SYS(setpriority, PRIO_PROCESS, 0, 18));
    EXPECT_EQ(SYS(getpriority, PRIO_PROCESS, 0), 2);
    EXPECT_OK(SYS(setpriority, PRIO_PROCESS, 0, 100));
    EXPECT_EQ(SYS(getpriority, PRIO_PROCESS, 0), 1);
    EXPECT_ERRNO(SYS(getpriority, 9, 0), EINVAL);
    EXPECT_ERRNO(SYS(setpriority, 9, 0, 0), EINVAL);
    EXPECT_ERRNO(SYS(getpriority, PRIO_PROCESS, 0x3ffffff0), ESRCH);
    EXPECT_ERRNO(SYS(setpriority, PRIO_PROCESS, 0x3ffffff0, 0), ESRCH);
}

TEST(io_priorities, "ioprio_get ioprio_set ioprio_get:EINVAL,ESRCH ioprio_set:EINVAL,ESRCH")
{
    enum { PROCESS = 1, GROUP, USER, IDLE = 3 << 13, BEST = 2 << 13 };
    int nice;

    NEEDS(ioprio_get);
    nice = 20 - (int)SYS(getpriority, PRIO_PROCESS, 0);
    EXPECT_EQ(SYS(ioprio_get, PROCESS, 0), 0);
    EXPECT_OK(setpgid(0, 0));
    EXPECT_EQ(SYS(ioprio_get, GROUP, 0), BEST | (nice + 20) / 5);
    EXPECT_OK(SYS(ioprio_set, PROCESS, 0, BEST | 6));
    EXPECT_EQ(SYS(ioprio_get, PROCESS, getpid()), BEST | 6);
    EXPECT_EQ(SYS(ioprio_get, GROUP, 0), BEST | 6);
    EXPECT_OK(SYS(ioprio_set, GROUP, getpid(), IDLE));
    EXPECT_EQ(SYS(ioprio_get, PROCESS, 0), IDLE);
    EXPECT_ERRNO(SYS(ioprio_set, PROCESS, 0, 1), EINVAL);
    EXPECT_ERRNO(SYS(ioprio_set, PROCESS, 0, 7 << 13), EINVAL);
    EXPECT_ERRNO(SYS(ioprio_set, 0, 0, BEST), EINVAL);
    EXPECT_ERRNO(SYS(ioprio_set, 4, 0, BEST), EINVAL);
    EXPECT_ERRNO(SYS(ioprio_get, 0, 0), EINVAL);
    EXPECT_ERRNO(SYS(ioprio_get, 4, 0), EINVAL);
    EXPECT_ERRNO(SYS(ioprio_set, PROCESS, 0x3ffffff0, BEST), ESRCH);
    EXPECT_ERRNO(SYS(ioprio_get, PROCESS, 0x3ffffff0), ESRCH);
}

TEST(set_tid_address_basic, "set_tid_address")
{
    int word = 0;

    EXPECT_EQ(SYS(set_tid_address, &word), gettid());
}

TEST(arch_prctl_fs, "arch_prctl arch_prctl:EINVAL,EFAULT,EPERM")
{
    unsigned long base = 0, word = 0x1122334455667788, got;

    EXPECT_OK(SYS(arch_prctl, ARCH_GET_FS, &base));
    EXPECT_NE(base, 0);
    /* libc's own thread area begins with its address. */
    EXPECT_EQ(*(unsigned long *)base, base);
    __asm__ volatile("mov %3, %%rdi\n\tmov %4, %%rsi\n\tmov %5, %%eax\n\tsyscall\n\t"
                     "mov %%fs:0, %0\n\t"
                     "mov %3, %%rdi\n\tmov %2, %%rsi\n\tmov %5, %%eax\n\tsyscall"
                     : "=&r"(got)
                     : "m"(word), "r"(base), "i"(ARCH_SET_FS), "r"(&word), "i"(__NR_arch_prctl)
                     : "rdi", "rsi", "rax", "rcx", "r11", "memory");
    EXPECT_EQ(got, 0x1122334455667788);
    EXPECT_ERRNO(SYS(arch_prctl, 0x9999, 0), EINVAL);
    EXPECT_ERRNO(SYS(arch_prctl, ARCH_GET_FS, (void *)8), EFAULT);
    EXPECT_ERRNO(SYS(arch_prctl, ARCH_SET_FS, 0x8000000000000000), EPERM);
}

TEST(personality_basic, "personality")
{
    NEEDS(personality);
    EXPECT_EQ(SYS(personality, 0xffffffff), PER_LINUX);
    EXPECT_EQ(SYS(personality, ADDR_NO_RANDOMIZE), PER_LINUX);
    EXPECT_EQ(SYS(personality, 0xffffffff), ADDR_NO_RANDOMIZE);
    EXPECT_EQ(SYS(personality, 0), ADDR_NO_RANDOMIZE);
}

TEST(kernel_log, "syslog syslog:EINVAL")
{
    static char buf[65536];
    long n;

    if (SYS(syslog, 10 /* SIZE_BUFFER */, NULL, 0) < 0) {
        EXPECT_EQ(errno, EPERM);
        SKIP("may not read the kernel's log");
    }
    n = EXPECT_OK(SYS(syslog, 3 /* READ_ALL */, buf, sizeof(buf) - 1));
    EXPECT_GE(n, 0);
    if (guest_sandboxed())
        EXPECT(strstr(buf, "Starting gVisor..."));
    EXPECT_EQ(SYS(syslog, 3, buf, 0), 0);
    EXPECT_ERRNO(SYS(syslog, 3, NULL, 100), EINVAL);
    EXPECT_ERRNO(SYS(syslog, 3, buf, -1), EINVAL);
    EXPECT_ERRNO(SYS(syslog, 99, buf, 100), EINVAL);
}

TEST(sync_basic, "sync")
{
    EXPECT_OK(SYS(sync));
}

TEST(no_privilege_calls, "reboot:EPERM,EINVAL mount:EPERM umount2:EPERM swapon:EPERM settimeofday:EPERM")
{
    struct timeval tv = {1, 0};
    pid_t pid;

    if (!guest_has_cap(CAP_SETUID))
        SKIP("needs CAP_SETUID");
    IN_CHILD(pid) {
        REQUIRE_OK(SYS(setresuid, 65534, 65534, 65534));
        EXPECT_EQ(SYS(reboot, 0, 0, 0, NULL), -1);
        EXPECT(errno == EPERM || errno == EINVAL);
        EXPECT_ERRNO(SYS(settimeofday, &tv, NULL), EPERM);
        EXPECT_ERRNO(SYS(mount, "proc", "/proc", "proc", 0, NULL), EPERM);
        EXPECT_ERRNO(SYS(umount2, "/proc", 0), EPERM);
        EXPECT_EQ(SYS(swapon, "/proc", 0), -1);
        EXPECT(errno == EPERM || errno == ENOSYS);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(namespaces_denied, "unshare:EPERM clone:EPERM")
{
    pid_t pid;

    if (!guest_has_cap(CAP_SETUID))
        SKIP("needs CAP_SETUID");
    NEEDS(unshare);
    IN_CHILD(pid) {
        REQUIRE_OK(SYS(setresuid, 65534, 65534, 65534));
        EXPECT_ERRNO(SYS(unshare, CLONE_NEWNS), EPERM);
        EXPECT_ERRNO(SYS(unshare, CLONE_NEWPID), EPERM);
        EXPECT_ERRNO(SYS(clone, CLONE_NEWNS | SIGCHLD, NULL, NULL, NULL, NULL), EPERM);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(unshare_files, "unshare unshare:EINVAL")
{
    NEEDS(unshare);
    EXPECT_OK(SYS(unshare, 0));
    EXPECT_OK(SYS(unshare, CLONE_FILES | CLONE_FS));
    EXPECT_ERRNO(SYS(unshare, 0x1), EINVAL);
}

TEST(cpuid_and_tsc)
{
    unsigned int eax = 0, ebx, ecx, edx;
    unsigned long before, after;

    /* Instructions that a program expects to work. */
    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
    EXPECT_GT(eax, 0);
    before = __builtin_ia32_rdtsc();
    after = __builtin_ia32_rdtsc();
    EXPECT_GE(after, before);
}
