/* Messages between runsc, Sentry and gofer: what passes, and what is refused. */
#include "sentry/base/clean.h"
#include "sentry/control/control_msg.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static int pair[2];

static void setup(void)
{
    cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
}

static void teardown(void)
{
    close(pair[0]);
    close(pair[1]);
}

TestSuite(control_msg, .init = setup, .fini = teardown);

static int open_fds(void)
{
    int n = 0;

    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void send_text(const char *text, int fd_count)
{
    char space[CMSG_SPACE(64 * sizeof(int))] = "";
    struct iovec iov = {(void *)(uintptr_t)text, strlen(text)};
    struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1};

    if (fd_count) {
        struct cmsghdr *c = (struct cmsghdr *)space;

        header.msg_control = space;
        header.msg_controllen = CMSG_SPACE((size_t)fd_count * sizeof(int));
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN((size_t)fd_count * sizeof(int));
        for (int i = 0; i < fd_count; i++)
            memcpy(CMSG_DATA(c) + (size_t)i * sizeof(int), &pair[0], sizeof(int));
    }
    cr_assert_eq(sendmsg(pair[0], &header, 0), (ssize_t)strlen(text));
}

static void refuse(const char *text, int fd_count)
{
    struct control_msg msg;
    int before = open_fds();

    send_text(text, fd_count);
    cr_expect_eq(control_msg_recv(pair[1], &msg), -EBADMSG, "%.40s", text);
    cr_expect_eq(open_fds(), before, "descriptors left open: %.40s", text);
}

Test(control_msg, round_trip)
{
    auto_control_msg struct control_msg out = {0}, in = {0};
    const char *s;
    bool b;
    s64 i;
    int fd;

    cr_assert_eq(control_msg_new(&out), 0);
    cr_assert_eq(control_msg_set_string(&out, "op", "exec"), 0);
    cr_assert_eq(control_msg_set_int(&out, "n", -5), 0);
    cr_assert_eq(control_msg_set_bool(&out, "b", true), 0);
    cr_assert_eq(control_msg_add_fd(&out, "one", pair[0]), 0);
    cr_assert_eq(control_msg_add_fd(&out, "two", pair[1]), 0);
    cr_assert_eq(control_msg_send(pair[0], &out), 0);
    cr_assert_eq(control_msg_recv(pair[1], &in), 0);
    cr_expect_eq(control_msg_get_string(&in, "op", &s), 0);
    cr_expect_str_eq(s, "exec");
    cr_expect_eq(control_msg_get_int(&in, "n", &i), 0);
    cr_expect_eq(i, -5);
    cr_expect_eq(control_msg_get_bool(&in, "b", &b), 0);
    cr_expect(b);
    cr_expect_eq(control_msg_get_int(&in, "op", &i), -EINVAL);
    cr_expect_eq(control_msg_get_string(&in, "none", &s), -ENOENT);
    cr_expect_str_eq(control_msg_fd_name(&in, 1), "two");
    cr_expect_null(control_msg_fd_name(&in, 2));
    fd = control_msg_take_fd(&in, "two");
    cr_expect_geq(fd, 0);
    cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    cr_expect_eq(control_msg_take_fd(&in, "two"), -ENOENT);
    close(fd);
}

Test(control_msg, refused)
{
    refuse("x", 0);
    refuse("[]", 0);
    refuse("{}{}", 0);
    refuse("{\"a\":", 0);
    refuse("{\"a\":\"\xff\"}", 0);
    refuse("{\"a\":[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}", 0);
    refuse("{}", 1);
    refuse("{\"fds\":[\"a\"]}", 0);
    refuse("{\"fds\":[\"a\",\"b\"]}", 1);
    refuse("{\"fds\":[1]}", 1);
    refuse("{\"fds\":\"a\"}", 1);
    refuse("{\"fds\":[\"a\\u0000\"]}", 1);
    refuse("{\"fds\":[\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"]}", 1);
    refuse("{}", 40);
}

Test(control_msg, too_long)
{
    auto_control_msg struct control_msg out = {0}, in = {0};
    auto_free char *big = malloc(CONTROL_PACKET_MAX + 2);
    int size = 1 << 20;

    memset(big, ' ', CONTROL_PACKET_MAX + 1);
    big[CONTROL_PACKET_MAX + 1] = '\0';
    cr_assert_eq(control_msg_new(&out), 0);
    cr_assert_eq(control_msg_set_string(&out, "a", big), 0);
    cr_expect_eq(control_msg_send(pair[0], &out), -EMSGSIZE);
    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    memcpy(big, "{}", 2);
    send_text(big, 0);
    cr_expect_eq(control_msg_recv(pair[1], &in), -EBADMSG);
}

Test(control_msg, other_end_gone)
{
    struct control_msg msg;

    close(pair[0]);
    cr_expect_eq(control_msg_recv(pair[1], &msg), -EPIPE);
    pair[0] = -1;
}

Test(control_msg, replies)
{
    auto_control_msg struct control_msg request = {0}, ok = {0}, bad = {0};
    const char *s;
    bool b = true;
    s64 i;

    cr_assert_eq(control_msg_new(&request), 0);
    control_msg_set_int(&request, "seq", 7);
    cr_assert_eq(control_msg_ok(&ok, &request), 0);
    cr_expect_eq(control_msg_get_int(&ok, "seq", &i), 0);
    cr_expect_eq(i, 7);
    cr_assert_eq(control_msg_fail(&bad, NULL, -ESRCH, "no process %d", 3), 0);
    cr_expect_eq(control_msg_get_bool(&bad, "ok", &b), 0);
    cr_expect_not(b);
    cr_expect_eq(control_msg_get_string(&bad, "error", &s), 0);
    cr_expect_str_eq(s, "no process 3");
    cr_expect_eq(control_msg_get_int(&bad, "errno", &i), 0);
    cr_expect_eq(i, ESRCH);
}

Test(control_msg, blob)
{
    auto_free char *text = NULL;
    size_t len = 0;
    auto_fd int fd = memfd_create("t", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    cr_assert_eq(write(fd, "hello", 5), 5);
    cr_expect_eq(control_blob_read(fd, &text, &len), -EPERM);
    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    cr_assert_eq(control_blob_read(fd, &text, &len), 0);
    cr_expect_eq(len, 5);
    cr_expect_str_eq(text, "hello");
    cr_expect_eq(control_blob_read(pair[0], &text, &len), -EINVAL);
}

Test(control_msg, blob_too_long)
{
    auto_fd int fd = memfd_create("t", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    char *text;
    size_t len;

    cr_assert_eq(ftruncate(fd, CONTROL_BLOB_MAX + 1), 0);
    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    cr_expect_eq(control_blob_read(fd, &text, &len), -E2BIG);
}
