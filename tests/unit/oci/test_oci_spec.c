/* config.json: what is read from it, and the one line for everything that is wrong with it. */
#include "sentry/base/clean.h"
#include "sentry/oci/oci_spec.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#define HEAD "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"rootfs\"}"

static struct oci_spec *parse(const char *text)
{
    struct oci_spec *spec = NULL;
    struct oci_error err;
    int r = oci_spec_parse(text, strlen(text), &spec, &err);

    cr_assert_eq(r, 0, "%s: %s", text, err.text);
    return spec;
}

static void refuse(const char *text, const char *line)
{
    struct oci_spec *spec = NULL;
    struct oci_error err = {.text = ""};
    int r = oci_spec_parse(text, strlen(text), &spec, &err);

    cr_assert_lt(r, 0, "%s", text);
    cr_assert_null(spec);
    cr_expect_str_eq(err.text, line);
}

Test(oci_spec, smallest)
{
    struct oci_spec *spec = parse(HEAD "}");

    cr_expect_str_eq(spec->root_path, "rootfs");
    cr_expect_not(spec->root_readonly);
    cr_expect_not(spec->process_set);
    cr_expect_not(spec->linux_.set);
    cr_expect_null(spec->hostname);
    oci_spec_free(spec);
    oci_spec_free(NULL);
}

Test(oci_spec, process)
{
    struct oci_spec *spec = parse(
        HEAD ",\"process\":{\"args\":[\"sh\",\"-c\",\"true\"],\"cwd\":\"/w\",\"env\":[\"A=b\"],"
             "\"terminal\":true,\"consoleSize\":{\"height\":25,\"width\":80},"
             "\"user\":{\"uid\":1000,\"gid\":4294967294,\"umask\":18,"
             "\"additionalGids\":[5,10]},"
             "\"capabilities\":{\"bounding\":[\"CAP_KILL\",\"CAP_CHECKPOINT_RESTORE\","
             "\"CAP_NONE\"],\"ambient\":null},"
             "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":1024,"
             "\"hard\":18446744073709551615}],"
             "\"noNewPrivileges\":true,\"oomScoreAdj\":-1000}}");
    const struct oci_process *p = &spec->process;

    cr_expect(spec->process_set);
    cr_expect_eq(p->args.count, 3);
    cr_expect_str_eq(p->args.items[2], "true");
    cr_expect_null(p->args.items[3]);
    cr_expect_str_eq(p->env.items[0], "A=b");
    cr_expect_str_eq(p->cwd, "/w");
    cr_expect(p->terminal);
    cr_expect_eq(p->console_height, 25);
    cr_expect_eq(p->console_width, 80);
    cr_expect_eq(p->user.uid, 1000);
    cr_expect_eq(p->user.gid, 4294967294);
    cr_expect(p->user.umask_set);
    cr_expect_eq(p->user.umask, 18);
    cr_expect_eq(p->user.additional_gids.count, 2);
    cr_expect_eq(p->user.additional_gids.items[1], 10);
    cr_expect(p->capabilities.set);
    cr_expect_eq(p->capabilities.bounding, 1ull << 5 | 1ull << 40);
    cr_expect_eq(p->capabilities.ambient, 0);
    cr_expect_eq(p->rlimits.items[0].resource, 7);
    cr_expect_eq(p->rlimits.items[0].soft, 1024);
    cr_expect_eq(p->rlimits.items[0].hard, UINT64_MAX);
    cr_expect(p->no_new_privileges);
    cr_expect(p->oom_score_adj_set);
    cr_expect_eq(p->oom_score_adj, -1000);
    oci_spec_free(spec);
}

Test(oci_spec, mount_options)
{
    struct oci_spec *spec =
        parse(HEAD ",\"mounts\":["
                   "{\"destination\":\"/d\",\"type\":\"none\",\"source\":\"s\","
                   "\"options\":[\"rbind\",\"ro\",\"rw\",\"nosuid\",\"rprivate\",\"rslave\"]},"
                   "{\"destination\":\"/t\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":"
                   "[\"size=64k\",\"rw\",\"ro\",\"mode=755\",\"tmpcopyup\",\"rro\"]}]}");
    const struct oci_mount *m = spec->mounts.items;

    cr_expect_eq(spec->mounts.count, 2);
    cr_expect_str_eq(m[0].type, "bind");
    cr_expect_eq(m[0].flags, OCI_MOUNT_BIND | OCI_MOUNT_REC | OCI_MOUNT_NOSUID);
    cr_expect_eq(m[0].clear, OCI_MOUNT_RDONLY);
    cr_expect_eq(m[0].propagation, OCI_MOUNT_SLAVE | OCI_MOUNT_REC);
    cr_expect_eq(m[0].data.count, 0);
    cr_expect_str_eq(m[1].type, "tmpfs");
    cr_expect_eq(m[1].flags, OCI_MOUNT_RDONLY);
    cr_expect_eq(m[1].rec_set, OCI_MOUNT_RDONLY);
    cr_expect(m[1].tmpcopyup);
    cr_expect_eq(m[1].data.count, 2);
    cr_expect_str_eq(m[1].data.items[1], "mode=755");
    oci_spec_free(spec);
}

Test(oci_spec, linux_object)
{
    struct oci_spec *spec =
        parse(HEAD ",\"annotations\":{\"a\":\"1\",\"b.c\":\"\"},\"linux\":{"
                   "\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"network\",\"path\":\"/n\"},"
                   "{\"type\":\"user\",\"path\":\"\"}],"
                   "\"uidMappings\":[{\"containerID\":0,\"hostID\":1000,\"size\":10}],"
                   "\"devices\":[{\"path\":\"/dev/x\",\"type\":\"c\",\"major\":1,\"minor\":2}],"
                   "\"resources\":{\"memory\":{\"limit\":-1},\"cpu\":{\"quota\":50000,"
                   "\"period\":100000,\"cpus\":\"0-1\"},\"pids\":{\"limit\":0},"
                   "\"devices\":[{\"allow\":false,\"access\":\"rwm\"}],"
                   "\"unified\":{\"memory.high\":\"1\"},"
                   "\"rdma\":{\"mlx\":{\"hcaHandles\":3}}},"
                   "\"timeOffsets\":{\"boottime\":{\"secs\":-3}}}}");
    const struct oci_linux *l = &spec->linux_;

    cr_expect_str_eq(oci_spec_annotation(spec, "a"), "1");
    cr_expect_null(oci_spec_annotation(spec, "b"));
    cr_expect_str_eq(oci_spec_namespace(spec, OCI_NS_NETWORK)->path, "/n");
    cr_expect_null(oci_spec_namespace(spec, OCI_NS_USER)->path);
    cr_expect_null(oci_spec_namespace(spec, OCI_NS_UTS));
    cr_expect_eq(l->uid_mappings.items[0].host_id, 1000);
    cr_expect_eq(l->devices.items[0].type, 'c');
    cr_expect_eq(l->devices.items[0].minor, 2);
    cr_expect(l->resources.memory.limit.set);
    cr_expect_eq(l->resources.memory.limit.value, -1);
    cr_expect_not(l->resources.memory.swap.set);
    cr_expect_eq(l->resources.cpu.quota.value, 50000);
    cr_expect_str_eq(l->resources.cpu.cpus, "0-1");
    cr_expect(l->resources.pids_limit.set);
    cr_expect_eq(l->resources.devices.items[0].type, 'a');
    cr_expect_str_eq(l->resources.unified.items[0].key, "memory.high");
    cr_expect_str_eq(l->resources.rdma.items[0].device, "mlx");
    cr_expect_eq(l->resources.rdma.items[0].handles.value, 3);
    cr_expect_str_eq(l->time_offsets.items[0].clock, "boottime");
    cr_expect_eq(l->time_offsets.items[0].secs, -3);
    oci_spec_free(spec);
}

Test(oci_spec, hooks)
{
    struct oci_spec *spec =
        parse(HEAD ",\"hooks\":{\"prestart\":[{\"path\":\"/h\",\"args\":[\"h\"],"
                   "\"env\":[\"A=1\"],\"timeout\":3}],\"poststop\":[]}}");

    cr_expect_eq(spec->prestart.count, 1);
    cr_expect_str_eq(spec->prestart.items[0].path, "/h");
    cr_expect_eq(spec->prestart.items[0].timeout.value, 3);
    cr_expect_eq(spec->poststop.count, 0);
    oci_spec_free(spec);
}

Test(oci_spec, not_json)
{
    refuse("", "config.json: ends too early, at line 1, column 1");
    refuse("{\"a\":\n [1,", "config.json: ends too early, at line 2, column 5");
    refuse("null\n", "config.json: must be an object, is null");
    refuse("[]", "config.json: must be an object, is an array");
    refuse(
        "{\"a\" 1}",
        "config.json: is not JSON: line 1, column 6: object property name separator ':' expected");
    refuse(HEAD "} x", "config.json: is not JSON: line 1, column 49: unexpected character");
    refuse("{\"ociVersion\":\"\xff\"}",
           "config.json: is not JSON: line 1, column 16: invalid utf-8 string");
}

Test(oci_spec, nul_in_text)
{
    static const char text[] = HEAD "}\0x";
    struct oci_spec *spec;
    struct oci_error err;

    cr_expect_eq(oci_spec_parse(text, sizeof(text) - 1, &spec, &err), -EINVAL);
    cr_expect_str_eq(err.text, "config.json: is not JSON: line 1, column 48: text after the end of "
                               "the object");
}

Test(oci_spec, wrong_types)
{
    refuse("{}", "config.json: ociVersion: is missing");
    refuse("{\"ociVersion\":1}", "config.json: ociVersion: must be a string, is a number");
    refuse("{\"ociVersion\":\"1.0.0\"}", "config.json: root: is missing");
    refuse("{\"ociVersion\":\"1.0.0\",\"root\":[]}",
           "config.json: root: must be an object, is an array");
    refuse("{\"ociVersion\":\"1.0.0\",\"root\":{}}", "config.json: root.path: is missing");
    refuse(HEAD ",\"process\":{\"args\":3}}",
           "config.json: process.args: must be an array of strings, is a number");
    refuse(HEAD ",\"process\":{\"args\":[\"a\",2]}}",
           "config.json: process.args[1]: must be a string, is a number");
    refuse(HEAD ",\"process\":{\"args\":[null]}}",
           "config.json: process.args[0]: must be a string, is null");
    refuse(HEAD ",\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"user\":{\"uid\":-1}}}",
           "config.json: process.user.uid: must be from 0 to 4294967294, is -1");
    refuse(HEAD ",\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"user\":{\"uid\":1.5}}}",
           "config.json: process.user.uid: must be a whole number, is a number with a fraction");
    refuse(HEAD ",\"annotations\":{\"k\":true}}",
           "config.json: annotations.k: must be a string, is a boolean");
    refuse(HEAD ",\"mounts\":{}}",
           "config.json: mounts: must be an array of objects, is an object");
    refuse(HEAD ",\"linux\":{\"seccomp\":\"x\"}}",
           "config.json: linux.seccomp: must be an object, is a string");
}

Test(oci_spec, wrong_values)
{
    refuse("{\"ociVersion\":\"2.0.0\",\"root\":{\"path\":\"r\"}}",
           "config.json: ociVersion: is '2.0.0'; versions 1.x are understood");
    refuse("{\"ociVersion\":\"one\",\"root\":{\"path\":\"r\"}}",
           "config.json: ociVersion: must be a version like 1.1.0, is 'one'");
    refuse(HEAD ",\"process\":{\"args\":[],\"cwd\":\"/\"}}",
           "config.json: process.args: is empty, must name the program to run");
    refuse(HEAD ",\"process\":{\"args\":[\"\"],\"cwd\":\"/\"}}",
           "config.json: process.args[0]: is empty, must name the program to run");
    refuse(HEAD ",\"process\":{\"args\":[\"a\"]}}", "config.json: process.cwd: is missing");
    refuse(HEAD ",\"process\":{\"args\":[\"a\"],\"cwd\":\"w\"}}",
           "config.json: process.cwd: must be an absolute path, is 'w'");
    refuse(HEAD ",\"process\":{\"args\":[\"a\\u0000b\"],\"cwd\":\"/\"}}",
           "config.json: process.args[0]: must not contain a NUL character");
    refuse(HEAD ",\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"rlimits\":[{\"type\":\"X\"}]}}",
           "config.json: process.rlimits[0].type: unknown value 'X'");
    refuse(HEAD ",\"mounts\":[{\"destination\":\"d\",\"type\":\"tmpfs\"}]}",
           "config.json: mounts[0].destination: must be an absolute path, is 'd'");
    refuse(HEAD ",\"mounts\":[{\"destination\":\"/a/../../b\",\"type\":\"tmpfs\"}]}",
           "config.json: mounts[0].destination: must not contain '..', is '/a/../../b'");
    refuse(HEAD ",\"mounts\":[{\"destination\":\"/d\",\"options\":[\"bind\"]}]}",
           "config.json: mounts[0].source: is missing; a bind mount needs one");
    refuse(HEAD ",\"mounts\":[{\"destination\":\"/d\"}]}",
           "config.json: mounts[0].type: is missing, and no option says bind");
    refuse(HEAD ",\"linux\":{\"namespaces\":[{\"type\":\"astral\"}]}}",
           "config.json: linux.namespaces[0].type: unknown value 'astral'");
    refuse(HEAD ",\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"pid\"}]}}",
           "config.json: linux.namespaces[1]: names the same type again");
    refuse(HEAD ",\"linux\":{\"maskedPaths\":[\"proc\"]}}",
           "config.json: linux.maskedPaths[0]: must be an absolute path, is 'proc'");
    refuse(HEAD ",\"hooks\":{\"prestart\":[{\"path\":\"h\"}]}}",
           "config.json: hooks.prestart[0].path: must be an absolute path, is 'h'");
    refuse(HEAD ",\"hooks\":{\"prestart\":[{\"path\":\"/h\",\"timeout\":0}]}}",
           "config.json: hooks.prestart[0].timeout: must be a number of seconds above 0");
    refuse(HEAD ",\"hostname\":\"a\\nb\",\"domainname\":7}",
           "config.json: domainname: must be a string, is a number");
    refuse(HEAD ",\"linux\":{\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}]}}",
           "config.json: linux.namespaces: has no user namespace, but there are uidMappings or "
           "gidMappings");
}

Test(oci_spec, numbers_beyond_64_bits)
{
    refuse(HEAD ",\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"user\":"
                "{\"uid\":99999999999999999999999}}}",
           "config.json: process.user.uid: must be from 0 to 4294967294, is 18446744073709551615");
}

/* Line breaks and the like in names and values don't break the one line. */
Test(oci_spec, line_stays_one)
{
    refuse(HEAD ",\"annotations\":{\"a\\nb\":1}}",
           "config.json: annotations.a\\x0ab: must be a string, is a number");
    refuse(HEAD ",\"process\":{\"args\":[\"a\"],\"cwd\":\"x\\r\\n\"}}",
           "config.json: process.cwd: must be an absolute path, is 'x\\x0d\\x0a'");
}

Test(oci_spec, bounds)
{
    size_t len = OCI_TEXT_MAX + 1;
    auto_free char *text = malloc(len + 1);
    struct oci_spec *spec;
    struct oci_error err;

    memset(text, ' ', len);
    text[len] = '\0';
    cr_expect_eq(oci_spec_parse(text, len, &spec, &err), -E2BIG);
    cr_expect_str_eq(err.text, "config.json: has 1048577 bytes, more than 1048576");
    memset(text, '[', len - 1);
    cr_expect_eq(oci_spec_parse(text, len - 1, &spec, &err), -EINVAL);
    cr_expect(strstr(err.text, "nesting too deep"), "%s", err.text);
}

Test(oci_spec, process_alone)
{
    static const char good[] = "{\"args\":[\"a\"],\"cwd\":\"/\",\"foo\":{}}";
    static const char bad[] = "{\"args\":[\"a\"],\"cwd\":\"/\",\"env\":1}";
    struct oci_process *process = NULL;
    struct oci_error err;

    cr_assert_eq(oci_process_parse(good, strlen(good), &process, &err), 0);
    cr_expect_str_eq(process->args.items[0], "a");
    oci_process_free(process);
    cr_expect_eq(oci_process_parse(bad, strlen(bad), &process, &err), -EINVAL);
    cr_expect_str_eq(err.text, "process: env: must be an array of strings, is a number");
}

Test(oci_spec, capability_names)
{
    for (unsigned int i = 0; i <= 40; i++) {
        cr_assert_not_null(oci_capability_name(i));
        cr_expect_eq(oci_capability_number(oci_capability_name(i)), (int)i);
    }
    cr_expect_null(oci_capability_name(41));
    cr_expect_null(oci_capability_name(UINT32_MAX));
    cr_expect_eq(oci_capability_number("CAP_X"), -1);
}
