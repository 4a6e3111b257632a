/* Intrusive doubly linked lists. A list head is a list_node whose neighbours are itself when empty. */
#pragma once

#include "sentry/base/types.h"

struct list_node {
    struct list_node *next, *prev;
};

#define LIST_INIT(name) {&(name), &(name)}

static inline void list_init(struct list_node *n)
{
    n->next = n->prev = n;
}

static inline bool list_empty(const struct list_node *head)
{
    return head->next == head;
}

/* list_linked() - is the node, once initialised, on a list? */
static inline bool list_linked(const struct list_node *n)
{
    return n->next != n;
}

static inline void list_add_between(struct list_node *n, struct list_node *prev,
                                    struct list_node *next)
{
    n->prev = prev;
    n->next = next;
    prev->next = n;
    next->prev = n;
}

static inline void list_add(struct list_node *head, struct list_node *n)
{
    list_add_between(n, head, head->next);
}

static inline void list_add_tail(struct list_node *head, struct list_node *n)
{
    list_add_between(n, head->prev, head);
}

/* list_del() - unlink and re-initialise; fine on a node that is on no list. */
static inline void list_del(struct list_node *n)
{
    n->prev->next = n->next;
    n->next->prev = n->prev;
    list_init(n);
}

/* list_splice_tail() - move all of src to the end of dst; src is left empty. */
static inline void list_splice_tail(struct list_node *dst, struct list_node *src)
{
    if (list_empty(src))
        return;
    src->next->prev = dst->prev;
    dst->prev->next = src->next;
    src->prev->next = dst;
    dst->prev = src->prev;
    list_init(src);
}

#define list_entry(node, type, member) container_of(node, type, member)
#define list_first(head, type, member)                                                             \
    (list_empty(head) ? NULL : list_entry((head)->next, type, member))

#define list_for_each(pos, head, member)                                                           \
    for (pos = list_entry((head)->next, __typeof__(*pos), member); &pos->member != (head);         \
         pos = list_entry(pos->member.next, __typeof__(*pos), member))

/* list_for_each_safe() - as list_for_each(), and `pos` may be unlinked or freed in the body. */
#define list_for_each_safe(pos, tmp, head, member)                                                 \
    for (pos = list_entry((head)->next, __typeof__(*pos), member),                                 \
        tmp = list_entry(pos->member.next, __typeof__(*pos), member);                              \
         &pos->member != (head);                                                                   \
         pos = tmp, tmp = list_entry(tmp->member.next, __typeof__(*tmp), member))
