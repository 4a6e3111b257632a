/* Inside fs/dev. */
#pragma once

#include "fs/dev/dev.h"

/* chrdev_install() - make opening of character devices go through the table. */
void chrdev_install(void);
/* mem_init() - null, zero, full, random, urandom. */
void mem_init(void);

enum { DEV_MAJOR_MEM = 1, DEV_MAJOR_TTY = 5 };
