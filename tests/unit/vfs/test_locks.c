/* File locks: ranges, owners, waiting, deadlock, release. */
#include "fs/vfs/locks.h"
#include "tests/unit/vfs/vfs_fixture.h"

#include <criterion/criterion.h>
#include <unistd.h>

TestSuite(locks, .init = fixture_init, .fini = fixture_fini);

static int owner_a, owner_b;

static int set(struct file *f, const void *owner, u8 type, u64 start, u64 end, bool wait)
{
    struct file_lock_range r = {type, start, end, owner == &owner_a ? 1 : 2};

    return file_lock_set(f, FILE_LOCK_POSIX, owner, &r, wait);
}

/* held() - "1-5r 7-9w": what owner_b sees of owner_a's locks in [0, 20). */
static const char *held(struct file *f)
{
    static char text[128];
    u64 at = 0;

    text[0] = '\0';
    while (at < 20) {
        struct file_lock_range r = {LX_F_WRLCK, at, at, 2};
        size_t n = strlen(text);

        file_lock_test(f, FILE_LOCK_POSIX, &owner_b, &r);
        if (r.type == LX_F_UNLCK) {
            at++;
            continue;
        }
        snprintf(text + n, sizeof(text) - n, "%s%d-%d%c", n ? " " : "", (int)r.start, (int)r.end,
                 r.type == LX_F_RDLCK ? 'r' : 'w');
        at = r.end + 1;
    }
    return text;
}

Test(locks, ranges_split_and_merge)
{
    struct file *f;

    fx_file("/f", "x");
    f = fx_open("/f", LX_O_RDWR, 0);
    cr_expect_eq(set(f, &owner_a, LX_F_WRLCK, 0, 9, false), 0);
    cr_expect_str_eq(held(f), "0-9w");
    set(f, &owner_a, LX_F_UNLCK, 3, 5, false);
    cr_expect_str_eq(held(f), "0-2w 6-9w");
    set(f, &owner_a, LX_F_RDLCK, 2, 7, false);
    cr_expect_str_eq(held(f), "0-1w 2-7r 8-9w");
    set(f, &owner_a, LX_F_WRLCK, 4, 4, false);
    cr_expect_str_eq(held(f), "0-1w 2-3r 4-4w 5-7r 8-9w");
    set(f, &owner_a, LX_F_RDLCK, 4, 4, false);
    cr_expect_str_eq(held(f), "0-1w 2-7r 8-9w");
    set(f, &owner_a, LX_F_WRLCK, 2, 7, false);
    cr_expect_str_eq(held(f), "0-9w");
    cr_expect_eq(set(f, &owner_b, LX_F_RDLCK, 9, 12, false), -EAGAIN);
    cr_expect_eq(set(f, &owner_b, LX_F_RDLCK, 10, 12, false), 0);
    file_locks_close(f, &owner_a);
    cr_expect_str_eq(held(f), "");
    cr_expect_eq(set(f, &owner_b, LX_F_WRLCK, 0, INT64_MAX, false), 0);
    cr_expect_eq(set(f, &owner_a, LX_F_RDLCK, 1u << 30, INT64_MAX, false), -EAGAIN);
    file_put(f);
}

struct locker {
    struct file *f;
    const void *owner;
    u64 at;
    int result;
    struct sleeper sleeper;
    pthread_t thread;
};

static void *lock_in_thread(void *arg)
{
    struct locker *l = arg;

    fx_thread_init(&l->sleeper);
    l->result = set(l->f, l->owner, LX_F_WRLCK, l->at, l->at, true);
    return NULL;
}

Test(locks, waiting_and_deadlock)
{
    struct locker l = {.owner = &owner_b, .at = 0};

    fx_file("/f", "x");
    l.f = fx_open("/f", LX_O_RDWR, 0);
    set(l.f, &owner_a, LX_F_WRLCK, 0, 0, false);
    set(l.f, &owner_b, LX_F_WRLCK, 1, 1, false);
    pthread_create(&l.thread, NULL, lock_in_thread, &l);
    while (!waitq_active((struct waitq *)l.f->inode->locks)) /* the queue stands first */
        usleep(100);
    usleep(10000);
    /* b waits for a: a must not wait for b */
    cr_expect_eq(set(l.f, &owner_a, LX_F_WRLCK, 1, 1, true), -EDEADLK);
    set(l.f, &owner_a, LX_F_UNLCK, 0, 0, false);
    pthread_join(l.thread, NULL);
    cr_expect_eq(l.result, 0);
    file_locks_close(l.f, &owner_b);
    file_put(l.f);
}

Test(locks, interruption)
{
    struct locker l = {.owner = &owner_b, .at = 0};

    fx_file("/f", "x");
    l.f = fx_open("/f", LX_O_RDWR, 0);
    set(l.f, &owner_a, LX_F_WRLCK, 0, 0, false);
    pthread_create(&l.thread, NULL, lock_in_thread, &l);
    while (!waitq_active((struct waitq *)l.f->inode->locks))
        usleep(100);
    sleeper_interrupt(&l.sleeper, false);
    pthread_join(l.thread, NULL);
    cr_expect_eq(l.result, -ERESTARTSYS);
    file_put(l.f);
}

Test(locks, flock)
{
    struct file_lock_range sh = {LX_F_RDLCK, 0, INT64_MAX, 0}, ex = {LX_F_WRLCK, 0, INT64_MAX, 0};
    struct file *a, *b;

    fx_file("/f", "x");
    a = fx_open("/f", LX_O_RDONLY, 0);
    b = fx_open("/f", LX_O_RDONLY, 0);
    cr_expect_eq(file_lock_set(a, FILE_LOCK_FLOCK, NULL, &sh, false), 0);
    cr_expect_eq(file_lock_set(b, FILE_LOCK_FLOCK, NULL, &sh, false), 0);
    cr_expect_eq(file_lock_set(a, FILE_LOCK_FLOCK, NULL, &ex, false), -EAGAIN);
    /* the attempt to change it has cost a its lock */
    cr_expect_eq(file_lock_set(b, FILE_LOCK_FLOCK, NULL, &ex, false), 0);
    /* record locks do not see it */
    cr_expect_eq(set(a, &owner_a, LX_F_WRLCK, 0, 0, false), 0);
    file_put(b);
    cr_expect_eq(file_lock_set(a, FILE_LOCK_FLOCK, NULL, &ex, false), 0);
    file_locks_close(a, &owner_a);
    file_put(a);
}

Test(locks, of_descriptions)
{
    struct file_lock_range w = {LX_F_WRLCK, 0, 9, 0}, r;
    struct file *a, *b;

    fx_file("/f", "x");
    a = fx_open("/f", LX_O_RDWR, 0);
    b = fx_open("/f", LX_O_RDWR, 0);
    cr_expect_eq(file_lock_set(a, FILE_LOCK_OFD, NULL, &w, false), 0);
    cr_expect_eq(file_lock_set(b, FILE_LOCK_OFD, NULL, &w, false), -EAGAIN);
    cr_expect_eq(set(b, &owner_a, LX_F_RDLCK, 5, 5, false), -EAGAIN);
    r = w;
    file_lock_test(b, FILE_LOCK_OFD, NULL, &r);
    cr_expect_eq(r.type, LX_F_WRLCK);
    cr_expect_eq(r.pid, -1);
    file_put(a);
    cr_expect_eq(file_lock_set(b, FILE_LOCK_OFD, NULL, &w, false), 0);
    file_put(b);
}

Test(locks, from_struct_flock)
{
    struct lx_flock fl = {.type = LX_F_RDLCK, .whence = LX_SEEK_SET, .start = 10, .len = -5};
    struct file_lock_range r;
    struct file *f;

    fx_file("/f", "0123456789");
    f = fx_open("/f", LX_O_RDWR, 0);
    cr_expect_eq(file_lock_range(f, &fl, &r), 0);
    cr_expect_eq(r.start, 5);
    cr_expect_eq(r.end, 9);
    fl = (struct lx_flock){.whence = LX_SEEK_END, .start = -1, .len = 0};
    cr_expect_eq(file_lock_range(f, &fl, &r), 0);
    cr_expect_eq(r.start, 9);
    cr_expect_eq(r.end, INT64_MAX);
    fl = (struct lx_flock){.start = -1};
    cr_expect_eq(file_lock_range(f, &fl, &r), -EINVAL);
    fl = (struct lx_flock){.start = INT64_MAX, .len = 2};
    cr_expect_eq(file_lock_range(f, &fl, &r), -EOVERFLOW);
    fl = (struct lx_flock){.type = 7};
    cr_expect_eq(file_lock_range(f, &fl, &r), -EINVAL);
    file_put(f);
}
