/* The list of platforms. */
#include "platform/platform.h"

#include <string.h>

static const struct platform_ops *const platforms[] = {
    &ptrace_platform,
};

const struct platform_ops *platform_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(platforms); i++)
        if (strcmp(platforms[i]->name, name) == 0)
            return platforms[i];
    return NULL;
}
