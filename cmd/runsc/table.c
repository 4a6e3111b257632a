/* Text tables for list and ps. */
#include "cmd/runsc/table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define GAP 3

int table_add(struct table *table, const char *fmt, ...)
{
    char **grown = reallocarray(table->cells, table->count + 1, sizeof(*grown)), *cell;
    va_list ap;
    int n;

    if (!grown)
        return -ENOMEM;
    table->cells = grown;
    va_start(ap, fmt);
    n = vasprintf(&cell, fmt, ap);
    va_end(ap);
    if (n < 0)
        return -ENOMEM;
    grown[table->count++] = cell;
    return 0;
}

void table_print(FILE *out, const struct table *table, size_t min_width)
{
    size_t width[TABLE_COLUMNS_MAX] = {0};

    for (size_t i = 0; i < table->count; i++) {
        size_t column = i % table->columns, n = strlen(table->cells[i]) + GAP;

        width[column] = n > width[column] ? n : width[column];
        width[column] = min_width > width[column] ? min_width : width[column];
    }
    for (size_t i = 0; i < table->count; i++) {
        size_t column = i % table->columns;

        if (column + 1 == table->columns)
            fprintf(out, "%s\n", table->cells[i]);
        else
            fprintf(out, "%-*s", (int)width[column], table->cells[i]);
    }
}

void table_free(struct table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i]);
    free(table->cells);
    table->cells = NULL;
    table->count = 0;
}
