/*
 * The one thread that watches host descriptors; see host_watch.h. It sleeps without time-out.
 *
 * An event carries the watch's number, which is looked up in a table under `lock`: one that has been
 * deleted since is not found.
 */
#include "sentry/wait/host_watch.h"

#include "sentry/base/hash.h"
#include "sentry/base/host_fd.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>

enum { BATCH = 32 };

static int epfd = -1;
static struct mutex lock = MUTEX_INIT(HOST_WATCH);
static struct hash watches; /* by number; and below: guarded by lock */
static u64 last_number;

static struct host_watch *find_locked(u64 number)
{
    struct hash_node *n = hash_first(&watches, hash_u64(number));

    for (; n; n = hash_next(n)) {
        struct host_watch *w = container_of(n, struct host_watch, node);

        if (w->number == number)
            return w;
    }
    return NULL;
}

static void *watch_thread(void *arg)
{
    (void)arg;
    for (;;) {
        struct epoll_event ev[BATCH];
        int n = host_epoll_wait(epfd, ev, BATCH, -1);

        mutex_lock(&lock);
        for (int i = 0; i < n; i++) {
            struct host_watch *w = find_locked(ev[i].data.u64);

            if (w)
                waitq_wake_all(&w->queue, ev[i].events & 0xffff);
        }
        mutex_unlock(&lock);
    }
    return NULL;
}

int host_watch_start(void)
{
    epfd = host_epoll_create();
    return epfd < 0 ? epfd : host_thread_start("watch", watch_thread, NULL);
}

int host_watch_add(struct host_watch *w, int fd)
{
    struct epoll_event ev = {
        .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET,
    };
    int err;

    w->fd = fd;
    waitq_init(&w->queue);
    mutex_lock(&lock);
    ev.data.u64 = w->number = ++last_number;
    err = hash_insert(&watches, &w->node, hash_u64(w->number));
    if (!err) {
        err = host_epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev);
        w->pollable = err == 0;
        if (err)
            hash_remove(&watches, &w->node);
    }
    mutex_unlock(&lock);
    return err == -EPERM ? 0 : err;
}

void host_watch_del(struct host_watch *w)
{
    if (w->pollable) {
        mutex_lock(&lock);
        hash_remove(&watches, &w->node);
        mutex_unlock(&lock);
        host_epoll_ctl(epfd, EPOLL_CTL_DEL, w->fd, NULL);
    }
    waitq_destroy(&w->queue);
}

u32 host_watch_poll(const struct host_watch *w)
{
    struct pollfd p = {.fd = w->fd, .events = POLLIN | POLLOUT | POLLRDHUP | POLLPRI};

    if (!w->pollable)
        return POLLIN | POLLOUT;
    return host_poll(&p, 1, 0) > 0 ? (u32)p.revents : 0;
}
