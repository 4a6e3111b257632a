/* See fixture.h. */
#include "tests/unit/gofer/fixture.h"

#include "cmd/gofer/gofer.h"
#include "cmd/gofer/host_path.h"
#include "fs/gofer/gofer.h"
#include "sentry/base/host_mem.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/securebits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

static void serve_dir(const struct fixture *f, int sock, bool readonly, bool file_mount,
                      bool confine)
{
    static struct gofer g;
    struct gofer_mount_point m = {.index = PROTO_MOUNT_ROOT, .readonly = readonly};
    const char *what = "";
    int fd;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    umask(0);
    /* As confined: capabilities outlast a change of fsuid. */
    prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP);
    if (gofer_init(&g, f->shm, sock, 64) < 0)
        _exit(10);
    m.dirfd = open(f->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (gofer_add_mount(&g, &m) < 0)
        _exit(11);
    if (file_mount) {
        m = (struct gofer_mount_point){.index = 7, .name = "file"};
        m.dirfd = open(f->outside, O_PATH | O_DIRECTORY | O_CLOEXEC);
        fd = openat(m.dirfd, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        if (write(fd, "mounted", 7) != 7 || gofer_add_mount(&g, &m) < 0)
            _exit(12);
        close(fd);
    }
    if (confine && gofer_confine(&what) < 0) {
        fprintf(stderr, "confine: %s\n", what);
        _exit(13);
    }
    _exit(gofer_run(&g) < 0 ? 14 : 0);
}

void fixture_start_with(struct fixture *f, bool readonly, bool file_mount, bool confine)
{
    int sock[2];

    memset(f, 0, sizeof(*f));
    snprintf(f->dir, sizeof(f->dir), "/tmp/gofer-test.XXXXXX");
    cr_assert(mkdtemp(f->dir));
    snprintf(f->outside, sizeof(f->outside), "/tmp/gofer-outs.XXXXXX");
    cr_assert(mkdtemp(f->outside));
    f->dirfd = open(f->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    f->shm = host_memfd("channel", CHANNEL_BYTES);
    cr_assert(f->shm >= 0);
    cr_assert(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock) == 0);
    f->pid = fork();
    if (f->pid == 0) {
        close(sock[0]);
        serve_dir(f, sock[1], readonly, file_mount, confine);
    }
    close(sock[1]);
    cr_assert(channel_client_new(f->shm, sock[0], &f->client) == 0);
}

void fixture_start(struct fixture *f)
{
    fixture_start_with(f, false, false, false);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

/* cleanup() - the gofer ends by itself; remove what it served. */
static void cleanup(struct fixture *f)
{
    int status = 0;

    cr_assert(waitpid(f->pid, &status, 0) == f->pid);
    cr_assert(f->killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0),
              "gofer ended with status %x", status);
    close(f->shm);
    close(f->dirfd);
    nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    nftw(f->outside, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void fixture_stop(struct fixture *f)
{
    channel_client_free(f->client);
    cleanup(f);
}

void fixture_stop_conn(struct fixture *f, struct gofer_conn *conn)
{
    channel_client_free(f->client);
    gofer_conn_free(conn);
    cleanup(f);
}

u32 path_pack(const char *path, char *out)
{
    u32 n = (u32)strlen(path);

    if (n == 0)
        return 0;
    for (u32 i = 0; i <= n; i++)
        out[i] = path[i] == '/' ? '\0' : path[i];
    return n + 1;
}

struct channel_call *fixture_call(u32 op, u64 handle, const char *path)
{
    static struct channel_call c;
    static char packed[PROTO_PATH_MAX];
    static u8 out[PROTO_DATA_MAX];

    memset(&c, 0, sizeof(c));
    c.req.op = op;
    c.req.target[0].handle = handle;
    c.req.target[0].path_len = path_pack(path, packed);
    c.path[0] = packed;
    c.out = out;
    c.out_cap = sizeof(out);
    return &c;
}

int fixture_run(struct fixture *f, struct channel_call *c)
{
    return channel_call(f->client, c);
}

u64 fixture_root(struct fixture *f)
{
    struct channel_call *c = fixture_call(PROTO_ATTACH, 0, "");

    c->req.arg[0] = PROTO_MOUNT_ROOT;
    cr_assert(fixture_run(f, c) == 0);
    return c->reply.handle;
}

void fixture_write(struct fixture *f, const char *name, const char *text)
{
    int fd = openat(f->dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    cr_assert(fd >= 0);
    cr_assert(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}
