/*
 * Every system call with bad pointers in every position: the caller gets an errno (or a value where
 * the pointer does not matter), never a crash or a hang, and works on afterwards.
 *
 * Each number gets a child of its own, which on a real machine has dropped all privileges before.
 * Left out are the calls whose success would end or maim the child by design, and those that reach
 * other processes.
 */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

static const int left_out[] = {
    /* end or replace the caller, or make another of it */
    __NR_exit, __NR_exit_group, __NR_rt_sigreturn, __NR_fork, __NR_vfork, __NR_clone, __NR_clone3,
    __NR_pause, __NR_rt_sigsuspend, __NR_seccomp, __NR_ptrace, __NR_rseq, __NR_arch_prctl,
    /* signal others, whatever their pid is */
    __NR_kill, __NR_tkill, __NR_tgkill, __NR_rt_sigqueueinfo, __NR_rt_tgsigqueueinfo,
    __NR_pidfd_send_signal,
    /* take the caller's own memory or limits away */
    __NR_munmap, __NR_mprotect, __NR_mremap, __NR_madvise, __NR_mmap, __NR_brk, __NR_shmat,
    __NR_shmdt, __NR_remap_file_pages, __NR_pkey_mprotect, __NR_process_madvise, __NR_setrlimit,
    __NR_prlimit64,
    /* are the machine's */
    __NR_reboot, __NR_vhangup, __NR_sync, __NR_kexec_load, __NR_kexec_file_load,
    /* a probe of newer kernels that kills whoever calls it from elsewhere */
    335, 336};

static struct {
    unsigned long values[12];
    unsigned long fills[5][6];
} bad;

static void on_tick(int signo)
{
    (void)signo;
}

static bool is_left_out(int number)
{
    for (size_t i = 0; i < COUNT_OF(left_out); i++) {
        if (left_out[i] == number)
            return true;
    }
    return false;
}

/* prepare() - the bad pointers, and good ones for the positions beside them */
static void prepare(void)
{
    char *zeros = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *none = guest_bad_page(), *gone = guest_bad_page(), *good = guest_bad_page() - 64;
    unsigned long fd, path = (unsigned long)"file";

    REQUIRE(zeros != MAP_FAILED);
    guest_scratch();
    guest_make_file("file", "some text, longer than sixteen bytes");
    fd = (unsigned long)REQUIRE_OK(open("file", O_RDWR));
    REQUIRE_OK(munmap(gone, 4096));
    bad.values[0] = 1;
    bad.values[1] = 8;
    bad.values[2] = 12289;
    bad.values[3] = (unsigned long)zeros;
    bad.values[4] = (unsigned long)none;
    bad.values[5] = (unsigned long)none - 4;
    bad.values[6] = (unsigned long)gone;
    bad.values[7] = 0x7ffffffff000;
    bad.values[8] = 0x8000000000000000;
    bad.values[9] = 0xffff888000000000;
    bad.values[10] = -8ul;
    bad.values[11] = ~0ul;
    for (int i = 0; i < 6; i++) {
        bad.fills[0][i] = 0;
        bad.fills[1][i] = i ? 16 : fd;
        bad.fills[2][i] = (unsigned long)good;
        bad.fills[3][i] = 64;
        bad.fills[4][i] = 64;
    }
    bad.fills[3][0] = (unsigned long)AT_FDCWD;
    bad.fills[3][1] = path;
    bad.fills[3][2] = (unsigned long)good;
    bad.fills[4][0] = path;
    bad.fills[4][1] = (unsigned long)good;
}

/* still_works() - the simplest things */
static bool still_works(void)
{
    int ends[2];
    char byte = 0;
    bool ok = pipe(ends) == 0 || errno == EMFILE;

    if (ok && errno != EMFILE)
        ok = write(ends[1], "w", 1) == 1 && read(ends[0], &byte, 1) == 1 && byte == 'w';
    return ok && getpid() > 0;
}

/* try_number() - all combinations of one call, in this process. Return: exit status */
static int try_number(int number, bool drop)
{
    struct itimerval every = {{0, 5000}, {0, 5000}};
    int null = open("/dev/null", O_RDWR);

    /* Small numbers are descriptors too: nothing shall arrive among the results. */
    for (int fd = 0; fd < 3; fd++)
        dup2(null, fd);
    if (drop && (SYS(setgroups, 0, NULL) || SYS(setresgid, 65534, 65534, 65534) ||
                 SYS(setresuid, 65534, 65534, 65534)))
        return 2;
    /* Whatever blocks is interrupted. */
    guest_on_signal(SIGALRM, on_tick, 0);
    setitimer(ITIMER_REAL, &every, NULL);
    for (size_t fill = 0; fill < COUNT_OF(bad.fills); fill++) {
        for (int position = 0; position < 6; position++) {
            for (size_t i = 0; i < COUNT_OF(bad.values); i++) {
                unsigned long a[6];
                long result;

                memcpy(a, bad.fills[fill], sizeof(a));
                a[position] = bad.values[i];
                errno = 0;
                result = syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
                if (result == -1 && errno == ENOSYS)
                    return 0;
                if (errno < 0 || errno > 530)
                    return 3;
            }
        }
    }
    errno = 0;
    return still_works() ? 0 : 4;
}

/*
 * wait_bounded() - wait for pid for ten seconds at most. Return: wait status, or -1 after
 * killing
 */
static int wait_bounded(pid_t pid)
{
    int64_t end = guest_now_ns() + 10000000000ll;
    int status;

    while (guest_now_ns() < end) {
        if (waitpid(pid, &status, WNOHANG) == pid)
            return status;
        guest_sleep_ms(1);
    }
    guest_end(pid);
    return -1;
}

static void try_range(int first, int last)
{
    bool may_drop = guest_has_cap(CAP_SETUID) && guest_has_cap(CAP_SETGID);

    if (!may_drop && !guest_sandboxed())
        SKIP("outside a sandbox this needs CAP_SETUID and CAP_SETGID, to have none in the calls");
    prepare();
    for (int number = first; number <= last; number++) {
        if (is_left_out(number))
            continue;
        /* With privileges only where nothing but the sandbox can be harmed. */
        for (int privileged = may_drop ? 0 : 1; privileged <= (guest_sandboxed() ? 1 : 0);
             privileged++) {
            int status;
            pid_t pid;

            IN_CHILD(pid) {
                _exit(try_number(number, !privileged));
            }
            status = wait_bounded(pid);
            guest_check(status == 0, __FILE__, __LINE__, "call %d%s: wait status 0x%x", number,
                        privileged ? " with privileges" : "", (unsigned int)status);
        }
    }
    EXPECT(still_works());
}

TEST_SLOW(calls_0_to_59, 300)
{
    try_range(0, 59);
}

TEST_SLOW(calls_60_to_129, 300)
{
    try_range(60, 129);
}

TEST_SLOW(calls_130_to_199, 300)
{
    try_range(130, 199);
}

TEST_SLOW(calls_200_to_269, 300)
{
    try_range(200, 269);
}

TEST_SLOW(calls_270_to_334, 300)
{
    try_range(270, 334);
}

TEST_SLOW(calls_424_to_450, 300)
{
    try_range(424, 450);
}

TEST(limits_with_bad_pointers, "setrlimit:EFAULT prlimit64:EFAULT")
{
    prepare();
    for (size_t i = 4; i < COUNT_OF(bad.values); i++) {
        if (i == 5)
            continue;
        EXPECT_ERRNO(SYS(setrlimit, 3, bad.values[i]), EFAULT);
        EXPECT_ERRNO(SYS(getrlimit, 3, bad.values[i]), EFAULT);
        EXPECT_ERRNO(SYS(prlimit64, 0, 3, bad.values[i], NULL), EFAULT);
        EXPECT_ERRNO(SYS(prlimit64, 0, 3, NULL, bad.values[i]), EFAULT);
    }
}

TEST(clone_with_bad_pointers, "clone")
{
    prepare();
    for (size_t i = 4; i < COUNT_OF(bad.values); i++) {
        pid_t pid;

        IN_CHILD(pid) {
            /* The child's id cannot be stored: Linux makes the child all the same. */
            long child = SYS(clone, 0x01100000 | SIGCHLD, NULL, bad.values[i], bad.values[i], NULL);

            if (child == 0)
                _exit(0);
            if (child > 0)
                EXPECT_EXIT((pid_t)child, 0);
            else
                EXPECT_EQ(errno, EFAULT);
        }
        EXPECT_CHILD_OK(pid);
    }
    EXPECT(still_works());
}
