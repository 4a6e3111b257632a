/* The observer: reads of guest processes what only the host knows, for the Sentry. */
#pragma once

/* observer_spawn() - start it, before the Sentry confines itself and has threads. It is a copy of
 * this process that keeps two descriptors and waits. `guest_uid`: who owns guest processes here.
 * Return: a socket to it, or -errno (no such /proc can be had here: memory is then estimated). */
int observer_spawn(unsigned int guest_uid);
