/*
 * The same small operations natively and in the sandbox: a static program that prints `name nanoseconds` for each round,
 * one line a round, so that the caller can take medians and spreads. `guest_bench ROUNDS [NAME…]`.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static const struct {
    const char *name;
    uint64_t (*run)(void);
} benches[] = {
    {"null_call", null_call},
    {"first_touch", first_touch},
    {"cow_fault", cow_fault},
    {"fork_exit_wait", fork_exit_wait},
};

static int selected(const char *name, int argc, char **argv)
{
    for (int i = 2; i < argc; i++) {
        if (!strcmp(name, argv[i]))
            return 1;
    }
    return argc <= 2;
}

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 10;

    for (size_t b = 0; b < sizeof(benches) / sizeof(benches[0]); b++) {
        if (!selected(benches[b].name, argc, argv))
            continue;
        benches[b].run(); /* once unmeasured, to warm up */
        for (long i = 0; i < rounds; i++)
            printf("%s %llu\n", benches[b].name, (unsigned long long)benches[b].run());
        fflush(stdout);
    }
    return 0;
}
