/*
 * Arguments in memory that another thread changes during the call (A8, A20; I2): vectors, paths,
 * argv, poll sets, timeouts, masks, and the caller's own stack. A call takes what it takes once;
 * its answer fits one of the values, and nothing beyond the buffers is touched.
 */
#include "tests/escape/escape.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

/* A word that a thread switches between two values as fast as it can. */
struct flip {
    volatile unsigned long *word;
    unsigned long one, two;
};

static atomic_bool stop;
static pthread_t flipper;

static void *flip_on(void *arg)
{
    struct flip *flip = arg;

    while (!stop) {
        *flip->word = flip->one;
        __asm__ volatile("" : : : "memory");
        *flip->word = flip->two;
    }
    return NULL;
}

static void start_flip(struct flip *flip)
{
    stop = false;
    REQUIRE(pthread_create(&flipper, NULL, flip_on, flip) == 0);
}

static void end_flip(void)
{
    stop = true;
    pthread_join(flipper, NULL);
}

/* guarded() - n bytes that end at an inaccessible page, with a canary before them */
static char *guarded(size_t n)
{
    char *end = guest_bad_page();

    memset(end - 4096, 0x5a, 4096);
    return end - n;
}

/* check_canary() - nothing was written before the buffer */
static void check_canary(const char *buffer)
{
    for (const char *p = (const char *)((unsigned long)buffer & ~4095ul); p < buffer; p++)
        REQUIRE(*p == 0x5a);
}

TEST_SLOW(iovec_length, 60, "readv writev")
{
    static struct iovec iov[2];
    int64_t end = escape_end_ns();
    int zero = (int)REQUIRE_OK(open("/dev/zero", O_RDONLY)), ends[2];
    char *a = guarded(16), *b = guarded(16);
    struct flip flip = {&iov[0].iov_len, 16, 0x10000};

    REQUIRE_OK(pipe2(ends, O_NONBLOCK));
    iov[0].iov_base = a;
    iov[1] = (struct iovec){b, 16};
    start_flip(&flip);
    while (guest_now_ns() < end) {
        long n = SYS(readv, zero, iov, 2);

        /* 16 + 16, or it stops where the first one's page ends. */
        EXPECT(n == 32 || n == 16 || (n == -1 && errno == EFAULT));
        n = SYS(writev, ends[1], iov, 2);
        EXPECT(n == 32 || n == 16 || (n == -1 && (errno == EFAULT || errno == EAGAIN)));
        SYS(read, ends[0], b, 16);
        check_canary(a);
        check_canary(b);
    }
    end_flip();
    escape_check_alive();
}

TEST_SLOW(iovec_base, 60, "readv writev")
{
    static struct iovec iov[1];
    int64_t end = escape_end_ns();
    int zero = (int)REQUIRE_OK(open("/dev/zero", O_RDONLY)), ends[2];
    char *a = guarded(64), *b = guarded(64);
    struct flip flip = {(volatile unsigned long *)&iov[0].iov_base, (unsigned long)a,
                        0x7ffff0000000};

    REQUIRE_OK(pipe2(ends, O_NONBLOCK));
    iov[0] = (struct iovec){a, 64};
    start_flip(&flip);
    while (guest_now_ns() < end) {
        long n = SYS(readv, zero, iov, 1);

        EXPECT(n == 64 || (n == -1 && errno == EFAULT) || !guest_sandboxed());
        n = SYS(writev, ends[1], iov, 1);
        EXPECT(n == 64 || (n == -1 && (errno == EFAULT || errno == EAGAIN)) || !guest_sandboxed());
        SYS(read, ends[0], b, 64);
        check_canary(a);
    }
    end_flip();
    escape_check_alive();
}

TEST_SLOW(iovec_total, 60, "writev:EINVAL")
{
    static struct iovec iov[8];
    int64_t end = escape_end_ns();
    int null = (int)REQUIRE_OK(open("/dev/null", O_WRONLY));
    char *a = guarded(64);
    struct flip flip = {&iov[7].iov_len, 64, (unsigned long)-1};

    for (int i = 0; i < 8; i++)
        iov[i] = (struct iovec){a, 64};
    start_flip(&flip);
    while (guest_now_ns() < end) {
        long n = SYS(writev, null, iov, 8);

        EXPECT(n == 512 || (n == -1 && errno == EINVAL));
    }
    end_flip();
}

TEST_SLOW(path_in_flight, 60, "open stat")
{
    static _Alignas(8) char path[16] = "fileAAAA";
    int64_t end = escape_end_ns();
    struct flip flip = {(volatile unsigned long *)path, 0, 0};
    unsigned long good, other;

    guest_scratch();
    guest_make_file("fileAAAA", "a");
    memcpy(&good, "fileAAAA", 8);
    memcpy(&other, "../../..", 8);
    flip.one = good;
    flip.two = other;
    start_flip(&flip);
    while (guest_now_ns() < end) {
        struct stat st;
        int fd = (int)SYS(open, path, O_RDONLY);

        /* One or the other, or a mixture, which is no file. */
        if (fd >= 0) {
            EXPECT_OK(fstat(fd, &st));
            EXPECT(S_ISDIR(st.st_mode) || st.st_size == 1);
            close(fd);
        } else {
            EXPECT(errno == ENOENT || errno == ENOTDIR);
        }
    }
    end_flip();
}

TEST_SLOW(path_without_end, 60, "open:ENAMETOOLONG,ENOENT")
{
    int64_t end = escape_end_ns();
    char *path = guarded(4096);
    struct flip flip = {(volatile unsigned long *)(path + 4088), 0x6161616161616161, 0x61616161};

    memset(path, 'a', 4096);
    start_flip(&flip);
    while (guest_now_ns() < end) {
        EXPECT_EQ(SYS(open, path, O_RDONLY), -1);
        EXPECT(errno == ENAMETOOLONG || errno == EFAULT);
        EXPECT_EQ(SYS(open, path + 4080, O_RDONLY), -1);
        EXPECT(errno == ENOENT || errno == EFAULT);
    }
    end_flip();
}

HELPER(count_up)
{
    return argc == 3 || argc == 4 ? 5 : 6;
}

TEST_SLOW(argv_in_flight, 60, "execve")
{
    int64_t end = escape_end_ns();

    while (guest_now_ns() < end) {
        int status;
        pid_t pid;

        IN_CHILD(pid) {
            static const char *args[] = {"x", "--helper", "count_up", "1", "2", "3", NULL};
            struct flip flip = {(volatile unsigned long *)&args[5], (unsigned long)"3", 0};
            char buf[16];
            pthread_t thread;

            pthread_create(&thread, NULL, flip_on, &flip);
            SYS(execve, guest_self, args, environ);
            EXPECT(errno == EFAULT || errno == EAGAIN);
            (void)buf;
        }
        status = guest_wait(pid);
        EXPECT(status == 5 << 8 || status == 0);
    }
}

TEST_SLOW(argv_strings_in_flight, 60, "execve:E2BIG,EFAULT")
{
    int64_t end = escape_end_ns();
    char *text = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    REQUIRE(text != MAP_FAILED);
    memset(text, 'y', 1 << 20);
    while (guest_now_ns() < end) {
        int status;
        pid_t pid;

        IN_CHILD(pid) {
            const char *args[] = {"x", "--helper", "count_up", "1", text, NULL};
            struct flip flip = {(volatile unsigned long *)text + 4096, 0, 0x7979797979797979};
            pthread_t thread;

            pthread_create(&thread, NULL, flip_on, &flip);
            SYS(execve, guest_self, args, environ);
            EXPECT_EQ(errno, E2BIG);
        }
        status = guest_wait(pid);
        EXPECT(status == 5 << 8 || status == 0);
    }
}

TEST_SLOW(poll_set_in_flight, 60, "poll")
{
    static struct pollfd fds[4];
    int64_t end = escape_end_ns();
    int ends[2];
    struct flip flip = {(volatile unsigned long *)&fds[1], 0, 0};

    REQUIRE_OK(pipe(ends));
    for (int i = 0; i < 4; i++)
        fds[i] = (struct pollfd){ends[1], POLLOUT, 0};
    flip.one = (unsigned long)(unsigned int)ends[1] | (unsigned long)POLLOUT << 32;
    flip.two = 0x7fffffff | (unsigned long)POLLOUT << 32;
    start_flip(&flip);
    while (guest_now_ns() < end) {
        EXPECT_GE(SYS(poll, fds, 4, 0), 3);
        EXPECT(fds[0].revents == POLLOUT && fds[3].revents == POLLOUT);
    }
    end_flip();
}

TEST_SLOW(timeout_in_flight, 60, "nanosleep clock_nanosleep")
{
    static struct timespec wait = {0, 1000};
    int64_t end = escape_end_ns();
    struct flip flip = {(volatile unsigned long *)&wait.tv_nsec, 1000, 4000000000};

    start_flip(&flip);
    while (guest_now_ns() < end) {
        long n = SYS(nanosleep, &wait, NULL);

        EXPECT(n == 0 || errno == EINVAL);
    }
    end_flip();
}

TEST_SLOW(mask_in_flight, 60, "rt_sigprocmask rt_sigaction")
{
    static volatile unsigned long mask;
    int64_t end = escape_end_ns();
    struct flip flip = {&mask, 0, ~0ul};

    start_flip(&flip);
    while (guest_now_ns() < end) {
        unsigned long now = 0;

        EXPECT_OK(SYS(rt_sigprocmask, SIG_SETMASK, &mask, NULL, 8));
        EXPECT_OK(SYS(rt_sigprocmask, SIG_SETMASK, NULL, &now, 8));
        /* SIGKILL and SIGSTOP are never in it. */
        EXPECT_EQ(now & (1ul << 8 | 1ul << 18), 0);
    }
    end_flip();
}

static void *protect_and_unprotect(void *arg)
{
    while (!stop) {
        mprotect(arg, 4096, PROT_NONE);
        mprotect(arg, 4096, PROT_READ | PROT_WRITE);
    }
    return NULL;
}

TEST_SLOW(buffer_in_flight, 60, "read write mprotect")
{
    int64_t end = escape_end_ns();
    char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int zero = (int)REQUIRE_OK(open("/dev/zero", O_RDONLY)), ends[2];

    REQUIRE(p != MAP_FAILED);
    REQUIRE_OK(pipe2(ends, O_NONBLOCK));
    REQUIRE(pthread_create(&flipper, NULL, protect_and_unprotect, p + 4096) == 0);
    while (guest_now_ns() < end) {
        long n = SYS(read, zero, p, 8192), left;

        EXPECT((n >= 4096 && n <= 8192) || (n == -1 && errno == EFAULT));
        n = SYS(write, ends[1], p, 8192);
        EXPECT((n >= 4096 && n <= 8192) || (n == -1 && errno == EFAULT));
        /* As much comes out as went in. */
        left = n > 0 ? n : 0;
        while (left > 0 && (n = SYS(read, ends[0], p, left < 4096 ? left : 4096)) > 0)
            left -= n;
        EXPECT_EQ(left, 0);
        EXPECT_ERRNO(SYS(read, ends[0], p, 1), EAGAIN);
    }
    end_flip();
    escape_check_alive();
}

static volatile char *victim_stack;

static void *scribble(void *arg)
{
    unsigned int seed = 1;

    (void)arg;
    while (!victim_stack)
        continue;
    while (!stop) {
        seed = seed * 1103515245 + 12345;
        victim_stack[(seed >> 8) % 256] = (char)(seed >> 16);
    }
    return NULL;
}

TEST_SLOW(own_stack_in_flight, 60, "stat getcwd rt_sigreturn")
{
    int64_t end = escape_end_ns();

    /* A thread writes over the frame of another that is in the middle of calls and signals. */
    while (guest_now_ns() < end) {
        pid_t pid;

        IN_CHILD(pid) {
            volatile char target[256] = {0};
            pthread_t thread;

            escape_drop();
            alarm(3);
            guest_on_signal(SIGUSR1, guest_count_signal, 0);
            pthread_create(&thread, NULL, scribble, NULL);
            victim_stack = guest_pointer((unsigned long)target - 64);
            for (int i = 0; i < 300; i++) {
                SYS(stat, target, target);
                SYS(getcwd, target, 200);
                SYS(readv, 0, target, 3);
                SYS(poll, target, 4, 0);
                SYS(kill, getpid(), SIGUSR1);
            }
            _exit(0);
        }
        EXPECT_NE(escape_outcome(pid, 6000), -1);
    }
    escape_check_alive();
}

static void *munmap_stack(void *arg)
{
    guest_sleep_ms(1);
    munmap(arg, 65536);
    return NULL;
}

static int call_on(void *arg)
{
    (void)arg;
    for (;;)
        SYS(getppid);
    return 0;
}

TEST_SLOW(stack_goes_away, 60, "munmap clone")
{
    int64_t end = escape_end_ns();

    while (guest_now_ns() < end) {
        pid_t pid;

        IN_CHILD(pid) {
            char *stack =
                mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            pthread_t thread;

            alarm(3);
            pthread_create(&thread, NULL, munmap_stack, stack);
            clone(call_on, stack + 65536,
                  CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
                  NULL);
            pthread_join(thread, NULL);
            guest_sleep_ms(5);
            _exit(0);
        }
        EXPECT(escape_harmless(escape_outcome(pid, 6000)));
    }
    escape_check_alive();
}

static void *close_and_reopen(void *arg)
{
    int fd = *(int *)arg;

    while (!stop) {
        dup2(1, fd);
        close(fd);
    }
    return NULL;
}

TEST_SLOW(descriptor_in_flight, 60, "dup2 close read write")
{
    int64_t end = escape_end_ns();
    int ends[2], fd = 77;

    REQUIRE_OK(pipe2(ends, O_NONBLOCK));
    stop = false;
    REQUIRE_OK(dup2(open("/dev/null", O_WRONLY), 1));
    REQUIRE(pthread_create(&flipper, NULL, close_and_reopen, &fd) == 0);
    while (guest_now_ns() < end) {
        char byte = 0;
        long n;

        dup2(ends[0], fd);
        n = SYS(read, fd, &byte, 1);
        EXPECT(n == 0 || (n == -1 && (errno == EBADF || errno == EAGAIN)));
        n = SYS(fcntl, fd, F_DUPFD, 100);
        if (n >= 0)
            close((int)n);
        SYS(lseek, fd, 0, SEEK_CUR);
    }
    end_flip();
    escape_check_alive();
}
