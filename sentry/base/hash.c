/* Intrusive chained hash tables; see hash.h. */
#include "sentry/base/hash.h"

#include <errno.h>
#include <stdlib.h>

enum { HASH_MIN_BUCKETS = 16 };

static u64 seed_value = 0x9e3779b97f4a7c15u;

void hash_seed(u64 seed)
{
    seed_value = seed | 1;
}

u64 hash_u64(u64 v)
{
    v ^= seed_value;
    v ^= v >> 33;
    v *= 0xff51afd7ed558ccdu;
    v ^= v >> 33;
    v *= 0xc4ceb9fe1a85ec53u;
    return v ^ (v >> 33);
}

u64 hash_bytes(const void *p, size_t len, u64 salt)
{
    const u8 *b = p;
    u64 h = seed_value ^ hash_u64(salt + len);

    for (; len >= 8; len -= 8, b += 8) {
        u64 word;

        __builtin_memcpy(&word, b, 8);
        h = hash_u64(h ^ word);
    }
    for (; len; len--, b++)
        h = (h ^ *b) * 0x100000001b3u;
    return hash_u64(h);
}

/* hash_grow() - double the bucket array and re-link every node. Return: 0, -ENOMEM. */
static int hash_grow(struct hash *h)
{
    u32 n = h->nbuckets ? h->nbuckets * 2 : HASH_MIN_BUCKETS;
    struct hash_node **fresh = calloc(n, sizeof(struct hash_node *));

    if (!fresh)
        return -ENOMEM;
    for (u32 i = 0; i < h->nbuckets; i++) {
        while (h->buckets[i]) {
            struct hash_node *node = h->buckets[i];

            h->buckets[i] = node->next;
            node->next = fresh[node->hash & (n - 1)];
            fresh[node->hash & (n - 1)] = node;
        }
    }
    free(h->buckets);
    h->buckets = fresh;
    h->nbuckets = n;
    return 0;
}

int hash_prepare(struct hash *h)
{
    return h->nbuckets ? 0 : hash_grow(h);
}

int hash_insert(struct hash *h, struct hash_node *n, u64 hash)
{
    if (h->count >= h->nbuckets && hash_grow(h) < 0 && !h->nbuckets)
        return -ENOMEM;
    n->hash = hash;
    n->next = h->buckets[hash & (h->nbuckets - 1)];
    h->buckets[hash & (h->nbuckets - 1)] = n;
    h->count++;
    return 0;
}

void hash_remove(struct hash *h, struct hash_node *n)
{
    struct hash_node **p = &h->buckets[n->hash & (h->nbuckets - 1)];

    while (*p != n)
        p = &(*p)->next;
    *p = n->next;
    h->count--;
}

void hash_free(struct hash *h)
{
    free(h->buckets);
    *h = (struct hash){0};
}

static struct hash_node *hash_match(struct hash_node *n, u64 hash)
{
    while (n && n->hash != hash)
        n = n->next;
    return n;
}

struct hash_node *hash_first(const struct hash *h, u64 hash)
{
    return h->nbuckets ? hash_match(h->buckets[hash & (h->nbuckets - 1)], hash) : NULL;
}

struct hash_node *hash_next(const struct hash_node *n)
{
    return hash_match(n->next, n->hash);
}
