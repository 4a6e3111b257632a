/*
 * Many at once (A1, A6, A15, A16, A21, A22; I4, I8): threads and processes that come and go,
 * signals to ids that have just become somebody else's, address spaces whose lock is never free,
 * and SIGKILL at any moment. A bystander in the same container must get its turn.
 */
#include "tests/escape/escape.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

extern char **environ;

#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

/* The bystander copies through a pipe and notes its slowest turn. */
struct bystander {
    atomic_ulong turns;
    atomic_long slowest_ns;
    atomic_int wrong;
};

static struct bystander *bystander;
static pid_t bystander_pid;

static void start_bystander(void)
{
    static char out[65536], in[65536];
    int ends[2];

    bystander = guest_shared(4096);
    REQUIRE_OK(pipe(ends));
    IN_CHILD(bystander_pid) {
        for (unsigned int n = 1;; n++) {
            int64_t start = guest_now_ns(), took;

            memset(out, (int)n, sizeof(out));
            if (write(ends[1], out, 60000) != 60000 || read(ends[0], in, 60000) != 60000 ||
                memcmp(out, in, 60000) != 0)
                bystander->wrong++;
            took = guest_now_ns() - start;
            if (took > bystander->slowest_ns)
                bystander->slowest_ns = took;
            bystander->turns++;
            guest_sleep_ms(1);
        }
    }
    close(ends[0]);
    close(ends[1]);
    WAIT_UNTIL(bystander->turns > 2);
}

static void check_bystander(void)
{
    unsigned long before = bystander->turns;

    WAIT_UNTIL(bystander->turns > before + 2);
    EXPECT_EQ(bystander->wrong, 0);
    /* Slow is allowed beside a storm on few CPUs, stuck is not. */
    EXPECT_LT(bystander->slowest_ns, 5000000000ll);
    guest_diag("%lu turns, the slowest %ld us", (unsigned long)bystander->turns,
               (long)bystander->slowest_ns / 1000);
    guest_end(bystander_pid);
    escape_check_alive();
}

static void *return_arg(void *arg)
{
    return arg;
}

TEST_SLOW(thread_storm, 60, "clone exit")
{
    int64_t end = escape_end_ns();
    unsigned long made = 0;

    start_bystander();
    while (guest_now_ns() < end) {
        pthread_t threads[16];
        int n = 0;

        while (n < 16 && pthread_create(&threads[n], NULL, return_arg, NULL) == 0)
            n++;
        made += (unsigned long)n;
        while (n > 0)
            pthread_join(threads[--n], NULL);
    }
    EXPECT_GT(made, 0);
    check_bystander();
}

static void *make_detached(void *arg)
{
    pthread_attr_t attr;
    pthread_t thread;

    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    for (int i = 0; i < 100000; i++)
        pthread_create(&thread, &attr, return_arg, NULL);
    return arg;
}

TEST_SLOW(exit_in_thread_storm, 60, "exit_group clone")
{
    int64_t end = escape_end_ns();
    unsigned int round = 0;

    start_bystander();
    while (guest_now_ns() < end) {
        pid_t pid;

        IN_CHILD(pid) {
            pthread_t thread;

            for (int i = 0; i < 3; i++)
                pthread_create(&thread, NULL, make_detached, NULL);
            guest_sleep_ms(round % 5);
            SYS(exit_group, 9);
        }
        EXPECT_EXIT(pid, 9);
        round++;
    }
    check_bystander();
}

TEST_SLOW(kill_in_thread_storm, 60, "kill clone")
{
    int64_t end = escape_end_ns();

    start_bystander();
    while (guest_now_ns() < end) {
        pid_t pid;

        IN_CHILD(pid) {
            make_detached(NULL);
        }
        guest_sleep_ms(escape_random() % 8);
        kill(pid, SIGKILL);
        EXPECT_KILLED(pid, SIGKILL);
    }
    check_bystander();
}

TEST_SLOW(exec_in_thread_storm, 60, "execve clone")
{
    const char *args[] = {"self", "--helper", "eleven", NULL};
    int64_t end = escape_end_ns();

    start_bystander();
    while (guest_now_ns() < end) {
        pid_t pid;

        IN_CHILD(pid) {
            pthread_t thread;

            for (int i = 0; i < 3; i++)
                pthread_create(&thread, NULL, make_detached, NULL);
            guest_sleep_ms(escape_random() % 4);
            SYS(execve, guest_self, args, environ);
        }
        EXPECT_EXIT(pid, 11);
    }
    check_bystander();
}

HELPER(eleven)
{
    return 11;
}

TEST_SLOW(fork_storm, 60, "fork exit wait4")
{
    int64_t end = escape_end_ns();

    start_bystander();
    while (guest_now_ns() < end) {
        pid_t pids[8];

        for (int i = 0; i < 8; i++) {
            IN_CHILD(pids[i]) {
                _exit(i);
            }
        }
        for (int i = 0; i < 8; i++)
            EXPECT_EQ(guest_wait(pids[i]), i << 8);
    }
    check_bystander();
}

/* hunt() - a child signals whatever ids were lately in use; only the dead and the doomed are hit */
static void hunt(int64_t end)
{
    pid_t *recent = guest_shared(4096), hunter;
    unsigned int at = 0;

    IN_CHILD(hunter) {
        for (unsigned int i = 0;; i++) {
            pid_t target = recent[i % 64];

            if (target > 0) {
                SYS(tgkill, target, target, SIGUSR1);
                SYS(tkill, target, 0);
                SYS(kill, target, SIGUSR1);
            }
        }
    }
    signal(SIGUSR1, SIG_IGN);
    while (guest_now_ns() < end) {
        pid_t pid, old = recent[(at + 1) % 64];

        IN_CHILD(pid) {
            signal(SIGUSR1, SIG_DFL);
            _exit(0);
        }
        recent[at++ % 64] = pid;
        EXPECT(escape_harmless(guest_wait(pid)));
        if (old)
            EXPECT_EQ(SYS(tgkill, getpid(), old, SIGKILL), -1);
    }
    guest_end(hunter);
}

TEST_SLOW(signals_to_old_ids, 60, "kill tgkill fork")
{
    int64_t end = escape_end_ns();
    pid_t pid;

    start_bystander();
    /* As nobody else: by Linux' rules an id that has become a stranger's is out of reach. */
    IN_CHILD(pid) {
        escape_become_nobody();
        hunt(end);
    }
    EXPECT_CHILD_OK(pid);
    check_bystander();
}

TEST_SLOW(thread_ids_come_back, 60, "tgkill clone exit")
{
    int64_t end = escape_end_ns();

    start_bystander();
    /* Raw exits behind libc's back, and signals to the ids that were. */
    while (guest_now_ns() < end) {
        pid_t pid;

        IN_CHILD(pid) {
            for (int i = 0; i < 50; i++) {
                pthread_t thread;

                if (pthread_create(&thread, NULL, return_arg, NULL) == 0)
                    pthread_join(thread, NULL);
                SYS(tgkill, getpid(), getpid() + 1 + i, SIGKILL);
            }
            SYS(exit, 0);
        }
        EXPECT(escape_harmless(guest_wait(pid)));
    }
    check_bystander();
}

static atomic_bool stop;

static void *protect_for_ever(void *arg)
{
    char *p = arg;

    while (!stop) {
        mprotect(p, 1ul << 30, PROT_READ);
        mprotect(p, 1ul << 30, RW);
    }
    return NULL;
}

/* busy_map() - a big area, some of it touched, whose mappings two threads change without pause */
static char *busy_map(void)
{
    char *p = mmap(NULL, 1ul << 30, RW, ANON | MAP_NORESERVE, -1, 0);
    pthread_t thread;

    REQUIRE(p != MAP_FAILED);
    for (size_t i = 0; i < 64ul << 20; i += 4096)
        p[i] = 1;
    for (int i = 0; i < 2; i++)
        pthread_create(&thread, NULL, protect_for_ever, p);
    return p;
}

TEST_SLOW(lock_is_never_free, 60, "mprotect read write")
{
    int64_t end = escape_end_ns();
    pid_t pid;

    start_bystander();
    IN_CHILD(pid) {
        char *p = busy_map();
        int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY), ends[2];

        REQUIRE_OK(pipe2(ends, O_NONBLOCK));
        /* Large copies from and to there, which need that lock each time. */
        while (guest_now_ns() < end) {
            SYS(read, zero, p, 1 << 20);
            SYS(write, null, p, 1 << 20);
            SYS(write, ends[1], p, 65536);
            SYS(read, ends[0], p + (1 << 20), 65536);
        }
        _exit(0);
    }
    EXPECT(escape_harmless(escape_outcome(pid, 50000)));
    check_bystander();
}

TEST_SLOW(fork_of_a_busy_one, 60, "fork mprotect")
{
    int64_t end = escape_end_ns();
    pid_t pid;

    start_bystander();
    IN_CHILD(pid) {
        busy_map();
        while (guest_now_ns() < end) {
            pid_t child = fork();

            if (child == 0)
                _exit(0);
            if (child > 0)
                waitpid(child, NULL, 0);
        }
        _exit(0);
    }
    EXPECT(escape_harmless(escape_outcome(pid, 50000)));
    check_bystander();
}

/* do_anything() - calls of all kinds, until somebody kills us */
static void do_anything(void)
{
    char buf[8192];
    int ends[2];

    if (pipe2(ends, O_NONBLOCK) < 0)
        _exit(1);
    for (unsigned int n = 0;; n++) {
        char *p;
        pid_t pid;

        switch (n % 12) {
        case 0: SYS(write, ends[1], buf, sizeof(buf)); break;
        case 1: SYS(read, ends[0], buf, sizeof(buf)); break;
        case 2:
            p = mmap(NULL, 1 << 16, RW, ANON, -1, 0);
            if (p != MAP_FAILED) {
                *p = 1;
                munmap(p, 1 << 16);
            }
            break;
        case 3:
            pid = (pid_t)SYS(fork);
            if (pid == 0)
                SYS(exit_group, 0);
            if (pid > 0)
                waitpid(pid, NULL, 0);
            break;
        case 4: close(open("/proc/self/stat", O_RDONLY)); break;
        case 5: SYS(getcwd, buf, sizeof(buf)); break;
        case 6: SYS(sched_yield); break;
        case 7: SYS(open, "/no/such/path", O_RDONLY); break;
        case 8: SYS(futex, buf, 1, 1, NULL, NULL, 0); break;
        case 9: raise(SIGWINCH); break;
        case 10: SYS(stat, "/", buf); break;
        default: guest_sleep_ms(0); break;
        }
    }
}

TEST_SLOW(killed_at_any_moment, 60, "kill")
{
    int64_t end = escape_end_ns();

    start_bystander();
    REQUIRE_OK(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
    while (guest_now_ns() < end) {
        pid_t pids[3];

        for (int i = 0; i < 3; i++) {
            IN_CHILD(pids[i]) {
                do_anything();
            }
        }
        for (unsigned int spin = escape_random() % 20000; spin > 0; spin--)
            __asm__ volatile("pause");
        guest_sleep_ms(escape_random() % 4);
        for (int i = 0; i < 3; i++) {
            kill(pids[i], SIGKILL);
            EXPECT_KILLED(pids[i], SIGKILL);
        }
        /* Their children have become ours. */
        while (waitpid(-1, NULL, WNOHANG) > 0)
            continue;
    }
    check_bystander();
}

TEST_SLOW(call_storm, 60)
{
    int64_t end = escape_end_ns();
    pid_t pids[6];

    start_bystander();
    for (int i = 0; i < 6; i++) {
        IN_CHILD(pids[i]) {
            for (;;)
                SYS(getppid);
        }
    }
    while (guest_now_ns() < end)
        guest_sleep_ms(20);
    for (int i = 0; i < 6; i++)
        guest_end(pids[i]);
    check_bystander();
}

TEST_SLOW(fault_storm, 60, "rt_sigreturn")
{
    int64_t end = escape_end_ns();
    pid_t pids[4];

    start_bystander();
    for (int i = 0; i < 4; i++) {
        IN_CHILD(pids[i]) {
            guest_on_signal(SIGSEGV, guest_count_signal, 0);
            (void)*guest_pointer(8);
        }
    }
    while (guest_now_ns() < end)
        guest_sleep_ms(20);
    for (int i = 0; i < 4; i++)
        guest_end(pids[i]);
    check_bystander();
}

TEST_SLOW(stop_and_continue_storm, 60, "kill")
{
    int64_t end = escape_end_ns();
    pid_t pid;

    start_bystander();
    IN_CHILD(pid) {
        do_anything();
    }
    while (guest_now_ns() < end) {
        kill(pid, SIGSTOP);
        kill(pid, SIGCONT);
        kill(pid, SIGWINCH);
    }
    kill(pid, SIGCONT);
    guest_end(pid);
    check_bystander();
}

TEST_SLOW(memory_to_the_limit, 60, "mmap")
{
    pid_t pid;

    /* Only in the sandbox, where a limit is set: the fat one dies or is refused, nobody else. */
    escape_need_sandbox();
    start_bystander();
    IN_CHILD(pid) {
        int64_t end = escape_end_ns();
        size_t total = 0;

        while (guest_now_ns() < end && total < 512ul << 20) {
            char *p = mmap(NULL, 8ul << 20, RW, ANON, -1, 0);

            if (p == MAP_FAILED)
                break;
            memset(p, 1, 8ul << 20);
            total += 8ul << 20;
        }
        _exit(0);
    }
    EXPECT(escape_harmless(escape_outcome(pid, 50000)));
    check_bystander();
}
