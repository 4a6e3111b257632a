/*
 * Decodes JSON text into structs that tables describe (oci_decode_priv.h), and says in one line,
 * with the JSON path, what doesn't fit. Bounded: text, nesting, elements. Strings are borrowed from
 * the JSON tree, which the pool keeps; null counts as absent; unknown members are passed over, as
 * the specification demands.
 */
#include "sentry/oci/oci_decode_priv.h"

#include "sentry/oci/oci_spec.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One step of the path to the value at hand: a member's name, or an index if it is NULL. */
struct step {
    const char *name;
    size_t index;
};

struct oci_chunk {
    struct oci_chunk *next;
    max_align_t data[];
};

struct oci_decoder {
    const char *what;
    struct oci_memory_pool *pool;
    struct oci_error *err;
    struct step path[OCI_NESTING_MAX + 2];
    size_t depth;
};

static int decode_object(struct oci_decoder *d, struct json_object *json,
                         const struct oci_shape *shape, void *object);

/* append() - bounded text, with what could break the line escaped. */
static void append(struct oci_error *err, const char *text)
{
    size_t at = strlen(err->text);

    for (; *text && at + 8 < sizeof(err->text); text++) {
        unsigned char c = (unsigned char)*text;

        if (c < 0x20 || c == 0x7f)
            at += (size_t)snprintf(err->text + at, sizeof(err->text) - at, "\\x%02x", c);
        else
            err->text[at++] = (char)c;
    }
    err->text[at] = '\0';
}

static void append_step(struct oci_decoder *d, const struct step *step, bool first)
{
    char index[32];

    if (step->name) {
        if (!first)
            append(d->err, ".");
        append(d->err, step->name);
        return;
    }
    snprintf(index, sizeof(index), "[%zu]", step->index);
    append(d->err, index);
}

/* report() - "what: path: text"; the path is the steps so far and then `last`, unless NULL. */
static int report(struct oci_decoder *d, const struct step *last, const struct step *item,
                  const char *fmt, va_list ap)
{
    char text[300];

    vsnprintf(text, sizeof(text), fmt, ap);
    d->err->text[0] = '\0';
    append(d->err, d->what);
    append(d->err, ": ");
    for (size_t i = 0; i < d->depth; i++)
        append_step(d, &d->path[i], i == 0);
    if (last)
        append_step(d, last, d->depth == 0);
    if (item)
        append_step(d, item, false);
    if (d->depth || last)
        append(d->err, ": ");
    append(d->err, text);
    return -EINVAL;
}

/* fail() - about the value at hand. */
PRINTF_LIKE(2, 3) static int fail(struct oci_decoder *d, const char *fmt, ...)
{
    va_list ap;
    int r;

    va_start(ap, fmt);
    r = report(d, NULL, NULL, fmt, ap);
    va_end(ap);
    return r;
}

int oci_decode_fail(struct oci_decoder *d, const char *name, const char *fmt, ...)
{
    struct step step = {.name = name};
    va_list ap;
    int r;

    va_start(ap, fmt);
    r = report(d, name ? &step : NULL, NULL, fmt, ap);
    va_end(ap);
    return r;
}

int oci_decode_fail_item(struct oci_decoder *d, const char *name, size_t index, const char *fmt,
                         ...)
{
    struct step step = {.name = name}, item = {.index = index};
    va_list ap;
    int r;

    va_start(ap, fmt);
    r = report(d, &step, &item, fmt, ap);
    va_end(ap);
    return r;
}

static const char *type_text(struct json_object *json)
{
    switch (json_object_get_type(json)) {
    case json_type_null: return "null";
    case json_type_boolean: return "a boolean";
    case json_type_double: return "a number with a fraction";
    case json_type_int: return "a number";
    case json_type_object: return "an object";
    case json_type_array: return "an array";
    case json_type_string: return "a string";
    }
    return "unknown";
}

void *oci_decode_alloc(struct oci_decoder *d, size_t count, size_t size)
{
    struct oci_chunk *chunk = NULL;

    if (size == 0 || count <= (SIZE_MAX - sizeof(*chunk)) / size)
        chunk = calloc(1, sizeof(*chunk) + count * size);
    if (!chunk) {
        fail(d, "out of memory");
        return NULL;
    }
    chunk->next = d->pool->chunks;
    d->pool->chunks = chunk;
    return chunk->data;
}

void oci_pool_free(struct oci_memory_pool *pool)
{
    while (pool->chunks) {
        struct oci_chunk *chunk = pool->chunks;

        pool->chunks = chunk->next;
        free(chunk);
    }
    json_object_put(pool->json);
    pool->json = NULL;
}

/* A list of any kind; the same layout as { size_t count; struct foo *items; }. */
struct any_list {
    size_t count;
    void *items;
};

static void set_list(void *member, size_t count, void *items)
{
    struct any_list list = {count, items};

    memcpy(member, &list, sizeof(list));
}

/* take_string() - a JSON string that holds no NUL. */
static int take_string(struct oci_decoder *d, struct json_object *json, const char *expected,
                       const char **out)
{
    const char *s;

    if (!json_object_is_type(json, json_type_string))
        return fail(d, "must be %s, is %s", expected, type_text(json));
    s = json_object_get_string(json);
    if (!s)
        return fail(d, "out of memory");
    if (strlen(s) != (size_t)json_object_get_string_len(json))
        return fail(d, "must not contain a NUL character");
    *out = s;
    return 0;
}

/* take_int() - whole number from min to max, as two's complement. */
static int take_int(struct oci_decoder *d, struct json_object *json, s64 min, u64 max, u64 *out)
{
    s64 value;

    if (!json_object_is_type(json, json_type_int))
        return fail(d, "must be a whole number, is %s", type_text(json));
    value = json_object_get_int64(json);
    if (value < min || (value >= 0 && json_object_get_uint64(json) > max))
        return fail(d, "must be from %" PRId64 " to %" PRIu64 ", is %s", min, max,
                    json_object_to_json_string(json));
    *out = value < 0 ? (u64)value : json_object_get_uint64(json);
    return 0;
}

static int decode_int(struct oci_decoder *d, struct json_object *json,
                      const struct oci_field *field, void *member)
{
    u64 value;
    int r = take_int(d, json, field->min, field->max, &value);

    if (r)
        return r;
    memcpy(member, &value, field->width); /* little endian: the low bytes */
    return 0;
}

static int name_value(const struct oci_name *names, const char *name, s32 *out)
{
    for (; names->name; names++) {
        if (strcmp(names->name, name) == 0) {
            *out = names->value;
            return 0;
        }
    }
    return -ENOENT;
}

static int decode_enum(struct oci_decoder *d, struct json_object *json,
                       const struct oci_field *field, void *member)
{
    const char *s;
    s32 value;
    int r = take_string(d, json, "a string", &s);

    if (r)
        return r;
    if (name_value(field->names, s, &value))
        return fail(d, "unknown value '%s'", s);
    memcpy(member, &value, sizeof(value));
    return 0;
}

/* check_array() - an array of bounded length. Return: its length, or -EINVAL reported. */
static ssize_t check_array(struct oci_decoder *d, struct json_object *json, const char *of)
{
    if (!json_object_is_type(json, json_type_array))
        return fail(d, "must be an array of %s, is %s", of, type_text(json));
    if (json_object_array_length(json) > OCI_LIST_MAX)
        return fail(d, "has %zu elements, more than %d", json_object_array_length(json),
                    OCI_LIST_MAX);
    return (ssize_t)json_object_array_length(json);
}

static int decode_strings(struct oci_decoder *d, struct json_object *json, struct oci_strings *out)
{
    ssize_t n = check_array(d, json, "strings");
    const char **items;

    if (n < 0)
        return (int)n;
    items = oci_decode_alloc(d, (size_t)n + 1, sizeof(*items)); /* and a NULL, as for exec */
    if (!items)
        return -ENOMEM;
    for (size_t i = 0; i < (size_t)n; i++) {
        int r;

        d->path[d->depth++] = (struct step){.index = i};
        r = take_string(d, json_object_array_get_idx(json, i), "a string", &items[i]);
        if (r)
            return r;
        d->depth--;
    }
    *out = (struct oci_strings){(size_t)n, items};
    return 0;
}

static int decode_name_set(struct oci_decoder *d, struct json_object *json,
                           const struct oci_field *field, u64 *out)
{
    struct oci_strings strings;
    u64 set = 0;
    int r = decode_strings(d, json, &strings);

    if (r)
        return r;
    for (size_t i = 0; i < strings.count; i++) {
        s32 bit;

        if (name_value(field->names, strings.items[i], &bit) == 0)
            set |= 1ull << bit;
    }
    *out = set;
    return 0;
}

static int decode_ids(struct oci_decoder *d, struct json_object *json, struct oci_ids *out)
{
    ssize_t n = check_array(d, json, "numbers");
    u32 *items;

    if (n < 0)
        return (int)n;
    items = oci_decode_alloc(d, (size_t)n, sizeof(*items));
    if (!items)
        return -ENOMEM;
    for (size_t i = 0; i < (size_t)n; i++) {
        u64 value;
        int r;

        d->path[d->depth++] = (struct step){.index = i};
        r = take_int(d, json_object_array_get_idx(json, i), 0, UINT32_MAX, &value);
        if (r)
            return r;
        d->depth--;
        items[i] = (u32)value;
    }
    *out = (struct oci_ids){(size_t)n, items};
    return 0;
}

/* check_object() - an object of bounded size. Return: its members' number, or -EINVAL reported. */
static ssize_t check_object(struct oci_decoder *d, struct json_object *json)
{
    if (!json_object_is_type(json, json_type_object))
        return fail(d, "must be an object, is %s", type_text(json));
    if (json_object_object_length(json) > OCI_LIST_MAX)
        return fail(d, "has %d members, more than %d", json_object_object_length(json),
                    OCI_LIST_MAX);
    return json_object_object_length(json);
}

static int decode_map(struct oci_decoder *d, struct json_object *json, struct oci_map *out)
{
    ssize_t n = check_object(d, json);
    struct oci_pair *items;
    size_t i = 0;

    if (n < 0)
        return (int)n;
    items = oci_decode_alloc(d, (size_t)n, sizeof(*items));
    if (!items)
        return -ENOMEM;
    json_object_object_foreach(json, key, value)
    {
        int r;

        d->path[d->depth++] = (struct step){.name = key};
        r = take_string(d, value, "a string", &items[i].value);
        if (r)
            return r;
        d->depth--;
        items[i++].key = key;
    }
    *out = (struct oci_map){i, items};
    return 0;
}

static int decode_objects(struct oci_decoder *d, struct json_object *json,
                          const struct oci_shape *shape, void *member)
{
    ssize_t n = check_array(d, json, "objects");
    char *items;

    if (n < 0)
        return (int)n;
    items = oci_decode_alloc(d, (size_t)n, shape->size);
    if (!items)
        return -ENOMEM;
    for (size_t i = 0; i < (size_t)n; i++) {
        int r;

        d->path[d->depth++] = (struct step){.index = i};
        r = decode_object(d, json_object_array_get_idx(json, i), shape, items + i * shape->size);
        if (r)
            return r;
        d->depth--;
    }
    set_list(member, (size_t)n, items);
    return 0;
}

static int decode_object_map(struct oci_decoder *d, struct json_object *json,
                             const struct oci_shape *shape, void *member)
{
    ssize_t n = check_object(d, json);
    size_t i = 0;
    char *items;

    if (n < 0)
        return (int)n;
    items = oci_decode_alloc(d, (size_t)n, shape->size);
    if (!items)
        return -ENOMEM;
    json_object_object_foreach(json, key, value)
    {
        char *item = items + i++ * shape->size;
        const char *name = key;
        int r;

        memcpy(item, &name, sizeof(name));
        d->path[d->depth++] = (struct step){.name = key};
        r = decode_object(d, value, shape, item);
        if (r)
            return r;
        d->depth--;
    }
    set_list(member, i, items);
    return 0;
}

static int decode_value(struct oci_decoder *d, struct json_object *json,
                        const struct oci_field *field, void *member)
{
    switch (field->kind) {
    case OCI_STRING: return take_string(d, json, "a string", member);
    case OCI_BOOL:
        if (!json_object_is_type(json, json_type_boolean))
            return fail(d, "must be true or false, is %s", type_text(json));
        *(bool *)member = json_object_get_boolean(json);
        return 0;
    case OCI_INT: return decode_int(d, json, field, member);
    case OCI_ENUM: return decode_enum(d, json, field, member);
    case OCI_NAME_SET: return decode_name_set(d, json, field, member);
    case OCI_STRINGS: return decode_strings(d, json, member);
    case OCI_IDS: return decode_ids(d, json, member);
    case OCI_MAP: return decode_map(d, json, member);
    case OCI_OBJECT: return decode_object(d, json, field->sub, member);
    case OCI_OBJECTS: return decode_objects(d, json, field->sub, member);
    case OCI_OBJECT_MAP: return decode_object_map(d, json, field->sub, member);
    case OCI_RAW:
        if (!json_object_is_type(json, json_type_object))
            return fail(d, "must be an object, is %s", type_text(json));
        *(struct json_object **)member = json;
        return 0;
    }
    return -EINVAL;
}

static int decode_field(struct oci_decoder *d, struct json_object *json,
                        const struct oci_field *field, char *object)
{
    struct json_object *value = NULL;
    int r;

    json_object_object_get_ex(json, field->name, &value);
    d->path[d->depth++] = (struct step){.name = field->name};
    if (!value) {
        if (field->required)
            return fail(d, "is missing");
        d->depth--;
        return 0;
    }
    r = decode_value(d, value, field, object + field->offset);
    if (r)
        return r;
    if (field->set_offset != OCI_NO_SET)
        *(bool *)(object + field->set_offset) = true;
    d->depth--;
    return 0;
}

static int decode_object(struct oci_decoder *d, struct json_object *json,
                         const struct oci_shape *shape, void *object)
{
    ssize_t n = check_object(d, json);

    if (n < 0)
        return (int)n;
    if (d->depth >= OCI_NESTING_MAX)
        return fail(d, "is nested too deeply");
    for (size_t i = 0; i < shape->count; i++) {
        int r = decode_field(d, json, &shape->fields[i], object);

        if (r)
            return r;
    }
    return shape->check ? shape->check(d, object) : 0;
}

/* position() - line and column (from 1) of a byte of the text. */
static void position(const char *text, size_t offset, size_t *line, size_t *column)
{
    *line = 1;
    *column = 1;
    for (size_t i = 0; i < offset; i++) {
        (*column)++;
        if (text[i] == '\n') {
            (*line)++;
            *column = 1;
        }
    }
}

static bool rest_is_blank(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!strchr(" \t\r\n", text[i]) || !text[i])
            return false;
    return true;
}

/* parse_text() - text to JSON tree, with nothing but white space after it. */
static int parse_text(struct oci_decoder *d, const char *text, size_t len, struct json_object **out)
{
    struct json_tokener *tokener = json_tokener_new_ex(OCI_NESTING_MAX);
    enum json_tokener_error error;
    struct json_object *json;
    size_t line, column, end;

    if (!tokener) {
        fail(d, "out of memory");
        return -ENOMEM;
    }
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    json = json_tokener_parse_ex(tokener, text, (int)len);
    error = json_tokener_get_error(tokener);
    end = json_tokener_get_parse_end(tokener);
    json_tokener_free(tokener);
    if (error == json_tokener_success && json && rest_is_blank(text + end, len - end)) {
        *out = json;
        return 0;
    }
    position(text, end < len ? end : len, &line, &column);
    if (error == json_tokener_success && json) {
        json_object_put(json);
        return fail(d, "is not JSON: line %zu, column %zu: text after the end of the object", line,
                    column);
    }
    json_object_put(json);
    if (error == json_tokener_continue)
        return fail(d, "ends too early, at line %zu, column %zu", line, column);
    if (error == json_tokener_success)
        return fail(d, "must be an object, is null");
    return fail(d, "is not JSON: line %zu, column %zu: %s", line, column,
                json_tokener_error_desc(error));
}

int oci_decode(const char *what, const char *text, size_t len, const struct oci_shape *shape,
               void *object, struct oci_memory_pool *pool, struct oci_error *err)
{
    struct oci_decoder d = {.what = what, .pool = pool, .err = err};
    int r;

    if (len > OCI_TEXT_MAX) {
        fail(&d, "has %zu bytes, more than %d", len, OCI_TEXT_MAX);
        return -E2BIG;
    }
    r = parse_text(&d, text, len, &pool->json);
    if (r)
        return r;
    return decode_object(&d, pool->json, shape, object);
}
