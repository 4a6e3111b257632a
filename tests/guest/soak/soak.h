/*
 * The soak: random loads in several processes with several threads each. A load does a little of
 * everything of its area for some milliseconds and checks every answer by EXPECT; where Linux may
 * give one of several, it takes any of them. Loads leave nothing behind: no process, no descriptor,
 * no file.
 *
 * A load runs in a thread among others that fork, map and open beside it. So what is of the whole
 * process (signals, the directory, limits) belongs into a child, and whatever waits for the end of
 * a file must not find it held open by somebody's child: children come from SOAK_FORK, which
 * closes what they were not meant to have, and descriptors are closed by exec.
 */
#ifndef TESTS_GUEST_SOAK_SOAK_H
#define TESTS_GUEST_SOAK_SOAK_H

#include "tests/guest/guest.h"

#include <pthread.h>

/* One thread's run of loads. */
struct soak {
    uint64_t random;
    char dir[160]; /* an empty directory of its own, on tmpfs or on the root; not the current one */
};

struct soak_load {
    const char *name;
    void (*run)(struct soak *s);
    bool lasting; /* makes what a killed process leaves behind: System V objects */
    struct soak_load *next;
};

void soak_register(struct soak_load *load);

#define LOAD(id)         SOAK_LOAD_(id, false)
#define LOAD_LASTING(id) SOAK_LOAD_(id, true)
#define SOAK_LOAD_(id, lasts)                                                                      \
    static void load_##id(struct soak *s);                                                         \
    __attribute__((constructor)) static void soak_add_##id(void)                                   \
    {                                                                                              \
        static struct soak_load entry = {#id, load_##id, lasts, NULL};                             \
        soak_register(&entry);                                                                     \
    }                                                                                              \
    static void load_##id(struct soak *s __attribute__((unused)))

/* soak_below() - a random number in [0, bound) */
uint32_t soak_below(struct soak *s, uint32_t bound);

/* soak_coin() - true once in n */
static inline bool soak_coin(struct soak *s, uint32_t n)
{
    return soak_below(s, n) == 0;
}

/* soak_fill() - n bytes that only this seed gives */
void soak_fill(void *buf, size_t n, uint64_t seed);

/* soak_filled() - whether they are those. Return: the first that is not, or n */
size_t soak_filled(const void *buf, size_t n, uint64_t seed);

/* soak_sum() - a checksum that goes on from sum */
uint64_t soak_sum(uint64_t sum, const void *buf, size_t n);

/*
 * soak_fork() - a child that has just the descriptors below 3 and those of keep, which ends at -1,
 * and that dies with the thread that made it. Return: as guest_fork()
 */
pid_t soak_fork(const int *keep);
#define SOAK_FORK(...)  soak_fork((const int[]){__VA_ARGS__, -1})
#define SOAK_FORK_BARE() soak_fork((const int[]){-1})

/* SOAK_CHILD(pid, fds…) { … }: the block in such a child, which then ends as IN_CHILD does. */
#define SOAK_CHILD(pid, ...)                                                                       \
    for ((pid) = soak_fork((const int[]){__VA_ARGS__}); guest_is_zero(pid); guest_finish())

/* soak_path() - dir/name in buf of 256 bytes. Return: buf */
char *soak_path(const struct soak *s, const char *name, char *buf);

/* soak_pipe() - a pipe that exec closes */
void soak_pipe(int fds[2], int flags);

/* soak_read_all(), soak_write_all() - n bytes whatever interrupts. Return: how many there were */
size_t soak_read_all(int fd, void *buf, size_t n);
size_t soak_write_all(int fd, const void *buf, size_t n);

/* soak_threads() - n threads that run body(arg) with the same argument, all joined */
void soak_threads(unsigned int n, void *(*body)(void *), void *arg);

/* soak_thread() - a thread with a small stack, to be joined */
pthread_t soak_thread(void *(*body)(void *), void *arg);

/* soak_random_load() - any one load but for the lasting ones, unless those may run too */
const struct soak_load *soak_random_load(struct soak *s, bool lasting);

/* soak_enter() - a directory of this name below s->dir becomes s->dir; soak_leave() removes it
 * with all that is in it, and goes back */
void soak_enter(struct soak *s, const char *name);
void soak_leave(struct soak *s);

/* soak_nap() - a short sleep of a random time, in microseconds below most */
void soak_nap(struct soak *s, uint32_t most);

#endif
