/*
 * Locks on files: POSIX record locks and what ends them, open file description locks, flock(2),
 * deadlock, waiting and interruption.
 */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#ifndef F_OFD_GETLK
#define F_OFD_GETLK  36
#define F_OFD_SETLK  37
#define F_OFD_SETLKW 38
#endif

static int make(void)
{
    guest_scratch();
    guest_make_file("f", "0123456789");
    return (int)REQUIRE_OK(open("f", O_RDWR));
}

static struct flock range(short type, off_t start, off_t len)
{
    return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
}

static int lock(int fd, int cmd, short type, off_t start, off_t len)
{
    struct flock fl = range(type, start, len);

    return fcntl(fd, cmd, &fl);
}

/* holder() - what is in the way of a write lock on [start, start + len): its type */
static struct flock holder(int fd, int cmd, off_t start, off_t len)
{
    struct flock fl = range(F_WRLCK, start, len);

    EXPECT_OK(fcntl(fd, cmd, &fl));
    return fl;
}

/* child_sees() - in a child: the type of lock on a byte, F_UNLCK if none */
static int child_sees(off_t at)
{
    pid_t pid;
    int status;

    IN_CHILD(pid)
    _exit(holder(open("f", O_RDWR), F_GETLK, at, 1).l_type);
    status = guest_wait(pid);
    return status >> 8;
}

TEST(ranges_merge_and_split, "fcntl")
{
    int fd = make();
    struct flock fl;
    pid_t pid;

    EXPECT_OK(lock(fd, F_SETLK, F_WRLCK, 0, 10));
    EXPECT_OK(lock(fd, F_SETLK, F_WRLCK, 10, 10));
    EXPECT_OK(lock(fd, F_SETLK, F_RDLCK, 5, 5));
    EXPECT_OK(lock(fd, F_SETLK, F_UNLCK, 7, 1));
    EXPECT_EQ(child_sees(0), F_WRLCK);
    EXPECT_EQ(child_sees(6), F_RDLCK);
    EXPECT_EQ(child_sees(7), F_UNLCK);
    EXPECT_EQ(child_sees(8), F_RDLCK);
    EXPECT_EQ(child_sees(19), F_WRLCK);
    EXPECT_EQ(child_sees(20), F_UNLCK);
    IN_CHILD(pid)
    {
        fl = holder(fd, F_GETLK, 12, 0);
        EXPECT(fl.l_start == 10 && fl.l_len == 10 && fl.l_pid == getppid());
        EXPECT_EQ(fl.l_whence, SEEK_SET);
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_OK(lock(fd, F_SETLK, F_WRLCK, 0, 0));
    IN_CHILD(pid)
    {
        fl = holder(fd, F_GETLK, 1l << 40, 1);
        EXPECT(fl.l_start == 0 && fl.l_len == 0);
    }
    EXPECT_CHILD_OK(pid);
    /* One's own locks are in nobody's own way. */
    EXPECT_EQ(holder(fd, F_GETLK, 0, 1).l_type, F_UNLCK);
}

TEST(bad_arguments, "fcntl:EINVAL,EBADF,EFAULT,EOVERFLOW")
{
    int fd = make(), ro = (int)REQUIRE_OK(open("f", O_RDONLY)), wo = open("f", O_WRONLY);
    struct flock fl = range(F_RDLCK, 0, 0);

    EXPECT_ERRNO(lock(fd, F_SETLK, 7, 0, 1), EINVAL);
    EXPECT_ERRNO(lock(fd, F_SETLK, F_RDLCK, -1, 1), EINVAL);
    EXPECT_ERRNO(lock(fd, F_SETLK, F_RDLCK, 3, -4), EINVAL);
    EXPECT_OK(lock(fd, F_SETLK, F_RDLCK, 3, -3));
    EXPECT_ERRNO(lock(fd, F_SETLK, F_RDLCK, INT64_MAX, 2), EOVERFLOW);
    EXPECT_OK(lock(fd, F_SETLK, F_RDLCK, INT64_MAX, 1));
    EXPECT_ERRNO(lock(ro, F_SETLK, F_WRLCK, 0, 1), EBADF);
    EXPECT_ERRNO(lock(wo, F_SETLK, F_RDLCK, 0, 1), EBADF);
    EXPECT_ERRNO(lock(fd, F_GETLK, F_UNLCK, 0, 1), EINVAL);
    EXPECT_ERRNO(SYS(fcntl, fd, F_SETLK, 8), EFAULT);
    fl.l_whence = 3;
    EXPECT_ERRNO(fcntl(fd, F_SETLK, &fl), EINVAL);
    fl = range(F_RDLCK, 0, 0);
    fl.l_pid = 1;
    EXPECT_ERRNO(fcntl(fd, F_OFD_SETLK, &fl), EINVAL);
    EXPECT_ERRNO(fcntl(fd, F_OFD_GETLK, &fl), EINVAL);
    fl = range(F_WRLCK, -2, 2);
    fl.l_whence = SEEK_END;
    EXPECT_OK(fcntl(fd, F_SETLK, &fl));
    EXPECT_EQ(child_sees(9), F_WRLCK);
    EXPECT_EQ(child_sees(10), F_UNLCK);
}

TEST(any_close_drops_posix_locks, "fcntl close dup fork execve")
{
    int fd = make(), other;
    pid_t pid;

    EXPECT_OK(lock(fd, F_SETLK, F_WRLCK, 0, 0));
    EXPECT_EQ(child_sees(0), F_WRLCK);
    other = (int)REQUIRE_OK(open("f", O_RDONLY));
    close(other);
    EXPECT_EQ(child_sees(0), F_UNLCK);
    EXPECT_OK(lock(fd, F_SETLK, F_WRLCK, 0, 0));
    close(dup(fd));
    EXPECT_EQ(child_sees(0), F_UNLCK);
    /* A child's end drops only its own. */
    EXPECT_OK(lock(fd, F_SETLK, F_WRLCK, 0, 1));
    IN_CHILD(pid)
    {
        EXPECT_ERRNO(lock(fd, F_SETLK, F_WRLCK, 0, 1), EAGAIN);
        EXPECT_OK(lock(fd, F_SETLK, F_WRLCK, 5, 1));
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_EQ(child_sees(0), F_WRLCK);
    EXPECT_EQ(child_sees(5), F_UNLCK);
}

TEST(ofd_locks, "fcntl:EAGAIN close dup")
{
    int fd = make(), same = dup(fd), other = (int)REQUIRE_OK(open("f", O_RDWR));

    EXPECT_OK(lock(fd, F_OFD_SETLK, F_WRLCK, 0, 5));
    EXPECT_OK(lock(same, F_OFD_SETLK, F_WRLCK, 0, 5));
    EXPECT_ERRNO(lock(other, F_OFD_SETLK, F_RDLCK, 4, 1), EAGAIN);
    EXPECT_ERRNO(lock(other, F_SETLK, F_RDLCK, 4, 1), EAGAIN);
    EXPECT_EQ(holder(other, F_OFD_GETLK, 0, 0).l_pid, -1);
    EXPECT_EQ(holder(other, F_GETLK, 0, 0).l_pid, -1);
    EXPECT_OK(lock(other, F_OFD_SETLK, F_WRLCK, 5, 1));
    /* Closing another descriptor of the file, or one of two, drops nothing. */
    close(open("f", O_RDONLY));
    close(same);
    EXPECT_ERRNO(lock(other, F_OFD_SETLK, F_WRLCK, 0, 1), EAGAIN);
    close(fd);
    EXPECT_OK(lock(other, F_OFD_SETLK, F_WRLCK, 0, 1));
}

TEST(flock_modes, "flock flock:EWOULDBLOCK,EINVAL,EBADF")
{
    int fd = make(), other = (int)REQUIRE_OK(open("f", O_RDONLY)), same = dup(fd);

    EXPECT_OK(flock(fd, LOCK_SH));
    EXPECT_OK(flock(other, LOCK_SH | LOCK_NB));
    EXPECT_ERRNO(flock(fd, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    /* The change of kind has cost the old lock. */
    EXPECT_OK(flock(other, LOCK_EX | LOCK_NB));
    EXPECT_ERRNO(flock(same, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    EXPECT_OK(flock(other, LOCK_UN));
    EXPECT_OK(flock(same, LOCK_EX | LOCK_NB));
    EXPECT_ERRNO(flock(other, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    close(fd);
    EXPECT_ERRNO(flock(other, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    close(same);
    EXPECT_OK(flock(other, LOCK_SH | LOCK_NB));
    /* Record locks are another kind. */
    fd = (int)REQUIRE_OK(open("f", O_RDWR));
    EXPECT_OK(lock(fd, F_SETLK, F_WRLCK, 0, 0));
    EXPECT_ERRNO(flock(fd, 0), EINVAL);
    EXPECT_ERRNO(flock(-1, LOCK_SH), EBADF);
    EXPECT_ERRNO(flock(open("f", O_PATH), LOCK_SH), EBADF);
}

TEST(waits_its_turn, "fcntl flock fork")
{
    int fd = make();
    pid_t pid;

    EXPECT_OK(lock(fd, F_SETLK, F_WRLCK, 0, 1));
    IN_CHILD(pid)
    {
        int own = (int)REQUIRE_OK(open("f", O_RDWR));

        EXPECT_OK(lock(own, F_SETLKW, F_WRLCK, 0, 1));
        EXPECT_EQ(pwrite(own, "c", 1, 0), 1);
    }
    guest_sleep_ms(50);
    EXPECT_EQ(pwrite(fd, "p", 1, 0), 1);
    EXPECT_OK(lock(fd, F_SETLK, F_UNLCK, 0, 1));
    EXPECT_CHILD_OK(pid);
    EXPECT_EQ(guest_slurp("f", (char[16]){0}, 15), 10);
    EXPECT_OK(flock(fd, LOCK_EX));
    IN_CHILD(pid)
    {
        int own = (int)REQUIRE_OK(open("f", O_RDWR));

        EXPECT_OK(flock(own, LOCK_EX));
    }
    guest_sleep_ms(50);
    EXPECT_OK(flock(fd, LOCK_UN));
    EXPECT_CHILD_OK(pid);
}

/* Who waited a moment ago waits for nobody when he has the lock, or when it was let go. */
TEST(no_deadlock_of_one_lock, "fcntl")
{
    int fd = make();
    uint64_t n = 0;
    pid_t pids[4];

    EXPECT_EQ(pwrite(fd, &n, sizeof(n), 0), sizeof(n));
    for (size_t i = 0; i < COUNT_OF(pids); i++) {
        IN_CHILD(pids[i])
        {
            for (int k = 0; k < 200; k++) {
                REQUIRE_OK(lock(fd, F_SETLKW, F_WRLCK, 0, 8));
                EXPECT_EQ(pread(fd, &n, sizeof(n), 0), sizeof(n));
                n++;
                EXPECT_EQ(pwrite(fd, &n, sizeof(n), 0), sizeof(n));
                REQUIRE_OK(lock(fd, F_SETLK, F_UNLCK, 0, 8));
            }
        }
    }
    for (size_t i = 0; i < COUNT_OF(pids); i++)
        EXPECT_CHILD_OK(pids[i]);
    EXPECT_EQ(pread(fd, &n, sizeof(n), 0), sizeof(n));
    EXPECT_EQ(n, 800);
}

TEST(deadlock, "fcntl:EDEADLK")
{
    int fd = make();
    int go[2];
    char byte;
    pid_t pid;

    REQUIRE_OK(pipe(go));
    EXPECT_OK(lock(fd, F_SETLK, F_WRLCK, 0, 1));
    IN_CHILD(pid)
    {
        EXPECT_OK(lock(fd, F_SETLK, F_WRLCK, 1, 1));
        EXPECT_EQ(write(go[1], "x", 1), 1);
        EXPECT_OK(lock(fd, F_SETLKW, F_WRLCK, 0, 1));
    }
    EXPECT_EQ(read(go[0], &byte, 1), 1);
    guest_sleep_ms(100);
    EXPECT_ERRNO(lock(fd, F_SETLKW, F_WRLCK, 1, 1), EDEADLK);
    EXPECT_OK(lock(fd, F_SETLK, F_UNLCK, 0, 1));
    EXPECT_CHILD_OK(pid);
}

TEST(waiting_is_interrupted, "fcntl:EINTR flock:EINTR")
{
    int fd = make(), other = (int)REQUIRE_OK(open("f", O_RDWR));
    pid_t pid;

    EXPECT_OK(lock(fd, F_SETLK, F_WRLCK, 0, 1));
    EXPECT_OK(flock(fd, LOCK_EX));
    IN_CHILD(pid)
    {
        pid_t sender;

        guest_on_signal(SIGUSR1, guest_count_signal, 0);
        sender = guest_pester(SIGUSR1, 20);
        EXPECT_ERRNO(lock(other, F_SETLKW, F_WRLCK, 0, 1), EINTR);
        EXPECT_ERRNO(flock(open("f", O_RDWR), LOCK_EX), EINTR);
        guest_end(sender);
    }
    EXPECT_CHILD_OK(pid);
}

TEST(proc_locks, "read")
{
    static char text[16384];
    char want[128];
    struct stat st;
    int fd = make(), other = (int)REQUIRE_OK(open("f", O_RDWR));

    REQUIRE_OK(fstat(fd, &st));
    EXPECT_OK(lock(fd, F_SETLK, F_WRLCK, 2, 3));
    EXPECT_OK(lock(other, F_OFD_SETLK, F_RDLCK, 8, 0));
    EXPECT_OK(flock(fd, LOCK_SH));
    EXPECT_GT(guest_slurp("/proc/locks", text, sizeof(text) - 1), 0);
    snprintf(want, sizeof(want), "POSIX  ADVISORY  WRITE %d ", (int)getpid());
    EXPECT(strstr(text, want) != NULL);
    snprintf(want, sizeof(want), ":%lu 2 4\n", (unsigned long)st.st_ino);
    EXPECT(strstr(text, want) != NULL);
    snprintf(want, sizeof(want), ":%lu 8 EOF\n", (unsigned long)st.st_ino);
    EXPECT(strstr(text, want) != NULL);
    EXPECT(strstr(text, "OFDLCK ADVISORY  READ -1 ") != NULL);
    snprintf(want, sizeof(want), "FLOCK  ADVISORY  READ %d ", (int)getpid());
    EXPECT(strstr(text, want) != NULL);
    close(fd);
    close(other);
    EXPECT_GE(guest_slurp("/proc/locks", text, sizeof(text) - 1), 0);
    snprintf(want, sizeof(want), ":%lu 2 4\n", (unsigned long)st.st_ino);
    EXPECT(strstr(text, want) == NULL);
}
