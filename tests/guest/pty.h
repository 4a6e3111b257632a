/* What the tests of terminals share: a pty, `master` and `slave` of it open, and its text. */
#ifndef TESTS_GUEST_PTY_H
#define TESTS_GUEST_PTY_H

#include "tests/guest/guest.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>

extern int master, slave;
extern char pty_name[32]; /* of the pty opened last */

/* open_master() - of a new pty, unlocked. Return: its descriptor */
int open_master(void);

/* open_pair() - a pty, its terminal not a controlling one */
void open_pair(void);

/* set_raw() - bytes pass as they are, both ways; a read waits for one */
void set_raw(void);

/* nonblock() - fd, open for both, with O_NONBLOCK */
void nonblock(int fd);

/* drain() - what comes out of fd until nothing has come for a while. Return: as a string */
const char *drain(int fd);

#endif
