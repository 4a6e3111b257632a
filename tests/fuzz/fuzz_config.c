/*
 * Feeds bytes to the parsers of config.json and of a process object, and reads all that they
 * hand out. Under libFuzzer a fuzz target; with a main of its own it replays files.
 */
#include "sentry/oci/oci_spec.h"
#include "sentry/oci/oci_support.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t touch(const struct oci_strings *strings)
{
    size_t n = 0;

    for (size_t i = 0; i < strings->count; i++)
        n += strlen(strings->items[i]);
    return n;
}

static size_t touch_process(const struct oci_process *process)
{
    assert(process->args.count > 0);
    assert(process->cwd[0] == '/');
    return touch(&process->args) + touch(&process->env) + process->user.additional_gids.count;
}

static size_t touch_spec(const struct oci_spec *spec)
{
    size_t n = strlen(spec->root_path);

    for (size_t i = 0; i < spec->mounts.count; i++) {
        const struct oci_mount *mount = &spec->mounts.items[i];

        assert(mount->destination[0] == '/' && mount->type);
        assert(!(mount->flags & mount->clear));
        n += touch(&mount->options) + touch(&mount->data);
    }
    for (size_t i = 0; i < spec->annotations.count; i++)
        n += strlen(spec->annotations.items[i].value);
    if (spec->process_set)
        n += touch_process(&spec->process);
    return n + spec->linux_.devices.count;
}

/* check_error() - a refusal says why, in one line. */
static void check_error(const struct oci_error *err)
{
    size_t n = strnlen(err->text, sizeof(err->text));

    assert(n > 0 && n < sizeof(err->text));
    assert(!strchr(err->text, '\n'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct oci_process *process = NULL;
    struct oci_error err = {.text = ""};
    struct oci_spec *spec = NULL;
    volatile size_t sum = 0;

    if (oci_spec_parse((const char *)data, size, &spec, &err) == 0) {
        sum += touch_spec(spec);
        if (oci_support_check(spec, OCI_SUPPORT_SECCOMP, NULL, NULL, &err))
            check_error(&err);
        oci_spec_free(spec);
    } else {
        check_error(&err);
    }
    err.text[0] = '\0';
    if (oci_process_parse((const char *)data, size, &process, &err) == 0) {
        sum += touch_process(process);
        oci_support_check_process(process, NULL, NULL, &err);
        oci_process_free(process);
    } else {
        check_error(&err);
    }
    return 0;
}
