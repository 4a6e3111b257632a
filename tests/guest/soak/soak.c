/*
 * The soak's frame: workers, the watch over them, and what must be true when they have ended.
 *
 * The supervisor forks workers, each of which has threads that run one random load after another
 * until the time is over. It is a sub-reaper, so that whatever a load orphans comes to it. A load
 * that runs for longer than LOAD_SECONDS hangs. At the end there is no child any more, each worker
 * has as many descriptors as before, the directories are empty, and no System V object is there.
 */
#include "tests/guest/soak/soak.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

enum { WORKERS_MAX = 8, THREADS_MAX = 8, LOADS_MAX = 128, LOAD_SECONDS = 150, THREAD_STACK = 64 << 10 };

/* What a thread is at, for the supervisor. */
struct slot {
    _Atomic(const char *) load; /* NULL: between two loads, or ended */
    _Atomic(int64_t) since;
};

static struct shared {
    struct slot slots[WORKERS_MAX][THREADS_MAX];
    _Atomic(uint32_t) runs[LOADS_MAX];
} *shared;

static struct soak_load *loads[LOADS_MAX];
static uint32_t nloads;
static int64_t end_time;
static uint64_t seed;
static unsigned int workers = 3, threads = 3;
static char bases[2][96];
static const char *only; /* a name or the beginning of one: no other loads */

void soak_register(struct soak_load *load)
{
    uint32_t at = nloads;

    if (nloads == LOADS_MAX)
        abort();
    /* By name: the linker's order is no part of what a seed means. */
    for (; at > 0 && strcmp(loads[at - 1]->name, load->name) > 0; at--)
        loads[at] = loads[at - 1];
    loads[at] = load;
    nloads++;
}

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint32_t soak_below(struct soak *s, uint32_t bound)
{
    return (uint32_t)(next_random(&s->random) >> 32) % bound;
}

void soak_fill(void *buf, size_t n, uint64_t with)
{
    unsigned char *p = buf;

    for (size_t i = 0; i < n; i++)
        p[i] = (unsigned char)((with + i) * 0x9e3779b97f4a7c15u >> 56);
}

size_t soak_filled(const void *buf, size_t n, uint64_t with)
{
    const unsigned char *p = buf;

    for (size_t i = 0; i < n; i++)
        if (p[i] != (unsigned char)((with + i) * 0x9e3779b97f4a7c15u >> 56))
            return i;
    return n;
}

uint64_t soak_sum(uint64_t sum, const void *buf, size_t n)
{
    const unsigned char *p = buf;

    for (size_t i = 0; i < n; i++)
        sum = (sum ^ p[i]) * 0x100000001b3u;
    return sum;
}

/* close_others() - all descriptors from 3 on but those of keep */
static void close_others(const int *keep)
{
    int from = 3;

    for (;;) {
        int next = -1;

        for (const int *k = keep; *k >= 0; k++)
            if (*k >= from && (next < 0 || *k < next))
                next = *k;
        if (next < 0)
            break;
        if (next > from)
            SYS(close_range, from, next - 1, 0);
        from = next + 1;
    }
    SYS(close_range, from, ~0u, 0);
}

/* is_gone() - has the thread that forked us ended, alone or with its process? From a new pid
 * namespace nobody can tell. */
static bool is_gone(pid_t parent, pid_t thread)
{
    if (getppid() == 0)
        return false;
    return getppid() != parent || (SYS(tgkill, parent, thread, 0) < 0 && errno == ESRCH);
}

pid_t soak_fork(const int *keep)
{
    pid_t parent = getpid(), thread = (pid_t)SYS(gettid), pid = guest_fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (is_gone(parent, thread)) /* it was before the line above */
            _exit(0);
        close_others(keep);
    }
    return pid;
}

char *soak_path(const struct soak *s, const char *name, char *buf)
{
    snprintf(buf, 256, "%s/%.80s", s->dir, name);
    return buf;
}

void soak_pipe(int fds[2], int flags)
{
    REQUIRE_OK(pipe2(fds, flags | O_CLOEXEC));
}

size_t soak_read_all(int fd, void *buf, size_t n)
{
    size_t done = 0;

    while (done < n) {
        ssize_t got = read(fd, (char *)buf + done, n - done);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    return done;
}

size_t soak_write_all(int fd, const void *buf, size_t n)
{
    size_t done = 0;

    while (done < n) {
        ssize_t put = write(fd, (const char *)buf + done, n - done);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            break;
        done += (size_t)put;
    }
    return done;
}

pthread_t soak_thread(void *(*body)(void *), void *arg)
{
    pthread_attr_t attr;
    pthread_t thread = 0;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, THREAD_STACK);
    if (!EXPECT_EQ(pthread_create(&thread, &attr, body, arg), 0))
        guest_finish();
    pthread_attr_destroy(&attr);
    return thread;
}

void soak_threads(unsigned int n, void *(*body)(void *), void *arg)
{
    pthread_t thread[32];

    REQUIRE(n <= COUNT_OF(thread));
    for (unsigned int i = 0; i < n; i++)
        thread[i] = soak_thread(body, arg);
    for (unsigned int i = 0; i < n; i++)
        EXPECT_EQ(pthread_join(thread[i], NULL), 0);
}

const struct soak_load *soak_random_load(struct soak *s, bool lasting)
{
    const struct soak_load *load;

    do {
        load = loads[soak_below(s, nloads)];
    } while ((load->lasting && !lasting) || (only && strncmp(load->name, only, strlen(only))));
    return load;
}

void soak_enter(struct soak *s, const char *name)
{
    size_t used = strlen(s->dir);

    snprintf(s->dir + used, sizeof(s->dir) - used, "/%s", name);
    REQUIRE_OK(mkdir(s->dir, 0755));
}

/* empty_dir() - remove all that is in a directory. Return: how many names there were */
static unsigned int empty_dir(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    unsigned int n = 0;

    while (dir && (entry = readdir(dir))) {
        char inner[512];

        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        n++;
        snprintf(inner, sizeof(inner), "%.200s/%s", path, entry->d_name);
        if (unlink(inner) < 0) {
            empty_dir(inner);
            rmdir(inner);
        }
    }
    if (dir)
        closedir(dir);
    return n;
}

void soak_leave(struct soak *s)
{
    /* Who was killed may still be on the way. */
    WAIT_UNTIL((empty_dir(s->dir), rmdir(s->dir) == 0 || errno == ENOENT));
    *strrchr(s->dir, '/') = '\0';
}

void soak_nap(struct soak *s, uint32_t most)
{
    struct timespec t = {0, (long)soak_below(s, most) * 1000};

    nanosleep(&t, NULL);
}

/* one_load() - run it, known to the supervisor; its directory is empty before and after */
static void one_load(struct soak *s, struct slot *slot, unsigned int worker, unsigned int thread)
{
    const struct soak_load *load = soak_random_load(s, true);
    const char *base = bases[soak_below(s, 2)];

    for (uint32_t i = 0; i < nloads; i++)
        if (loads[i] == load)
            shared->runs[i]++;
    snprintf(s->dir, sizeof(s->dir), "%s/%u.%u", base, worker, thread);
    slot->since = guest_now_ns();
    slot->load = load->name;
    load->run(s);
    slot->load = "afterwards";
    guest_check(empty_dir(s->dir) == 0, load->name, 0, "it left files");
    slot->load = NULL;
}

struct worker_thread {
    unsigned int worker, thread;
};

static void *worker_thread(void *arg)
{
    struct worker_thread *w = arg;
    struct soak s = {.random = seed + w->worker * 1000 + w->thread};

    while (guest_now_ns() < end_time)
        one_load(&s, &shared->slots[w->worker][w->thread], w->worker, w->thread);
    return NULL;
}

static unsigned int count_names(const char *path)
{
    DIR *dir = opendir(path);
    unsigned int n = 0;

    while (dir && readdir(dir))
        n++;
    if (dir)
        closedir(dir);
    return n;
}

static void worker_main(unsigned int worker)
{
    struct worker_thread args[THREADS_MAX];
    pthread_t thread[THREADS_MAX];
    unsigned int before = count_names("/proc/self/fd");

    for (unsigned int i = 0; i < threads; i++) {
        args[i] = (struct worker_thread){worker, i};
        REQUIRE(pthread_create(&thread[i], NULL, worker_thread, &args[i]) == 0);
    }
    for (unsigned int i = 0; i < threads; i++)
        EXPECT_EQ(pthread_join(thread[i], NULL), 0);
    EXPECT_EQ(count_names("/proc/self/fd"), before);
    /* A joined thread's task may still be on its way out. */
    WAIT_UNTIL(count_names("/proc/self/task") == 3);
}

/* tell_process() - what the kernel says a process is at, for somebody who looks for a hang */
static void tell_process(const char *pid)
{
    static const char *const names[] = {"status", "syscall", "wchan", "stat"};
    char path[320], text[256];
    struct dirent *entry;
    DIR *dir;

    snprintf(path, sizeof(path), "/proc/%.20s/task", pid);
    dir = opendir(path);
    while (dir && (entry = readdir(dir))) {
        if (entry->d_name[0] == '.')
            continue;
        for (size_t i = 0; i < COUNT_OF(names); i++) {
            snprintf(path, sizeof(path), "/proc/%.20s/task/%.20s/%s", pid, entry->d_name, names[i]);
            if (guest_slurp(path, text, sizeof(text)) > 0)
                guest_diag("%s: %s", path, text);
        }
    }
    if (dir)
        closedir(dir);
}

/* tell_processes() - every process that runs this program */
static void tell_processes(void)
{
    DIR *dir = opendir("/proc");
    struct dirent *entry;
    char own[16], comm[16], path[64];

    guest_slurp("/proc/self/comm", own, sizeof(own));
    while (dir && (entry = readdir(dir))) {
        snprintf(path, sizeof(path), "/proc/%.20s/comm", entry->d_name);
        if (guest_slurp(path, comm, sizeof(comm)) > 0 && !strcmp(comm, own))
            tell_process(entry->d_name);
    }
    if (dir)
        closedir(dir);
}

/* watch() - Return: whether no load hangs */
static bool watch(void)
{
    for (unsigned int w = 0; w < workers; w++) {
        for (unsigned int t = 0; t < threads; t++) {
            struct slot *slot = &shared->slots[w][t];
            const char *load = slot->load;

            if (!load || guest_now_ns() - slot->since < LOAD_SECONDS * 1000000000ll)
                continue;
            guest_check(false, load, 0, "worker %u, thread %u: still running after %d s", w, t,
                        LOAD_SECONDS);
            return false;
        }
    }
    return true;
}

/* attend() - reap workers and orphans until none is left, or something hangs */
static void attend(const pid_t *pids)
{
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);

        if (pid < 0 && errno == ECHILD)
            return;
        for (unsigned int w = 0; pid > 0 && w < workers; w++)
            if (pids[w] == pid)
                guest_check(status == 0, "worker", (int)w, "wait status 0x%x", (unsigned int)status);
        if (pid > 0)
            continue;
        if (!watch() || guest_now_ns() > end_time + 2ll * LOAD_SECONDS * 1000000000) {
            guest_check(false, "soak", 0, "not all have ended");
            tell_processes();
            for (unsigned int w = 0; w < workers; w++)
                kill(pids[w], SIGKILL);
            return;
        }
        guest_sleep_ms(20);
    }
}

/* sysv_objects() - how many there are of a kind */
static unsigned int sysv_objects(const char *kind)
{
    char path[64], text[65536];
    unsigned int lines = 0;

    snprintf(path, sizeof(path), "/proc/sysvipc/%s", kind);
    guest_slurp(path, text, sizeof(text));
    for (char *p = text; (p = strchr(p, '\n')); p++)
        lines++;
    return lines;
}

static void make_dirs(bool make)
{
    for (unsigned int i = 0; i < 2; i++) {
        make ? REQUIRE_OK(mkdir(bases[i], 0755)) : 0;
        for (unsigned int w = 0; w < workers * threads; w++) {
            char path[128];

            snprintf(path, sizeof(path), "%.95s/%u.%u", bases[i], w / threads, w % threads);
            EXPECT_OK(make ? mkdir(path, 0755) : rmdir(path));
        }
        make ? 0 : EXPECT_OK(rmdir(bases[i]));
    }
}

/* tell_runs() - how much was done, and what was never */
static void tell_runs(void)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; i < nloads; i++) {
        sum += shared->runs[i];
        if (!shared->runs[i] && !only)
            guest_diag("never: %s", loads[i]->name);
    }
    guest_diag("%u runs of %u loads", sum, nloads);
}

/* soak() - all of it, for so many seconds */
static void soak(double seconds)
{
    static const char *const kinds[] = {"msg", "sem", "shm"};
    unsigned int before[3];
    pid_t pids[WORKERS_MAX];

    shared = guest_shared(sizeof(*shared));
    end_time = guest_now_ns() + (int64_t)(seconds * 1e9);
    REQUIRE_OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
    /* Whoever was killed here before may have had the same pid. */
    snprintf(bases[0], sizeof(bases[0]), "/tmp/soak.%d.%llx", getpid(), (unsigned long long)end_time);
    snprintf(bases[1], sizeof(bases[1]), "%s/soak.%d.%llx",
             access("/root", W_OK) == 0 ? "/root" : "/var/tmp", getpid(),
             (unsigned long long)end_time);
    make_dirs(true);
    for (int i = 0; i < 3; i++)
        before[i] = sysv_objects(kinds[i]);
    for (unsigned int w = 0; w < workers; w++) {
        IN_CHILD(pids[w])
            worker_main(w);
    }
    attend(pids);
    make_dirs(false);
    for (int i = 0; i < 3; i++)
        EXPECT_EQ(sysv_objects(kinds[i]), before[i]);
    tell_runs();
}

/* --helper run SECONDS [SEED [WORKERS [THREADS [LOAD]]]] */
HELPER(run)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 10;

    seed = argc > 2 && *argv[2] ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL);
    workers = argc > 3 ? (unsigned int)strtoul(argv[3], NULL, 10) : workers;
    threads = argc > 4 ? (unsigned int)strtoul(argv[4], NULL, 10) : threads;
    only = argc > 5 ? argv[5] : NULL;
    REQUIRE(workers <= WORKERS_MAX && threads <= THREADS_MAX);
    guest_diag("seed %llu, %u processes with %u threads, %.0f s", (unsigned long long)seed, workers,
               threads, seconds);
    soak(seconds);
    guest_finish();
}

/* Its own program, so that the children's words go to the real standard output. */
TEST_SLOW(random_loads, 600)
{
    char text[32];
    pid_t pid;

    snprintf(text, sizeof(text), "%lu", guest_operations(3));
    IN_CHILD(pid)
        REQUIRE_OK(execl(guest_self, guest_self, "--helper", "run", text, NULL));
    EXPECT_CHILD_OK(pid);
}
