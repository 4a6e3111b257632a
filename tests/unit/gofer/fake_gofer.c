/* See fake_gofer.h. */
#include "tests/unit/gofer/fake_gofer.h"

#include "sentry/base/host_mem.h"
#include "sentry/base/host_thread.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fake_open(enum fake_fd kind)
{
    int p[2], fd;

    switch (kind) {
    case FAKE_RO:
    case FAKE_RW:
        fd = memfd_create("fake", MFD_CLOEXEC);
        if (kind == FAKE_RO && fd >= 0) {
            char path[32];
            int ro;

            snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
            ro = open(path, O_RDONLY | O_CLOEXEC);
            close(fd);
            fd = ro;
        }
        return fd;
    case FAKE_DIR: return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    case FAKE_PATH: return open("/", O_PATH | O_CLOEXEC);
    case FAKE_PIPE:
        if (pipe2(p, O_CLOEXEC) < 0)
            return -1;
        close(p[1]);
        return p[0];
    default: return -1;
    }
}

static void send_fds(struct fake_gofer *g, u32 slot, const struct fake_answer *a)
{
    struct channel_tag tag = {slot ^ a->tag_slot_xor, g->req.seq ^ a->tag_seq_xor};
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(4 * sizeof(int))];
    } ctl = {.room = {0}};
    struct iovec iov = {.iov_base = &tag, .iov_len = a->no_tag ? 1 : sizeof(tag)};
    u32 n = a->fd_count ? a->fd_count : 1;
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = &ctl,
                         .msg_controllen = CMSG_LEN(n * sizeof(int))};
    struct cmsghdr *cm = CMSG_FIRSTHDR(&msg);
    int fds[4];

    cm->cmsg_level = SOL_SOCKET;
    cm->cmsg_type = SCM_RIGHTS;
    cm->cmsg_len = CMSG_LEN(n * sizeof(int));
    for (u32 i = 0; i < n; i++)
        fds[i] = fake_open(a->fd);
    memcpy(CMSG_DATA(cm), fds, n * sizeof(int));
    sendmsg(g->sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
    for (u32 i = 0; i < n; i++)
        close(fds[i]);
}

static void answer(struct fake_gofer *g, u32 slot)
{
    struct channel_slot *to = &g->channel.shm->slot[slot];
    struct fake_answer *a = &g->answer;

    /* Only what a test has scribbled over is impossible. */
    if (channel_server_request(&g->channel, slot, &g->req, g->in) < 0)
        memset(&g->req, 0, sizeof(g->req));
    memset(a, 0, offsetof(struct fake_answer, data));
    memset(&a->len, 0, sizeof(*a) - offsetof(struct fake_answer, len));
    a->reply.seq = g->req.seq;
    g->fn(g->arg, &g->req, g->in, a);
    if (a->hang_up) {
        close(g->sock);
        g->sock = -1;
        return;
    }
    if (a->fd != FAKE_NONE)
        send_fds(g, slot, a);
    memcpy(to->data, a->data, min_of(a->len, (u32)sizeof(a->data)));
    to->reply = a->reply;
    if (atomic_exchange(&to->state, SLOT_DONE) == SLOT_SLEEPING)
        host_futex_wake(&to->state, 1, true);
}

static void *serve_fakes(void *arg)
{
    struct fake_gofer *g = arg;

    for (;;) {
        u32 slot = channel_server_wait(&g->channel);

        if (atomic_load(&g->stop))
            return NULL;
        answer(g, slot);
    }
}

void fake_gofer_start(struct fake_gofer *g, fake_fn *fn, void *arg)
{
    int sock[2];

    memset(g, 0, sizeof(*g));
    g->fn = fn;
    g->arg = arg;
    g->shm = host_memfd("channel", CHANNEL_BYTES);
    if (g->shm < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock) < 0)
        abort();
    g->client_sock = sock[0];
    g->sock = sock[1];
    if (channel_server_init(&g->channel, g->shm, g->sock) < 0 ||
        pthread_create(&g->thread, NULL, serve_fakes, g) != 0)
        abort();
}

void fake_gofer_stop(struct fake_gofer *g)
{
    atomic_store(&g->stop, true);
    atomic_fetch_or(&g->channel.shm->submitted, 1);
    host_futex_wake(&g->channel.shm->submitted, INT32_MAX, true);
    pthread_join(g->thread, NULL);
    if (g->sock >= 0)
        close(g->sock);
    close(g->shm);
}

void fake_gofer_unmap(struct fake_gofer *g)
{
    host_unmap(g->channel.shm, CHANNEL_BYTES);
}

struct proto_attr fake_attr(u32 mode, u64 ino)
{
    return (struct proto_attr){.dev = 1, .ino = ino, .mode = mode, .nlink = 1, .blksize = 4096};
}

u32 open_fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    u32 n = 0;

    while (d && readdir(d))
        n++;
    closedir(d);
    return n;
}
