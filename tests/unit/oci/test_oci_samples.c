/* The files that Docker, containerd and runc write are taken as they are. */
#include "sentry/base/clean.h"
#include "sentry/oci/oci_support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static char *slurp(const char *name, size_t *len)
{
    char path[4096];
    char *text = malloc(OCI_TEXT_MAX);
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", SAMPLES, name);
    f = fopen(path, "re");
    cr_assert_not_null(f, "%s", path);
    *len = fread(text, 1, OCI_TEXT_MAX, f);
    fclose(f);
    return text;
}

static struct oci_spec *load(const char *name)
{
    struct oci_spec *spec = NULL;
    struct oci_error err;
    size_t len;
    auto_free char *text = slurp(name, &len);

    cr_assert_eq(oci_spec_parse(text, len, &spec, &err), 0, "%s: %s", name, err.text);
    return spec;
}

Test(oci_samples, docker)
{
    struct oci_spec *spec = load("docker-limits.json");
    struct oci_error err;

    cr_expect_eq(oci_support_check(spec, 0, NULL, NULL, &err), 0, "%s", err.text);
    cr_expect(spec->root_readonly);
    cr_expect_eq(spec->process.user.uid, 1000);
    cr_expect(spec->process.no_new_privileges);
    cr_expect_eq(spec->linux_.resources.memory.limit.value, 256 << 20);
    cr_expect_eq(spec->linux_.resources.pids_limit.value, 100);
    cr_expect_eq(spec->prestart.count, 1);
    cr_expect_eq(strncmp(spec->linux_.cgroups_path, "/docker/", 8), 0);
    oci_spec_free(spec);
}

Test(oci_samples, containerd)
{
    struct oci_spec *spec = load("ctr-run.json");
    struct oci_error err;

    cr_expect_eq(oci_support_check(spec, 0, NULL, NULL, &err), 0, "%s", err.text);
    cr_expect_str_eq(spec->linux_.cgroups_path, "/default/ctrone");
    oci_spec_free(spec);
}

Test(oci_samples, all_specs)
{
    static const char *const names[] = {
        "docker-run.json",
        "docker-privileged.json",
        "runc-spec.json",
        "runc-rootless.json",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        oci_spec_free(load(names[i]));
}

Test(oci_samples, exec_processes)
{
    static const char *const names[] = {"docker-exec-process.json", "ctr-exec-process.json"};

    for (size_t i = 0; i < 2; i++) {
        struct oci_process *process;
        struct oci_error err;
        size_t len;
        auto_free char *text = slurp(names[i], &len);

        cr_assert_eq(oci_process_parse(text, len, &process, &err), 0, "%s", err.text);
        cr_expect_eq(oci_support_check_process(process, NULL, NULL, &err), 0, "%s", err.text);
        oci_process_free(process);
    }
}
