// Every allocation of the process passes through here, in lkpush-bench and in no other program: an executable's own
// `malloc` takes the place of the C library's. `free` is left alone; the memory is glibc's own.
#include "CBenchmark.h"
#include <errno.h>
#include <malloc.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

// A counter per thread is exact and costs one addition; the shared one is relaxed, since it orders nothing.
static _Thread_local uint64_t of_thread;
static uint64_t of_process;

static inline void count(void) {
    of_thread++;
    __atomic_fetch_add(&of_process, 1, __ATOMIC_RELAXED);
}

void *malloc(size_t size) {
    count();
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count();
    return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size) {
    count();
    return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
    count();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    count();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size) {
    count();
    void *memory = __libc_memalign(alignment, size);
    if (!memory) return ENOMEM;
    *result = memory;
    return 0;
}

uint64_t lk_allocations_of_thread(void) { return of_thread; }
uint64_t lk_allocations_of_process(void) { return __atomic_load_n(&of_process, __ATOMIC_RELAXED); }
size_t lk_heap_bytes(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}
