/* A Sentry that was taken over: the gofer serves on, and gives nothing but the container's files. */
#include "sentry/base/host_thread.h"
#include "tests/unit/gofer/fixture.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct fixture f;
static u64 root;
static u64 seed = 88172645463325252ull;

static u64 rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed >> 8;
}

static void start(void)
{
    int fd;

    fixture_start_with(&f, false, false, true);
    root = fixture_root(&f);
    mkdirat(f.dirfd, "d", 0755);
    fixture_write(&f, "d/file", "text");
    cr_assert(symlinkat(f.outside, f.dirfd, "link") == 0);
    cr_assert(mknodat(f.dirfd, "null", S_IFCHR | 0666, 0x103) == 0);
    fd = open(f.outside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cr_assert(mkdirat(fd, "untouched", 0755) == 0);
    close(fd);
}

static struct channel_call *attach_call(void)
{
    struct channel_call *c = fixture_call(PROTO_ATTACH, 0, "");

    c->req.arg[0] = PROTO_MOUNT_ROOT;
    return c;
}

static void stop(void)
{
    DIR *d = opendir(f.outside);
    struct dirent *e;
    u32 n = 0;

    while ((e = readdir(d)))
        n += e->d_name[0] != '.';
    closedir(d);
    cr_assert(n == 1, "something was made outside");
    cr_assert(kill(f.pid, 0) == 0, "the gofer has died");
    /* The root's handle may have been released, and the table may be full. */
    cr_assert(fixture_run(&f, attach_call()) == 0, "and serves on");
    fixture_stop(&f);
}

TestSuite(hostile_sentry, .init = start, .fini = stop, .timeout = 60);

/* submit() - a raw request in slot `slot`, and the answer awaited for up to a second. */
static bool submit(u32 slot)
{
    struct channel_shm *shm = f.client->shm;
    atomic_uint *state = &shm->slot[slot].state;

    atomic_store(state, SLOT_PENDING);
    atomic_fetch_or(&shm->submitted, 1u << slot);
    host_futex_wake(&shm->submitted, 1, true);
    for (u32 i = 0; i < 100000 && atomic_load(state) != SLOT_DONE; i++)
        usleep(i < 100 ? 0 : 10);
    return atomic_load(state) == SLOT_DONE;
}

/* check_fds() - what has been donated are regular files, and none that nobody asked for by name. */
static void check_fds(void)
{
    char buf[16];
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int))];
    } ctl;
    struct iovec iov = {buf, sizeof(buf)};
    struct stat st;

    for (;;) {
        struct msghdr msg = {
            .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &ctl, .msg_controllen = sizeof(ctl)};
        int fd;

        if (recvmsg(f.client->sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) <= 0)
            return;
        cr_assert(CMSG_FIRSTHDR(&msg));
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
        cr_assert(fstat(fd, &st) == 0 && S_ISREG(st.st_mode));
        cr_assert(!(fcntl(fd, F_GETFL) & O_PATH));
        close(fd);
    }
}

static u32 random_path(u8 *to)
{
    static const char *const parts[] = {"d",   "file", "link", "null", "..", ".", "/",
                                        "a/b", "new",  "",     "x",    "y",  "z"};
    u32 len = 0;

    for (u32 n = (u32)rnd() % 4; n; n--) {
        const char *p = parts[rnd() % ARRAY_SIZE(parts)];
        u32 add = (u32)strlen(p) + (rnd() % 16 != 0);

        memcpy(to + len, p, add);
        len += add;
    }
    return len;
}

static u64 random_handle(void)
{
    switch (rnd() % 6) {
    case 0: return rnd();
    case 1: return 0;
    case 2: return root + rnd() % 4;
    case 3: return (rnd() % 4) << 32 | (rnd() % 70);
    default: return root;
    }
}

static void random_request(struct channel_slot *s)
{
    struct proto_request r = {.op = (u32)rnd() % (PROTO_OPS + 1),
                              .flags = (u32)rnd() % 8,
                              .seq = (u32)rnd(),
                              .data_len = (u32)rnd() % 300};
    u32 at = 0;

    for (u32 i = 0; i < 2; i++) {
        r.target[i].handle = random_handle();
        r.target[i].path_len = random_path(s->data + at);
        at += r.target[i].path_len;
    }
    for (u32 i = 0; i < 6; i++)
        r.arg[i] = rnd() % 3 ? rnd() % 8 : rnd() << (rnd() % 48);
    /* No real space, and no device numbers that matter. */
    if (r.op == PROTO_FALLOCATE)
        r.arg[2] &= 0xffff;
    if (rnd() % 64 == 0)
        r.target[rnd() % 2].path_len = (u32)rnd();
    if (rnd() % 64 == 0)
        r.data_len = (u32)rnd();
    s->request = r;
}

Test(hostile_sentry, random_requests)
{
    struct channel_shm *shm = f.client->shm;

    for (u32 i = 0; i < 20000; i++) {
        u32 slot = (u32)rnd() % CHANNEL_SLOTS;

        random_request(&shm->slot[slot]);
        cr_assert(submit(slot), "request %u is not answered", i);
        cr_assert(shm->slot[slot].reply.status <= 0);
        check_fds();
    }
}

static atomic_bool scribbling;

/* Bits that the scribbler submits. A slot that is submitted again while it is served has two workers
 * copy to it at once. They may, for each looks only at what it copied; but TSan can't know that. */
#ifdef __SANITIZE_THREAD__
#define RESUBMIT 0xffff0000
#else
#define RESUBMIT 0xffff0003
#endif

/* scribble() - the hostile side: it races with everybody on purpose, so it is not watched for that. */
__attribute__((no_sanitize("thread"))) static void *scribble(void *arg)
{
    struct channel_shm *shm = arg;
    u64 x = 1234567;

    while (atomic_load(&scribbling)) {
        struct channel_slot *s = &shm->slot[(x >> 16) % 2];

        x = x * 6364136223846793005ull + 1442695040888963407ull;
        switch ((x >> 33) % 5) {
        case 0: s->data[(x >> 40) % 64] = (u8)(x >> 24); break;
        case 1: s->request.target[(x >> 40) & 1].path_len = (u32)(x >> 24) % 64; break;
        case 2: s->request.op = (u32)(x >> 24) % PROTO_OPS; break;
        case 3: atomic_store(&shm->sleepers, (u32)(x >> 24)); break;
        default: atomic_fetch_or(&shm->submitted, (u32)x & RESUBMIT); break;
        }
    }
    return NULL;
}

Test(hostile_sentry, requests_that_change_while_they_are_served)
{
    struct channel_shm *shm = f.client->shm;
    pthread_t th;

    atomic_store(&scribbling, true);
    cr_assert(pthread_create(&th, NULL, scribble, shm) == 0);
    for (u32 i = 0; i < 3000; i++) {
        random_request(&shm->slot[i % 2]);
        if (shm->slot[i % 2].request.op == PROTO_FALLOCATE)
            continue;
        cr_assert(submit(i % 2));
        check_fds();
    }
    atomic_store(&scribbling, false);
    pthread_join(th, NULL);
    atomic_store(&shm->sleepers, 1);
    usleep(10000);
    check_fds();
    /* Bits that were left have been served by now. */
    for (u32 i = 0; i < CHANNEL_SLOTS; i++)
        atomic_store(&shm->slot[i].state, SLOT_IDLE);
}

Test(hostile_sentry, all_slots_at_once)
{
    struct channel_shm *shm = f.client->shm;

    for (u32 round = 0; round < 200; round++) {
        for (u32 i = 0; i < CHANNEL_SLOTS; i++) {
            struct channel_slot *s = &shm->slot[i];

            s->request = (struct proto_request){.op = PROTO_READDIR, .seq = i + 1};
            s->request.target[0].handle = root;
            atomic_store(&s->state, SLOT_PENDING);
        }
        atomic_fetch_or(&shm->submitted, UINT32_MAX);
        host_futex_wake(&shm->submitted, INT32_MAX, true);
        for (u32 i = 0; i < CHANNEL_SLOTS; i++) {
            for (u32 n = 0; n < 100000 && atomic_load(&shm->slot[i].state) != SLOT_DONE; n++)
                usleep(1);
            cr_assert(atomic_load(&shm->slot[i].state) == SLOT_DONE);
            cr_assert(shm->slot[i].reply.status == 0);
        }
    }
}

Test(hostile_sentry, handles_are_not_lent)
{
    struct channel_call *c = fixture_call(PROTO_WALK, root, "d");
    u64 dir, again;

    c->req.flags = PROTO_WANT_HANDLE;
    cr_assert(fixture_run(&f, c) == 0);
    dir = c->reply.handle;
    for (u32 i = 0; i < 2; i++) {
        c = fixture_call(PROTO_RELEASE, 0, "");
        c->data[0] = &dir;
        c->data_len[0] = sizeof(dir);
        cr_assert(fixture_run(&f, c) == 0 && c->reply.arg[0] == (i == 0));
    }
    c = fixture_call(PROTO_WALK, root, "d");
    c->req.flags = PROTO_WANT_HANDLE;
    cr_assert(fixture_run(&f, c) == 0);
    again = c->reply.handle;
    cr_assert((u32)again == (u32)dir && again != dir, "the slot is used again, the number is not");
    cr_assert(fixture_run(&f, fixture_call(PROTO_WALK, dir, "file")) == -EBADF);
    cr_assert(fixture_run(&f, fixture_call(PROTO_WALK, again, "file")) == 0);
}
