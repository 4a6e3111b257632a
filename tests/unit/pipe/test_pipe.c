/* Pipes and FIFOs: capacity, atomicity, ends, faults, readiness, many readers and writers. */
#include "fs/pipe/pipe.h"
#include "platform/platform.h"
#include "sentry/mm/mm.h"
#include "tests/unit/vfs/vfs_fixture.h"

#include <criterion/criterion.h>
#include <unistd.h>

static void setup(void)
{
    fixture_init();
    pipe_init();
}

TestSuite(pipes, .init = setup, .fini = fixture_fini);

static struct file *r, *w;

static void make(u32 flags)
{
    cr_assert_eq(pipe_new(fx.root, flags, &r, &w), 0);
}

static void done(void)
{
    file_put(r);
    file_put(w);
}

/* --- guest memory that ends --- */

enum { GUEST_AT = 0x100000 };
static u8 guest[GUEST_PAGE_SIZE * 4];
static size_t guest_end = sizeof(guest);

static ssize_t fake_in(struct plat_mm *m, void *dst, uaddr_t src, size_t len)
{
    size_t at = src - GUEST_AT, n = at < guest_end ? min_of(len, guest_end - at) : 0;

    memcpy(dst, guest + at, n);
    return n ? (ssize_t)n : -EFAULT;
}

static ssize_t fake_out(struct plat_mm *m, uaddr_t dst, const void *src, size_t len)
{
    size_t at = dst - GUEST_AT, n = at < guest_end ? min_of(len, guest_end - at) : 0;

    memcpy(guest + at, src, n);
    return n ? (ssize_t)n : -EFAULT;
}

static const struct platform_ops fake_platform = {.copy_in = fake_in, .copy_out = fake_out};
static struct mm fake_mm = {.platform = &fake_platform};

static ssize_t guest_read(struct file *f, size_t len)
{
    struct uio_vec vec;
    struct uio io;

    uio_user(&io, &vec, &fake_mm, GUEST_AT, len);
    return file_read(f, &io, NULL);
}

static ssize_t guest_write(struct file *f, size_t len)
{
    struct uio_vec vec;
    struct uio io;

    uio_user(&io, &vec, &fake_mm, GUEST_AT, len);
    return file_write(f, &io, NULL);
}

static s32 nread(void)
{
    s32 n;

    cr_assert_eq(r->ops->ioctl(r, &fake_mm, LX_FIONREAD, GUEST_AT), 0);
    memcpy(&n, guest, sizeof(n));
    return n;
}

Test(pipes, bytes)
{
    char b[32] = "";
    char name[64];

    make(LX_O_NONBLOCK);
    cr_expect_eq(fx_read(r, b, 1), -EAGAIN);
    cr_expect_eq(fx_write(w, "hello", 5), 5);
    cr_expect_eq(fx_write(w, " world", 6), 6);
    cr_expect_eq(nread(), 11);
    cr_expect_eq(fx_read(r, b, 3), 3);
    cr_expect_eq(fx_read(r, b + 3, 32 - 3), 8);
    cr_expect_str_eq(b, "hello world");
    cr_expect_eq(fx_read(r, b, 0), 0);
    cr_expect_eq(fx_write(w, b, 0), 0);
    cr_expect_eq(fx_read(w, b, 1), -EBADF);
    cr_expect_eq(fx_write(r, b, 1), -EBADF);
    cr_expect_eq(file_seek(r, 0, LX_SEEK_CUR), -ESPIPE);
    cr_expect_eq(fx_pread(r, b, 1, 0), -ESPIPE);
    cr_expect_gt(vfs_path_string(&r->path, &fx.ctx.root, name, sizeof(name), true, NULL), 0);
    cr_expect_eq(strncmp(name, "pipe:[", 6), 0);
    done();
}

Test(pipes, capacity)
{
    static char big[200000];
    size_t n = 0;

    make(LX_O_NONBLOCK);
    cr_expect_eq(pipe_size(w), 65536);
    while (fx_write(w, "x", 1) == 1)
        n++;
    cr_expect_eq(n, 65536);
    cr_expect_eq(fx_write(w, "x", 1), -EAGAIN);
    cr_expect_eq(file_poll(w), 0);
    cr_expect_eq(fx_read(r, big, 100), 100);
    cr_expect_eq(file_poll(w), 0); /* no whole page is free */
    cr_expect_eq(fx_write(w, "x", 1), -EAGAIN);
    cr_expect_eq(fx_read(r, big, 3996), 3996);
    cr_expect_eq(file_poll(w), LX_POLLOUT | LX_POLLWRNORM);
    cr_expect_eq(fx_write(w, big, 5000), 4096);
    cr_expect_eq(fx_write(w, big, 5000), -EAGAIN);
    cr_expect_eq(fx_read(r, big, sizeof(big)), 65536);
    cr_expect_eq(fx_write(w, big, sizeof(big)), 65536);
    cr_expect_eq(pipe_set_size(w, 4096, fx.root), -EBUSY);
    cr_expect_eq(pipe_set_size(w, 100000, fx.root), 131072);
    cr_expect_eq(fx_write(w, big, sizeof(big)), 65536);
    cr_expect_eq(pipe_set_size(w, 1048577, fx.root), -EPERM);
    cr_expect_eq(fx_read(r, big, sizeof(big)), 131072);
    cr_expect_eq(pipe_set_size(w, 1, fx.root), 4096);
    cr_expect_eq(fx_write(w, big, 4096), 4096);
    cr_expect_eq(fx_write(w, big, 1), -EAGAIN);
    done();
}

Test(pipes, small_writes_are_whole)
{
    static char b[65536];

    make(LX_O_NONBLOCK);
    cr_expect_eq(fx_write(w, b, 65536 - 4096), 65536 - 4096);
    cr_expect_eq(fx_write(w, b, 3000), 3000);
    cr_expect_eq(fx_write(w, b, 2000), -EAGAIN); /* 1096 would fit */
    cr_expect_eq(fx_write(w, b, 1096), 1096);
    done();
}

Test(pipes, ends)
{
    char b[4];

    make(0);
    fx_write(w, "ab", 2);
    cr_expect_eq(file_poll(r), LX_POLLIN | LX_POLLRDNORM);
    file_put(w);
    cr_expect_eq(file_poll(r), LX_POLLIN | LX_POLLRDNORM | LX_POLLHUP);
    cr_expect_eq(fx_read(r, b, 4), 2);
    cr_expect_eq(fx_read(r, b, 4), 0);
    cr_expect_eq(file_poll(r), LX_POLLHUP);
    file_put(r);
    make(0);
    file_put(r);
    cr_expect_eq(file_poll(w), LX_POLLOUT | LX_POLLWRNORM | LX_POLLERR);
    cr_expect_eq(fx_write(w, b, 1), -EPIPE);
    file_put(w);
}

Test(pipes, faults)
{
    static char big[65536];
    char b[16] = "";

    make(LX_O_NONBLOCK);
    guest_end = 3;
    memcpy(guest, "abcdef", 6);
    cr_expect_eq(guest_write(w, 6), -EFAULT); /* atomic: none of it */
    guest_end = 0;
    cr_expect_eq(guest_write(w, 6), -EFAULT);
    cr_expect_eq(guest_write(w, 6000), -EFAULT);
    guest_end = 5000;
    cr_expect_eq(guest_write(w, 6000), 5000);
    cr_expect_eq(fx_read(r, big, sizeof(big)), 5000);

    cr_expect_eq(fx_write(w, "0123456789", 10), 10);
    guest_end = 4;
    cr_expect_eq(guest_read(r, 10), 4);
    guest_end = 0;
    cr_expect_eq(guest_read(r, 10), -EFAULT);
    cr_expect_eq(fx_read(r, b, 16), 6); /* what the fault kept is still there, in order */
    cr_expect_str_eq(b, "456789");

    for (u32 i = 0; i < sizeof(big); i++)
        big[i] = (char)(i * 7);
    cr_expect_eq(fx_write(w, big, sizeof(big)), 65536);
    guest_end = 10000;
    cr_expect_eq(guest_read(r, 65536), 10000);
    static char back[65536];
    cr_expect_eq(fx_read(r, back, sizeof(back)), 55536);
    cr_expect_eq(memcmp(back, big + 10000, 55536), 0);
    guest_end = sizeof(guest);
    done();
}

Test(pipes, packets)
{
    char b[16];

    make(LX_O_NONBLOCK | LX_O_DIRECT);
    fx_write(w, "one", 3);
    fx_write(w, "three", 5);
    cr_expect_eq(fx_read(r, b, 16), 3);
    cr_expect_eq(fx_read(r, b, 2), 2); /* the rest of the packet is gone */
    cr_expect_eq(fx_read(r, b, 16), -EAGAIN);
    done();
}

/* --- threads --- */

enum { WRITERS = 3, READERS = 3, RECORDS = 3000 };

struct record {
    u32 writer, seq, len, sum;
    u8 bytes[];
};

static u32 fill(struct record *rec, u32 len)
{
    rec->sum = 0;
    for (u32 i = 0; i < len; i++) {
        rec->bytes[i] = (u8)(rec->seq * 31 + i);
        rec->sum += rec->bytes[i];
    }
    return rec->sum;
}

static void *write_records(void *arg)
{
    u8 buf[512];
    struct record *rec = (struct record *)buf;
    struct sleeper s;

    fx_thread_init(&s);
    rec->writer = (u32)(uintptr_t)arg;
    for (rec->seq = 0; rec->seq < RECORDS; rec->seq++) {
        rec->len = sizeof(buf) - sizeof(*rec);
        fill(rec, rec->len);
        if (fx_write(w, buf, sizeof(buf)) != sizeof(buf))
            return (void *)1;
    }
    return NULL;
}

static atomic_uint records, broken;

static void *read_records(void *arg)
{
    u8 buf[512];
    struct record *rec = (struct record *)buf;
    struct sleeper s;
    ssize_t n;

    fx_thread_init(&s);
    while ((n = fx_read(r, buf, sizeof(buf))) > 0) {
        u32 sum = rec->sum;

        if (n != sizeof(buf) || rec->len != sizeof(buf) - sizeof(*rec) ||
            fill(rec, rec->len) != sum)
            atomic_fetch_add(&broken, 1);
        atomic_fetch_add(&records, 1);
    }
    return NULL;
}

Test(pipes, many_readers_and_writers, .timeout = 60)
{
    pthread_t writers[WRITERS], readers[READERS];

    make(0);
    cr_assert_eq(pipe_set_size(w, 8192, fx.root), 8192); /* so that both sides wait */
    for (u64 i = 0; i < WRITERS; i++)
        pthread_create(&writers[i], NULL, write_records, (void *)(uintptr_t)i);
    for (u64 i = 0; i < READERS; i++)
        pthread_create(&readers[i], NULL, read_records, NULL);
    for (u32 i = 0; i < WRITERS; i++)
        pthread_join(writers[i], NULL);
    file_put(w);
    for (u32 i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    cr_expect_eq(atomic_load(&records), WRITERS * RECORDS);
    cr_expect_eq(atomic_load(&broken), 0);
    file_put(r);
}

static void *write_big(void *arg)
{
    static u8 big[1 << 20];
    struct sleeper s;

    fx_thread_init(&s);
    for (u32 i = 0; i < sizeof(big); i++)
        big[i] = (u8)(i * 13 + (i >> 8));
    return (void *)(uintptr_t)fx_write(w, big, sizeof(big));
}

Test(pipes, a_stream_keeps_its_order, .timeout = 60)
{
    static u8 buf[100000];
    pthread_t t;
    void *wrote;
    u32 at = 0, wrong = 0;
    ssize_t n;

    make(0);
    pthread_create(&t, NULL, write_big, NULL);
    while (at < 1 << 20 && (n = fx_read(r, buf, 1 + at % sizeof(buf))) > 0)
        for (ssize_t i = 0; i < n; i++, at++)
            wrong += buf[i] != (u8)(at * 13 + (at >> 8));
    pthread_join(t, &wrote);
    cr_expect_eq(wrong, 0);
    cr_expect_eq(at, 1 << 20);
    cr_expect_eq((uintptr_t)wrote, 1 << 20);
    done();
}

static void *write_one(void *arg)
{
    struct sleeper s;

    fx_thread_init(&s);
    atomic_store((struct sleeper * _Atomic *)arg, &s);
    return (void *)(intptr_t)fx_write(w, "x", 1);
}

Test(pipes, interruption_and_the_last_reader)
{
    static char full[65536];
    struct sleeper *_Atomic s = NULL;
    pthread_t t;
    void *result;

    make(0);
    fx_write(w, full, sizeof(full));
    pthread_create(&t, NULL, write_one, (void *)&s);
    while (!atomic_load(&s) || !waitq_active(w->ops->queue(w)))
        usleep(100);
    sleeper_interrupt(atomic_load(&s), false);
    pthread_join(t, &result);
    cr_expect_eq((intptr_t)result, -ERESTARTSYS);
    atomic_store(&s, NULL);
    pthread_create(&t, NULL, write_one, (void *)&s);
    while (!atomic_load(&s) || !waitq_active(w->ops->queue(w)))
        usleep(100);
    file_put(r);
    pthread_join(t, &result);
    cr_expect_eq((intptr_t)result, -EPIPE);
    file_put(w);
}

/* --- FIFOs --- */

struct opener {
    u32 flags;
    struct file *f;
    int err;
    struct sleeper sleeper;
    pthread_t t;
};

static void *open_fifo(void *arg)
{
    struct opener *o = arg;

    fx_thread_init(&o->sleeper);
    o->err = vfs_open(&fx.ctx, NULL, "/fifo", o->flags, 0, 0, &o->f);
    return NULL;
}

static void start(struct opener *o, u32 flags)
{
    *o = (struct opener){.flags = flags};
    pthread_create(&o->t, NULL, open_fifo, o);
}

Test(pipes, fifo_opening)
{
    struct opener a, b;
    struct file *rw;
    char c;

    cr_assert_eq(vfs_mknod(&fx.ctx, NULL, "/fifo", LX_S_IFIFO | 0600, 0, 0), 0);
    cr_expect_eq(fx_try_open("/fifo", LX_O_WRONLY | LX_O_NONBLOCK, 0), -ENXIO);
    cr_expect_eq(fx_try_open("/fifo", LX_O_RDONLY | LX_O_NONBLOCK, 0), 0);
    start(&a, LX_O_RDONLY);
    start(&b, LX_O_WRONLY);
    pthread_join(a.t, NULL);
    pthread_join(b.t, NULL);
    cr_assert_eq(a.err, 0);
    cr_assert_eq(b.err, 0);
    cr_expect_eq(fx_write(b.f, "x", 1), 1);
    cr_expect_eq(fx_read(a.f, &c, 1), 1);
    file_put(b.f);
    cr_expect_eq(fx_read(a.f, &c, 1), 0);
    cr_expect_eq(file_poll(a.f), LX_POLLHUP);
    file_put(a.f);

    rw = fx_open("/fifo", LX_O_RDWR, 0);
    cr_expect_eq(fx_write(rw, "y", 1), 1);
    cr_expect_eq(fx_read(rw, &c, 1), 1);
    cr_expect_eq(c, 'y');
    file_put(rw);

    /* A reader that did not wait sees no hang-up before a writer has come and gone. */
    a.f = fx_open("/fifo", LX_O_RDONLY | LX_O_NONBLOCK, 0);
    cr_expect_eq(file_poll(a.f), 0);
    cr_expect_eq(fx_read(a.f, &c, 1), 0);
    b.f = fx_open("/fifo", LX_O_WRONLY | LX_O_NONBLOCK, 0);
    cr_expect_eq(fx_read(a.f, &c, 1), -EAGAIN);
    file_put(b.f);
    cr_expect_eq(file_poll(a.f), LX_POLLHUP);
    file_put(a.f);
}

Test(pipes, fifo_opening_is_interrupted)
{
    struct opener a;

    cr_assert_eq(vfs_mknod(&fx.ctx, NULL, "/fifo", LX_S_IFIFO | 0600, 0, 0), 0);
    start(&a, LX_O_WRONLY);
    usleep(20000);
    sleeper_interrupt(&a.sleeper, false);
    pthread_join(a.t, NULL);
    cr_expect_eq(a.err, -ERESTARTSYS);
    cr_expect_eq(fx_try_open("/fifo", LX_O_WRONLY | LX_O_NONBLOCK, 0), -ENXIO);
}

Test(pipes, reopened_through_its_path)
{
    struct file *again;
    char c;

    make(0);
    cr_assert_eq(vfs_open_path(&w->path, fx.root, LX_O_WRONLY, &again), 0);
    cr_expect_eq(fx_write(again, "z", 1), 1);
    cr_expect_eq(fx_read(r, &c, 1), 1);
    file_put(again);
    done();
}
