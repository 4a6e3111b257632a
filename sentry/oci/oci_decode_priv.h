/*
 * oci_decode_priv.h: the table-driven decoder from JSON to structs. A struct is described by an
 * oci_shape: one oci_field for each JSON member that it takes. oci_decode.c walks both.
 */
#pragma once

#include "sentry/base/types.h"
#include "sentry/oci/oci_process.h"

struct json_object;
struct oci_decoder;

enum oci_kind {
    OCI_STRING,     /* const char * */
    OCI_BOOL,       /* bool */
    OCI_INT,        /* integer of `width` bytes from min to max; signed if min < 0 */
    OCI_ENUM,       /* s32 from a string in `names` */
    OCI_NAME_SET,   /* u64: bit of each string in `names`; strings that aren't there are left out */
    OCI_STRINGS,    /* struct oci_strings */
    OCI_IDS,        /* struct oci_ids */
    OCI_MAP,        /* struct oci_map */
    OCI_OBJECT,     /* a struct of shape `sub`, embedded */
    OCI_OBJECTS,    /* { size_t count; struct *items; } of shape `sub` */
    OCI_OBJECT_MAP, /* the same from an object; items begin with `const char *` for the name */
    OCI_RAW,        /* struct json_object *, borrowed; must be an object */
};

struct oci_name {
    const char *name;
    s32 value;
};

struct oci_field {
    const char *name;
    enum oci_kind kind;
    bool required;
    size_t offset;
    size_t set_offset; /* of a bool that says that it was given; OCI_NO_SET: there is none */
    size_t width;
    s64 min;
    u64 max;
    const struct oci_shape *sub;
    const struct oci_name *names; /* ends with a NULL name */
};

struct oci_shape {
    size_t size;
    const struct oci_field *fields;
    size_t count;
    /* check() - what types and ranges can't say; reports by oci_decode_fail(). NULL: nothing. */
    int (*check)(struct oci_decoder *d, void *object);
};

#define OCI_NO_SET SIZE_MAX
/* No list or map has more elements. */
#define OCI_LIST_MAX    65536
#define OCI_NESTING_MAX 32

#define OCI_SHAPE(type, table, checker)                                                     \
    {                                                                                       \
        .size = sizeof(type), .fields = table, .count = ARRAY_SIZE(table), .check = checker \
    }

/* Rows: FIELD(type, JSON name, member, kind), and forms of it for what needs more. */
#define FIELD(type, json, member, kind_)                                                        \
    {                                                                                           \
        .name = json, .kind = kind_, .offset = offsetof(type, member), .set_offset = OCI_NO_SET \
    }
#define FIELD_REQUIRED(type, json, member, kind_)                                        \
    {                                                                                    \
        .name = json, .kind = kind_, .required = true, .offset = offsetof(type, member), \
        .set_offset = OCI_NO_SET                                                         \
    }
#define FIELD_SUB(type, json, member, kind_, shape)                                              \
    {                                                                                            \
        .name = json, .kind = kind_, .offset = offsetof(type, member), .set_offset = OCI_NO_SET, \
        .sub = &(shape)                                                                          \
    }
#define FIELD_SUB_SET(type, json, member, set_, shape)                      \
    {                                                                       \
        .name = json, .kind = OCI_OBJECT, .offset = offsetof(type, member), \
        .set_offset = offsetof(type, set_), .sub = &(shape)                 \
    }
#define FIELD_INT(type, json, member, low, high)                                                   \
    {                                                                                              \
        .name = json, .kind = OCI_INT, .offset = offsetof(type, member), .set_offset = OCI_NO_SET, \
        .width = sizeof(((type *)0)->member), .min = low, .max = high                              \
    }
#define FIELD_INT_REQUIRED(type, json, member, low, high)                                       \
    {                                                                                           \
        .name = json, .kind = OCI_INT, .required = true, .offset = offsetof(type, member),      \
        .set_offset = OCI_NO_SET, .width = sizeof(((type *)0)->member), .min = low, .max = high \
    }
#define FIELD_INT_SET(type, json, member, set_, low, high)                                    \
    {                                                                                         \
        .name = json, .kind = OCI_INT, .offset = offsetof(type, member),                      \
        .set_offset = offsetof(type, set_), .width = sizeof(((type *)0)->member), .min = low, \
        .max = high                                                                           \
    }
/* struct oci_opt_i64 and struct oci_opt_u64 */
#define FIELD_OPT_I64(type, json, member) \
    FIELD_INT_SET(type, json, member.value, member.set, INT64_MIN, INT64_MAX)
#define FIELD_OPT_U64(type, json, member) \
    FIELD_INT_SET(type, json, member.value, member.set, 0, UINT64_MAX)
#define FIELD_NAMES(type, json, member, kind_, table)                              \
    {                                                                              \
        .name = json, .kind = kind_, .required = (kind_) == OCI_ENUM,              \
        .offset = offsetof(type, member), .set_offset = OCI_NO_SET, .names = table \
    }

/* What a parsed object owns: the JSON tree that its strings are in, and its lists. */
struct oci_memory_pool {
    struct json_object *json;
    struct oci_chunk *chunks;
};

/*
 * oci_decode() - text to object by shape.
 * @what: the text's name, which error lines begin with.
 * @object: zeroed, of the shape's size; on failure its contents are to be ignored.
 * @pool: takes all that the object points to, also on failure; oci_pool_free() frees it.
 * Return: 0, or -EINVAL, -E2BIG, -ENOMEM with *err filled.
 */
int oci_decode(const char *what, const char *text, size_t len, const struct oci_shape *shape,
               void *object, struct oci_memory_pool *pool, struct oci_error *err);

void oci_pool_free(struct oci_memory_pool *pool);

/* oci_decode_alloc() - zeroed memory that lives as long as the object. Return: NULL, reported. */
void *oci_decode_alloc(struct oci_decoder *d, size_t count, size_t size);

/*
 * oci_decode_fail() - reports what is wrong with member @name (NULL: the object itself) of the
 * object being checked; a JSON path is put before it. Return: -EINVAL, for the caller to return.
 */
int oci_decode_fail(struct oci_decoder *d, const char *name, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* oci_decode_fail_item() - the same for element @index of the list @name. */
int oci_decode_fail_item(struct oci_decoder *d, const char *name, size_t index, const char *fmt,
                         ...) PRINTF_LIKE(4, 5);

/* The shapes of the parts. */
extern const struct oci_shape oci_process_shape, oci_linux_shape, oci_mount_shape,
    oci_id_mapping_shape;
