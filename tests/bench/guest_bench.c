/*
 * The same small operations natively and in the sandbox: a static program that prints `name nanoseconds` for each round,
 * one line a round, so that the caller can take medians and spreads. `guest_bench ROUNDS [NAME…]`; without names, all that
 * need nothing but this program. Two are run by name alone: python_start wants a tree with Python in it, and null_call_crowd
 * leaves its crowd of idle threads and descriptors behind, so that the caller can look at what they cost: it ends when killed.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096UL
#define FAULT_PAGES 512UL
#define NULL_CALLS 2000
#define FORK_RSS (1UL << 20)
#define FORKS 10
#define CROWD 10000
#define CROWD_STACK (16UL << 10)

static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static char *pages(size_t size)
{
    char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        die("mmap");
    /* Huge pages would make one fault of 512; both sides are measured without. */
    madvise(p, size, MADV_NOHUGEPAGE);
    return p;
}

/* touch() - write one word of each page. Return: nanoseconds per page */
static uint64_t touch(char *p, size_t count)
{
    uint64_t start = now();

    for (size_t i = 0; i < count; i++)
        *(volatile char *)(p + i * PAGE) = 1;
    return (now() - start) / count;
}

static uint64_t null_call(void)
{
    uint64_t start = now();

    for (int i = 0; i < NULL_CALLS; i++)
        syscall(SYS_getppid);
    return (now() - start) / NULL_CALLS;
}

static uint64_t first_touch(void)
{
    char *p = pages(FAULT_PAGES * PAGE);
    uint64_t each = touch(p, FAULT_PAGES);

    munmap(p, FAULT_PAGES * PAGE);
    return each;
}

static uint64_t cow_fault(void)
{
    char *p = pages(FAULT_PAGES * PAGE), byte;
    int hold[2];

    touch(p, FAULT_PAGES);
    if (pipe(hold) < 0)
        die("pipe");
    pid_t pid = fork();
    if (pid == 0) {
        close(hold[1]);
        _exit(read(hold[0], &byte, 1) == 0 ? 0 : 1);
    }
    if (pid < 0)
        die("fork");
    close(hold[0]);
    usleep(5000); /* the child is asleep in its read */
    uint64_t each = touch(p, FAULT_PAGES);
    close(hold[1]);
    waitpid(pid, NULL, 0);
    munmap(p, FAULT_PAGES * PAGE);
    return each;
}

static uint64_t fork_exit_wait(void)
{
    static char *rss;

    if (!rss) {
        rss = pages(FORK_RSS);
        touch(rss, FORK_RSS / PAGE);
    }
    uint64_t start = now();
    for (int i = 0; i < FORKS; i++) {
        pid_t pid = fork();
        if (pid == 0)
            _exit(0);
        if (pid < 0 || waitpid(pid, NULL, 0) != pid)
            die("fork");
    }
    return (now() - start) / FORKS;
}

/* python_start() - Python with imports that a program of some size has, from fork to wait. */
static uint64_t python_start(void)
{
    static const char *const words[] = {"/usr/bin/python3", "-c", "import json,re,asyncio,subprocess,email,http.client", NULL};
    uint64_t start = now();
    int status;

    pid_t pid = fork();
    if (pid == 0) {
        execv(words[0], (char *const *)words);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
        fprintf(stderr, "python did not start\n");
        exit(1);
    }
    return now() - start;
}

static void *sleeper(void *unused)
{
    for (;;)
        pause();
    return unused;
}

/* crowd() - CROWD threads that sleep and CROWD open descriptors. */
static void crowd(void)
{
    pthread_attr_t attr;
    pthread_t thread;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, CROWD_STACK);
    for (int i = 0; i < CROWD; i++) {
        if (eventfd(0, EFD_CLOEXEC) < 0)
            die("eventfd");
        if (pthread_create(&thread, &attr, sleeper, NULL) != 0)
            die("pthread_create");
    }
}

/* null_call_crowd() - null_call() beside the crowd, which the first call makes. */
static uint64_t null_call_crowd(void)
{
    static int made;

    if (!made)
        crowd();
    made = 1;
    return null_call();
}

static const struct {
    const char *name;
    uint64_t (*run)(void);
    int by_name; /* not part of what runs without names */
} benches[] = {
    {"null_call", null_call, 0},
    {"first_touch", first_touch, 0},
    {"cow_fault", cow_fault, 0},
    {"fork_exit_wait", fork_exit_wait, 0},
    {"python_start", python_start, 1},
    {"null_call_crowd", null_call_crowd, 1},
};

static int selected(size_t b, int argc, char **argv)
{
    for (int i = 2; i < argc; i++) {
        if (!strcmp(benches[b].name, argv[i]))
            return 1;
    }
    return argc <= 2 && !benches[b].by_name;
}

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 10;

    for (size_t b = 0; b < sizeof(benches) / sizeof(benches[0]); b++) {
        if (!selected(b, argc, argv))
            continue;
        benches[b].run(); /* once unmeasured, to warm up */
        for (long i = 0; i < rounds; i++)
            printf("%s %llu\n", benches[b].name, (unsigned long long)benches[b].run());
        fflush(stdout);
        while (benches[b].run == null_call_crowd)
            pause();
    }
    return 0;
}
