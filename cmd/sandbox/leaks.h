/* Checked builds: a sandbox that ends has no object left. */
#pragma once

struct container;

/* leaks_baseline() - before the container is made: what there is now may stay. */
void leaks_baseline(void);
/* leaks_check() - the container has ended and is let go of here: wait for its last threads, then
 * panic with the names of what is still alive. Does nothing in other builds. */
void leaks_check(struct container *c);
