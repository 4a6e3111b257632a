/* Tables of text with aligned columns, three blanks between them. */
#pragma once

#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 10

struct table {
    size_t columns, count; /* count: cells */
    char **cells;
};

/* table_add() - copies one cell. Return: 0 or -ENOMEM. */
int table_add(struct table *table, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* table_print() - the last column is not padded. @min_width: of each other column. */
void table_print(FILE *out, const struct table *table, size_t min_width);
void table_free(struct table *table);
