// Makes the slow path of Swift's Mutex visible to the thread sanitizer.
//
// The fast path is two atomic operations, compiled into the client and seen. When the lock is contended the kernel
// hands it over (FUTEX_LOCK_PI), inside libswiftSynchronization, which is not instrumented: the order it makes between
// the threads is real, but the sanitizer does not know of it and reports every access under a lock that was waited for.
// Loaded before that library this says so, and nothing else: no report is suppressed.
// https://github.com/swiftlang/swift/blob/main/stdlib/public/Synchronization/Mutex/LinuxImpl.swift
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

// Weak: programs without the sanitizer may be started below one that has it.
__attribute__((weak)) void __tsan_acquire(void *address);
__attribute__((weak)) void __tsan_release(void *address);

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context))

#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

typedef SWIFT void (*lock_slow)(uint32_t thread, SELF void *mutex);
typedef SWIFT void (*unlock_slow)(SELF void *mutex);

SWIFT void lkpush_lock_slow(uint32_t thread, SELF void *mutex) __asm__(LOCK_SLOW);
SWIFT void lkpush_unlock_slow(SELF void *mutex) __asm__(UNLOCK_SLOW);

SWIFT void lkpush_lock_slow(uint32_t thread, SELF void *mutex) {
    ((lock_slow)dlsym(RTLD_NEXT, LOCK_SLOW))(thread, mutex);
    if (__tsan_acquire) __tsan_acquire(mutex);
}

SWIFT void lkpush_unlock_slow(SELF void *mutex) {
    if (__tsan_release) __tsan_release(mutex);
    ((unlock_slow)dlsym(RTLD_NEXT, UNLOCK_SLOW))(mutex);
}
