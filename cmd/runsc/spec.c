/* runsc spec: a config.json to start from. */
#include "cmd/runsc/error.h"
#include "cmd/runsc/host_file.h"
#include "cmd/runsc/verb.h"
#include "sentry/base/clean.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <string.h>

enum { BUNDLE, CWD };

static const struct flag flags[] = {
    [BUNDLE] = {"bundle", FLAG_STRING, ".", "folder of the bundle"},
    [CWD] = {"cwd", FLAG_STRING, "/", "working directory of the process"},
};

#define CAPABILITIES "[\"CAP_AUDIT_WRITE\", \"CAP_KILL\", \"CAP_NET_BIND_SERVICE\"]"

/* All of it but args, terminal and cwd. */
static const char starter[] =
    "{\"ociVersion\": \"1.1.0\","
    "\"process\": {"
    " \"terminal\": true, \"user\": {\"uid\": 0, \"gid\": 0}, \"args\": [\"sh\"],"
    " \"env\": [\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\","
    "  \"TERM=xterm\"],"
    " \"cwd\": \"/\","
    " \"capabilities\": {\"bounding\": " CAPABILITIES ", \"effective\": " CAPABILITIES ","
    "  \"permitted\": " CAPABILITIES "},"
    " \"rlimits\": [{\"type\": \"RLIMIT_NOFILE\", \"hard\": 1024, \"soft\": 1024}],"
    " \"noNewPrivileges\": true},"
    "\"root\": {\"path\": \"rootfs\", \"readonly\": true},"
    "\"hostname\": \"runsc\","
    "\"mounts\": ["
    " {\"destination\": \"/proc\", \"type\": \"proc\", \"source\": \"proc\"},"
    " {\"destination\": \"/dev\", \"type\": \"tmpfs\", \"source\": \"tmpfs\","
    "  \"options\": [\"nosuid\", \"strictatime\", \"mode=755\", \"size=65536k\"]},"
    " {\"destination\": \"/dev/pts\", \"type\": \"devpts\", \"source\": \"devpts\","
    "  \"options\": [\"nosuid\", \"noexec\", \"newinstance\", \"ptmxmode=0666\", \"mode=0620\","
    "   \"gid=5\"]},"
    " {\"destination\": \"/dev/shm\", \"type\": \"tmpfs\", \"source\": \"shm\","
    "  \"options\": [\"nosuid\", \"noexec\", \"nodev\", \"mode=1777\", \"size=65536k\"]},"
    " {\"destination\": \"/sys\", \"type\": \"sysfs\", \"source\": \"sysfs\","
    "  \"options\": [\"nosuid\", \"noexec\", \"nodev\", \"ro\"]}],"
    "\"linux\": {"
    " \"namespaces\": [{\"type\": \"pid\"}, {\"type\": \"network\"}, {\"type\": \"ipc\"},"
    "  {\"type\": \"uts\"}, {\"type\": \"mount\"}],"
    " \"resources\": {\"devices\": [{\"allow\": false, \"access\": \"rwm\"}]},"
    " \"maskedPaths\": [\"/proc/acpi\", \"/proc/kcore\", \"/proc/keys\", \"/proc/latency_stats\","
    "  \"/proc/timer_list\", \"/proc/timer_stats\", \"/proc/sched_debug\", \"/proc/scsi\","
    "  \"/sys/firmware\"],"
    " \"readonlyPaths\": [\"/proc/bus\", \"/proc/fs\", \"/proc/irq\", \"/proc/sys\","
    "  \"/proc/sysrq-trigger\"]}}";

/* make_spec() - the starter with what the command line says. New object, or NULL. */
static struct json_object *make_spec(const char *cwd, int argc, char **argv)
{
    struct json_object *json = json_tokener_parse(starter), *process = NULL, *args;

    json_object_object_get_ex(json, "process", &process);
    if (!process)
        return NULL;
    json_object_object_add(process, "cwd", json_object_new_string(cwd));
    if (argc == 0)
        return json;
    args = json_object_new_array();
    for (int i = 0; i < argc; i++)
        json_object_array_add(args, json_object_new_string(argv[i]));
    json_object_object_add(process, "args", args);
    return json;
}

static int spec_run(struct cli *cli, const struct flag_set *set, int argc, char **argv)
{
    const char *bundle = flag_text(set, BUNDLE), *text;
    struct json_object *json;
    auto_free char *path = NULL;
    auto_fd int fd = -1;
    int r;

    if (flag_text(set, CWD)[0] != '/')
        return error_set(-EINVAL, "spec: --cwd must be an absolute path");
    if (asprintf(&path, "%s/config.json", bundle) < 0)
        return error_set(-ENOMEM, "out of memory");
    fd = host_file_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL, 0644);
    if (fd == -EEXIST)
        return error_set(fd, "spec: %s exists already; remove it first", path);
    if (fd < 0)
        return error_errno(fd, "spec: can't make %s", path);
    json = make_spec(flag_text(set, CWD), argc, argv);
    text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
                                                    JSON_C_TO_STRING_NOSLASHESCAPE);
    r = host_file_write(fd, text, strlen(text));
    if (!r)
        r = host_file_write(fd, "\n", 1);
    json_object_put(json);
    return r ? error_errno(r, "spec: can't write %s", path) : 0;
}

const struct verb spec_verb = {
    .name = "spec",
    .args = "[-- args]",
    .help = "write a config.json to start from",
    .flags = flags,
    .flag_count = ARRAY_SIZE(flags),
    .max_args = -1,
    .run = spec_run,
};
