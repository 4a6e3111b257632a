/*
 * Feeds bytes to the line discipline as settings, typed characters, output and reads in any order,
 * and checks that nothing it keeps goes over its bounds.
 */
#include "fs/tty/ldisc.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct ldisc *l)
{
    assert(l->head - l->tail <= LDISC_RBUF);
    assert(l->canon - l->tail <= l->head - l->tail);
    assert(ring_used(&l->in) <= LDISC_IN && ring_used(&l->out) <= LDISC_OUT);
    assert(ldisc_far_readable(l) <= ring_used(&l->out));
    assert(ldisc_readable_bytes(l) <= LDISC_RBUF);
}

static void step(struct ldisc *l, uint8_t what, const uint8_t *data, size_t n)
{
    u8 buf[512];
    struct lx_termios2 t = l->t;

    switch (what % 8) {
    case 0:
    case 1: ldisc_put(l, data, (u32)n); break;
    case 2: ldisc_write(l, data, (u32)n); break;
    case 3:
        memcpy(&t, data, n < sizeof(t) ? n : sizeof(t));
        ldisc_set_termios(l, &t);
        break;
    case 4: ldisc_get(l, buf, (u32)(n * 8)); break;
    case 5:
        if (ldisc_available(l, false))
            ldisc_read(l, buf, (u32)n + 1);
        break;
    case 6: what & 8 ? ldisc_stop(l) : ldisc_start(l); break;
    default: what & 8 ? ldisc_flush_input(l) : ldisc_flush_output(l); break;
    }
    ldisc_pump(l);
    check(l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ldisc l;

    if (ldisc_init(&l) < 0)
        return 0;
    while (size >= 2) {
        uint8_t what = data[0];
        size_t n = data[1] % 64;

        data += 2;
        size -= 2;
        n = n < size ? n : size;
        step(&l, what, data, n);
        data += n;
        size -= n;
    }
    ldisc_free(&l);
    return 0;
}
