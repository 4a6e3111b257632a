/* What the files of sentry/mm share. */
#pragma once

#include "sentry/mm/mm.h"

/* usermem_write_zeros() - some zero bytes to guest memory. Return: how many, -EFAULT if none. */
ssize_t usermem_write_zeros(struct mm *mm, uaddr_t dst, size_t len);
