/* Signals by name or number, as people write them. */
#pragma once

/* signal_name_parse() - "TERM", "SIGTERM", "sigterm", "15", "RTMIN+1". Return: 1-64 or -EINVAL. */
int signal_name_parse(const char *text);
