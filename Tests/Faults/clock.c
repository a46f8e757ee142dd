/*
 * Lets a preloaded program believe that the wall clock stands some time back: a state folder that was kept as test data
 * is then as old as it was when it was made, however long it has been kept.
 *
 *   CLOCK_BACK    seconds
 *
 *   clang -shared -fPIC -O1 -o libclock.so clock.c
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    long result = syscall(SYS_clock_gettime, clock, now);
    const char *back = getenv("CLOCK_BACK");
    if (result == 0 && clock == CLOCK_REALTIME && back) now->tv_sec -= atol(back);
    return (int)result;
}
