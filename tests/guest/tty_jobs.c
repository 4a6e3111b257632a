/* Controlling terminals and job control (credentials(7), tcsetpgrp(3), ioctl_tty(2)). */
#include "tests/guest/pty.h"

#include <signal.h>
#include <sys/wait.h>

enum { CAP_SYS_ADMIN = 21, CAP_SYS_TTY_CONFIG = 26 };

/* become_leader() - of a new session, whose terminal the slave is. */
static void become_leader(void)
{
    REQUIRE_OK(SYS(setsid));
    REQUIRE_OK(SYS(ioctl, slave, TIOCSCTTY, 0));
}

static int foreground(void)
{
    int pgid = -1;

    return SYS(ioctl, slave, TIOCGPGRP, &pgid) < 0 ? -1 : pgid;
}

/* set_foreground() - though SIGTTOU would come. */
static long set_foreground(int pgid)
{
    return SYS(ioctl, slave, TIOCSPGRP, &pgid);
}

/* stat_field() - number `index` of /proc/self/stat, counted from 1 as in proc(5). */
static long stat_field(int index)
{
    char buf[1024], *p;

    if (guest_slurp("/proc/self/stat", buf, sizeof(buf)) < 0)
        return -99;
    p = strrchr(buf, ')');
    for (int i = 2; p && i < index; i++)
        p = strchr(p + 1, ' ');
    return p ? strtol(p, NULL, 10) : -99;
}

/* stopped_by() - wait until pid has stopped. Return: the signal. */
static int stopped_by(pid_t pid)
{
    int status = 0;

    if (SYS(wait4, pid, &status, WUNTRACED, NULL) != pid || !WIFSTOPPED(status))
        return -1;
    return WSTOPSIG(status);
}

/* in_background() - a child in a process group of its own; `run` in it once that is so. */
static pid_t in_background(void run(void))
{
    pid_t pid = guest_fork();

    if (pid == 0) {
        SYS(setpgid, 0, 0);
        run();
        guest_finish();
    }
    SYS(setpgid, pid, pid);
    return pid;
}

TEST(acquired_by_ioctl, "ioctl setsid open")
{
    pid_t pid;

    open_pair();
    IN_CHILD(pid)
    {
        int sid = -1, fd;

        REQUIRE_OK(SYS(setsid));
        EXPECT_ERRNO(SYS(open, "/dev/tty", O_RDWR), ENXIO);
        EXPECT_EQ(foreground(), -1);
        EXPECT_OK(SYS(ioctl, slave, TIOCSCTTY, 0));
        EXPECT_OK(SYS(ioctl, slave, TIOCSCTTY, 0)); /* its own already */
        EXPECT_EQ(foreground(), SYS(getpid));
        EXPECT_OK(SYS(ioctl, slave, TIOCGSID, &sid));
        EXPECT_EQ(sid, SYS(getpid));
        fd = (int)EXPECT_OK(SYS(open, "/dev/tty", O_RDWR));
        EXPECT_EQ(SYS(write, fd, "x", 1), 1);
        EXPECT_EQ(stat_field(8), SYS(getpid));
        EXPECT_EQ(stat_field(7) >> 8, 136);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(acquired_by_open, "open setsid")
{
    pid_t pid;

    open_pair();
    IN_CHILD(pid)
    {
        REQUIRE_OK(SYS(setsid));
        EXPECT_OK(SYS(open, pty_name, O_RDWR | O_NOCTTY));
        EXPECT_ERRNO(SYS(open, "/dev/tty", O_RDWR), ENXIO);
        EXPECT_OK(SYS(open, pty_name, O_WRONLY));
        EXPECT_ERRNO(SYS(open, "/dev/tty", O_RDWR), ENXIO);
        EXPECT_OK(SYS(open, pty_name, O_RDWR));
        EXPECT_OK(SYS(open, "/dev/tty", O_RDWR));
    }
    EXPECT_CHILD_OK(pid);
}

TEST(not_acquired, "ioctl:EPERM open")
{
    pid_t pid;

    open_pair();
    IN_CHILD(pid)
    {
        pid_t other, inner;

        become_leader();
        IN_CHILD(inner)
        {
            /* no leader; has one; another session's */
            EXPECT_OK(SYS(ioctl, slave, TIOCSCTTY, 0) == -1 ? 0 : -1);
            REQUIRE_OK(SYS(setsid));
            EXPECT_ERRNO(SYS(ioctl, slave, TIOCSCTTY, 0), EPERM);
            EXPECT_OK(SYS(open, pty_name, O_RDWR));
            EXPECT_ERRNO(SYS(open, "/dev/tty", O_RDWR), ENXIO);
            EXPECT_EQ(foreground(), -1);
        }
        EXPECT_CHILD_OK(inner);
        open_pair();
        EXPECT_ERRNO(SYS(ioctl, slave, TIOCSCTTY, 0), EPERM);
        (void)other;
    }
    EXPECT_CHILD_OK(pid);
}

TEST(stolen, "ioctl")
{
    pid_t pid;

    if (!guest_has_cap(CAP_SYS_ADMIN))
        SKIP("stealing a terminal needs CAP_SYS_ADMIN");
    open_pair();
    IN_CHILD(pid)
    {
        pid_t thief;

        become_leader();
        IN_CHILD(thief)
        {
            REQUIRE_OK(SYS(setsid));
            EXPECT_OK(SYS(ioctl, slave, TIOCSCTTY, 1));
            EXPECT_OK(SYS(open, "/dev/tty", O_RDWR));
        }
        EXPECT_CHILD_OK(thief);
        EXPECT_ERRNO(SYS(open, "/dev/tty", O_RDWR), ENXIO);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(given_up, "ioctl ioctl:ENOTTY")
{
    pid_t pid;

    open_pair();
    EXPECT_ERRNO(SYS(ioctl, slave, TIOCNOTTY), ENOTTY);
    IN_CHILD(pid)
    {
        pid_t child;

        become_leader();
        guest_on_signal(SIGHUP, guest_count_signal, 0);
        /* one process gives it up for itself */
        IN_CHILD(child)
        {
            EXPECT_OK(SYS(open, "/dev/tty", O_RDWR));
            EXPECT_OK(SYS(ioctl, slave, TIOCNOTTY));
            EXPECT_ERRNO(SYS(open, "/dev/tty", O_RDWR), ENXIO);
            EXPECT_EQ(stat_field(7), 0);
            EXPECT_EQ(stat_field(8), -1);
        }
        EXPECT_CHILD_OK(child);
        EXPECT_OK(SYS(open, "/dev/tty", O_RDWR));
        EXPECT_EQ(guest_signals, 0);
        EXPECT_OK(SYS(ioctl, slave, TIOCNOTTY)); /* the leader for all; it is the foreground */
        EXPECT_EQ(guest_signals, 1);
        EXPECT_ERRNO(SYS(open, "/dev/tty", O_RDWR), ENXIO);
        EXPECT_ERRNO(SYS(ioctl, slave, TIOCNOTTY), ENOTTY);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(only_forks_inherit, "ioctl fork")
{
    pid_t pid;

    open_pair();
    IN_CHILD(pid)
    {
        pid_t early, late;

        REQUIRE_OK(SYS(setsid));
        IN_CHILD(early)
        {
            guest_sleep_ms(200);
            EXPECT_ERRNO(SYS(open, "/dev/tty", O_RDWR), ENXIO);
        }
        REQUIRE_OK(SYS(ioctl, slave, TIOCSCTTY, 0));
        IN_CHILD(late)
            EXPECT_OK(SYS(open, "/dev/tty", O_RDWR));
        EXPECT_CHILD_OK(early);
        EXPECT_CHILD_OK(late);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(not_a_terminal_of_mine, "ioctl:ENOTTY")
{
    int n = -1;

    open_pair();
    EXPECT_ERRNO(SYS(ioctl, slave, TIOCGPGRP, &n), ENOTTY);
    EXPECT_ERRNO(SYS(ioctl, slave, TIOCGSID, &n), ENOTTY);
    EXPECT_ERRNO(SYS(ioctl, master, TIOCGSID, &n), ENOTTY);
    EXPECT_OK(SYS(ioctl, master, TIOCGPGRP, &n));
    EXPECT_EQ(n, 0);
    n = (int)SYS(getpgrp);
    EXPECT_ERRNO(SYS(ioctl, slave, TIOCSPGRP, &n), ENOTTY);
}

TEST(foreground_is_set, "ioctl ioctl:EPERM,ESRCH,EINVAL")
{
    pid_t pid;

    open_pair();
    IN_CHILD(pid)
    {
        pid_t job, stranger;
        int n = -1;

        become_leader();
        IN_CHILD(job)
        {
            SYS(setpgid, 0, 0);
            guest_sleep_ms(300);
        }
        EXPECT_OK(SYS(setpgid, job, job));
        IN_CHILD(stranger)
        {
            SYS(setsid);
            guest_sleep_ms(300);
        }
        guest_sleep_ms(50);
        EXPECT_ERRNO(set_foreground(stranger), EPERM);
        EXPECT_ERRNO(set_foreground(32000), ESRCH);
        EXPECT_ERRNO(set_foreground(-2), EINVAL);
        EXPECT_OK(set_foreground(job));
        EXPECT_EQ(foreground(), job);
        EXPECT_OK(SYS(ioctl, master, TIOCGPGRP, &n));
        EXPECT_EQ(n, job);
        EXPECT_EQ(stat_field(8), job);
        EXPECT_CHILD_OK(job);
        EXPECT_CHILD_OK(stranger);
        EXPECT_EQ(foreground(), job); /* though the group is gone */
        signal(SIGTTOU, SIG_IGN);
        EXPECT_OK(set_foreground((int)SYS(getpid)));
    }
    EXPECT_CHILD_OK(pid);
}

/* --- signals from the keyboard --- */

static volatile int last_signal;

static void note(int signo)
{
    last_signal = signo;
}

TEST(keyboard_signals, "write")
{
    static const struct {
        char c;
        int signo;
    } keys[] = {{003, SIGINT}, {034, SIGQUIT}, {032, SIGTSTP}};
    pid_t pid;

    open_pair();
    IN_CHILD(pid)
    {
        become_leader();
        for (int i = 0; i < 3; i++) {
            guest_on_signal(keys[i].signo, note, 0);
            EXPECT_EQ(SYS(write, master, &keys[i].c, 1), 1);
            WAIT_UNTIL(last_signal == keys[i].signo);
        }
        last_signal = 0;
        EXPECT_OK(SYS(ioctl, master, 0x40045436 /* TIOCSIG */, SIGINT));
        WAIT_UNTIL(last_signal == SIGINT);
        EXPECT_ERRNO(SYS(ioctl, master, 0x40045436, SIGTERM), EINVAL);
    }
    EXPECT_CHILD_OK(pid);
}

static void sleep_long(void)
{
    for (;;)
        SYS(pause);
}

TEST(keyboard_reaches_the_foreground, "write wait4")
{
    pid_t pid;

    open_pair();
    IN_CHILD(pid)
    {
        pid_t front, back;

        become_leader();
        signal(SIGTTOU, SIG_IGN);
        front = in_background(sleep_long);
        back = in_background(sleep_long);
        EXPECT_OK(set_foreground(front));
        EXPECT_EQ(SYS(write, master, "\032", 1), 1);
        EXPECT_EQ(stopped_by(front), SIGTSTP);
        EXPECT_OK(SYS(kill, -front, SIGCONT));
        EXPECT_EQ(SYS(write, master, "\003", 1), 1);
        EXPECT_KILLED(front, SIGINT);
        EXPECT_OK(SYS(kill, back, 0));
        guest_end(back);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(interrupt_flushes, "write read:EAGAIN")
{
    char buf[16];
    pid_t pid;

    open_pair();
    IN_CHILD(pid)
    {
        struct termios t;

        become_leader();
        guest_on_signal(SIGINT, guest_count_signal, 0);
        EXPECT_OK(SYS(fcntl, slave, F_SETFL, O_RDWR | O_NONBLOCK));
        EXPECT_EQ(SYS(write, master, "line\npart\003", 10), 10);
        WAIT_UNTIL(guest_signals == 1);
        EXPECT_ERRNO(SYS(read, slave, buf, 16), EAGAIN);
        EXPECT_OK(SYS(ioctl, slave, TCGETS, &t));
        t.c_lflag |= NOFLSH;
        EXPECT_OK(SYS(ioctl, slave, TCSETS, &t));
        EXPECT_EQ(SYS(write, master, "line\npart\003", 10), 10);
        WAIT_UNTIL(guest_signals == 2);
        EXPECT_EQ(SYS(read, slave, buf, 16), 5);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(resize, "ioctl")
{
    struct winsize w = {.ws_row = 24, .ws_col = 80}, got;
    pid_t pid;

    open_pair();
    IN_CHILD(pid)
    {
        become_leader();
        guest_on_signal(SIGWINCH, guest_count_signal, 0);
        EXPECT_OK(SYS(ioctl, master, TIOCSWINSZ, &w));
        WAIT_UNTIL(guest_signals == 1);
        EXPECT_OK(SYS(ioctl, slave, TIOCGWINSZ, &got));
        EXPECT_EQ(got.ws_row, 24);
        EXPECT_EQ(got.ws_col, 80);
        EXPECT_OK(SYS(ioctl, slave, TIOCSWINSZ, &w));
        guest_sleep_ms(20);
        EXPECT_EQ(guest_signals, 1); /* no change */
        w.ws_col = 100;
        EXPECT_OK(SYS(ioctl, slave, TIOCSWINSZ, &w));
        WAIT_UNTIL(guest_signals == 2);
        EXPECT_OK(SYS(ioctl, master, TIOCGWINSZ, &got));
        EXPECT_EQ(got.ws_col, 100);
    }
    EXPECT_CHILD_OK(pid);
}

/* --- background --- */

static void read_it(void)
{
    char buf[8];

    EXPECT_EQ(SYS(read, slave, buf, 8), 3);
}

TEST(background_read_stops, "read")
{
    pid_t pid;

    open_pair();
    IN_CHILD(pid)
    {
        pid_t job;

        become_leader();
        signal(SIGTTOU, SIG_IGN);
        job = in_background(read_it);
        EXPECT_EQ(stopped_by(job), SIGTTIN);
        EXPECT_OK(set_foreground(job));
        EXPECT_OK(SYS(kill, -job, SIGCONT));
        EXPECT_EQ(SYS(write, master, "ab\n", 3), 3);
        EXPECT_CHILD_OK(job);
    }
    EXPECT_CHILD_OK(pid);
}

static void read_ignoring(void)
{
    char buf[8];
    sigset_t set;

    signal(SIGTTIN, SIG_IGN);
    EXPECT_ERRNO(SYS(read, slave, buf, 8), EIO);
    signal(SIGTTIN, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, SIGTTIN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    EXPECT_ERRNO(SYS(read, slave, buf, 8), EIO);
}

static void read_with_handler(void)
{
    char buf[8];

    guest_on_signal(SIGTTIN, guest_count_signal, 0);
    EXPECT_ERRNO(SYS(read, slave, buf, 8), EINTR);
    EXPECT_EQ(guest_signals, 1);
}

TEST(background_read_without_stop, "read:EIO,EINTR")
{
    pid_t pid;

    open_pair();
    IN_CHILD(pid)
    {
        become_leader();
        EXPECT_CHILD_OK(in_background(read_ignoring));
        EXPECT_CHILD_OK(in_background(read_with_handler));
    }
    EXPECT_CHILD_OK(pid);
}

static void write_it(void)
{
    EXPECT_EQ(SYS(write, slave, "out", 3), 3);
}

static void write_ignoring(void)
{
    signal(SIGTTOU, SIG_IGN);
    EXPECT_EQ(SYS(write, slave, "out", 3), 3);
}

TEST(background_write, "write ioctl")
{
    pid_t pid;

    open_pair();
    IN_CHILD(pid)
    {
        struct termios t;
        pid_t job;

        become_leader();
        EXPECT_CHILD_OK(in_background(write_it));
        EXPECT_OK(SYS(ioctl, slave, TCGETS, &t));
        t.c_lflag |= TOSTOP;
        EXPECT_OK(SYS(ioctl, slave, TCSETS, &t));
        job = in_background(write_it);
        EXPECT_EQ(stopped_by(job), SIGTTOU);
        signal(SIGTTOU, SIG_IGN);
        EXPECT_OK(set_foreground(job));
        EXPECT_OK(SYS(kill, -job, SIGCONT));
        EXPECT_CHILD_OK(job);
        EXPECT_OK(set_foreground((int)SYS(getpid)));
        EXPECT_CHILD_OK(in_background(write_ignoring));
    }
    EXPECT_CHILD_OK(pid);
}

static void set_termios(void)
{
    struct termios t;

    EXPECT_OK(SYS(ioctl, slave, TCGETS, &t));
    EXPECT_OK(SYS(ioctl, slave, TCSETS, &t));
}

static void take_foreground(void)
{
    EXPECT_OK(set_foreground((int)SYS(getpid)));
}

TEST(background_ioctls_stop, "ioctl")
{
    pid_t pid;

    open_pair();
    IN_CHILD(pid)
    {
        pid_t job;

        become_leader();
        signal(SIGTTOU, SIG_DFL);
        job = in_background(set_termios);
        EXPECT_EQ(stopped_by(job), SIGTTOU);
        guest_end(job);
        job = in_background(take_foreground);
        EXPECT_EQ(stopped_by(job), SIGTTOU);
        guest_end(job);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(orphans_get_errors, "read:EIO write:EIO ioctl:ENOTTY,EIO")
{
    int *done = guest_shared(4096);
    pid_t pid;

    open_pair();
    IN_CHILD(pid)
    {
        pid_t middle;

        become_leader();
        IN_CHILD(middle)
        {
            pid_t orphan;

            SYS(setpgid, 0, 0);
            IN_CHILD(orphan)
            {
                struct termios t;
                char buf[8];
                int self;

                WAIT_UNTIL(SYS(getppid) != (long)done[1]);
                self = (int)SYS(getpgrp);
                EXPECT_ERRNO(SYS(read, slave, buf, 8), EIO);
                EXPECT_OK(SYS(ioctl, slave, TCGETS, &t));
                EXPECT_ERRNO(SYS(ioctl, slave, TCSETS, &t), EIO);
                EXPECT_ERRNO(SYS(ioctl, slave, TIOCSPGRP, &self), ENOTTY);
                EXPECT_EQ(SYS(write, slave, "x", 1), 1);
                done[0] = 1;
                SYS(close, slave);
            }
            done[1] = (int)SYS(getpid);
            SYS(exit_group, 0);
        }
        /* middle is its group's leader and gone: nobody of another group is the orphan's parent */
        done[1] = (int)middle;
        EXPECT_CHILD_OK(middle);
        WAIT_UNTIL(done[0] == 1);
    }
    EXPECT_CHILD_OK(pid);
}

/* --- the end --- */

TEST(leaders_end, "exit_group")
{
    int *seen = guest_shared(4096);
    pid_t pid;

    open_pair();
    IN_CHILD(pid)
    {
        pid_t job;

        become_leader();
        signal(SIGTTOU, SIG_IGN);
        IN_CHILD(job)
        {
            guest_on_signal(SIGHUP, note, 0);
            SYS(setpgid, 0, 0);
            seen[0] = 1;
            WAIT_UNTIL(last_signal == SIGHUP);
            EXPECT_ERRNO(SYS(open, "/dev/tty", O_RDWR), ENXIO);
            seen[0] = 2;
        }
        EXPECT_OK(SYS(setpgid, job, job));
        EXPECT_OK(set_foreground(job));
        WAIT_UNTIL(seen[0] == 1);
    }
    EXPECT_CHILD_OK(pid);
    WAIT_UNTIL(seen[0] == 2);
}

TEST(master_closes, "close")
{
    int *seen = guest_shared(4096);
    pid_t pid;

    open_pair();
    IN_CHILD(pid)
    {
        pid_t job;

        become_leader();
        SYS(close, master);
        guest_on_signal(SIGHUP, note, 0);
        guest_on_signal(SIGCONT, guest_count_signal, 0);
        signal(SIGTTOU, SIG_IGN);
        IN_CHILD(job)
        {
            SYS(setpgid, 0, 0);
            guest_on_signal(SIGHUP, note, 0);
            seen[1] = 1;
            WAIT_UNTIL(last_signal == SIGHUP);
            seen[1] = 2;
        }
        EXPECT_OK(SYS(setpgid, job, job));
        EXPECT_OK(set_foreground(job));
        WAIT_UNTIL(seen[1] == 1);
        seen[0] = 1;
        WAIT_UNTIL(last_signal == SIGHUP);
        WAIT_UNTIL(guest_signals > 0);
        EXPECT_EQ(seen[1], 1); /* the foreground is not told before the leader ends */
        EXPECT_ERRNO(SYS(open, "/dev/tty", O_RDWR), ENXIO);
        EXPECT_EQ(stat_field(7), 0);
    }
    WAIT_UNTIL(seen[0] == 1);
    SYS(close, master);
    EXPECT_CHILD_OK(pid);
    WAIT_UNTIL(seen[1] == 2);
}

TEST(vhangup_call, "vhangup vhangup:EPERM")
{
    pid_t pid;

    if (!guest_has_cap(CAP_SYS_TTY_CONFIG))
        SKIP("vhangup needs CAP_SYS_TTY_CONFIG");
    open_pair();
    IN_CHILD(pid)
    {
        char buf[4];

        become_leader();
        guest_on_signal(SIGHUP, note, 0);
        EXPECT_OK(SYS(vhangup));
        WAIT_UNTIL(last_signal == SIGHUP);
        EXPECT_EQ(SYS(read, slave, buf, 4), 0);
        EXPECT_ERRNO(SYS(write, slave, buf, 1), EIO);
        EXPECT_ERRNO(SYS(open, "/dev/tty", O_RDWR), ENXIO);
        EXPECT_OK(SYS(vhangup)); /* without one: nothing to do */
    }
    EXPECT_CHILD_OK(pid);
    IN_CHILD(pid)
    {
        EXPECT_OK(SYS(setuid, 1234));
        EXPECT_ERRNO(SYS(vhangup), EPERM);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(typed_by_program, "ioctl ioctl:EPERM")
{
    char buf[16];
    pid_t pid;

    open_pair();
    IN_CHILD(pid)
    {
        become_leader();
        if (SYS(ioctl, slave, TIOCSTI, "h") < 0 && errno == EIO)
            SYS(exit_group, 77); /* dev.tty.legacy_tiocsti is off */
        EXPECT_OK(SYS(ioctl, slave, TIOCSTI, "i"));
        EXPECT_OK(SYS(ioctl, slave, TIOCSTI, "\n"));
        EXPECT_EQ(SYS(read, slave, buf, 16), 3);
        EXPECT_MEMEQ(buf, "hi\n", 3);
        EXPECT_OK(SYS(setsid) == -1 ? 0 : -1);
    }
    if (guest_wait(pid) == 77 << 8)
        SKIP("dev.tty.legacy_tiocsti is off");
    IN_CHILD(pid)
    {
        EXPECT_OK(SYS(setuid, 1234));
        EXPECT_ERRNO(SYS(ioctl, slave, TIOCSTI, "x"), EPERM);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(setsid_leaves_it, "setsid")
{
    pid_t pid;

    open_pair();
    IN_CHILD(pid)
    {
        pid_t child;

        become_leader();
        IN_CHILD(child)
        {
            EXPECT_OK(SYS(open, "/dev/tty", O_RDWR));
            EXPECT_OK(SYS(setsid));
            EXPECT_ERRNO(SYS(open, "/dev/tty", O_RDWR), ENXIO);
        }
        EXPECT_CHILD_OK(child);
        EXPECT_OK(SYS(open, "/dev/tty", O_RDWR));
    }
    EXPECT_CHILD_OK(pid);
}
