/* epoll(7): what is reported when, one-shot, edges, nesting, life of watches. */
#include "fs/epoll/epoll.h"
#include "fs/eventfd/eventfd.h"
#include "fs/vfs/file.h"
#include "sentry/base/host_thread.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

static struct cred *cred;
static struct sleeper sleeper;

static struct file *new_event(void)
{
    struct file *f;

    cr_assert_eq(eventfd_open(0, LX_EFD_NONBLOCK, cred, &f), 0);
    return f;
}

static struct file *new_epoll(void)
{
    struct file *f;

    cr_assert_eq(epoll_open(cred, &f), 0);
    return f;
}

static void add_to(struct file *f, u64 value)
{
    struct uio_vec vec;
    struct uio io;

    uio_kernel(&io, &vec, &value, sizeof(value));
    cr_assert_eq(file_write(f, &io, NULL), 8);
}

static void drain(struct file *f)
{
    struct uio_vec vec;
    struct uio io;
    u64 value;

    uio_kernel(&io, &vec, &value, sizeof(value));
    cr_assert_eq(file_read(f, &io, NULL), 8);
}

static int watch(struct file *ep, struct file *f, int fd, u32 events)
{
    return epoll_watch(ep, f, fd, &(struct lx_epoll_event){events, (u64)fd});
}

/* collect() - up to `max` events, of which the guest takes all. */
static s64 collect(struct file *ep, struct lx_epoll_event *ev, u32 max, u64 deadline)
{
    struct epoll_batch b;
    s64 n;

    cr_assert_eq(epoll_batch_init(&b, max), 0);
    n = epoll_collect(ep, &b, deadline);
    memcpy(ev, b.events, b.n * sizeof(*ev));
    epoll_batch_end(ep, &b, b.n);
    return n;
}

/* ready() - how many events there are now; the first one's data in *data. */
static s64 ready(struct file *ep, u64 *data)
{
    struct lx_epoll_event ev[8];
    s64 n = collect(ep, ev, ARRAY_SIZE(ev), 0);

    if (n > 0 && data)
        *data = ev[0].data;
    return n;
}

static u64 live(const char *name)
{
    for (struct obj_type *t = obj_types(); t; t = t->next)
        if (strcmp(t->name, name) == 0)
            return atomic_load(&t->live);
    return 0;
}

static void setup(void)
{
    struct user_ns *ns = user_ns_first();

    cred = cred_root(ns);
    user_ns_put(ns);
    sleeper_init(&sleeper);
    sleeper_current = &sleeper;
}

static void teardown(void)
{
    cred_put(cred);
    cr_assert_eq(live("file"), 0);
    cr_assert_eq(live("epoll"), 0);
    cr_assert_eq(live("epoll_item"), 0);
}

TestSuite(epoll, .init = setup, .fini = teardown);

Test(epoll, level)
{
    struct file *ep = new_epoll(), *f = new_event();
    u64 data;

    cr_assert_eq(watch(ep, f, 5, LX_POLLIN), 0);
    cr_assert_eq(watch(ep, f, 5, LX_POLLIN), -EEXIST);
    cr_assert_eq(watch(ep, f, 6, LX_POLLIN), 0);
    cr_assert_eq(epoll_unwatch(ep, f, 6), 0);
    cr_assert_eq(epoll_unwatch(ep, f, 6), -ENOENT);
    cr_assert_eq(ready(ep, NULL), 0);
    add_to(f, 1);
    cr_assert_eq(ready(ep, &data), 1);
    cr_assert_eq(data, 5);
    cr_assert_eq(ready(ep, NULL), 1);
    drain(f);
    cr_assert_eq(ready(ep, NULL), 0);
    file_put(f);
    cr_assert_eq(live("epoll_item"), 0);
    file_put(ep);
}

Test(epoll, edge_and_one_shot)
{
    struct file *ep = new_epoll(), *edge = new_event(), *once = new_event();
    u64 data;

    cr_assert_eq(watch(ep, edge, 1, LX_POLLIN | LX_EPOLLET), 0);
    cr_assert_eq(watch(ep, once, 2, LX_POLLIN | LX_EPOLLONESHOT), 0);
    add_to(edge, 1);
    cr_assert_eq(ready(ep, &data), 1);
    cr_assert_eq(data, 1);
    cr_assert_eq(ready(ep, NULL), 0);
    add_to(edge, 1);
    cr_assert_eq(ready(ep, NULL), 1);
    add_to(once, 1);
    cr_assert_eq(ready(ep, &data), 1);
    cr_assert_eq(data, 2);
    add_to(once, 1);
    cr_assert_eq(ready(ep, NULL), 0);
    cr_assert_eq(epoll_change(ep, once, 2, &(struct lx_epoll_event){LX_POLLIN, 3}), 0);
    cr_assert_eq(ready(ep, &data), 1);
    cr_assert_eq(data, 3);
    file_put(ep);
    cr_assert_eq(live("epoll_item"), 0);
    file_put(edge);
    file_put(once);
}

Test(epoll, all_get_their_turn)
{
    struct file *ep = new_epoll(), *f[20];
    struct lx_epoll_event ev[8];
    u32 seen = 0;

    for (int i = 0; i < 20; i++) {
        f[i] = new_event();
        add_to(f[i], 1);
        cr_assert_eq(watch(ep, f[i], i, LX_POLLIN), 0);
    }
    for (int round = 0; round < 3; round++) {
        cr_assert_eq(collect(ep, ev, ARRAY_SIZE(ev), 0), 8);
        for (u32 i = 0; i < ARRAY_SIZE(ev); i++)
            seen |= 1u << ev[i].data;
    }
    cr_assert_eq(seen, (1u << 20) - 1);
    for (int i = 0; i < 20; i++)
        file_put(f[i]);
    file_put(ep);
}

Test(epoll, what_was_not_told_comes_again)
{
    static const u32 kinds[] = {0, LX_EPOLLET, LX_EPOLLONESHOT};
    struct file *f[3];

    for (u32 k = 0; k < ARRAY_SIZE(kinds); k++) {
        struct file *ep = new_epoll();
        struct lx_epoll_event ev[4];
        struct epoll_batch b;

        for (int i = 0; i < 3; i++) {
            f[i] = new_event();
            add_to(f[i], 1);
            cr_assert_eq(watch(ep, f[i], i, LX_POLLIN | kinds[k]), 0);
        }
        cr_assert_eq(epoll_batch_init(&b, 4), 0);
        cr_assert_eq(epoll_collect(ep, &b, 0), 3);
        epoll_batch_end(ep, &b, 1);
        cr_assert_eq(collect(ep, ev, 4, 0), kinds[k] ? 2 : 3);
        cr_assert_eq(ev[0].data, 1);
        cr_assert_eq(ev[1].data, 2);
        for (int i = 0; i < 3; i++)
            file_put(f[i]);
        file_put(ep);
    }
}

Test(epoll, nesting)
{
    struct file *chain[6], *f = new_event();

    for (int i = 0; i < 6; i++)
        chain[i] = new_epoll();
    cr_assert_eq(watch(chain[0], f, 0, LX_POLLIN), 0);
    for (int i = 1; i < 5; i++)
        cr_assert_eq(watch(chain[i], chain[i - 1], i, LX_POLLIN), 0);
    cr_assert_eq(watch(chain[5], chain[4], 5, LX_POLLIN), -ELOOP);
    cr_assert_eq(watch(chain[0], chain[4], 9, LX_POLLIN), -ELOOP);
    cr_assert_eq(ready(chain[4], NULL), 0);
    add_to(f, 1);
    cr_assert_eq(file_poll(chain[3]), LX_POLLIN | LX_POLLRDNORM);
    cr_assert_eq(ready(chain[4], NULL), 1);
    drain(f);
    cr_assert_eq(ready(chain[4], NULL), 0);
    /* The outer ones go first or last, all the same. */
    for (int i = 0; i < 6; i++)
        file_put(chain[i % 2 ? i : 4 - i]);
    file_put(f);
}

static void *write_soon(void *arg)
{
    usleep(20000);
    add_to(arg, 1);
    return NULL;
}

Test(epoll, waits)
{
    struct file *outer = new_epoll(), *ep = new_epoll(), *f = new_event();
    struct lx_epoll_event ev;
    pthread_t th;
    u64 start = host_monotonic();

    cr_assert_eq(watch(ep, f, 1, LX_POLLIN), 0);
    cr_assert_eq(watch(outer, ep, 2, LX_POLLIN), 0);
    cr_assert_eq(collect(ep, &ev, 1, start + 10000000), 0);
    cr_assert_geq(host_monotonic(), start + 10000000);
    pthread_create(&th, NULL, write_soon, f);
    cr_assert_eq(collect(outer, &ev, 1, DEADLINE_NEVER), 1);
    cr_assert_eq(ev.data, 2);
    pthread_join(th, NULL);
    sleeper_interrupt(&sleeper, false);
    drain(f);
    cr_assert_eq(collect(ep, &ev, 1, DEADLINE_NEVER), -ERESTARTSYS);
    file_put(outer);
    file_put(ep);
    file_put(f);
}

Test(epoll, refuses)
{
    struct file *ep = new_epoll(), *other = new_epoll(), *f = new_event();

    cr_assert_eq(watch(ep, other, 1, LX_POLLIN | LX_EPOLLEXCLUSIVE), -EINVAL);
    cr_assert_eq(watch(ep, f, 1, LX_POLLIN | LX_EPOLLEXCLUSIVE | LX_EPOLLONESHOT), -EINVAL);
    cr_assert_eq(watch(ep, f, 1, LX_POLLIN | LX_EPOLLEXCLUSIVE), 0);
    cr_assert_eq(epoll_change(ep, f, 1, &(struct lx_epoll_event){LX_POLLIN, 0}), -EINVAL);
    cr_assert_eq(epoll_change(ep, f, 2, &(struct lx_epoll_event){LX_POLLIN, 0}), -ENOENT);
    file_put(ep);
    file_put(other);
    file_put(f);
}
