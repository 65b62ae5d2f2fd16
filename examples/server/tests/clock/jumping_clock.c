// A clock on the wall that jumps far forwards and far backwards by turns, by another number of years each time that it
// is asked, of a thousand times. All other clocks are the system's.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <time.h>

static atomic_uint n_asked;

int clock_gettime(clockid_t clock, struct timespec *time) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) {
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    }
    int result = real(clock, time);
    if (clock == CLOCK_REALTIME) {
        unsigned n = atomic_fetch_add(&n_asked, 1) % 1000;
        unsigned n_jumps = n % 2 ? 2000 - n : n;
        time->tv_sec += (time_t)n_jumps * 31536000;
    }
    return result;
}
