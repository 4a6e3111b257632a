/* Starting a created container; start and run do it. */
#pragma once

#include "cmd/runsc/container.h"

/* start_container() - @c is locked. Return: 0 or an error, error set; a failed one is over. */
int start_container(struct container *c);
