/* Scalar types and small compiler helpers that every layer uses. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

/* A guest's virtual address. An integer on purpose: it converts to no pointer of ours. */
typedef u64 uaddr_t;

#define GUEST_PAGE_SHIFT 12
#define GUEST_PAGE_SIZE 4096ul
#define GUEST_PAGE_MASK (~(GUEST_PAGE_SIZE - 1))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define min_of(a, b)                                                                               \
    ({                                                                                             \
        __typeof__(a) min_a_ = (a);                                                                \
        __typeof__(b) min_b_ = (b);                                                                \
        min_a_ < min_b_ ? min_a_ : min_b_;                                                         \
    })
#define max_of(a, b)                                                                               \
    ({                                                                                             \
        __typeof__(a) max_a_ = (a);                                                                \
        __typeof__(b) max_b_ = (b);                                                                \
        max_a_ > max_b_ ? max_a_ : max_b_;                                                         \
    })

#define container_of(ptr, type, member)                                                            \
    ((type *)(void *)((char *)(ptr) - offsetof(type, member)))

/* A big local buffer that is written before it is read: spares the build's zeroing of locals. */
#define NO_AUTO_INIT __attribute__((uninitialized))

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* page_down(), page_up() - round an address or length to guest pages; page_up() wraps to 0. */
static inline u64 page_down(u64 v)
{
    return v & GUEST_PAGE_MASK;
}

static inline u64 page_up(u64 v)
{
    return (v + GUEST_PAGE_SIZE - 1) & GUEST_PAGE_MASK;
}
