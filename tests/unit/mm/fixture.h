/* What the tests of sentry/mm share: an address space on the fake platform, a mappable file. */
#pragma once

#include "fake_platform.h"
#include "sentry/abi/lx_mm.h"
#include "sentry/mm/mm.h"

#define KB(n) ((u64)(n) << 10)
#define MB(n) ((u64)(n) << 20)
#define GB(n) ((u64)(n) << 30)

#define RW   (LX_PROT_READ | LX_PROT_WRITE)
#define RX   (LX_PROT_READ | LX_PROT_EXEC)
#define ANON (LX_MAP_PRIVATE | LX_MAP_ANONYMOUS)

extern struct plat_thread *thread;
extern struct mm *mm;

void fixture_setup(void);
/* fixture_teardown() - and nothing is left of any address space. */
void fixture_teardown(void);

/* A file of `len` bytes on the host, byte i holding i / 4,096 + 1. */
struct test_file {
    struct mappable mappable;
    int fd, refs;
    u64 ino;
    const char *path;
};
void test_file_make(struct test_file *f, u64 len);
void test_file_close(struct test_file *f);

/* map() - mmap(2) with `may` as the descriptor's rights. Return: the address or negative errno. */
s64 map(uaddr_t addr, u64 len, u32 prot, u32 flags);
s64 map_file(uaddr_t addr, u64 len, u32 prot, u32 flags, struct test_file *f, u64 offset, u32 may);
s64 remap(uaddr_t old, u64 old_len, u64 new_len, u32 flags, uaddr_t new_addr);

/* check_table() - the table's own invariants, and that it says what the fake host has. */
void check_table(struct mm *m);
/* layout() - the table as text: "start+pages:prot …" relative to `base`, pages of 4 KiB. */
const char *layout(struct mm *m, uaddr_t base);
