/*
 * /proc: what programs parse there, and that it tells the truth about the process that asks.
 */
#include "tests/guest/guest.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>

static char text[262144];

/* slurp() - a file of /proc, which must be there and not be empty */
static char *slurp(const char *path)
{
    ssize_t n = guest_slurp(path, text, sizeof(text));

    if (!guest_check(n > 0, __FILE__, __LINE__, "%s: %zd bytes", path, n))
        guest_finish();
    return text;
}

/* number_after() - the number behind a key in text, or -1 */
static long number_after(const char *key)
{
    const char *at = strstr(text, key);

    return at ? strtol(at + strlen(key), NULL, 10) : -1;
}

/* stat_field() - field number n, from 1, of a /proc/PID/stat line; the name is field 2 */
static long long stat_field(const char *path, int n)
{
    char *at = strrchr(slurp(path), ')');

    REQUIRE(at);
    for (int i = 2; i < n; i++) {
        at = strchr(at + 1, ' ');
        REQUIRE(at);
    }
    return n == 3 ? at[1] : strtoll(at + 1, NULL, 10);
}

static const char *of_pid(pid_t pid, const char *name)
{
    static char path[64];

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    return path;
}

TEST(self_is_me, "readlink stat")
{
    char target[64] = {0}, want[16];
    struct stat a, b;
    pid_t pid;

    snprintf(want, sizeof(want), "%d", (int)getpid());
    EXPECT_GT(readlink("/proc/self", target, sizeof(target) - 1), 0);
    EXPECT_STREQ(target, want);
    IN_CHILD(pid) {
        memset(target, 0, sizeof(target));
        snprintf(want, sizeof(want), "%d", (int)getpid());
        EXPECT_GT(readlink("/proc/self", target, sizeof(target) - 1), 0);
        EXPECT_STREQ(target, want);
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_OK(stat("/proc/self/", &a));
    EXPECT_OK(stat(of_pid(getpid(), ""), &b));
    EXPECT(S_ISDIR(a.st_mode));
    EXPECT_EQ(a.st_ino, b.st_ino);
}

TEST(dead_is_gone, "open:ENOENT readlink:ENOENT")
{
    char target[64];
    int fd;
    pid_t pid;

    IN_CHILD(pid) {
        pause();
    }
    fd = (int)EXPECT_OK(open(of_pid(pid, "stat"), O_RDONLY));
    guest_end(pid);
    EXPECT_ERRNO(open(of_pid(pid, "stat"), O_RDONLY), ENOENT);
    EXPECT_ERRNO(readlink(of_pid(pid, "exe"), target, sizeof(target)), ENOENT);
    EXPECT_ERRNO(read(fd, target, sizeof(target)), ESRCH);
    EXPECT_ERRNO(open("/proc/999999999/stat", O_RDONLY), ENOENT);
    EXPECT_ERRNO(open("/proc/0/stat", O_RDONLY), ENOENT);
    EXPECT_ERRNO(open("/proc/01/stat", O_RDONLY), ENOENT);
}

TEST(list_of_processes, "getdents64")
{
    struct dirent *entry;
    bool self = false, child = false;
    pid_t pid;
    DIR *dir;

    IN_CHILD(pid) {
        pause();
    }
    dir = opendir("/proc");
    REQUIRE(dir);
    while ((entry = readdir(dir))) {
        self |= strtol(entry->d_name, NULL, 10) == getpid();
        child |= strtol(entry->d_name, NULL, 10) == pid;
    }
    EXPECT(self && child);
    guest_end(pid);
}

TEST(stat_line, "read")
{
    const char *path = of_pid(getpid(), "stat");
    char want[32];

    prctl(PR_SET_NAME, "odd) name", 0, 0, 0);
    slurp(path);
    EXPECT_EQ(strtol(text, NULL, 10), getpid());
    snprintf(want, sizeof(want), " (%s) ", "odd) name");
    EXPECT(strstr(text, want));
    EXPECT_EQ(stat_field(path, 3), 'R');
    EXPECT_EQ(stat_field(path, 4), getppid());
    EXPECT_EQ(stat_field(path, 5), getpgrp());
    EXPECT_EQ(stat_field(path, 6), getsid(0));
    EXPECT_EQ(stat_field(path, 20), 1);
    EXPECT_GT(stat_field(path, 22), 0);
    EXPECT_GT(stat_field(path, 23), 0);
    EXPECT_GT(stat_field(path, 24), 0);
}

TEST(stat_states, "kill read")
{
    char path[64];
    pid_t pid;

    IN_CHILD(pid) {
        for (;;)
            pause();
    }
    snprintf(path, sizeof(path), "%s", of_pid(pid, "stat"));
    WAIT_UNTIL(stat_field(path, 3) == 'S');
    kill(pid, SIGSTOP);
    WAIT_UNTIL(stat_field(path, 3) == 'T');
    kill(pid, SIGKILL);
    WAIT_UNTIL(stat_field(path, 3) == 'Z');
    EXPECT_KILLED(pid, SIGKILL);
}

TEST(status_file, "read")
{
    char want[64];

    prctl(PR_SET_NAME, "statustest", 0, 0, 0);
    slurp("/proc/self/status");
    EXPECT_MEMEQ(text, "Name:\tstatustest\n", 17);
    EXPECT_EQ(number_after("\nTgid:\t"), getpid());
    EXPECT_EQ(number_after("\nPid:\t"), getpid());
    EXPECT_EQ(number_after("\nPPid:\t"), getppid());
    EXPECT_EQ(number_after("\nThreads:\t"), 1);
    EXPECT(strstr(text, "\nState:\tR (running)\n"));
    snprintf(want, sizeof(want), "\nUid:\t%d\t%d\t%d\t%d\n", (int)getuid(), (int)geteuid(),
             (int)geteuid(), (int)geteuid());
    EXPECT(strstr(text, want));
    EXPECT_GT(number_after("\nVmSize:\t"), 0);
    EXPECT_GT(number_after("\nVmRSS:\t"), 0);
    EXPECT(strstr(text, "\nSigBlk:\t0000000000000000\n"));
    EXPECT(strstr(text, "\nCapEff:\t"));
}

TEST(status_signals, "rt_sigprocmask rt_sigaction read")
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1);
    signal(SIGUSR2, SIG_IGN);
    signal(SIGHUP, guest_count_signal);
    slurp("/proc/self/status");
    EXPECT(strstr(text, "\nSigBlk:\t0000000000000200\n"));
    EXPECT(strstr(text, "\nSigIgn:\t0000000000000800\n"));
    EXPECT(strstr(text, "\nSigCgt:\t0000000000000001\n"));
    EXPECT(strstr(text, "\nSigPnd:\t0000000000000200\n") ||
           strstr(text, "\nShdPnd:\t0000000000000200\n"));
}

HELPER(wait_here)
{
    if (write(STDOUT_FILENO, "x", 1) == 1)
        pause();
    return 0;
}

TEST(cmdline_environ_exe, "execve readlink read")
{
    static const char command[] = "zero\0--helper\0wait_here\0an arg\0\0last";
    const char *args[] = {"zero", "--helper", "wait_here", "an arg", "", "last", NULL};
    const char *env[] = {"A=1", "LONGER=value", NULL};
    char target[PATH_MAX] = {0}, byte;
    struct stat a, b;
    int ends[2];
    pid_t pid;

    REQUIRE_OK(pipe(ends));
    IN_CHILD(pid) {
        dup2(ends[1], STDOUT_FILENO);
        SYS(execve, guest_self, args, env);
    }
    EXPECT_EQ(read(ends[0], &byte, 1), 1);
    EXPECT_EQ(guest_slurp(of_pid(pid, "cmdline"), text, sizeof(text)), sizeof(command));
    EXPECT_MEMEQ(text, command, sizeof(command));
    EXPECT_EQ(guest_slurp(of_pid(pid, "environ"), text, sizeof(text)), 17);
    EXPECT_MEMEQ(text, "A=1\0LONGER=value", 17);
    slurp(of_pid(pid, "comm"));
    EXPECT_EQ(strncmp(text, strrchr(guest_self, '/') + 1, strcspn(text, "\n")), 0);
    EXPECT_GT(readlink(of_pid(pid, "exe"), target, sizeof(target) - 1), 0);
    EXPECT_OK(stat(of_pid(pid, "exe"), &a));
    EXPECT_OK(stat(guest_self, &b));
    EXPECT(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
    EXPECT_OK(stat(target, &a));
    EXPECT_EQ(a.st_ino, b.st_ino);
    guest_end(pid);
}

TEST(cwd_and_root, "readlink chdir")
{
    const char *dir = guest_scratch();
    char target[PATH_MAX] = {0};
    struct stat a, b;
    pid_t pid;

    EXPECT_GT(readlink("/proc/self/cwd", target, sizeof(target) - 1), 0);
    EXPECT_STREQ(target, dir);
    memset(target, 0, sizeof(target));
    EXPECT_EQ(readlink("/proc/self/root", target, sizeof(target) - 1), 1);
    EXPECT_STREQ(target, "/");
    IN_CHILD(pid) {
        pause();
    }
    EXPECT_OK(stat(of_pid(pid, "cwd"), &a));
    EXPECT_OK(stat(".", &b));
    EXPECT_EQ(a.st_ino, b.st_ino);
    guest_end(pid);
}

TEST(fd_directory, "open readlink getdents64")
{
    const char *dir = guest_scratch();
    char name[64], target[PATH_MAX] = {0}, want[PATH_MAX];
    struct dirent *entry;
    int fd, ends[2], seen = 0;
    DIR *list;

    guest_make_file("file", "x");
    fd = (int)REQUIRE_OK(open("file", O_RDONLY));
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    EXPECT_GT(readlink(name, target, sizeof(target) - 1), 0);
    snprintf(want, sizeof(want), "%s/file", dir);
    EXPECT_STREQ(target, want);
    REQUIRE_OK(pipe(ends));
    snprintf(name, sizeof(name), "/proc/self/fd/%d", ends[0]);
    memset(target, 0, sizeof(target));
    EXPECT_GT(readlink(name, target, sizeof(target) - 1), 0);
    EXPECT_EQ(strncmp(target, "pipe:[", 6), 0);
    list = opendir("/proc/self/fd");
    REQUIRE(list);
    while ((entry = readdir(list))) {
        long n = strtol(entry->d_name, NULL, 10);

        seen += entry->d_name[0] != '.' && (n == fd || n == ends[0] || n == ends[1]);
    }
    EXPECT_EQ(seen, 3);
    EXPECT_OK(unlink("file"));
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    memset(target, 0, sizeof(target));
    EXPECT_GT(readlink(name, target, sizeof(target) - 1), 0);
    EXPECT(strstr(target, "/file (deleted)"));
    EXPECT_OK(close(fd));
    EXPECT_ERRNO(readlink(name, target, sizeof(target)), ENOENT);
}

TEST(fdinfo, "open lseek")
{
    char name[64];
    int fd;

    guest_scratch();
    guest_make_file("file", "0123456789");
    fd = (int)REQUIRE_OK(open("file", O_RDWR | O_APPEND));
    REQUIRE_OK(lseek(fd, 7, SEEK_SET));
    snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", fd);
    slurp(name);
    EXPECT_EQ(number_after("pos:\t"), 7);
    EXPECT_EQ(strtol(strstr(text, "flags:\t") + 7, NULL, 8) & (O_RDWR | O_APPEND),
              O_RDWR | O_APPEND);
}

TEST(maps_file, "mmap read")
{
    unsigned long low, high, last = 0, offset, inode;
    bool stack = false, code = false, heap = false;
    char perms[8], *rest = text, *line;

    slurp("/proc/self/maps");
    while ((line = strsep(&rest, "\n")) && *line) {
        int end = 0;

        REQUIRE(sscanf(line, "%lx-%lx %7s %lx %*x:%*x %lu%n", &low, &high, perms, &offset, &inode,
                       &end) == 5);
        EXPECT_LT(low, high);
        EXPECT(low >= last);
        EXPECT_EQ(strlen(perms), 4);
        last = high;
        if (low <= (uintptr_t)&line && (uintptr_t)&line < high)
            stack = strstr(line, "[stack]") != NULL;
        if (low <= (uintptr_t)&slurp && (uintptr_t)&slurp < high)
            code = perms[2] == 'x' && strstr(line, strrchr(guest_self, '/')) != NULL;
        heap |= strstr(line, "[heap]") != NULL;
    }
    EXPECT(stack);
    EXPECT(code);
    (void)heap;
}

TEST(maps_follow_changes, "mmap munmap mprotect")
{
    char *p = mmap(NULL, 3 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), want[64];

    REQUIRE(p != MAP_FAILED);
    REQUIRE_OK(mprotect(p + 4096, 4096, PROT_READ | PROT_EXEC));
    slurp("/proc/self/maps");
    snprintf(want, sizeof(want), "%lx-%lx r-xp ", (unsigned long)p + 4096, (unsigned long)p + 8192);
    EXPECT(strstr(text, want));
    REQUIRE_OK(munmap(p, 3 * 4096));
    slurp("/proc/self/maps");
    EXPECT(!strstr(text, want));
}

TEST(statm_file, "read")
{
    unsigned long size = 0, resident = 0;

    EXPECT_EQ(sscanf(slurp("/proc/self/statm"), "%lu %lu", &size, &resident), 2);
    EXPECT_GT(resident, 0);
    EXPECT_GE(size, resident);
}

TEST(task_directory, "clone getdents64")
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)gettid());
    EXPECT_EQ(strtol(slurp(path), NULL, 10), gettid());
    EXPECT_ERRNO(open("/proc/self/task/999999999/stat", O_RDONLY), ENOENT);
}

TEST(limits_file, "read")
{
    slurp("/proc/self/limits");
    EXPECT(strstr(text, "Max open files"));
    EXPECT(strstr(text, "Max stack size"));
}

TEST(comm_is_writable, "write prctl")
{
    char name[16] = {0};
    int fd = (int)REQUIRE_OK(open("/proc/self/comm", O_RDWR));

    EXPECT_EQ(write(fd, "written", 7), 7);
    EXPECT_OK(prctl(PR_GET_NAME, name, 0, 0, 0));
    EXPECT_STREQ(name, "written");
}

TEST(version_file, "uname read")
{
    struct utsname name;

    REQUIRE_OK(uname(&name));
    slurp("/proc/version");
    EXPECT_MEMEQ(text, "Linux version ", 14);
    EXPECT(strstr(text, name.release));
    EXPECT(strstr(text, name.version));
}

TEST(meminfo_file, "sysinfo read")
{
    struct sysinfo info;
    long total, free_kib;

    slurp("/proc/meminfo");
    total = number_after("MemTotal:");
    free_kib = number_after("MemFree:");
    EXPECT_GT(total, 0);
    EXPECT(free_kib >= 0 && free_kib <= total);
    EXPECT_GE(number_after("MemAvailable:"), 0);
    EXPECT_GE(number_after("SwapTotal:"), 0);
    EXPECT(strstr(text, " kB\n"));
    REQUIRE_OK(sysinfo(&info));
    EXPECT_EQ(total / 1024, (long)(info.totalram * info.mem_unit / 1048576));
}

TEST(cpuinfo_file, "sched_getaffinity read")
{
    int processors = 0;

    slurp("/proc/cpuinfo");
    for (char *at = text; (at = strstr(at, "processor\t:")); at++)
        processors++;
    EXPECT_GT(processors, 0);
    EXPECT(strstr(text, "\nflags\t"));
    EXPECT(strstr(text, "model name"));
}

TEST(stat_file, "read")
{
    unsigned long user = 0, nice = 0, system = 0, idle = 0;

    EXPECT_EQ(sscanf(slurp("/proc/stat"), "cpu %lu %lu %lu %lu", &user, &nice, &system, &idle), 4);
    EXPECT(strstr(text, "\ncpu0 "));
    EXPECT_GT(number_after("\nbtime "), 1000000000);
    EXPECT_LE(number_after("\nbtime "), time(NULL));
    EXPECT_GE(number_after("\nprocesses "), 1);
}

TEST(uptime_file, "clock_gettime read")
{
    struct timespec boot;
    double up = -1, idle = -1;

    EXPECT_EQ(sscanf(slurp("/proc/uptime"), "%lf %lf", &up, &idle), 2);
    clock_gettime(CLOCK_BOOTTIME, &boot);
    EXPECT(up >= 0 && up <= (double)boot.tv_sec + 1);
    EXPECT(up >= (double)boot.tv_sec - 30);
}

TEST(loadavg_file, "read")
{
    float a = -1, b = -1, c = -1;
    int running = -1, all = -1, last = -1;

    EXPECT_EQ(
        sscanf(slurp("/proc/loadavg"), "%f %f %f %d/%d %d", &a, &b, &c, &running, &all, &last), 6);
    EXPECT(a >= 0 && b >= 0 && c >= 0);
    EXPECT(running >= 0 && running <= all && last > 0);
}

TEST(mounts_file, "read")
{
    char target[64] = {0};
    bool root = false, proc = false;
    char *rest, *line;

    EXPECT_GT(readlink("/proc/mounts", target, sizeof(target) - 1), 0);
    EXPECT_STREQ(target, "self/mounts");
    rest = slurp("/proc/mounts");
    while ((line = strsep(&rest, "\n")) && *line) {
        char where[512], kind[64], options[1024];

        REQUIRE(sscanf(line, "%*s %511s %63s %1023s %*d %*d", where, kind, options) == 3);
        root |= !strcmp(where, "/");
        proc |= !strcmp(where, "/proc") && !strcmp(kind, "proc");
        EXPECT(!strncmp(options, "rw", 2) || !strncmp(options, "ro", 2));
    }
    EXPECT(root);
    EXPECT(proc);
}

TEST(mountinfo_file, "read")
{
    int id = 0, parent = 0;
    bool root = false;
    char *rest = slurp("/proc/self/mountinfo"), *line;

    while ((line = strsep(&rest, "\n")) && *line) {
        char where[512];

        REQUIRE(sscanf(line, "%d %d %*d:%*d %*s %511s", &id, &parent, where) == 3);
        EXPECT(strstr(line, " - "));
        root |= !strcmp(where, "/");
    }
    EXPECT(root);
}

TEST(filesystems_file, "read")
{
    slurp("/proc/filesystems");
    EXPECT(strstr(text, "nodev\tproc\n"));
    EXPECT(strstr(text, "nodev\ttmpfs\n"));
}

TEST(read_in_pieces, "read lseek pread64")
{
    char whole[4096], piece[64];
    int fd = (int)REQUIRE_OK(open("/proc/self/limits", O_RDONLY));
    ssize_t n, total = guest_slurp("/proc/self/limits", whole, sizeof(whole)), at = 0;

    while ((n = read(fd, piece, 7)) > 0) {
        EXPECT_MEMEQ(whole + at, piece, (size_t)n);
        at += n;
    }
    EXPECT_EQ(at, total);
    EXPECT_EQ(lseek(fd, 0, SEEK_SET), 0);
    EXPECT_EQ(read(fd, piece, 7), 7);
    EXPECT_MEMEQ(whole, piece, 7);
    EXPECT_EQ(pread(fd, piece, 7, 10), 7);
    EXPECT_MEMEQ(whole + 10, piece, 7);
}

TEST(read_only_files, "open:EACCES write unlink:EPERM mkdir:ENOENT")
{
    EXPECT_EQ(unlink("/proc/version"), -1);
    EXPECT(errno == EPERM || errno == EACCES || errno == EROFS);
    EXPECT_EQ(mkdir("/proc/new", 0700), -1);
    EXPECT_EQ(open("/proc/new-file", O_RDWR | O_CREAT, 0600), -1);
    EXPECT_EQ(rename("/proc/version", "/proc/x"), -1);
}

TEST(sysctl_files, "read")
{
    char name[65];

    EXPECT_GE(strtol(slurp("/proc/sys/kernel/pid_max"), NULL, 10), 300);
    slurp("/proc/sys/kernel/hostname");
    text[strcspn(text, "\n")] = '\0';
    REQUIRE_OK(gethostname(name, sizeof(name)));
    EXPECT_STREQ(text, name);
    EXPECT_MEMEQ(slurp("/proc/sys/kernel/ostype"), "Linux\n", 6);
    EXPECT_GE(strtol(slurp("/proc/sys/vm/overcommit_memory"), NULL, 10), 0);
    EXPECT_EQ(strlen(slurp("/proc/sys/kernel/random/boot_id")), 37);
}
