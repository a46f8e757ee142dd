/*
 * Makes the disk below one folder fail, for a program that is preloaded with this: the tests kill it inside a call that
 * changes a file, between two such calls, or let the calls fail for a while.
 *
 *   FAULT_ROOT    only files below this folder
 *   FAULT_AT      the number, from 1, of the call at which the program dies; none where it is absent
 *   FAULT_HOW     "before": the call does nothing; "after": it was done; "torn": a write has done half of it
 *   FAULT_SWITCH  a file: while it holds the name of an error (ENOSPC, EROFS, EIO) every call fails with it, while it
 *                 holds "slow N" syncing takes N milliseconds longer, while it holds "silent" nobody is told how much room
 *                 there is: the call waits
 *
 * A program that is preloaded with this may also call fault_arm (found with dlsym), so that one call of its own fails.
 *
 *   clang -shared -fPIC -O1 -o libdisk.so disk.c
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static atomic_long calls;

/* Absent in processes that are not meant, such as a shell on the way. */
static const char *variable(const char *name) { return getenv(name); }

static int is_below_root(const char *path) {
    const char *root = variable("FAULT_ROOT");
    return root && path && strncmp(path, root, strlen(root)) == 0;
}

static int is_file_below_root(int file) {
    char name[64], path[PATH_MAX];
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    ssize_t length = readlink(name, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return is_below_root(path);
}

/* What the switch says; by system calls, so that nothing here comes back to us. */
static int read_switch(char *text, size_t size) {
    const char *path = variable("FAULT_SWITCH");
    if (!path) return 0;
    int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t count = syscall(SYS_read, file, text, size - 1);
    syscall(SYS_close, file);
    text[count > 0 ? count : 0] = 0;
    return count > 0;
}

static int switched_error(void) {
    char text[32];
    if (!read_switch(text, sizeof text)) return 0;
    if (!strncmp(text, "ENOSPC", 6)) return ENOSPC;
    if (!strncmp(text, "EROFS", 5)) return EROFS;
    if (!strncmp(text, "EIO", 3)) return EIO;
    return 0;
}

static atomic_long armed_call;
static atomic_int armed_error;

/* The call number `call` from now on, from 1, fails with `error`, and no other. */
void fault_arm(long call, int error) {
    atomic_store(&armed_call, call);
    atomic_store(&armed_error, error);
}

/* 1 while that call is still to come. */
int fault_is_armed(void) { return atomic_load(&armed_error) != 0; }

static int armed(void) {
    if (!atomic_load(&armed_error) || atomic_fetch_sub(&armed_call, 1) != 1) return 0;
    return atomic_exchange(&armed_error, 0);
}

static void linger(void) {
    char text[32];
    long milliseconds = 0;
    if (!read_switch(text, sizeof text) || sscanf(text, "slow %ld", &milliseconds) != 1) return;
    struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

static void die(void) {
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) pause();
}

static int is_how(const char *word) {
    const char *how = variable("FAULT_HOW");
    return how && !strcmp(how, word);
}

/* True in the call at which the program dies; dies at once where nothing is to be done first. */
static int is_last(void) {
    const char *at = variable("FAULT_AT");
    if (!at || atomic_fetch_add(&calls, 1) + 1 != atol(at)) return 0;
    if (is_how("before")) die();
    return 1;
}

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define FAIL_WHERE_SWITCHED \
    do { \
        int error = switched_error(); \
        if (!error) error = armed(); \
        if (error) return errno = error, -1; \
    } while (0)

#define WRITING(name, parameters, arguments, half) \
    ssize_t name parameters { \
        REAL(name); \
        if (!is_file_below_root(file)) return real arguments; \
        FAIL_WHERE_SWITCHED; \
        int last = is_last(); \
        if (last && is_how("torn")) size = half; \
        ssize_t result = real arguments; \
        if (last) die(); \
        return result; \
    }

WRITING(write, (int file, const void *bytes, size_t size), (file, bytes, size), size / 2)
WRITING(pwrite, (int file, const void *bytes, size_t size, off_t at), (file, bytes, size, at), size / 2)
WRITING(pwrite64, (int file, const void *bytes, size_t size, off64_t at), (file, bytes, size, at), size / 2)

#define CHANGING(name, is_ours, parameters, arguments, before) \
    int name parameters { \
        REAL(name); \
        if (!(is_ours)) return real arguments; \
        FAIL_WHERE_SWITCHED; \
        before; \
        int last = is_last(); \
        int result = real arguments; \
        if (last) die(); \
        return result; \
    }

CHANGING(fsync, is_file_below_root(file), (int file), (file), linger())
CHANGING(fdatasync, is_file_below_root(file), (int file), (file), linger())
CHANGING(ftruncate, is_file_below_root(file), (int file, off_t size), (file, size), )
CHANGING(ftruncate64, is_file_below_root(file), (int file, off64_t size), (file, size), )
CHANGING(rename, is_below_root(to), (const char *from, const char *to), (from, to), )
CHANGING(unlink, is_below_root(path), (const char *path), (path), )
CHANGING(mkdir, is_below_root(path), (const char *path, mode_t mode), (path, mode), )

/* A file system across a network that does not answer. */
static void wait_for_voice(void) {
    char text[32];
    struct timespec pause = {0, 5000000};
    while (read_switch(text, sizeof text) && !strncmp(text, "silent", 6)) nanosleep(&pause, NULL);
}

#define ASKING(name) \
    int name(const char *path, struct name *room) { \
        REAL(name); \
        if (is_below_root(path)) wait_for_voice(); \
        return real(path, room); \
    }

ASKING(statvfs)
ASKING(statvfs64)

/* Opening is no change, but what cannot be written cannot be opened for it. */
#define OPENING(name) \
    int name(const char *path, int flags, ...) { \
        REAL(name); \
        mode_t mode = 0; \
        if (flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE) { \
            va_list rest; \
            va_start(rest, flags); \
            mode = va_arg(rest, mode_t); \
            va_end(rest); \
        } \
        if (is_below_root(path) && (flags & (O_CREAT | O_ACCMODE)) && switched_error() == EROFS) \
            return errno = EROFS, -1; \
        return real(path, flags, mode); \
    }

OPENING(open)
OPENING(open64)
