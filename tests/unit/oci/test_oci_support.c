/* What is refused by name, and what is accepted with a warning. */
#include "sentry/oci/oci_support.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HEAD "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"rootfs\"}"

struct warnings {
    int count;
    char last[512];
};

static void warn(void *arg, const char *line)
{
    struct warnings *w = arg;

    w->count++;
    snprintf(w->last, sizeof(w->last), "%s", line);
}

static int check(const char *text, unsigned int conditions, struct warnings *w,
                 struct oci_error *err)
{
    struct oci_spec *spec;
    int r = oci_spec_parse(text, strlen(text), &spec, err);

    cr_assert_eq(r, 0, "%s", err->text);
    memset(w, 0, sizeof(*w));
    r = oci_support_check(spec, conditions, warn, w, err);
    oci_spec_free(spec);
    return r;
}

static void refuse(const char *text, unsigned int conditions, const char *line)
{
    struct oci_error err;
    struct warnings w;

    cr_expect_eq(check(text, conditions, &w, &err), -EOPNOTSUPP, "%s", text);
    cr_expect_str_eq(err.text, line);
}

static void accept(const char *text, int warnings, const char *last)
{
    struct oci_error err;
    struct warnings w;

    cr_expect_eq(check(text, 0, &w, &err), 0, "%s: %s", text, err.text);
    cr_expect_eq(w.count, warnings, "%s: %d", text, w.count);
    cr_expect_str_eq(w.last, last);
}

#define PROCESS(more) HEAD ",\"process\":{\"args\":[\"a\"],\"cwd\":\"/\"," more "}}"

Test(oci_support, refused)
{
    refuse(PROCESS("\"scheduler\":{\"policy\":\"SCHED_FIFO\"}"), 0,
           "config.json: process.scheduler: not built yet: scheduling policies");
    refuse(HEAD ",\"mounts\":[{\"destination\":\"/a\",\"type\":\"tmpfs\"},"
                "{\"destination\":\"/a\",\"type\":\"ext4\"}]}",
           0, "config.json: mounts[1].type: this file system can't be mounted in a sandbox");
    refuse(HEAD ",\"mounts\":[{\"destination\":\"/a\",\"source\":\"/b\",\"options\":"
                "[\"bind\",\"rshared\"]}]}",
           0,
           "config.json: mounts[0].options[1]: not built yet: mounts that propagate to the host");
    refuse(
        HEAD ",\"linux\":{\"namespaces\":[{\"type\":\"pid\",\"path\":\"/proc/1/ns/pid\"}]}}", 0,
        "config.json: linux.namespaces[0]: only a network namespace can be joined; a sandbox has "
        "its own of the others");
    refuse(HEAD ",\"hooks\":{\"startContainer\":[{\"path\":\"/h\"}]}}", 0,
           "config.json: hooks.startContainer: not built yet: hooks that run inside the container");
    refuse(HEAD ",\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\"}}}",
           OCI_SUPPORT_SECCOMP,
           "config.json: linux.seccomp: not built yet: enforcing the container's seccomp profile");
}

Test(oci_support, warned)
{
    accept(PROCESS("\"apparmorProfile\":\"docker-default\""), 1,
           "config.json: process.apparmorProfile: has no meaning inside a sandbox");
    accept(PROCESS("\"capabilities\":{\"bounding\":[\"CAP_KILL\",\"CAP_FUTURE\"]}"), 1,
           "config.json: process.capabilities.bounding[1]: unknown capability");
    accept(HEAD ",\"linux\":{\"mountLabel\":\"x\"}}", 1,
           "config.json: linux.mountLabel: has no meaning inside a sandbox");
}

Test(oci_support, accepted)
{
    accept(PROCESS("\"terminal\":true,\"apparmorProfile\":\"\""), 0, "");
    accept(HEAD ",\"linux\":{\"namespaces\":[{\"type\":\"network\",\"path\":\"/n\"},"
                "{\"type\":\"pid\",\"path\":\"\"}],\"seccomp\":{\"x\":1},\"timeOffsets\":{},"
                "\"devices\":[{\"path\":\"/dev/null\",\"type\":\"c\"}]}}",
           0, "");
}

Test(oci_support, process_alone)
{
    static const char text[] = "{\"args\":[\"a\"],\"cwd\":\"/\",\"scheduler\":{\"policy\":\"SCHED_OTHER\"}}";
    struct oci_process *process;
    struct oci_error err;

    cr_assert_eq(oci_process_parse(text, strlen(text), &process, &err), 0);
    cr_expect_eq(oci_support_check_process(process, NULL, NULL, &err), -EOPNOTSUPP);
    cr_expect_str_eq(err.text, "process: scheduler: not built yet: scheduling policies");
    oci_process_free(process);
}
