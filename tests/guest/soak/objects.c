/* Loads: what has a life of its own: System V objects, terminals, namespaces. */
#include "tests/guest/soak/soak.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>

struct message {
    long type;
    char text[512];
};

LOAD_LASTING(messages)
{
    int id = (int)REQUIRE_OK(msgget(IPC_PRIVATE, 0600));
    int n = 1 + (int)soak_below(s, 60), next[3] = {0};
    pid_t pid;

    SOAK_CHILD (pid, -1) {
        struct message m;

        for (int i = 0; i < n; i++) {
            size_t length = 4 + soak_below(s, 500);

            m.type = 1 + i % 3;
            soak_fill(m.text, length, (uint64_t)i);
            memcpy(m.text, &i, 4);
            EXPECT_OK(msgsnd(id, &m, length, 0));
        }
    }
    for (int i = 0; i < n; i++) {
        int type = 1 + i % 3, number;
        struct message m;
        ssize_t got = EXPECT_OK(msgrcv(id, &m, sizeof(m.text), type, 0));

        memcpy(&number, m.text, 4);
        EXPECT_EQ(m.type, type);
        EXPECT_EQ(number, type - 1 + 3 * next[type - 1]++);
        soak_fill(m.text, 4, (uint64_t)number);
        EXPECT_EQ(soak_filled(m.text, (size_t)got, (uint64_t)number), got);
    }
    EXPECT_ERRNO(msgrcv(id, &(struct message){0}, 512, 0, IPC_NOWAIT), ENOMSG);
    EXPECT_CHILD_OK(pid);
    EXPECT_OK(msgctl(id, IPC_RMID, NULL));
}

/* Semaphores come back from whoever dies with them, and guard what processes share. */
LOAD_LASTING(semaphores)
{
    int id = (int)REQUIRE_OK(semget(IPC_PRIVATE, 1, 0600));
    struct sembuf up = {0, 1, 0}, down = {0, -1, SEM_UNDO}, back = {0, 1, SEM_UNDO};
    int shm = (int)REQUIRE_OK(shmget(IPC_PRIVATE, 4096, 0600));
    volatile uint64_t *count = shmat(shm, NULL, 0);
    pid_t pids[3];

    REQUIRE(count != (void *)-1);
    EXPECT_OK(shmctl(shm, IPC_RMID, NULL));
    EXPECT_OK(semop(id, &up, 1));
    for (int i = 0; i < 3; i++) {
        s->random++;
        SOAK_CHILD (pids[i], -1) {
            for (int k = 0; k < 10; k++) {
                EXPECT_OK(semop(id, &down, 1));
                ++*count;
                EXPECT_OK(semop(id, &back, 1));
            }
            EXPECT_OK(semop(id, &down, 1));
            ++*count;
            if (soak_coin(s, 2))
                kill(getpid(), SIGKILL);
        }
    }
    for (int i = 0; i < 3; i++) {
        int status = guest_wait(pids[i]);

        EXPECT(status == 0 || status == SIGKILL);
    }
    EXPECT_EQ(*count, 33);
    EXPECT_EQ(semctl(id, 0, GETVAL), 1);
    EXPECT_OK(semctl(id, 0, IPC_RMID));
    EXPECT_OK(shmdt((const void *)(uintptr_t)count));
    /* A fork of another thread may have it attached for a moment. */
    WAIT_UNTIL(shmctl(shm, IPC_STAT, &(struct shmid_ds){0}) < 0 && errno == EINVAL);
}

static int open_pty(int *slave)
{
    int master = (int)REQUIRE_OK(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)), number = -1, unlock = 0;
    char path[32];

    REQUIRE_OK(ioctl(master, TIOCSPTLCK, &unlock));
    REQUIRE_OK(ioctl(master, TIOCGPTN, &number));
    snprintf(path, sizeof(path), "/dev/pts/%d", number);
    *slave = (int)REQUIRE_OK(open(path, O_RDWR | O_NOCTTY | O_CLOEXEC));
    return master;
}

LOAD(pty_bytes)
{
    size_t total = 1 + soak_below(s, 8000);
    uint64_t with = s->random;
    struct termios raw;
    char buf[8000];
    int slave, master = open_pty(&slave);
    bool down = soak_coin(s, 2);
    pid_t pid;

    EXPECT_OK(tcgetattr(slave, &raw));
    cfmakeraw(&raw);
    EXPECT_OK(tcsetattr(slave, TCSANOW, &raw));
    soak_fill(buf, total, with);
    SOAK_CHILD (pid, master, slave, -1) {
        EXPECT_EQ(soak_write_all(down ? master : slave, buf, total), total);
        /* A terminal that nobody has open drops what nobody has read. */
        EXPECT_EQ(soak_read_all(down ? master : slave, buf, 1), 1);
    }
    memset(buf, 0, sizeof(buf));
    EXPECT_EQ(soak_read_all(down ? slave : master, buf, total), total);
    EXPECT_EQ(soak_filled(buf, total, with), total);
    EXPECT_EQ(write(down ? slave : master, "k", 1), 1);
    EXPECT_CHILD_OK(pid);
    close(slave);
    close(master);
}

static void on_hangup(int signo)
{
    _exit(signo == SIGHUP ? 50 : 51);
}

/* A session's terminal: lines, ^C for the group in front, and a hang-up at the end. */
LOAD(pty_session)
{
    int slave, master = open_pty(&slave), status;
    char buf[64];
    pid_t pid = SOAK_FORK(slave);

    if (pid == 0) {
        sigset_t interrupt, none;

        sigemptyset(&none);
        sigemptyset(&interrupt);
        sigaddset(&interrupt, SIGINT);
        sigprocmask(SIG_BLOCK, &interrupt, NULL);
        setsid();
        REQUIRE_OK(ioctl(slave, TIOCSCTTY, 0));
        guest_on_signal(SIGHUP, on_hangup, 0);
        guest_on_signal(SIGINT, guest_count_signal, 0);
        soak_write_all(slave, "up\n", 3);
        EXPECT_ERRNO(sigsuspend(&none), EINTR);
        EXPECT_EQ(guest_signals, 1);
        soak_write_all(slave, "int\n", 4);
        REQUIRE(read(slave, buf, sizeof(buf)) == 4 && !memcmp(buf, "lin\n", 4));
        soak_write_all(slave, "line\n", 5);
        for (;;)
            pause();
    }
    close(slave);
    EXPECT_EQ(soak_read_all(master, buf, 4), 4);
    EXPECT_MEMEQ(buf, "up\r\n", 4);
    EXPECT_EQ(write(master, "\003", 1), 1);
    EXPECT_EQ(soak_read_all(master, buf, 7), 7);
    EXPECT_MEMEQ(buf, "^Cint\r\n", 7);
    EXPECT_EQ(write(master, "linx\177\n", 6), 6);
    EXPECT_EQ(soak_read_all(master, buf, 15), 15);
    EXPECT_MEMEQ(buf, "linx\b \b\r\nline\r\n", 15);
    close(master);
    status = guest_wait(pid);
    EXPECT_EQ(status, 50 << 8);
}

/* in_namespaces() - Return: the exit code of a process in a new pid namespace */
static int in_namespaces(struct soak *s)
{
    struct utsname name;
    char path[256];
    pid_t pid;
    int status;

    if (unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID |
                (soak_coin(s, 2) ? CLONE_NEWNET : 0)) < 0)
        return errno == EPERM ? 0 : 1;
    EXPECT_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    EXPECT_OK(mount("soak", s->dir, "tmpfs", 0, "size=1m"));
    guest_make_file(soak_path(s, "inside", path), "text");
    EXPECT_OK(sethostname("soaked", 6));
    EXPECT_OK(uname(&name));
    EXPECT_STREQ(name.nodename, "soaked");
    msgget(1234, IPC_CREAT | 0600); /* goes with the namespace */
    pid = SOAK_FORK_BARE();
    if (pid == 0) {
        if (getpid() != 1)
            _exit(1);
        for (int i = 0; i < 3; i++)
            if (fork() == 0)
                for (;;)
                    pause();
        _exit(33); /* and with it the others */
    }
    status = guest_wait(pid);
    EXPECT_EQ(status, 33 << 8);
    EXPECT_ERRNO(fork(), ENOMEM);
    if (soak_coin(s, 2))
        EXPECT_OK(umount2(s->dir, MNT_DETACH));
    return 0;
}

LOAD(namespaces)
{
    pid_t pid = SOAK_FORK_BARE();

    if (pid == 0) {
        EXPECT_EQ(in_namespaces(s), 0);
        guest_finish();
    }
    EXPECT_CHILD_OK(pid);
}

LOAD(user_namespace)
{
    pid_t pid;

    SOAK_CHILD (pid, -1) {
        if (unshare(CLONE_NEWUSER) == 0) {
            EXPECT_EQ(getuid(), 65534u);
            EXPECT(guest_has_cap(0));
            EXPECT_ERRNO(setuid(1), EINVAL);
        } else {
            EXPECT(errno == EPERM || errno == ENOSPC);
        }
    }
    EXPECT_CHILD_OK(pid);
}
