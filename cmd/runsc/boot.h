/* Boot messages: what the Sentry and the gofer are told, and with which descriptors. */
#pragma once

#include "cmd/runsc/creation.h"

/*
 * boot_send() - sends both boot messages; the answers are for child_answer().
 * Return: 0 or an error, error set.
 */
int boot_send(struct creation *creation);
