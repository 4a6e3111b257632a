/*
 * Threads: creation, their own storage, what they share, signals, libc's tools. How they end is
 * thread_exit.
 */
#include "tests/guest/guest.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static pthread_t start(void *(*run)(void *), void *arg)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, run, arg);

    if (!guest_check(error == 0, __FILE__, __LINE__, "pthread_create: %s", strerror(error)))
        guest_finish();
    return thread;
}

static void *join(pthread_t thread)
{
    void *result = NULL;
    int error = pthread_join(thread, &result);

    guest_check(error == 0, __FILE__, __LINE__, "pthread_join: %s", strerror(error));
    return result;
}

static void *return_arg(void *arg)
{
    return arg;
}

TEST(create_join, "clone futex exit")
{
    for (uintptr_t i = 0; i < 100; i++)
        EXPECT_EQ((uintptr_t)join(start(return_arg, (void *)i)), i);
}

TEST(hundred_at_once, "clone")
{
    pthread_t threads[100];

    for (uintptr_t i = 0; i < 100; i++)
        threads[i] = start(return_arg, (void *)(i + 1));
    for (uintptr_t i = 0; i < 100; i++)
        EXPECT_EQ((uintptr_t)join(threads[i]), i + 1);
}

static _Thread_local int local = 5;
static atomic_int wrong;

static void *use_local(void *arg)
{
    int own = (int)(uintptr_t)arg;

    if (local != 5)
        wrong++;
    local = own;
    for (int i = 0; i < 1000; i++) {
        if (i % 100 == 0)
            sched_yield();
        if (local != own)
            wrong++;
    }
    return NULL;
}

TEST(thread_local_storage, "arch_prctl clone")
{
    pthread_t threads[20];

    for (uintptr_t i = 0; i < 20; i++)
        threads[i] = start(use_local, (void *)(i + 100));
    for (int i = 0; i < 20; i++)
        join(threads[i]);
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(local, 5);
}

static void *own_errno(void *arg)
{
    for (int i = 0; i < 2000; i++) {
        int want = arg ? EBADF : ENOENT;

        if (arg)
            SYS(close, -1);
        else
            SYS(open, "/no/such/file", O_RDONLY);
        if (errno != want)
            wrong++;
    }
    return NULL;
}

TEST(errno_is_local, "clone")
{
    pthread_t a = start(own_errno, NULL), b = start(own_errno, &a);

    join(a);
    join(b);
    EXPECT_EQ(wrong, 0);
}

static void *note_ids(void *arg)
{
    pid_t *ids = arg;

    ids[0] = (pid_t)SYS(getpid);
    ids[1] = (pid_t)SYS(gettid);
    ids[2] = (pid_t)SYS(getppid);
    return NULL;
}

TEST(ids_of_threads, "getpid gettid getppid")
{
    pid_t ids[3];

    join(start(note_ids, ids));
    EXPECT_EQ(ids[0], getpid());
    EXPECT_NE(ids[1], getpid());
    EXPECT_GT(ids[1], 0);
    EXPECT_EQ(ids[2], getppid());
    EXPECT_EQ(gettid(), getpid());
}

static void *change_shared(void *arg)
{
    int *fd = arg;

    *fd = open("/dev/null", O_RDONLY);
    umask(0123);
    return chdir("/dev") == 0 ? arg : NULL;
}

TEST(shared_state, "clone open chdir umask")
{
    char cwd[64];
    int fd = -1;

    EXPECT(join(start(change_shared, &fd)) == &fd);
    EXPECT_OK(fcntl(fd, F_GETFD));
    EXPECT_EQ(umask(0), 0123);
    EXPECT(getcwd(cwd, sizeof(cwd)));
    EXPECT_STREQ(cwd, "/dev");
}

/* --- raw clone, for what libc's threads do not show --------------------------------------- */

#define STACK 65536

static char *new_stack(void)
{
    char *p = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    REQUIRE(p != MAP_FAILED);
    return p + STACK;
}

static int sleep_briefly(void *arg)
{
    (void)arg;
    guest_sleep_ms(30);
    return 0;
}

#define THREAD_FLAGS                                                                               \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

TEST(clone_tid_pointers, "clone set_tid_address futex")
{
    pid_t parent_tid = 0;
    atomic_int child_tid = -1;
    int tid = clone(sleep_briefly, new_stack(),
                    THREAD_FLAGS | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID,
                    NULL, &parent_tid, NULL, &child_tid);

    REQUIRE(tid > 0);
    EXPECT_EQ(parent_tid, tid);
    EXPECT_OK(SYS(tgkill, getpid(), tid, 0));
    /* At its end the kernel stores 0 there and wakes whoever waits. */
    for (int value; (value = child_tid) != 0;)
        SYS(futex, &child_tid, FUTEX_WAIT, value, NULL, NULL, 0);
    WAIT_UNTIL(SYS(tgkill, getpid(), tid, 0) == -1);
    EXPECT_EQ(errno, ESRCH);
}

TEST(threads_are_no_children, "wait4:ECHILD clone")
{
    int tid = clone(sleep_briefly, new_stack(), THREAD_FLAGS, NULL);

    REQUIRE(tid > 0);
    EXPECT_ERRNO(SYS(wait4, tid, NULL, __WALL, NULL), ECHILD);
    guest_sleep_ms(60);
}

static int vm_value;

static int set_value(void *arg)
{
    vm_value = (int)(uintptr_t)arg;
    return 9;
}

TEST(clone_vm_process, "clone wait4")
{
    /* Shares the memory, but is a process of its own. */
    int pid = clone(set_value, new_stack(), CLONE_VM | SIGCHLD, (void *)123);

    REQUIRE(pid > 0);
    EXPECT_EXIT(pid, 9);
    EXPECT_EQ(vm_value, 123);
}

static int handler_here(void *arg)
{
    (void)arg;
    return signal(SIGUSR1, guest_count_signal) == SIG_ERR;
}

TEST(clone_sighand_process, "clone rt_sigaction")
{
    struct sigaction act;
    int pid = clone(handler_here, new_stack(), CLONE_VM | CLONE_SIGHAND | SIGCHLD, NULL);

    REQUIRE(pid > 0);
    EXPECT_EXIT(pid, 0);
    REQUIRE_OK(sigaction(SIGUSR1, NULL, &act));
    EXPECT(act.sa_handler == guest_count_signal);
}

/* --- signals and threads ------------------------------------------------------------------ */

static atomic_int signal_tid;

static void on_signal(int signo)
{
    (void)signo;
    signal_tid = gettid();
}

static void *tell_tid_and_wait(void *arg)
{
    atomic_int *tid = arg;

    *tid = gettid();
    for (int i = 0; i < 2000 && signal_tid == 0; i++)
        guest_sleep_ms(1);
    return NULL;
}

TEST(signal_to_one_thread, "tgkill")
{
    atomic_int tid = 0;
    pthread_t thread;

    guest_on_signal(SIGUSR1, on_signal, 0);
    thread = start(tell_tid_and_wait, &tid);
    WAIT_UNTIL(tid != 0);
    EXPECT_OK(SYS(tgkill, getpid(), (int)tid, SIGUSR1));
    join(thread);
    EXPECT_EQ(signal_tid, tid);
}

TEST(signal_goes_where_unblocked, "kill rt_sigprocmask")
{
    atomic_int tid = 0;
    pthread_t thread;
    sigset_t set;

    guest_on_signal(SIGUSR1, on_signal, 0);
    thread = start(tell_tid_and_wait, &tid);
    WAIT_UNTIL(tid != 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    EXPECT_EQ(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    EXPECT_OK(kill(getpid(), SIGUSR1));
    join(thread);
    EXPECT_EQ(signal_tid, tid);
}

static void *wait_for_signal(void *arg)
{
    sigset_t *set = arg;
    int signo = 0;

    sigwait(set, &signo);
    return (void *)(uintptr_t)signo;
}

TEST(sigwait_in_thread, "rt_sigtimedwait kill")
{
    pthread_t thread;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    thread = start(wait_for_signal, &set);
    guest_sleep_ms(10);
    EXPECT_OK(kill(getpid(), SIGUSR2));
    EXPECT_EQ((uintptr_t)join(thread), SIGUSR2);
}

static atomic_ulong progress;

static void *count_on(void *arg)
{
    (void)arg;
    for (;;) {
        progress++;
        guest_sleep_ms(1);
    }
    return NULL;
}

TEST(stop_stops_all, "kill")
{
    atomic_ulong *shared = guest_shared(4096);
    unsigned long before;
    pid_t pid;

    IN_CHILD(pid) {
        for (int i = 0; i < 3; i++)
            start(count_on, NULL);
        for (;;) {
            *shared = progress;
            guest_sleep_ms(1);
        }
    }
    WAIT_UNTIL(*shared > 5);
    kill(pid, SIGSTOP);
    EXPECT_EQ(waitpid(pid, NULL, WUNTRACED), pid);
    before = *shared;
    guest_sleep_ms(50);
    EXPECT_EQ(*shared, before);
    kill(pid, SIGCONT);
    WAIT_UNTIL(*shared > before + 5);
    guest_end(pid);
}

static void *name_thread(void *arg)
{
    char name[16] = {0};

    prctl(PR_SET_NAME, "worker", 0, 0, 0);
    prctl(PR_GET_NAME, name, 0, 0, 0);
    return strcmp(name, "worker") ? arg : NULL;
}

TEST(names_are_per_thread, "prctl")
{
    char before[16] = {0}, after[16] = {0};

    prctl(PR_GET_NAME, before, 0, 0, 0);
    EXPECT(join(start(name_thread, before)) == NULL);
    prctl(PR_GET_NAME, after, 0, 0, 0);
    EXPECT_STREQ(after, before);
}

/* --- libc's tools --------------------------------------------------------------------------- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static long counter, turn;

static void *add_locked(void *arg)
{
    for (long i = 0; i < 5000; i++) {
        pthread_mutex_lock(&mutex);
        counter++;
        pthread_mutex_unlock(&mutex);
    }
    return arg;
}

TEST(mutex_counts, "futex")
{
    pthread_t threads[8];

    for (int i = 0; i < 8; i++)
        threads[i] = start(add_locked, NULL);
    for (int i = 0; i < 8; i++)
        join(threads[i]);
    EXPECT_EQ(counter, 40000);
}

static void *take_turns(void *arg)
{
    long own = (long)(uintptr_t)arg;

    for (int i = 0; i < 200; i++) {
        pthread_mutex_lock(&mutex);
        while (turn != own)
            pthread_cond_wait(&condition, &mutex);
        turn = (turn + 1) % 4;
        counter++;
        pthread_cond_broadcast(&condition);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

TEST(condition_turns, "futex")
{
    pthread_t threads[4];

    for (uintptr_t i = 0; i < 4; i++)
        threads[i] = start(take_turns, (void *)i);
    for (int i = 0; i < 4; i++)
        join(threads[i]);
    EXPECT_EQ(counter, 800);
}

static sem_t semaphore;
static pthread_barrier_t barrier;

static void *wait_and_meet(void *arg)
{
    sem_wait(&semaphore);
    pthread_barrier_wait(&barrier);
    return arg;
}

TEST(semaphore_and_barrier, "futex")
{
    pthread_t threads[5];

    sem_init(&semaphore, 0, 0);
    pthread_barrier_init(&barrier, NULL, 6);
    for (int i = 0; i < 5; i++)
        threads[i] = start(wait_and_meet, NULL);
    for (int i = 0; i < 5; i++)
        sem_post(&semaphore);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 5; i++)
        join(threads[i]);
}

static void *block_forever(void *arg)
{
    (void)arg;
    for (;;)
        pause();
    return NULL;
}

static void *forge(void *arg)
{
    siginfo_t info;

    (void)arg;
    memset(&info, 0, sizeof(info));
    info.si_code = SI_USER;
    EXPECT_OK(SYS(rt_tgsigqueueinfo, getpid(), gettid(), SIGUSR1, &info));
    EXPECT_ERRNO(SYS(rt_tgsigqueueinfo, getpid(), getpid(), SIGUSR1, &info), EPERM);
    EXPECT_ERRNO(SYS(rt_sigqueueinfo, getpid(), SIGUSR1, &info), EPERM);
    return NULL;
}

TEST(forged_for_itself_only, "rt_sigqueueinfo:EPERM rt_tgsigqueueinfo:EPERM")
{
    pthread_t thread;

    /* A thread may look like the kernel to itself, not to another of its process. */
    signal(SIGUSR1, SIG_IGN);
    EXPECT_EQ(pthread_create(&thread, NULL, forge, NULL), 0);
    EXPECT_EQ(pthread_join(thread, NULL), 0);
}

TEST(cancel_blocked, "tgkill futex")
{
    pthread_t thread = start(block_forever, NULL);

    guest_sleep_ms(10);
    EXPECT_EQ(pthread_cancel(thread), 0);
    EXPECT(join(thread) == PTHREAD_CANCELED);
}

static void *map_and_unmap(void *arg)
{
    for (int i = 0; i < 300; i++) {
        size_t size = (size_t)(1 + i % 16) * 4096;
        char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (p == MAP_FAILED) {
            wrong++;
            break;
        }
        memset(p, (int)(uintptr_t)arg, size);
        for (size_t n = 0; n < size; n += 512)
            wrong += p[n] != (char)(uintptr_t)arg;
        munmap(p, size);
    }
    return NULL;
}

TEST(concurrent_mmap, "mmap munmap")
{
    pthread_t threads[8];

    for (uintptr_t i = 0; i < 8; i++)
        threads[i] = start(map_and_unmap, (void *)(i + 1));
    for (int i = 0; i < 8; i++)
        join(threads[i]);
    EXPECT_EQ(wrong, 0);
}

static void *open_and_close(void *arg)
{
    for (int i = 0; i < 300; i++) {
        int fd = open("/dev/null", O_RDWR);

        if (fd < 0 || write(fd, "x", 1) != 1 || close(fd) < 0)
            wrong++;
    }
    return arg;
}

TEST(concurrent_open, "open close")
{
    pthread_t threads[8];

    for (int i = 0; i < 8; i++)
        threads[i] = start(open_and_close, NULL);
    for (int i = 0; i < 8; i++)
        join(threads[i]);
    EXPECT_EQ(wrong, 0);
}
