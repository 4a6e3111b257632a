/* Every file of the ELF corpus, through the fuzz target. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay(const char *name)
{
    char path[4096];
    size_t len;
    uint8_t *bytes = malloc(1 << 20), *exact;
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", SAMPLES, name);
    f = fopen(path, "re");
    cr_assert_not_null(f, "%s", path);
    len = fread(bytes, 1, 1 << 20, f);
    fclose(f);
    /* An exact copy, so that a read behind it is seen. */
    exact = malloc(len ? len : 1);
    memcpy(exact, bytes, len);
    cr_expect_eq(LLVMFuzzerTestOneInput(exact, len), 0, "%s", name);
    /* Each prefix of it, too. */
    for (size_t n = 0; n < len && n < 1024; n++)
        LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    free(bytes);
}

Test(elf_samples, all)
{
    DIR *dir = opendir(SAMPLES);
    struct dirent *e;
    int n = 0;

    cr_assert_not_null(dir);
    while ((e = readdir(dir))) {
        if (e->d_name[0] == '.')
            continue;
        replay(e->d_name);
        n++;
    }
    closedir(dir);
    cr_assert_geq(n, 12);
}
