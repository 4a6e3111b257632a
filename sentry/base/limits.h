/* The bounds of everything that a guest can grow; the table is limits.def. */
#pragma once

enum limit_value {
#define LIMIT(name, value, what) LIMIT_##name = value,
#include "sentry/base/limits.def"
#undef LIMIT
};
