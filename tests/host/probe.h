/*
 * Host probes: small proofs that this kernel behaves as the design relies on. Each is a function that returns PROBE_OK,
 * PROBE_FAIL or PROBE_SKIP; `probes NAME` runs one, with exit status 0, 1 or 77, and says why on stderr.
 */
#ifndef TESTS_HOST_PROBE_H
#define TESTS_HOST_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PROBE_OK = 0, PROBE_FAIL = 1, PROBE_SKIP = 77 };

struct probe {
    const char *name;
    int (*run)(void);
};

extern const struct probe notif_probes[];
extern const struct probe process_probes[];
extern const struct probe ptrace_probes[];
extern const struct probe mm_probes[];

/* probe_fail() - say what is not as expected, with errno's text. Return: PROBE_FAIL */
int probe_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* probe_skip() - say what is missing here. Return: PROBE_SKIP */
int probe_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* probe_child() - run f(arg) in a forked child, which exits with its result. Return: the child's pid */
pid_t probe_child(int (*f)(void *arg), void *arg);

/* probe_status() - wait for the child. Return: its exit status, or 128 + signal */
int probe_status(pid_t pid);

/* probe_listener() - install a filter that notifies of one call and allows the rest. Return: the listener, or -errno */
int probe_listener(int nr, unsigned flags);

/* probe_trap() - install a filter that answers one call with SIGSYS and allows the rest. Return: 0 or -errno */
int probe_trap(int nr);

/* probe_shared() - zeroed memory that children share */
void *probe_shared(size_t size);

#define PROBE_REQUIRE(cond)                                                                        \
    do {                                                                                           \
        if (!(cond))                                                                               \
            return probe_fail("%s:%d: %s", __FILE__, __LINE__, #cond);                             \
    } while (0)

#endif
