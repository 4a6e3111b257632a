/* Probes of memory: copies from outside, the layout calls, the vDSO, rights of mapped files, seals. */
#include "tests/host/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_mseal
#define SYS_mseal 462
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

static long word;

static int sleeper(void *arg)
{
    word = 42;
    *(volatile int *)arg = 1;
    pause();
    return 0;
}

static pid_t ready_sleeper(void)
{
    volatile int *ready = probe_shared(sizeof(*ready));
    pid_t pid = probe_child(sleeper, (void *)(uintptr_t)ready);

    while (!*ready)
        usleep(1000);
    return pid;
}

static ssize_t peek(pid_t pid, void *at, long *value)
{
    struct iovec local = {value, sizeof(*value)}, remote = {at, sizeof(*value)};

    return process_vm_readv(pid, &local, 1, &remote, 1, 0);
}

/* A zombie that is not reaped keeps its pid, and has no memory: ESRCH, never another process. */
static int process_vm_zombie(void)
{
    pid_t pid = ready_sleeper();
    long value = 0;

    PROBE_REQUIRE(peek(pid, &word, &value) == sizeof(value) && value == 42);
    kill(pid, SIGKILL);
    siginfo_t info;
    PROBE_REQUIRE(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
    PROBE_REQUIRE(peek(pid, &word, &value) < 0 && errno == ESRCH);
    probe_status(pid);
    return PROBE_OK;
}

static void *stay(void *arg)
{
    word = 43;
    *(volatile int *)arg = 1;
    pause();
    return NULL;
}

static int leader_that_exits(void *arg)
{
    pthread_t thread;

    pthread_create(&thread, NULL, stay, arg);
    while (!*(volatile int *)arg)
        usleep(1000);
    syscall(SYS_exit, 0);
    return 1;
}

/* With a dead leader the process's memory is out of reach by its tgid, though other threads live: leaders are parked. */
static int process_vm_dead_leader(void)
{
    volatile int *ready = probe_shared(sizeof(*ready));
    pid_t pid = probe_child(leader_that_exits, (void *)(uintptr_t)ready);
    long value;

    while (!*ready)
        usleep(1000);
    usleep(50000);
    PROBE_REQUIRE(peek(pid, &word, &value) < 0 && errno == ESRCH);
    kill(pid, SIGKILL);
    probe_status(pid);
    return PROBE_OK;
}

/* Copies obey the target's protections, page by page, and are cut short rather than refused. */
static int process_vm_protections(void)
{
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), block[8192];

    PROBE_REQUIRE(pages != MAP_FAILED && mprotect(pages + 4096, 4096, PROT_NONE) == 0);
    pid_t pid = ready_sleeper();
    struct iovec local = {block, sizeof(block)}, remote[2] = {{pages, 4096}, {pages + 4096, 4096}};

    PROBE_REQUIRE(process_vm_readv(pid, &local, 1, remote, 2, 0) == 4096);
    PROBE_REQUIRE(process_vm_readv(pid, &local, 1, remote + 1, 1, 0) < 0 && errno == EFAULT);
    kill(pid, SIGKILL);
    probe_status(pid);
    return PROBE_OK;
}

static int set_mm_child(void *arg)
{
    static char area[8192] __attribute__((aligned(4096)));
    struct prctl_mm_map map;
    unsigned size = 0;

    if (getuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
        return PROBE_SKIP;
    if (prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, &size, 0, 0) < 0)
        return PROBE_SKIP;
    memset(&map, 0, sizeof(map));
    uint64_t low = (uint64_t)(uintptr_t)area, stack = (uint64_t)(uintptr_t)&map;
    map.start_code = map.start_data = low;
    map.end_code = map.end_data = low + 4096;
    map.start_brk = map.brk = low + 8192;
    map.start_stack = stack;
    map.arg_start = map.env_start = low;
    map.arg_end = map.env_end = low + 16;
    map.exe_fd = (unsigned)-1;
    area[0] = 'q';
    if (prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map), 0) < 0)
        return 1;
    int fd = open("/proc/thread-self/cmdline", O_RDONLY);
    char c = 0;
    return fd < 0 || (read(fd, &c, 1) == 1 && c == 'q') ? 0 : 2;
}

/* Where code, heap, arguments are can be set without any privilege. */
static int set_mm_map_unprivileged(void)
{
    int status = probe_status(probe_child(set_mm_child, NULL));

    if (status == PROBE_SKIP)
        return probe_skip("no PR_SET_MM_MAP in this kernel");
    PROBE_REQUIRE(status == 0);
    return PROBE_OK;
}

struct region {
    uintptr_t start, end;
};

/* regions() - vvar (all its parts) and vdso, as /proc/self/maps has them. Return: how many */
static int regions(struct region *r, int max)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    int n = 0;

    while (maps && n < max && fgets(line, sizeof(line), maps)) {
        if (strstr(line, "[vvar") || strstr(line, "[vdso]")) {
            char *end;
            r[n].start = strtoul(line, &end, 16);
            r[n++].end = strtoul(end + 1, NULL, 16);
        }
    }
    if (maps)
        fclose(maps);
    return n;
}

/* vvar and vdso, which belong together, are moved to another place, and the code there still answers. */
static int vdso_moves(void)
{
    struct region r[8];
    int n = regions(r, 8);

    if (n < 2)
        return probe_skip("no vdso and vvar to move");
    size_t span = r[n - 1].end - r[0].start;
    char *place = mmap(NULL, span, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    PROBE_REQUIRE(place != MAP_FAILED);
    for (int i = 0; i < n; i++) {
        void *to = place + (r[i].start - r[0].start);

        PROBE_REQUIRE(mremap((void *)r[i].start, r[i].end - r[i].start, r[i].end - r[i].start, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
    }
    struct region now[8];
    PROBE_REQUIRE(regions(now, 8) == n && now[0].start == (uintptr_t)place);
    return PROBE_OK;
}

/* A page that is not inherited by fork: the arena. */
static int touch_lost(void *arg)
{
    return *(volatile char *)arg;
}

static int madv_dontfork(void)
{
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    PROBE_REQUIRE(page != MAP_FAILED && madvise(page, 4096, MADV_DONTFORK) == 0);
    PROBE_REQUIRE(probe_status(probe_child(touch_lost, page)) == 128 + SIGSEGV);
    return PROBE_OK;
}

/* What is mapped from a read-only descriptor can never become writable in a shared mapping. */
static int readonly_fd_stays(void)
{
    char path[] = "/tmp/probe.XXXXXX";
    int rw = mkstemp(path), ro = open(path, O_RDONLY | O_CLOEXEC);

    PROBE_REQUIRE(rw >= 0 && ro >= 0 && unlink(path) == 0 && ftruncate(rw, 4096) == 0);
    void *shared = mmap(NULL, 4096, PROT_READ, MAP_SHARED, ro, 0);
    PROBE_REQUIRE(shared != MAP_FAILED);
    PROBE_REQUIRE(mprotect(shared, 4096, PROT_READ | PROT_WRITE) < 0 && errno == EACCES);
    void *upgraded = mmap(NULL, 4096, PROT_READ, MAP_SHARED, rw, 0);
    PROBE_REQUIRE(upgraded != MAP_FAILED && mprotect(upgraded, 4096, PROT_READ | PROT_WRITE) == 0);
    return PROBE_OK;
}

/* A file sealed against shrinking cannot be cut off under those who map it. */
static int seal_shrink(void)
{
    int fd = memfd_create("probe", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    PROBE_REQUIRE(fd >= 0 && ftruncate(fd, 8192) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) == 0);
    PROBE_REQUIRE(ftruncate(fd, 4096) < 0 && errno == EPERM);
    return PROBE_OK;
}

/* Sealed against future writes, the owner's own pwrite fails too: the reason why descriptors are reopened instead. */
static int seal_future_write(void)
{
    int fd = memfd_create("probe", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    PROBE_REQUIRE(fd >= 0 && ftruncate(fd, 4096) == 0);
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE) < 0)
        return probe_skip("no F_SEAL_FUTURE_WRITE");
    PROBE_REQUIRE(pwrite(fd, "x", 1, 0) < 0 && errno == EPERM);
    return PROBE_OK;
}

static int mseal_holds(void)
{
    char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    PROBE_REQUIRE(page != MAP_FAILED);
    if (syscall(SYS_mseal, page, 4096, 0) < 0)
        return probe_skip("no mseal (%s)", strerror(errno));
    PROBE_REQUIRE(munmap(page, 4096) < 0 && errno == EPERM);
    PROBE_REQUIRE(mprotect(page, 4096, PROT_READ | PROT_WRITE) < 0 && errno == EPERM);
    return PROBE_OK;
}

/* Touching a file's page beyond its end is SIGBUS for a mapping, EFAULT for a copy from outside. */
static int beyond_end_is_efault(void)
{
    int fd = memfd_create("probe", MFD_CLOEXEC);
    long *page = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0), value;

    PROBE_REQUIRE(fd >= 0 && page != MAP_FAILED && ftruncate(fd, 4096) == 0);
    pid_t pid = ready_sleeper();
    PROBE_REQUIRE(peek(pid, page, &value) == sizeof(value));
    PROBE_REQUIRE(peek(pid, page + 512, &value) < 0 && errno == EFAULT);
    kill(pid, SIGKILL);
    probe_status(pid);
    return PROBE_OK;
}

static int limited(void *arg)
{
    struct rlimit limit = {64 << 20, 64 << 20};

    if (setrlimit(RLIMIT_AS, &limit) < 0)
        return 1;
    return mmap(NULL, 128 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == ENOMEM ? 0 : 2;
}

/* A host limit on address space holds whatever a guest process maps. */
static int rlimit_as(void)
{
    PROBE_REQUIRE(probe_status(probe_child(limited, NULL)) == 0);
    return PROBE_OK;
}

const struct probe mm_probes[] = {
    {"process_vm_zombie", process_vm_zombie},
    {"process_vm_dead_leader", process_vm_dead_leader},
    {"process_vm_protections", process_vm_protections},
    {"set_mm_map_unprivileged", set_mm_map_unprivileged},
    {"vdso_moves", vdso_moves},
    {"madv_dontfork", madv_dontfork},
    {"readonly_fd_stays", readonly_fd_stays},
    {"seal_shrink", seal_shrink},
    {"seal_future_write", seal_future_write},
    {"mseal_holds", mseal_holds},
    {"beyond_end_is_efault", beyond_end_is_efault},
    {"rlimit_as", rlimit_as},
    {NULL, NULL},
};
