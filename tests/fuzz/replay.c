/*
 * Replays a fuzz target without a fuzzer: every file of a corpus, then many mutations of them from a fixed seed, so that the
 * ordinary test run exercises each parser, the same way every time. TAP, one point each.
 *
 *     fuzz_elf CORPUS [ROUNDS [SEED]]       FUZZ_ROUNDS and FUZZ_SEED are the defaults of the last two
 *
 * Inputs run in a child; when it dies, the input that killed it is kept as crash.NAME and named. Under clang the same targets
 * can be linked with -fsanitize=fuzzer instead.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define INPUT_MAX (1U << 20)
#define FILES_MAX 4096
#define ROUND_SECONDS 10

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    size_t size;
    uint8_t data[INPUT_MAX];
};

static struct {
    char *name;
    uint8_t *data;
    size_t size;
} files[FILES_MAX];
static size_t nfiles;
static struct input *shared; /* what the child works on, seen by the parent after its death */
static uint64_t state;

static uint32_t rnd(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return below ? (uint32_t)((state >> 16) % below) : 0;
}

static bool load(const char *folder)
{
    struct dirent *entry;
    DIR *dir = opendir(folder);

    while (dir && nfiles < FILES_MAX && (entry = readdir(dir))) {
        char path[4096];
        struct stat st;

        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        int fd = entry->d_name[0] == '.' ? -1 : open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            continue;
        if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= INPUT_MAX) {
            files[nfiles].name = strdup(entry->d_name);
            files[nfiles].data = malloc((size_t)st.st_size + 1);
            ssize_t n = files[nfiles].data ? read(fd, files[nfiles].data, (size_t)st.st_size) : -1;
            if (n >= 0)
                files[nfiles++].size = (size_t)n;
        }
        close(fd);
    }
    if (dir)
        closedir(dir);
    return nfiles > 0;
}

/* run_one() - the target on a copy of exactly that size, so that a sanitizer sees a byte too far. */
static void run_one(void)
{
    uint8_t *copy = malloc(shared->size ? shared->size : 1);

    if (!copy)
        abort();
    memcpy(copy, shared->data, shared->size);
    alarm(ROUND_SECONDS);
    LLVMFuzzerTestOneInput(copy, shared->size);
    free(copy);
}

static void take_file(size_t i)
{
    shared->size = files[i].size;
    memcpy(shared->data, files[i].data, files[i].size);
}

static void put_number(void)
{
    static const uint64_t odd[] = {0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0x7fffffffffffffff,
                                   0x8000000000000000, 0xffffffffffffffff, 0x1000, 0x7ffffffff000};
    size_t width = (size_t)1 << rnd(4);

    if (shared->size < width)
        return;
    uint64_t value = odd[rnd(sizeof(odd) / sizeof(odd[0]))] + rnd(3) - 1;
    memcpy(shared->data + rnd((uint32_t)(shared->size - width + 1)), &value, width);
}

static void splice_in(void)
{
    size_t other = rnd((uint32_t)nfiles), from = rnd((uint32_t)files[other].size + 1);
    size_t at = rnd((uint32_t)shared->size + 1), n = rnd((uint32_t)(files[other].size - from) + 1);

    if (at + n > INPUT_MAX)
        n = INPUT_MAX - at;
    memcpy(shared->data + at, files[other].data + from, n);
    if (at + n > shared->size)
        shared->size = at + n;
}

static void erase(void)
{
    size_t at = rnd((uint32_t)shared->size + 1), n = rnd((uint32_t)(shared->size - at) + 1);

    memmove(shared->data + at, shared->data + at + n, shared->size - at - n);
    shared->size -= n;
}

static void mutate(void)
{
    for (uint32_t steps = 1 + rnd(6); steps; steps--) {
        switch (rnd(5)) {
        case 0: put_number(); break;
        case 1: splice_in(); break;
        case 2: erase(); break;
        case 3: shared->size = rnd((uint32_t)shared->size + 1); break;
        default:
            if (shared->size)
                shared->data[rnd((uint32_t)shared->size)] ^= (uint8_t)(1U << rnd(8));
        }
    }
}

/* report() - how the child ended. Return: whether well */
static bool report(int number, const char *title, pid_t pid)
{
    int status = -1;

    waitpid(pid, &status, 0);
    if (status == 0) {
        printf("ok %d - %s\n", number, title);
        return true;
    }
    char name[64];
    snprintf(name, sizeof(name), "crash.%d", (int)getpid());
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool kept = fd >= 0 && write(fd, shared->data, shared->size) == (ssize_t)shared->size;
    if (fd >= 0)
        close(fd);
    printf("not ok %d - %s\n# wait status %#x, input of %zu bytes%s%s\n", number, title, (unsigned)status, shared->size,
           kept ? " kept as " : "", kept ? name : "");
    return false;
}

static long number_of(int argc, char **argv, int at, const char *variable, long fallback)
{
    const char *text = argc > at ? argv[at] : getenv(variable);

    return text ? strtol(text, NULL, 0) : fallback;
}

int main(int argc, char **argv)
{
    long rounds = number_of(argc, argv, 2, "FUZZ_ROUNDS", 20000), seed = number_of(argc, argv, 3, "FUZZ_SEED", 1);
    char title[128];

    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || argc < 2 || !load(argv[1])) {
        puts("Bail out! no corpus");
        return 1;
    }
    state = (uint64_t)seed * 0x9e3779b97f4a7c15U + 1;
    puts("1..2");
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        for (size_t i = 0; i < nfiles; i++) {
            take_file(i);
            run_one();
        }
        _exit(0);
    }
    snprintf(title, sizeof(title), "%zu files of the corpus", nfiles);
    bool good = report(1, title, pid);
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        for (long i = 0; i < rounds; i++) {
            take_file(rnd((uint32_t)nfiles));
            mutate();
            run_one();
        }
        _exit(0);
    }
    snprintf(title, sizeof(title), "%ld mutations from seed %ld", rounds, seed);
    return report(2, title, pid) && good ? 0 : 1;
}
