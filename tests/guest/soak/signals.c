/* Loads: signals are queued, handled, waited for, and interrupt whatever blocks. */
#include "tests/guest/soak/soak.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

/* take_one() - the next of a set, by one of the ways to take it without a handler */
static void take_one(struct soak *s, const sigset_t *set, int fd, siginfo_t *info)
{
    struct signalfd_siginfo line;

    if (soak_coin(s, 2)) {
        EXPECT_GT(sigwaitinfo(set, info), 0);
        return;
    }
    EXPECT_EQ(read(fd, &line, sizeof(line)), sizeof(line));
    info->si_signo = (int)line.ssi_signo;
    info->si_code = line.ssi_code;
    info->si_pid = (pid_t)line.ssi_pid;
    info->si_value.sival_int = line.ssi_int;
}

LOAD(rt_queue)
{
    pid_t pid;

    SOAK_CHILD (pid, -1) {
        int counts[4] = {0}, last = 0, total = 1 + (int)soak_below(s, 40), fd;
        sigset_t set;
        pid_t sender, me = getpid();

        sigemptyset(&set);
        for (int i = 0; i < 4; i++)
            sigaddset(&set, SIGRTMIN + i);
        sigprocmask(SIG_BLOCK, &set, NULL);
        fd = (int)REQUIRE_OK(signalfd(-1, &set, SFD_CLOEXEC));
        sender = SOAK_FORK_BARE();
        if (sender == 0) {
            for (int i = 0; i < total; i++)
                if (sigqueue(me, SIGRTMIN + i % 4, (union sigval){.sival_int = i / 4}) < 0)
                    _exit(1);
            _exit(0);
        }
        if (soak_coin(s, 2)) /* all are there: the lowest number first */
            EXPECT_CHILD_OK(sender);
        else
            last = -1;
        for (int i = 0; i < total; i++) {
            siginfo_t info = {0};

            take_one(s, &set, fd, &info);
            EXPECT_EQ(info.si_code, SI_QUEUE);
            EXPECT_EQ(info.si_pid, sender);
            REQUIRE(info.si_signo >= SIGRTMIN && info.si_signo < SIGRTMIN + 4);
            EXPECT_EQ(info.si_value.sival_int, counts[info.si_signo - SIGRTMIN]++);
            EXPECT(last < 0 || info.si_signo >= last);
            last = last < 0 ? -1 : info.si_signo;
        }
        if (last < 0)
            EXPECT_CHILD_OK(sender);
        EXPECT_ERRNO(sigtimedwait(&set, NULL, &(struct timespec){0, 1000}), EAGAIN);
    }
    EXPECT_CHILD_OK(pid);
}

/* What a call that blocks needs: made before, and nobody wakes it but the signal. */
struct blocked {
    struct soak *s;
    int empty[2], full[2], sockets[2], listener, epoll, msg, sem;
    char file[256], fifo[256];
    uint32_t word;
};

static void set_up(struct blocked *b)
{
    static char page[65536];
    int file;

    soak_pipe(b->empty, 0);
    soak_pipe(b->full, O_NONBLOCK);
    while (write(b->full[1], page, sizeof(page)) > 0)
        continue;
    fcntl(b->full[1], F_SETFL, 0);
    REQUIRE_OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, b->sockets));
    b->listener = (int)REQUIRE_OK(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE_OK(bind(b->listener, &(struct sockaddr){.sa_family = AF_UNIX}, sizeof(sa_family_t)));
    REQUIRE_OK(listen(b->listener, 1));
    b->epoll = (int)REQUIRE_OK(epoll_create1(EPOLL_CLOEXEC));
    b->msg = (int)REQUIRE_OK(msgget(IPC_PRIVATE, 0600));
    b->sem = (int)REQUIRE_OK(semget(IPC_PRIVATE, 1, 0600));
    soak_path(b->s, "locked", b->file);
    file = (int)REQUIRE_OK(open(b->file, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    REQUIRE_OK(flock(file, LOCK_EX));
    soak_path(b->s, "fifo", b->fifo);
    REQUIRE_OK(mkfifo(b->fifo, 0600));
}

enum { BLOCKING_CALLS = 22 };

/* blocking_call() - the one of that number: it sleeps until a signal comes. Return: its own */
static long blocking_call(struct blocked *b, uint32_t which)
{
    struct pollfd poll_one = {b->empty[0], POLLIN, 0};
    struct timespec hour = {3600, 0};
    struct epoll_event event;
    struct sembuf down = {0, -1, 0};
    struct { long type; char text[8]; } message;
    sigset_t none, usr2;
    fd_set set;
    char byte;

    sigemptyset(&none);
    sigemptyset(&usr2);
    sigaddset(&usr2, SIGUSR2);
    FD_ZERO(&set);
    FD_SET(b->empty[0], &set);
    switch (which) {
    case 0: return read(b->empty[0], &byte, 1);
    case 1: return write(b->full[1], "x", 1);
    case 2: return nanosleep(&hour, NULL);
    case 3: return poll(&poll_one, 1, -1);
    case 4: return ppoll(&poll_one, 1, &hour, &none);
    case 5: return select(b->empty[0] + 1, &set, NULL, NULL, NULL);
    case 6: return epoll_wait(b->epoll, &event, 1, -1);
    case 7: return SYS(futex, &b->word, FUTEX_WAIT, 0, NULL);
    case 8: return msgrcv(b->msg, &message, 8, 0, 0);
    case 9: return semop(b->sem, &down, 1);
    case 10: return sigsuspend(&none);
    case 11: return sigtimedwait(&usr2, NULL, &hour);
    case 12: return accept(b->listener, NULL, NULL);
    case 13: return recv(b->sockets[0], &byte, 1, 0);
    case 14: return flock(open(b->file, O_RDWR | O_CLOEXEC), LOCK_EX);
    case 15: return pause();
    case 16: return open(b->fifo, O_RDONLY | O_CLOEXEC);
    case 17: return waitpid(-1, NULL, 0);
    case 18: return SYS(futex, &b->word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 1);
    case 19: return semtimedop(b->sem, &down, 1, &hour);
    case 20: return splice(b->empty[0], NULL, b->full[1], NULL, 100, 0);
    default: return pselect(b->empty[0] + 1, &set, NULL, NULL, &hour, &none);
    }
}

LOAD_LASTING(interrupts)
{
    pid_t pid;

    soak_enter(s, "interrupts");
    SOAK_CHILD (pid, -1) {
        struct blocked b = {.s = s};
        pid_t pester;

        set_up(&b);
        guest_on_signal(SIGUSR1, guest_count_signal, 0);
        pester = guest_pester(SIGUSR1, 1);
        for (int i = 0; i < 6; i++) {
            uint32_t which = soak_below(s, BLOCKING_CALLS);
            int before = guest_signals;
            /* waitpid has the pesterer for a child. */
            long got = blocking_call(&b, which);

            guest_check(got == -1 && errno == EINTR, __FILE__, (int)which, "call %u: %ld, %s", which,
                        got, strerror(errno));
            EXPECT_GT(guest_signals, before - 1);
        }
        guest_end(pester);
        EXPECT_OK(msgctl(b.msg, IPC_RMID, NULL));
        EXPECT_OK(semctl(b.sem, 0, IPC_RMID));
    }
    EXPECT_CHILD_OK(pid);
    soak_leave(s);
}

/* Bytes come through whatever restarts the calls that carry them. */
LOAD(restarts)
{
    char sent[20000], got[20000];
    int fds[2];
    pid_t pid, writer;

    if (soak_coin(s, 2))
        soak_pipe(fds, 0);
    else
        REQUIRE_OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
    soak_fill(sent, sizeof(sent), s->random);
    SOAK_CHILD (pid, fds[0], fds[1], -1) {
        struct timespec t = {0, 100000};

        writer = SOAK_FORK(fds[1]);
        if (writer == 0) {
            for (size_t at = 0; at < sizeof(sent); at += 2500) {
                soak_nap(s, 800);
                soak_write_all(fds[1], sent + at, 2500);
            }
            _exit(0);
        }
        guest_on_signal(SIGUSR1, guest_count_signal, SA_RESTART);
        close(fds[1]);
        if (SOAK_FORK_BARE() == 0) {
            pid_t victim = getppid();

            while (getppid() == victim) {
                kill(victim, SIGUSR1);
                nanosleep(&t, NULL);
            }
            _exit(0);
        }
        for (size_t at = 0, n; at < sizeof(got); at += n) {
            ssize_t r = read(fds[0], got + at, sizeof(got) - at);

            REQUIRE(r > 0);
            n = (size_t)r;
        }
        EXPECT_EQ(soak_filled(got, sizeof(got), s->random), sizeof(got));
        EXPECT_EQ(waitpid(writer, NULL, 0), writer);
    }
    EXPECT_CHILD_OK(pid);
    close(fds[0]);
    close(fds[1]);
}

static volatile int reaped;

static void on_child(int signo)
{
    int saved = errno;

    (void)signo;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        reaped++;
    errno = saved;
}

LOAD(child_storm)
{
    pid_t pid;

    SOAK_CHILD (pid, -1) {
        int n = 1 + (int)soak_below(s, 16);
        sigset_t mask, old;

        reaped = 0;
        guest_on_signal(SIGCHLD, on_child, soak_coin(s, 2) ? SA_RESTART : 0);
        for (int i = 0; i < n; i++)
            if (SOAK_FORK_BARE() == 0)
                _exit(i);
        sigemptyset(&mask);
        sigaddset(&mask, SIGCHLD);
        sigprocmask(SIG_BLOCK, &mask, &old);
        while (reaped < n)
            sigsuspend(&old);
        EXPECT_EQ(reaped, n);
        EXPECT_ERRNO(waitpid(-1, NULL, 0), ECHILD);
    }
    EXPECT_CHILD_OK(pid);
}

static volatile double disturbed = 1;

static void on_timer(int signo)
{
    (void)signo;
    for (int i = 0; i < 10; i++)
        disturbed = disturbed * 1.5 + 1.0 / (1 + i);
    if (disturbed > 1e100)
        disturbed = 1;
    guest_signals++;
}

/* Timers interrupt a computation on an alternate stack, and no register of it changes. */
LOAD(registers)
{
    pid_t pid;

    SOAK_CHILD (pid, -1) {
        static char stack[65536];
        struct itimerval often = {{0, 500}, {0, 500}};
        stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
        double sum = 0, expected = 0;
        uint64_t hash = 0, wanted = 0;

        for (int i = 1; i <= 2000; i++) {
            expected += 1.0 / i;
            wanted = wanted * 31 + (uint64_t)i;
        }
        EXPECT_OK(sigaltstack(&alternate, NULL));
        guest_on_signal(SIGALRM, on_timer, soak_coin(s, 2) ? SA_ONSTACK : SA_RESTART);
        EXPECT_OK(setitimer(ITIMER_REAL, &often, NULL));
        guest_signals = 0;
        while (guest_signals < 10) {
            sum = 0;
            hash = 0;
            for (int i = 1; i <= 2000; i++) {
                sum += 1.0 / i;
                hash = hash * 31 + (uint64_t)i;
            }
            REQUIRE(memcmp(&sum, &expected, sizeof(sum)) == 0 && hash == wanted);
        }
    }
    EXPECT_CHILD_OK(pid);
}

static sigjmp_buf back;
static siginfo_t fault;

static void on_fault(int signo, siginfo_t *info, void *context)
{
    (void)signo;
    (void)context;
    fault = *info;
    siglongjmp(back, 1);
}

LOAD(faults)
{
    pid_t pid;

    SOAK_CHILD (pid, -1) {
        struct sigaction act = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
        char *page = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        volatile int zero = 0;

        sigaction(SIGSEGV, &act, NULL);
        sigaction(SIGFPE, &act, NULL);
        munmap(page + 4096, 4096);
        for (int i = 0; i < 8; i++) {
            uint32_t at = soak_below(s, 8192);

            if (sigsetjmp(back, 1) == 0) {
                guest_pointer((uintptr_t)page)[at] = 1;
                EXPECT(false);
            }
            EXPECT_EQ(fault.si_signo, SIGSEGV);
            EXPECT(fault.si_addr == page + at);
            EXPECT_EQ(fault.si_code, at < 4096 ? SEGV_ACCERR : SEGV_MAPERR);
            if (sigsetjmp(back, 1) == 0) {
                zero = 7 / zero;
                EXPECT(false);
            }
            EXPECT_EQ(fault.si_signo, SIGFPE);
            EXPECT_EQ(fault.si_code, FPE_INTDIV);
        }
    }
    EXPECT_CHILD_OK(pid);
}

static _Atomic(int) handled;

static void on_counted(int signo)
{
    (void)signo;
    handled++;
}

struct targets {
    _Atomic(pid_t) tids[4];
    _Atomic(unsigned int) n, go;
};

static void *target(void *arg)
{
    struct targets *t = arg;

    t->tids[t->n++] = (pid_t)SYS(gettid);
    while (!t->go)
        sched_yield();
    return NULL;
}

/* Each signal of a real-time number is handled once, by whichever thread it was for. */
LOAD(thread_signals)
{
    pid_t pid;

    SOAK_CHILD (pid, -1) {
        int n = (int)soak_below(s, 60);
        struct targets t = {0};
        pthread_t threads[4];

        handled = 0;
        guest_on_signal(SIGRTMIN + 1, on_counted, SA_RESTART);
        for (int i = 0; i < 4; i++)
            threads[i] = soak_thread(target, &t);
        WAIT_UNTIL(t.n == 4);
        for (int i = 0; i < n; i++) {
            if (soak_coin(s, 3))
                EXPECT_OK(kill(getpid(), SIGRTMIN + 1));
            else
                EXPECT_OK(SYS(tgkill, getpid(), t.tids[soak_below(s, 4)], SIGRTMIN + 1));
        }
        WAIT_UNTIL(handled == n);
        t.go = 1;
        for (int i = 0; i < 4; i++)
            pthread_join(threads[i], NULL);
        EXPECT_EQ(handled, n);
        WAIT_UNTIL(SYS(tgkill, getpid(), t.tids[0], 0) < 0 && errno == ESRCH);
    }
    EXPECT_CHILD_OK(pid);
}
