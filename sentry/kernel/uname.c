/* The kernel's release as a container's programs see it; see uname.h. */
#include "sentry/kernel/uname.h"

#include "sentry/kernel/container.h"

#include <stdio.h>
#include <stdlib.h>

/* numeric() - "major.minor.patch…" as loader.h has it; what a part lacks is 0. */
static u32 numeric(const char *release)
{
    u32 v = 0;

    for (int i = 0; i < 3; i++) {
        char *end;
        unsigned long part = strtoul(release, &end, 10);

        v = v << 8 | (u32)min_of(part, 255ul);
        release = *end == '.' ? end + 1 : "";
    }
    return v;
}

void uname_release(struct container *c, char out[UNAME_RELEASE])
{
    const char *release = c ? c->kernel_release : container_default_kernel_release;
    u32 demanded = c ? atomic_load(&c->abi_kernel) : 0;

    if (demanded > numeric(release))
        snprintf(out, UNAME_RELEASE, "%u.%u.%u", demanded >> 16, demanded >> 8 & 0xff,
                 demanded & 0xff);
    else
        snprintf(out, UNAME_RELEASE, "%s", release);
}
