/*
 * One request to wait is outstanding while signals become requests to kill on the same
 * connection; the replies to those are passed over, by their seq.
 */
#include "cmd/runsc/signal_relay.h"

#include "cmd/runsc/control_client.h"
#include "cmd/runsc/error.h"
#include "sentry/base/host_fd.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#define SEQ_WAIT 1
#define SEQ_KILL 2

int signal_relay_open(void)
{
    static const int not_relayed[] = {SIGKILL, SIGSTOP, SIGCHLD, SIGPIPE, SIGTTIN,
                                      SIGTTOU, SIGTSTP, SIGURG,  SIGSEGV, SIGBUS,
                                      SIGFPE,  SIGILL,  SIGTRAP, SIGSYS,  SIGABRT};
    sigset_t set;
    int fd;

    sigfillset(&set);
    for (size_t i = 0; i < ARRAY_SIZE(not_relayed); i++)
        sigdelset(&set, not_relayed[i]);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    fd = signalfd(-1, &set, SFD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int send_wait(const struct container *c, int sock, s64 pid)
{
    auto_control_msg struct control_msg request = {0};
    int r = control_client_request(c, &request, "wait");

    if (!r && pid)
        r = control_msg_set_int(&request, "pid", pid);
    if (!r)
        r = control_msg_set_int(&request, "seq", SEQ_WAIT);
    return r ? r : control_msg_send(sock, &request);
}

static int send_kill(const struct container *c, int sock, s64 pid, int signal)
{
    auto_control_msg struct control_msg request = {0};
    int r = control_client_request(c, &request, "kill");

    if (!r && pid)
        r = control_msg_set_int(&request, "pid", pid);
    if (!r)
        r = control_msg_set_int(&request, "signal", signal);
    if (!r)
        r = control_msg_set_int(&request, "seq", SEQ_KILL);
    return r ? r : control_msg_send(sock, &request);
}

static int send_resize(const struct container *c, int sock, s64 pid)
{
    auto_control_msg struct control_msg request = {0};
    int r = control_client_request(c, &request, "resize");

    if (!r && pid)
        r = control_msg_set_int(&request, "pid", pid);
    if (!r)
        r = control_msg_set_int(&request, "seq", SEQ_KILL);
    return r ? r : control_msg_send(sock, &request);
}

static void pass_on(const struct container *c, int sock, s64 pid, bool terminal,
                    const struct signalfd_siginfo *info)
{
    bool by_kernel = info->ssi_code == SI_KERNEL;

    if (terminal && info->ssi_signo == SIGWINCH)
        send_resize(c, sock, pid);
    else if (!terminal || !by_kernel)
        send_kill(c, sock, pid, (int)info->ssi_signo);
}

/* take_reply() - Return: the status, -EAGAIN if the reply is another's, or an error, error set. */
static int take_reply(const struct container *c, int sock)
{
    auto_control_msg struct control_msg reply = {0};
    s64 seq = 0, status = -1;
    int r = control_msg_recv(sock, &reply);

    if (r == -EINTR)
        return -EAGAIN;
    if (r == -EPIPE)
        return error_set(-ENOTCONN, "the sandbox of container \"%s\" is gone", c->id);
    if (r)
        return error_errno(r, "can't receive from the sandbox of container \"%s\"", c->id);
    control_msg_get_int(&reply, "seq", &seq);
    if (seq != SEQ_WAIT)
        return -EAGAIN;
    r = control_client_check(c, &reply);
    if (r)
        return r == -EAGAIN ? -EIO : r;
    if (control_msg_get_int(&reply, "status", &status) || status < 0 || status > 255)
        return error_set(-EBADMSG, "the sandbox of container \"%s\" gave no exit status", c->id);
    return (int)status;
}

int signal_relay_wait(const struct container *c, int sock, int relay, s64 pid, bool terminal)
{
    struct pollfd p[2] = {{.fd = sock, .events = POLLIN}, {.fd = relay, .events = POLLIN}};
    int r = send_wait(c, sock, pid);

    if (r)
        return error_errno(r == -EPIPE ? -ENOTCONN : r, "can't ask the sandbox of container \"%s\"",
                           c->id);
    for (;;) {
        struct signalfd_siginfo info;

        r = host_poll(p, 2, -1);
        if (r < 0 && r != -EINTR)
            return error_errno(r, "can't wait for container \"%s\"", c->id);
        if (r > 0 && p[1].revents && host_read(relay, &info, sizeof(info)) == sizeof(info))
            pass_on(c, sock, pid, terminal, &info);
        if (r > 0 && p[0].revents) {
            r = take_reply(c, sock);
            if (r != -EAGAIN)
                return r;
        }
    }
}
