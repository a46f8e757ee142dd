// Every allocation of the process passes through here, in lkpush-bench and in no other program: an executable's own
// `malloc` takes the place of the C library's. `free` is left alone; the memory is glibc's own.
#include "CBenchmark.h"
#include <errno.h>
#include <malloc.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

// A counter per thread is exact and costs one addition. Those of the process are spread over cache lines: one that all
// threads write would cost more than the allocations that it counts. They are relaxed, since they order nothing.
enum { SHARDS = 64 };
static _Thread_local uint64_t of_thread;
static _Thread_local unsigned shard;
static unsigned threads;
static struct {
    _Alignas(64) uint64_t count;
} of_process[SHARDS];

static inline void count(void) {
    if (of_thread++ == 0) shard = __atomic_fetch_add(&threads, 1, __ATOMIC_RELAXED) % SHARDS;
    __atomic_fetch_add(&of_process[shard].count, 1, __ATOMIC_RELAXED);
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
uint64_t lk_allocations_of_process(void) {
    uint64_t sum = 0;
    for (int index = 0; index < SHARDS; index++) sum += __atomic_load_n(&of_process[index].count, __ATOMIC_RELAXED);
    return sum;
}
size_t lk_heap_bytes(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}
