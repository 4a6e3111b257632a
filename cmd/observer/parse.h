/* Numbers out of the host's texts about a process. Nothing here allocates or calls the host. */
#pragma once

#include "sentry/mm/observer_proto.h"

/* parse_statm(), parse_stat(), parse_status() - a whole file, NUL-terminated.
 * Return: 0, -EPROTO (it isn't what this kernel should show). */
int parse_statm(const char *text, struct observer_statm *out);
int parse_stat(const char *text, struct observer_stat *out);
int parse_status(const char *text, struct observer_status *out);

/* parse_smaps_head() - is this line a mapping's first ("start-end …")? Its range in *out. */
bool parse_smaps_head(const char *line, struct observer_vma *out);
/* parse_smaps_line() - take "Name:  number kB" into *out, if it is one of those that count. */
void parse_smaps_line(const char *line, struct observer_vma *out);
