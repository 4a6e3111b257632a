/* Scoped cleanup: auto_free, auto_fd, auto_put(foo), and take() to hand ownership on. */
#pragma once

#include <stdlib.h>
#include <unistd.h>

static inline void clean_free(void *p)
{
    free(*(void **)p);
}

/* clean_fd() - closes a descriptor that is not negative, at scope's end. */
void clean_fd(const int *fd);

#define auto_free __attribute__((cleanup(clean_free)))
#define auto_fd __attribute__((cleanup(clean_fd)))
/* auto_put(foo) - foo_put() at the end of the scope; foo has OBJ_REFS(foo). */
#define auto_put(name) __attribute__((cleanup(name##_putp)))

/* take() - give the pointer away: yields it and leaves NULL behind. */
#define take(p)                                                                                    \
    ({                                                                                             \
        __typeof__(p) taken_ = (p);                                                                \
        (p) = NULL;                                                                                \
        taken_;                                                                                    \
    })
/* take_fd() - give the descriptor away: yields it and leaves -1 behind. */
#define take_fd(fd)                                                                                \
    ({                                                                                             \
        int taken_fd_ = (fd);                                                                      \
        (fd) = -1;                                                                                 \
        taken_fd_;                                                                                 \
    })
