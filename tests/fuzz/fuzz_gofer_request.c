/*
 * Feeds requests to the gofer's server, as a hostile Sentry would. Input: one or more of
 * { struct proto_request, u32 n, n bytes of paths and data }. They act on a small tree in a private
 * tmpfs (without the right to mount: in a temporary directory).
 */
#include "cmd/gofer/op_priv.h"
#include "sentry/base/host_fd.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HANDLES = 32, FILE_BYTES_MAX = 1 << 20 };

static char top[64] = "/tmp/fuzz-gofer.XXXXXX";
static int top_fd = -1;
static struct worker *worker;
static struct gofer gofer;
static int sentinel; /* a directory beside the gofer's root, which stays empty */

static void set_up(void)
{
    struct rlimit lim = {FILE_BYTES_MAX, FILE_BYTES_MAX};

    if (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
        mount("fuzz", "/tmp", "tmpfs", MS_NODEV, "size=16m");
    top_fd = mkdtemp(top) ? open(top, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &lim);
    prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP);
    umask(0);
    if (mkdirat(top_fd, "root", 0755) < 0 || mkdirat(top_fd, "beside", 0755) < 0)
        abort();
    sentinel = openat(top_fd, "beside", O_PATH | O_DIRECTORY | O_CLOEXEC);
    worker = calloc(1, sizeof(*worker));
    if (!worker)
        abort();
    worker->g = &gofer;
}

/* fill() - what every input finds. */
static void fill(int root)
{
    int fd;

    mkdirat(root, "d", 0755);
    fd = openat(root, "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd >= 0)
        close(fd);
    fd = symlinkat("../beside", root, "l") + symlinkat("/", root, "up");
    fd = mkfifoat(root, "p", 0644);
    (void)fd;
}

static struct gofer_mount_point mount_point(void)
{
    struct gofer_mount_point m = {.index = PROTO_MOUNT_ROOT};

    m.dirfd = openat(top_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (m.dirfd < 0)
        abort();
    fill(m.dirfd);
    return m;
}

static void check(const struct job *j)
{
    struct stat st;

    assert(j->reply.status <= 0 && j->reply.status > -4096);
    assert(j->reply.data_len <= PROTO_DATA_MAX);
    assert(gofer.handles.used <= HANDLES);
    if (j->fd >= 0) {
        assert(j->reply.status == 0);
        assert(fstat(j->fd, &st) == 0 && S_ISREG(st.st_mode));
        close(j->fd);
    }
}

/* one() - the request at `data`. Return: bytes used, 0 at the end. */
static size_t one(const uint8_t *data, size_t size)
{
    struct job j = {.g = &gofer, .w = worker, .fd = -1};
    u32 n;

    if (size < sizeof(j.req) + sizeof(n))
        return 0;
    memcpy(&j.req, data, sizeof(j.req));
    memcpy(&n, data + sizeof(j.req), sizeof(n));
    data += sizeof(j.req) + sizeof(n);
    size -= sizeof(j.req) + sizeof(n);
    n = (u32)min_of((size_t)n, size);
    n = min_of(n, (u32)sizeof(worker->in));
    memcpy(worker->in, data, n);
    if (proto_request_check(&j.req, n) == 0) {
        serve(worker, &j);
        check(&j);
    }
    return sizeof(j.req) + sizeof(n) + n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gofer_mount_point m;
    struct stat st;
    size_t used;

    if (!worker)
        set_up();
    m = mount_point();
    handle_table_init(&gofer.handles, HANDLES);
    gofer.mounts = &m;
    gofer.nmounts = 1;
    while ((used = one(data, size))) {
        data += used;
        size -= used;
    }
    handle_table_free(&gofer.handles);
    close(m.dirfd);
    assert(fstatat(sentinel, "", &st, AT_EMPTY_PATH) == 0 && st.st_nlink == 2);
    return 0;
}
