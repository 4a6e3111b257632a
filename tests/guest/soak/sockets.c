/* Loads: sockets of the loopback and of AF_UNIX, and descriptors that travel in them. */
#include "tests/guest/soak/soak.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* A server's address, of any family. */
struct place {
    struct sockaddr_storage at;
    socklen_t length;
};

/* new_listener() - of TCP over v4 or v6, or of AF_UNIX with a path or an abstract name */
static int new_listener(struct soak *s, struct place *place)
{
    uint32_t kind = soak_below(s, 4);
    int fd, family = kind == 0 ? AF_INET : kind == 1 ? AF_INET6 : AF_UNIX;

    *place = (struct place){.length = kind == 0   ? sizeof(struct sockaddr_in)
                                      : kind == 1 ? sizeof(struct sockaddr_in6)
                                                  : sizeof(sa_family_t)};
    place->at.ss_family = (sa_family_t)family;
    if (kind == 0)
        ((struct sockaddr_in *)&place->at)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else if (kind == 1)
        ((struct sockaddr_in6 *)&place->at)->sin6_addr = in6addr_loopback;
    else if (kind == 2)
        place->length += (socklen_t)snprintf(((struct sockaddr_un *)&place->at)->sun_path, 108,
                                             "%.90s/sock", s->dir) + 1;
    fd = (int)REQUIRE_OK(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE_OK(bind(fd, (struct sockaddr *)&place->at, place->length));
    REQUIRE_OK(listen(fd, 16));
    place->length = sizeof(place->at);
    REQUIRE_OK(getsockname(fd, (struct sockaddr *)&place->at, &place->length));
    return fd;
}

static void forget_listener(const struct place *place, int fd)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)&place->at;

    close(fd);
    if (place->at.ss_family == AF_UNIX && un->sun_path[0])
        EXPECT_OK(unlink(un->sun_path));
}

/* serve() - n connections, each of which gets back what it sends, each byte larger by one */
static void serve(struct soak *s, int listener, unsigned int n)
{
    while (n-- > 0) {
        int fd = (int)REQUIRE_OK(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
        unsigned char buf[5000];
        ssize_t got;

        while ((got = recv(fd, buf, 1 + soak_below(s, sizeof(buf)), 0)) > 0) {
            for (ssize_t i = 0; i < got; i++)
                buf[i]++;
            if (soak_write_all(fd, buf, (size_t)got) != (size_t)got)
                break;
        }
        if (soak_coin(s, 2))
            shutdown(fd, SHUT_WR);
        close(fd);
    }
}

/* converse() - one connection: send and take back at the same time, checked */
static void converse(struct soak *s, const struct place *place)
{
    int fd = (int)REQUIRE_OK(socket(place->at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    size_t total = soak_below(s, 100000), sent = 0, got = 0;
    uint64_t with = s->random;
    unsigned char buf[8000];

    REQUIRE_OK(connect(fd, (const struct sockaddr *)&place->at, place->length));
    if (total == 0)
        EXPECT_OK(shutdown(fd, SHUT_WR));
    while (got < total) {
        struct pollfd p = {fd, (short)(POLLIN | (sent < total ? POLLOUT : 0)), 0};

        REQUIRE(poll(&p, 1, -1) == 1);
        if (p.revents & POLLOUT) {
            size_t n = 1 + soak_below(s, sizeof(buf));
            ssize_t put;

            n = n < total - sent ? n : total - sent;
            soak_fill(buf, n, with + sent);
            put = send(fd, buf, n, MSG_DONTWAIT | MSG_NOSIGNAL);
            REQUIRE(put > 0 || errno == EAGAIN);
            sent += put > 0 ? (size_t)put : 0;
            if (sent == total)
                EXPECT_OK(shutdown(fd, SHUT_WR));
        }
        if (p.revents & POLLIN) {
            ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

            REQUIRE(n > 0 || (n < 0 && errno == EAGAIN));
            for (ssize_t i = 0; i < n; i++)
                buf[i]--;
            if (n > 0)
                REQUIRE(soak_filled(buf, (size_t)n, with + got) == (size_t)n);
            got += n > 0 ? (size_t)n : 0;
        }
    }
    EXPECT_EQ(recv(fd, buf, 1, 0), 0);
    close(fd);
}

LOAD(streams)
{
    unsigned int n = 1 + soak_below(s, 4);
    struct place place;
    int listener = new_listener(s, &place);
    pid_t server, client;

    SOAK_CHILD (server, listener, -1)
        serve(s, listener, n + 1);
    SOAK_CHILD (client, -1)
        converse(s, &place);
    while (n-- > 0)
        converse(s, &place);
    EXPECT_CHILD_OK(client);
    EXPECT_CHILD_OK(server);
    forget_listener(&place, listener);
}

/* refused() - whether nobody listens there */
static bool refused(const struct place *place)
{
    int fd = (int)REQUIRE_OK(socket(place->at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    bool no = connect(fd, (const struct sockaddr *)&place->at, place->length) < 0 &&
              (errno == ECONNREFUSED || errno == ENOENT);

    close(fd);
    return no;
}

/* Connections that are reset or dropped in the backlog trouble nobody. */
LOAD(resets)
{
    struct linger hard = {1, 0};
    struct place place;
    int listener = new_listener(s, &place), fds[8], taken[8];
    unsigned int n = 1 + soak_below(s, 8), accepted = soak_below(s, n + 1);
    char byte;

    for (unsigned int i = 0; i < n; i++) {
        fds[i] = (int)REQUIRE_OK(socket(place.at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
        REQUIRE_OK(connect(fds[i], (struct sockaddr *)&place.at, place.length));
        if (soak_coin(s, 2))
            EXPECT_EQ(send(fds[i], "x", 1, 0), 1);
    }
    for (unsigned int i = 0; i < accepted; i++)
        taken[i] = (int)REQUIRE_OK(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
    for (unsigned int i = 0; i < n; i++) {
        if (soak_coin(s, 2))
            EXPECT_OK(setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)));
        close(fds[i]);
    }
    for (unsigned int i = 0; i < accepted; i++) {
        ssize_t got;

        while ((got = recv(taken[i], &byte, 1, 0)) == 1)
            continue;
        EXPECT(got == 0 || errno == ECONNRESET);
        close(taken[i]);
    }
    forget_listener(&place, listener);
    /* A fork of another thread may hold the listener for a moment. */
    WAIT_UNTIL(refused(&place));
}

LOAD(datagrams)
{
    bool inet = soak_coin(s, 2);
    struct sockaddr_storage at = {.ss_family = inet ? AF_INET : AF_UNIX};
    socklen_t length = inet ? sizeof(struct sockaddr_in) : sizeof(sa_family_t);
    int in = (int)REQUIRE_OK(socket(at.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    int out = (int)REQUIRE_OK(socket(at.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    unsigned int n = 1 + soak_below(s, 9);
    size_t sizes[10];
    char buf[2000];

    if (inet)
        ((struct sockaddr_in *)&at)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE_OK(bind(in, (struct sockaddr *)&at, length));
    length = sizeof(at);
    REQUIRE_OK(getsockname(in, (struct sockaddr *)&at, &length));
    for (unsigned int i = 0; i < n; i++) {
        sizes[i] = soak_below(s, sizeof(buf));
        soak_fill(buf, sizes[i], i);
        EXPECT_EQ(sendto(out, buf, sizes[i], 0, (struct sockaddr *)&at, length), sizes[i]);
    }
    for (unsigned int i = 0; i < n; i++) {
        if (soak_coin(s, 2))
            EXPECT_EQ(recv(in, buf, 1, MSG_PEEK | MSG_TRUNC), sizes[i]);
        EXPECT_EQ(recv(in, buf, sizeof(buf), 0), sizes[i]);
        EXPECT_EQ(soak_filled(buf, sizes[i], i), sizes[i]);
    }
    EXPECT_ERRNO(recv(in, buf, 1, MSG_DONTWAIT), EAGAIN);
    close(in);
    close(out);
}

/* send_fds() - one byte and n descriptors */
static void send_fds(int sock, const int *fds, size_t n)
{
    union { char buf[CMSG_SPACE(4 * sizeof(int))]; struct cmsghdr head; } control = {{0}};
    struct iovec iov = IOV_TEXT("d");
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
                         .msg_controllen = CMSG_SPACE(n * sizeof(int))};

    control.head.cmsg_level = SOL_SOCKET;
    control.head.cmsg_type = SCM_RIGHTS;
    control.head.cmsg_len = CMSG_LEN(n * sizeof(int));
    memcpy(CMSG_DATA(&control.head), fds, n * sizeof(int));
    EXPECT_EQ(sendmsg(sock, &msg, 0), 1);
}

/* take_fds() - Return: how many descriptors came with a byte */
static size_t take_fds(int sock, int *fds)
{
    union { char buf[CMSG_SPACE(4 * sizeof(int))]; struct cmsghdr head; } control = {{0}};
    char byte;
    struct iovec iov = {&byte, 1};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
                         .msg_controllen = sizeof(control)};
    size_t n;

    if (!EXPECT_EQ(recvmsg(sock, &msg, MSG_CMSG_CLOEXEC), 1) || !msg.msg_controllen)
        return 0;
    n = (control.head.cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(fds, CMSG_DATA(&control.head), n * sizeof(int));
    return n;
}

static int random_type(struct soak *s)
{
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};

    return types[soak_below(s, 3)];
}

LOAD(rights)
{
    int pair[2], fds[2], came[4];
    char text[16];
    pid_t pid;

    REQUIRE_OK(socketpair(AF_UNIX, random_type(s) | SOCK_CLOEXEC, 0, pair));
    SOAK_CHILD (pid, pair[1], -1) {
        soak_pipe(fds, 0);
        send_fds(pair[1], fds, 2);
        EXPECT_EQ(write(fds[1], "through", 7), 7);
    }
    REQUIRE(take_fds(pair[0], came) == 2);
    EXPECT_EQ(soak_read_all(came[0], text, 7), 7);
    EXPECT_MEMEQ(text, "through", 7);
    EXPECT_CHILD_OK(pid);
    close(came[1]);
    EXPECT_EQ(read(came[0], text, 1), 0);
    close(came[0]);
    close(pair[0]);
    close(pair[1]);
}

/* Sockets that only hold each other are garbage: a pipe's end among them goes too. */
LOAD(rights_cycle)
{
    int pairs[3][2], fds[2];
    uint32_t n = 1 + soak_below(s, 3);
    char byte;

    soak_pipe(fds, 0);
    for (uint32_t i = 0; i < n; i++)
        REQUIRE_OK(socketpair(AF_UNIX, random_type(s) | SOCK_CLOEXEC, 0, pairs[i]));
    for (uint32_t i = 0; i < n; i++) {
        int three[3] = {pairs[(i + 1) % n][soak_below(s, 2)], pairs[(i + 1) % n][soak_below(s, 2)],
                       fds[1]};

        send_fds(pairs[i][soak_below(s, 2)], three, 3);
    }
    for (uint32_t i = 0; i < n; i++) {
        close(pairs[i][0]);
        close(pairs[i][1]);
    }
    close(fds[1]);
    /* Collected when sockets are closed, at the latest soon after. */
    EXPECT_EQ(read(fds[0], &byte, 1), 0);
    close(fds[0]);
}

struct shut {
    int fd, listener;
    _Atomic(int) ended;
};

static void *blocks_in_recv(void *arg)
{
    struct shut *h = arg;
    char byte;

    EXPECT(recv(h->fd, &byte, 1, 0) <= 0);
    h->ended++;
    return NULL;
}

static void *blocks_in_accept(void *arg)
{
    struct shut *h = arg;

    EXPECT_ERRNO(accept(h->listener, NULL, NULL), EINVAL);
    h->ended++;
    return NULL;
}

LOAD(shutdown_wakes)
{
    struct place place;
    struct shut h = {.listener = new_listener(s, &place)};
    pthread_t threads[2];
    int peer;

    h.fd = (int)REQUIRE_OK(socket(place.at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE_OK(connect(h.fd, (struct sockaddr *)&place.at, place.length));
    peer = (int)REQUIRE_OK(accept4(h.listener, NULL, NULL, SOCK_CLOEXEC));
    threads[0] = soak_thread(blocks_in_recv, &h);
    threads[1] = soak_thread(blocks_in_accept, &h);
    soak_nap(s, 2000);
    EXPECT_OK(soak_coin(s, 2) ? shutdown(peer, SHUT_WR) : shutdown(h.fd, SHUT_RD));
    EXPECT_OK(shutdown(h.listener, SHUT_RDWR));
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    EXPECT_EQ(h.ended, 2);
    close(peer);
    close(h.fd);
    forget_listener(&place, h.listener);
}
