/*
 * System V shared memory: shmget, shmat, shmdt, shmctl.
 */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>

#define PAGE 4096

/* A key that nobody else has, and what was made in this test. */
static key_t own_key(int n)
{
    return (key_t)(0x51000000 + getpid() * 16 + n);
}

static int make(size_t size)
{
    return (int)REQUIRE_OK(SYS(shmget, IPC_PRIVATE, size, IPC_CREAT | 0600));
}

static void end(int id)
{
    EXPECT_OK(SYS(shmctl, id, IPC_RMID, NULL));
}

static struct shmid_ds stat_of(int id)
{
    struct shmid_ds ds;

    memset(&ds, 0xff, sizeof(ds));
    EXPECT_OK(SYS(shmctl, id, IPC_STAT, &ds));
    return ds;
}

static volatile char *attach(int id, int flags)
{
    return guest_pointer((uintptr_t)REQUIRE_OK(SYS(shmat, id, NULL, flags)));
}

TEST(attach_write_detach, "shmget shmat shmdt shmctl")
{
    int id = make(PAGE);
    volatile char *p = attach(id, 0), *q = attach(id, 0);

    EXPECT(p != q);
    p[7] = 'x';
    EXPECT_EQ(q[7], 'x');
    EXPECT_EQ(stat_of(id).shm_nattch, 2);
    EXPECT_OK(SYS(shmdt, p));
    EXPECT_EQ(stat_of(id).shm_nattch, 1);
    EXPECT_OK(SYS(shmdt, q));
    p = attach(id, 0);
    EXPECT_EQ(p[7], 'x');
    EXPECT_OK(SYS(shmdt, p));
    end(id);
}

TEST(keys, "shmget shmget:EEXIST,ENOENT,EINVAL")
{
    key_t key = own_key(0);
    int id;

    EXPECT_ERRNO(SYS(shmget, key, PAGE, 0), ENOENT);
    id = (int)REQUIRE_OK(SYS(shmget, key, PAGE, IPC_CREAT | IPC_EXCL | 0600));
    EXPECT_EQ(SYS(shmget, key, PAGE, 0), id);
    EXPECT_EQ(SYS(shmget, key, 0, 0), id);
    EXPECT_EQ(SYS(shmget, key, 100, IPC_CREAT | 0600), id);
    EXPECT_EQ(SYS(shmget, key, PAGE, IPC_EXCL), id);
    EXPECT_ERRNO(SYS(shmget, key, PAGE + 1, 0), EINVAL);
    EXPECT_ERRNO(SYS(shmget, key, PAGE + 1, IPC_CREAT | IPC_EXCL), EEXIST);
    EXPECT_EQ(stat_of(id).shm_perm.__key, key);
    end(id);
    EXPECT_ERRNO(SYS(shmget, key, PAGE, 0), ENOENT);
    EXPECT_ERRNO(SYS(shmctl, id, IPC_STAT, NULL), EINVAL);
    EXPECT_ERRNO(SYS(shmget, IPC_PRIVATE, 0, 0600), EINVAL);
    EXPECT_ERRNO(SYS(shmget, IPC_PRIVATE, -1l, 0600), EINVAL);
}

TEST(private_is_always_new, "shmget")
{
    int a = make(PAGE), b = make(PAGE);

    EXPECT_NE(a, b);
    EXPECT_EQ(stat_of(a).shm_perm.__key, 0);
    end(a);
    end(b);
}

TEST(too_big, "shmget:ENOMEM,ENOSPC")
{
    long id = SYS(shmget, IPC_PRIVATE, 1ul << 55, IPC_CREAT | 0600);

    EXPECT_EQ(id, -1);
    EXPECT(errno == ENOMEM || errno == ENOSPC || errno == EINVAL);
}

TEST(stat, "shmctl")
{
    int id = (int)REQUIRE_OK(SYS(shmget, IPC_PRIVATE, 5000, IPC_CREAT | 0640));
    struct shmid_ds ds = stat_of(id);
    volatile char *p;
    pid_t pid;

    EXPECT_EQ(ds.shm_segsz, 5000);
    EXPECT_EQ(ds.shm_perm.mode, 0640);
    EXPECT_EQ(ds.shm_perm.uid, geteuid());
    EXPECT_EQ(ds.shm_perm.gid, getegid());
    EXPECT_EQ(ds.shm_perm.cuid, geteuid());
    EXPECT_EQ(ds.shm_perm.cgid, getegid());
    EXPECT_EQ(ds.shm_cpid, getpid());
    EXPECT_EQ(ds.shm_lpid, 0);
    EXPECT_EQ(ds.shm_nattch, 0);
    EXPECT_EQ(ds.shm_atime, 0);
    EXPECT_EQ(ds.shm_dtime, 0);
    EXPECT_GT(ds.shm_ctime, 0);
    IN_CHILD(pid)
    {
        volatile char *c = attach(id, 0);

        c[4999] = c[8191] = 1;
        EXPECT_EQ(stat_of(id).shm_lpid, getpid());
        EXPECT_EQ(stat_of(id).shm_dtime, 0);
    }
    EXPECT_CHILD_OK(pid);
    ds = stat_of(id);
    EXPECT_EQ(ds.shm_lpid, pid);
    EXPECT_GT(ds.shm_atime, 0);
    EXPECT_GT(ds.shm_dtime, 0);
    EXPECT_EQ(ds.shm_nattch, 0);
    p = attach(id, 0);
    EXPECT_EQ(p[4999], 1);
    EXPECT_EQ(stat_of(id).shm_lpid, getpid());
    end(id);
}

TEST(attaches_over_fork, "shmat fork exit shmctl")
{
    int id = make(PAGE), ends[2];
    volatile char *p = attach(id, 0);
    char byte;
    pid_t pid;

    REQUIRE_OK(pipe(ends));
    IN_CHILD(pid)
    {
        EXPECT_EQ(stat_of(id).shm_nattch, 2);
        EXPECT_OK(SYS(shmdt, p));
        EXPECT_EQ(stat_of(id).shm_nattch, 1);
        attach(id, 0);
        attach(id, SHM_RDONLY);
        EXPECT_EQ(stat_of(id).shm_nattch, 3);
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_EQ(stat_of(id).shm_nattch, 1);
    IN_CHILD(pid)
    {
        const char *args[] = {"self", "--helper", "tell_and_wait", NULL};

        dup2(ends[1], STDOUT_FILENO);
        EXPECT_EQ(stat_of(id).shm_nattch, 2);
        SYS(execve, guest_self, args, NULL);
    }
    EXPECT_EQ(read(ends[0], &byte, 1), 1);
    WAIT_UNTIL(stat_of(id).shm_nattch == 1);
    guest_end(pid);
    end(id);
}

HELPER(tell_and_wait)
{
    if (write(STDOUT_FILENO, "x", 1) == 1)
        pause();
    return 0;
}

TEST(fork_shares, "shmat fork")
{
    int id = make(PAGE);
    volatile char *p = attach(id, 0);
    pid_t pid;

    p[0] = 'a';
    IN_CHILD(pid)
    {
        EXPECT_EQ(p[0], 'a');
        p[0] = 'b';
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_EQ(p[0], 'b');
    end(id);
}

TEST(removed_while_attached, "shmctl shmat shmget:ENOENT shmat:EINVAL")
{
    key_t key = own_key(1);
    int id = (int)REQUIRE_OK(SYS(shmget, key, PAGE, IPC_CREAT | IPC_EXCL | 0600));
    volatile char *p = attach(id, 0), *q;
    struct shmid_ds ds;

    p[0] = 'k';
    end(id);
    ds = stat_of(id);
    EXPECT_EQ(ds.shm_perm.mode, 01600);
    EXPECT_EQ(ds.shm_perm.__key, 0);
    EXPECT_ERRNO(SYS(shmget, key, PAGE, 0), ENOENT);
    q = attach(id, 0);
    EXPECT_EQ(q[0], 'k');
    end(id);
    EXPECT_OK(SYS(shmdt, p));
    EXPECT_EQ(stat_of(id).shm_nattch, 1);
    EXPECT_OK(SYS(shmdt, q));
    EXPECT_ERRNO(SYS(shmctl, id, IPC_STAT, &ds), EINVAL);
    EXPECT_ERRNO(SYS(shmat, id, NULL, 0), EINVAL);
}

TEST(removed_at_exit, "shmctl exit")
{
    int id = make(PAGE);
    struct shmid_ds ds;
    pid_t pid;

    IN_CHILD(pid)
    {
        attach(id, 0);
        end(id);
        EXPECT_EQ(stat_of(id).shm_nattch, 1);
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_ERRNO(SYS(shmctl, id, IPC_STAT, &ds), EINVAL);
}

TEST(unmapped_in_pieces, "shmdt munmap shmctl")
{
    int id = make(4 * PAGE);
    volatile char *p = attach(id, 0);

    EXPECT_OK(munmap((void *)(p + PAGE), PAGE));
    EXPECT_EQ(stat_of(id).shm_nattch, 2);
    /* What lies where a part was is left alone. */
    EXPECT(mmap((void *)(p + PAGE), PAGE, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p + PAGE);
    p[PAGE] = 'm';
    EXPECT_OK(SYS(shmdt, p));
    EXPECT_EQ(stat_of(id).shm_nattch, 0);
    EXPECT_EQ(p[PAGE], 'm');
    EXPECT_ERRNO(SYS(shmdt, p), EINVAL);
    p = attach(id, 0);
    /* Without its first page it is still found by where it began. */
    EXPECT_OK(munmap((void *)p, PAGE));
    EXPECT_ERRNO(SYS(shmdt, p + PAGE), EINVAL);
    EXPECT_OK(SYS(shmdt, p));
    EXPECT_EQ(stat_of(id).shm_nattch, 0);
    end(id);
}

TEST(moved, "shmdt mremap")
{
    int id = make(2 * PAGE);
    volatile char *p = attach(id, 0);
    char *to = mmap(NULL, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    p[PAGE] = 'v';
    REQUIRE(mremap((void *)p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
    EXPECT_EQ(to[PAGE], 'v');
    EXPECT_EQ(stat_of(id).shm_nattch, 1);
    EXPECT_ERRNO(SYS(shmdt, p), EINVAL);
    EXPECT_OK(SYS(shmdt, to));
    EXPECT_EQ(stat_of(id).shm_nattch, 0);
    end(id);
}

TEST(at_address, "shmat shmat:EINVAL")
{
    int id = make(PAGE);
    char *room = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    EXPECT_ERRNO(SYS(shmat, id, room + PAGE, 0), EINVAL);
    EXPECT_ERRNO(SYS(shmat, id, room + PAGE + 1, SHM_REMAP), EINVAL);
    EXPECT_ERRNO(SYS(shmat, id, NULL, SHM_REMAP), EINVAL);
    EXPECT_ERRNO(SYS(shmat, id, 100, SHM_REMAP | SHM_RND), EINVAL);
    EXPECT_EQ(SYS(shmat, id, room + PAGE, SHM_REMAP), (long)(room + PAGE));
    room[PAGE] = 1;
    EXPECT_OK(SYS(shmdt, room + PAGE));
    EXPECT_EQ(SYS(shmat, id, room + PAGE + 77, SHM_RND), (long)(room + PAGE));
    EXPECT_EQ(room[PAGE], 1);
    EXPECT_OK(SYS(shmdt, room + PAGE));
    EXPECT_EQ(SYS(shmat, id, room + PAGE, 0), (long)(room + PAGE));
    EXPECT_ERRNO(SYS(shmat, id, room + PAGE, 0), EINVAL);
    EXPECT_ERRNO(SYS(shmat, -1, NULL, 0), EINVAL);
    EXPECT_ERRNO(SYS(shmat, id + (1 << 20), NULL, 0), EINVAL);
    EXPECT_ERRNO(SYS(shmdt, room + 1), EINVAL);
    EXPECT_ERRNO(SYS(shmdt, room), EINVAL);
    end(id);
}

TEST(read_only, "shmat mprotect:EACCES")
{
    int id = make(PAGE);
    volatile char *p = attach(id, 0), *r = attach(id, SHM_RDONLY);
    pid_t pid;

    p[0] = 'r';
    EXPECT_EQ(r[0], 'r');
    EXPECT_ERRNO(mprotect((void *)r, PAGE, PROT_READ | PROT_WRITE), EACCES);
    IN_CHILD(pid)
    {
        signal(SIGSEGV, SIG_DFL);
        r[0] = 'w';
    }
    EXPECT_KILLED(pid, SIGSEGV);
    EXPECT_OK(mprotect((void *)p, PAGE, PROT_READ));
    EXPECT_OK(mprotect((void *)p, PAGE, PROT_READ | PROT_WRITE));
    p[1] = 'w';
    EXPECT_EQ(r[1], 'w');
    end(id);
}

TEST(executable, "shmat")
{
    static const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3}; /* mov $42, %eax; ret */
    int id = (int)REQUIRE_OK(SYS(shmget, IPC_PRIVATE, PAGE, IPC_CREAT | 0700));
    volatile char *p = attach(id, 0), *x = attach(id, SHM_EXEC | SHM_RDONLY);

    memcpy((void *)p, code, sizeof(code));
    EXPECT_EQ(((int (*)(void))(uintptr_t)x)(), 42);
    end(id);
}

TEST(maps_names_it, "shmat")
{
    int id = (int)REQUIRE_OK(SYS(shmget, own_key(2), PAGE, IPC_CREAT | IPC_EXCL | 0600));
    volatile char *p = attach(id, 0);
    char want[200], *maps = malloc(1 << 20), *at;

    REQUIRE(guest_slurp("/proc/self/maps", maps, 1 << 20) > 0);
    snprintf(want, sizeof(want), "%lx-%lx rw-s 00000000 00:01 %d ", (unsigned long)p,
             (unsigned long)p + PAGE, id);
    at = strstr(maps, want);
    REQUIRE(at);
    snprintf(want, sizeof(want), " /SYSV%08x (deleted)\n", (unsigned int)own_key(2));
    EXPECT(strstr(at, want) && strstr(at, want) < strchr(at, '\n'));
    end(id);
}

/* become() - somebody without groups or rights. */
static void become(int id)
{
    REQUIRE_OK(SYS(setgroups, 0, NULL));
    REQUIRE_OK(SYS(setresgid, id, id, id));
    REQUIRE_OK(SYS(setresuid, id, id, id));
}

TEST(permissions, "shmget:EACCES shmat:EACCES shmctl:EACCES,EPERM")
{
    int id;
    struct shmid_ds ds;
    key_t key = own_key(3);
    pid_t pid;

    if (geteuid() != 0 || !guest_has_cap(CAP_SETUID))
        SKIP("needs root");
    id = (int)REQUIRE_OK(SYS(shmget, key, PAGE, IPC_CREAT | IPC_EXCL | 0604));
    IN_CHILD(pid)
    {
        become(1234);
        EXPECT_EQ(SYS(shmget, key, PAGE, 0), id);
        EXPECT_EQ(SYS(shmget, key, PAGE, 0444), id);
        EXPECT_ERRNO(SYS(shmget, key, PAGE, 0666), EACCES);
        EXPECT_ERRNO(SYS(shmat, id, NULL, 0), EACCES);
        EXPECT_OK(SYS(shmat, id, NULL, SHM_RDONLY));
        EXPECT_ERRNO(SYS(shmat, id, NULL, SHM_RDONLY | SHM_EXEC), EACCES);
        EXPECT_OK(SYS(shmctl, id, IPC_STAT, &ds));
        EXPECT_ERRNO(SYS(shmctl, id, IPC_SET, &ds), EPERM);
        EXPECT_ERRNO(SYS(shmctl, id, IPC_RMID, NULL), EPERM);
        EXPECT_ERRNO(SYS(shmctl, id, SHM_LOCK, NULL), EPERM);
    }
    EXPECT_CHILD_OK(pid);
    ds = stat_of(id);
    ds.shm_perm.mode = 0660;
    ds.shm_perm.uid = 1234;
    ds.shm_perm.gid = 77;
    EXPECT_OK(SYS(shmctl, id, IPC_SET, &ds));
    IN_CHILD(pid)
    {
        become(1235);
        EXPECT_ERRNO(SYS(shmctl, id, IPC_STAT, &ds), EACCES);
        EXPECT_ERRNO(SYS(shmat, id, NULL, SHM_RDONLY), EACCES);
    }
    EXPECT_CHILD_OK(pid);
    IN_CHILD(pid)
    {
        become(1234);
        EXPECT_OK(SYS(shmctl, id, IPC_STAT, &ds));
        EXPECT_EQ(ds.shm_perm.uid, 1234);
        EXPECT_EQ(ds.shm_perm.cuid, 0);
        EXPECT_EQ(ds.shm_perm.gid, 77);
        attach(id, 0);
        EXPECT_OK(SYS(shmctl, id, IPC_RMID, NULL));
    }
    EXPECT_CHILD_OK(pid);
    EXPECT_ERRNO(SYS(shmctl, id, IPC_STAT, &ds), EINVAL);
}

TEST(ctl_errors, "shmctl:EFAULT,EINVAL")
{
    int id = make(PAGE);
    char *bad = guest_bad_page();

    EXPECT_ERRNO(SYS(shmctl, id, IPC_STAT, bad), EFAULT);
    EXPECT_ERRNO(SYS(shmctl, id, IPC_SET, bad), EFAULT);
    EXPECT_ERRNO(SYS(shmctl, id, 9999, NULL), EINVAL);
    EXPECT_ERRNO(SYS(shmctl, id, -1, NULL), EINVAL);
    EXPECT_ERRNO(SYS(shmctl, -1, IPC_STAT, NULL), EINVAL);
    EXPECT_ERRNO(SYS(shmctl, id + (1 << 20), IPC_RMID, NULL), EINVAL);
    EXPECT_ERRNO(SYS(shmctl, 0, IPC_INFO, bad), EFAULT);
    end(id);
}

TEST(infos, "shmctl")
{
    struct shminfo info;
    struct shm_info used;
    struct shmid_ds ds;
    int id = make(3 * PAGE), found = 0;
    long last = EXPECT_OK(SYS(shmctl, 0, IPC_INFO, &info));

    EXPECT_EQ(info.shmmin, 1);
    EXPECT_GT(info.shmmni, 0);
    EXPECT(info.shmmax >= 1ul << 20);
    EXPECT_GE(last, 0);
    last = EXPECT_OK(SYS(shmctl, 0, SHM_INFO, &used));
    EXPECT_GE(used.used_ids, 1);
    EXPECT_GE(used.shm_tot, 3);
    for (long i = 0; i <= last; i++) {
        if (SYS(shmctl, i, SHM_STAT, &ds) == id) {
            EXPECT_EQ(ds.shm_segsz, 3 * PAGE);
            EXPECT_EQ(SYS(shmctl, i, SHM_STAT_ANY, &ds), id);
            found++;
        }
    }
    EXPECT_EQ(found, 1);
    EXPECT_ERRNO(SYS(shmctl, 0x7fff0000, SHM_STAT, &ds), EINVAL);
    end(id);
}

TEST(locked, "shmctl")
{
    int id = make(PAGE);

    if (!guest_has_cap(CAP_IPC_LOCK))
        SKIP("needs CAP_IPC_LOCK");
    EXPECT_OK(SYS(shmctl, id, SHM_LOCK, NULL));
    EXPECT_EQ(stat_of(id).shm_perm.mode, 02600);
    EXPECT_OK(SYS(shmctl, id, SHM_LOCK, NULL));
    EXPECT_OK(SYS(shmctl, id, SHM_UNLOCK, NULL));
    EXPECT_EQ(stat_of(id).shm_perm.mode, 0600);
    end(id);
}

TEST(futex_in_it, "shmat futex")
{
    int id = make(PAGE);
    volatile int *word = (volatile int *)attach(id, 0);
    pid_t pid;

    IN_CHILD(pid)
    {
        /* Attached elsewhere: the key is the segment, not the address. */
        volatile int *own = (volatile int *)attach(id, 0);

        EXPECT(own != word);
        while (own[0] == 0)
            SYS(futex, own, FUTEX_WAIT, 0, NULL, NULL, 0);
    }
    guest_sleep_ms(20);
    word[0] = 1;
    WAIT_UNTIL(SYS(futex, word, FUTEX_WAKE, 1, NULL, NULL, 0) >= 0);
    EXPECT_CHILD_OK(pid);
    end(id);
}

TEST(listed_in_proc, "shmget")
{
    int id = (int)REQUIRE_OK(SYS(shmget, own_key(4), 12345, IPC_CREAT | IPC_EXCL | 0640));
    char want[200], *text = malloc(1 << 20), *line;

    REQUIRE(guest_slurp("/proc/sysvipc/shm", text, 1 << 20) > 0);
    EXPECT(
        strstr(text,
               "       key      shmid perms                  size  cpid  lpid nattch   uid   gid "
               " cuid  cgid      atime      dtime      ctime                   rss          "
               "        swap\n") == text);
    snprintf(want, sizeof(want), "\n%10d %10d  %4o %21d %5d %5d  %5d %5d %5d %5d %5d ", own_key(4),
             id, 0640, 12345, getpid(), 0, 0, (int)geteuid(), (int)getegid(), (int)geteuid(),
             (int)getegid());
    line = strstr(text, want);
    EXPECT(line != NULL);
    end(id);
}

TEST(sysctls, "shmget")
{
    char text[64];

    REQUIRE(guest_slurp("/proc/sys/kernel/shmmni", text, sizeof(text)) > 0);
    EXPECT_GT(strtol(text, NULL, 10), 0);
    REQUIRE(guest_slurp("/proc/sys/kernel/shmmax", text, sizeof(text)) > 0);
    EXPECT(strtoul(text, NULL, 10) >= 1ul << 20);
    REQUIRE(guest_slurp("/proc/sys/kernel/shmall", text, sizeof(text)) > 0);
    EXPECT(strtoul(text, NULL, 10) >= 1ul << 10);
    REQUIRE(guest_slurp("/proc/sys/kernel/shm_rmid_forced", text, sizeof(text)) > 0);
    EXPECT_EQ(text[1], '\n');
}

TEST_SLOW(attach_race, 60, "shmat shmdt fork")
{
    int id = make(2 * PAGE);
    pid_t pids[8];

    for (int k = 0; k < 8; k++) {
        IN_CHILD(pids[k])
        {
            for (int i = 0; i < 50; i++) {
                volatile char *p = attach(id, i % 2 ? SHM_RDONLY : 0);

                if (i % 5 == 0) {
                    pid_t pid;

                    IN_CHILD(pid)
                    {
                        (void)p[0];
                    }
                    EXPECT_CHILD_OK(pid);
                }
                EXPECT_OK(SYS(shmdt, p));
            }
        }
    }
    for (int k = 0; k < 8; k++)
        EXPECT_CHILD_OK(pids[k]);
    EXPECT_EQ(stat_of(id).shm_nattch, 0);
    end(id);
}
