#define _GNU_SOURCE
#include "CBenchmark.h"
#include <poll.h>
#include <time.h>

void lk_wait_readable(int file, int64_t limit_ns) {
    struct pollfd waiting = {.fd = file, .events = POLLIN};
    struct timespec limit = {.tv_sec = limit_ns / 1000000000, .tv_nsec = limit_ns % 1000000000};
    ppoll(&waiting, 1, &limit, NULL);
}
