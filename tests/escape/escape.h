/*
 * What the hostile programs share. They use the guest tests' framework; a point is `ok` when the
 * attack got an errno or a deadly signal and nobody else noticed anything.
 */
#ifndef TESTS_ESCAPE_ESCAPE_H
#define TESTS_ESCAPE_ESCAPE_H

#include "tests/guest/guest.h"

/* The guest's addresses end below this; from here up is what the sandbox keeps for itself. */
#define STUB_BASE 0x7ffff0000000ul
#define STUB_TOP  0x7ffffffff000ul

/* escape_need_sandbox() - skip the test on a real kernel, where it would be harmful or senseless */
void escape_need_sandbox(void);

/* escape_drop() - outside a sandbox: lose all privileges, or end this process as if passed */
void escape_drop(void);

/* escape_become_nobody() - the same everywhere: an id that no other process has */
void escape_become_nobody(void);

/* escape_end_ns() - when this test's storm shall end; GUEST_SECONDS is for the whole program */
int64_t escape_end_ns(void);

/* escape_random() - a small generator, the same sequence in every run. Return: 31 bits */
unsigned int escape_random(void);

/*
 * escape_outcome() - wait for pid for at most ms milliseconds; kill it then.
 * Return: its wait status, or -1 if it had to be killed and that took longer than three seconds
 */
int escape_outcome(pid_t pid, unsigned int ms);

/* escape_check_alive() - the simplest services still work for this process */
void escape_check_alive(void);

/* Whether a wait status is an end that an attacker may meet: exit 0, or a deadly signal. */
bool escape_harmless(int status);

#endif
