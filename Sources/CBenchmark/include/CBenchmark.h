// What the benchmarks need of C: counts of allocations, and epoll, which the overlay of the C library leaves out.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

/// Allocations that the calling thread has made since it began.
uint64_t lk_allocations_of_thread(void);
/// Allocations that all threads have made since the process began.
uint64_t lk_allocations_of_process(void);
/// Bytes that the program holds on the heap.
size_t lk_heap_bytes(void);
/// Waits until `file` can be read, for so many nanoseconds at most: `epoll_wait` counts whole milliseconds.
void lk_wait_readable(int file, int64_t limit_ns);
