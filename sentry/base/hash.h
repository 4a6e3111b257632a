/*
 * Intrusive chained hash tables that grow with their content. The caller hashes (hash_u64,
 * hash_bytes) and compares; the table has no lock of its own.
 */
#pragma once

#include "sentry/base/types.h"

struct hash_node {
    struct hash_node *next;
    u64 hash;
};

struct hash {
    struct hash_node **buckets; /* NULL until the first insertion */
    u32 nbuckets;               /* a power of two, or 0 */
    u32 count;
};

/* hash_prepare() - have room for a first node: no insertion fails from now on. Return: 0, -ENOMEM. */
int hash_prepare(struct hash *h);
/* hash_insert() - add a node; the table grows at load 1. Return: 0, -ENOMEM (nothing added). */
int hash_insert(struct hash *h, struct hash_node *n, u64 hash);
/* hash_remove() - unlink a node that is in the table. */
void hash_remove(struct hash *h, struct hash_node *n);
/* hash_free() - release the bucket array; the nodes are the caller's. */
void hash_free(struct hash *h);

/* hash_first(), hash_next() - walk the nodes whose full hash is `hash`; NULL at the end. */
struct hash_node *hash_first(const struct hash *h, u64 hash);
struct hash_node *hash_next(const struct hash_node *n);

/* hash_seed() - set the per-process random seed of both hash functions; call once at start. */
void hash_seed(u64 seed);
u64 hash_u64(u64 v);
u64 hash_bytes(const void *p, size_t len, u64 salt);

/* hash_for_each() - every node, any order; the body must not insert or remove. */
#define hash_for_each(h, i, n)                                                                     \
    for ((i) = 0; (i) < (h)->nbuckets; (i)++)                                                      \
        for ((n) = (h)->buckets[i]; (n); (n) = (n)->next)
