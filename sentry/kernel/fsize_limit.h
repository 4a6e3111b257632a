/* RLIMIT_FSIZE: the calling task's limit and signal, as the file layer asks for them. */
#pragma once

/* fsize_limit_init() - tell fs/vfs where the limit comes from; at boot. */
void fsize_limit_init(void);
