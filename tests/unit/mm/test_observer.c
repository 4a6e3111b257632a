/* The observer's client, with an observer that answers whatever it likes. */
#include "fixture.h"

#include "sentry/mm/observer.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int peer;

static void setup(void)
{
    int pair[2];

    fixture_setup();
    cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    peer = pair[1];
    observer_init(pair[0]);
}

static void teardown(void)
{
    close(peer);
    fixture_teardown();
}

TestSuite(observer, .init = setup, .fini = teardown);

/* answer() - what the next question will be told: the head and `len` bytes behind it */
static void answer(s32 error, u32 count, u32 more, const void *records, size_t len)
{
    u8 packet[OBSERVER_PACKET];
    struct observer_reply head = {.error = error, .count = count, .more = more};

    memcpy(packet, &head, sizeof(head));
    if (len)
        memcpy(packet + sizeof(head), records, len);
    cr_assert_eq(send(peer, packet, sizeof(head) + len, 0), (ssize_t)(sizeof(head) + len));
}

/* is_broken() - nothing is asked any more */
static bool is_broken(void)
{
    struct observer_statm statm;

    return observer_statm(mm, &statm) == -ENOSYS;
}

Test(observer, one_record)
{
    const struct observer_statm told = {.resident = 7, .shared = 3};
    struct observer_statm statm;
    struct observer_request req;

    answer(0, 1, 0, &told, sizeof(told));
    cr_assert_eq(observer_statm(mm, &statm), 0);
    cr_assert_eq(statm.resident, 7);
    cr_assert_eq(recv(peer, &req, sizeof(req), 0), (ssize_t)sizeof(req));
    cr_assert_eq(req.op, OBSERVER_STATM);
    answer(-ESRCH, 0, 0, NULL, 0);
    cr_assert_eq(observer_statm(mm, &statm), -ESRCH);
    answer(0, 1, 0, &told, sizeof(told));
    cr_assert_eq(observer_statm(mm, &statm), 0, "an error is no breach");
}

Test(observer, wrong_counts)
{
    const struct observer_statm told[2] = {{1, 1}, {2, 2}};
    struct observer_statm statm;

    answer(0, 2, 0, told, sizeof(told));
    cr_assert_eq(observer_statm(mm, &statm), -ENOSYS, "two where one is asked for");
    cr_assert(is_broken());
}

Test(observer, count_without_records)
{
    struct observer_statm statm;

    answer(0, 0xffffffff, 0, NULL, 0);
    cr_assert_eq(observer_statm(mm, &statm), -ENOSYS);
    cr_assert(is_broken());
}

Test(observer, short_packet)
{
    struct observer_statm statm;

    cr_assert_eq(send(peer, "x", 1, 0), 1);
    cr_assert_eq(observer_statm(mm, &statm), -ENOSYS);
    cr_assert(is_broken());
}

Test(observer, impossible_error)
{
    struct observer_statm statm;

    answer(5, 0, 0, NULL, 0);
    cr_assert_eq(observer_statm(mm, &statm), -ENOSYS);
    cr_assert(is_broken());
}

Test(observer, gone)
{
    struct observer_statm statm;

    close(peer);
    cr_assert_eq(observer_statm(mm, &statm), -ENOSYS);
    cr_assert(is_broken());
    peer = -1;
}

Test(observer, vmas_in_packets)
{
    const struct observer_vma told[3] = {
        {.start = 0x1000, .end = 0x3000, .kb.rss = 8},
        {.start = 0x5000, .end = 0x6000, .kb.rss = 4},
        {.start = PLAT_STUB_BASE, .end = PLAT_STUB_BASE + 0x1000, .kb.rss = 4},
    };
    struct observer_vma *vmas;
    u32 n;

    answer(0, 1, 1, told, sizeof(told[0]));
    answer(0, 2, 0, told + 1, 2 * sizeof(told[0]));
    cr_assert_eq(observer_vmas(mm, &vmas, &n), 0);
    cr_assert_eq(n, 2, "the stub's are left out");
    cr_assert_eq(vmas[1].start, 0x5000);
    free(vmas);
}

Test(observer, vmas_out_of_order)
{
    const struct observer_vma told[2] = {{.start = 0x5000, .end = 0x6000},
                                         {.start = 0x1000, .end = 0x3000}};
    struct observer_vma *vmas;
    u32 n;

    answer(0, 2, 0, told, sizeof(told));
    cr_assert_eq(observer_vmas(mm, &vmas, &n), -ENOSYS);
    cr_assert(is_broken());
}

/* An observer that never comes to an end must show progress, and addresses end. */
Test(observer, vmas_without_end)
{
    struct observer_vma *vmas;
    u32 n;

    answer(0, 0, 1, NULL, 0);
    cr_assert_eq(observer_vmas(mm, &vmas, &n), -ENOSYS);
    cr_assert(is_broken());
}

/* What is left out counts as well: neither order nor number begins anew with a packet. */
Test(observer, vmas_out_of_order_above)
{
    const struct observer_vma told[2] = {
        {.start = PLAT_STUB_BASE + 0x1000, .end = PLAT_STUB_BASE + 0x2000},
        {.start = PLAT_STUB_BASE, .end = PLAT_STUB_BASE + 0x1000},
    };
    struct observer_vma *vmas;
    u32 n;

    answer(0, 1, 1, &told[0], sizeof(told[0]));
    answer(0, 1, 0, &told[1], sizeof(told[1]));
    cr_assert_eq(observer_vmas(mm, &vmas, &n), -ENOSYS);
    cr_assert(is_broken());
}

Test(observer, pagemap_is_padded)
{
    const u64 told[2] = {1ull << 63, 5};
    u64 words[4] = {9, 9, 9, 9};

    answer(0, 2, 0, told, sizeof(told));
    cr_assert_eq(observer_pagemap(mm, 0x10000, words, 4), 0);
    cr_assert_eq(words[0], 1ull << 63);
    cr_assert_eq(words[3], 0);
}
