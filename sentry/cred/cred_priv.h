/* What the files of sentry/cred share. */
#pragma once

#include "sentry/cred/cred.h"

extern struct obj_type user_ns_type;
