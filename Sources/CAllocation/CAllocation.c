#include "CAllocation.h"

#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

static int status_at_end;
static char line_at_end[512];

void allocation_end_with(int status, const char *line) {
    status_at_end = status;
    strncpy(line_at_end, line, sizeof line_at_end - 1);
}

void allocation_spare_addresses(void) { mallopt(M_ARENA_MAX, 1); }

#if defined(__GLIBC__) && !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)

// glibc lets a program replace these functions, and keeps its own under these names. Memory still comes from glibc and
// goes back to it, so `free` and the functions that are not here work as ever.
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

/// Ends the process if there is no memory; sizes beyond all bounds are the caller's mistake, and the caller's to handle.
static void *checked(void *memory, size_t size) {
    if (memory == NULL && line_at_end[0] != '\0' && size <= PTRDIFF_MAX) {
        ssize_t ignored = write(STDERR_FILENO, line_at_end, strlen(line_at_end));
        (void)ignored;
        _exit(status_at_end);
    }
    return memory;
}

void *malloc(size_t size) { return checked(__libc_malloc(size), size); }

void *calloc(size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) bytes = SIZE_MAX;
    return checked(__libc_calloc(count, size), bytes);
}

void *realloc(void *old, size_t size) {
    // Of size 0, glibc frees the memory and returns null.
    return size == 0 ? __libc_realloc(old, size) : checked(__libc_realloc(old, size), size);
}

void *memalign(size_t alignment, size_t size) { return checked(__libc_memalign(alignment, size), size); }

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **memory, size_t alignment, size_t size) {
    if (alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0 || alignment == 0) return EINVAL;
    void *found = memalign(alignment, size);
    if (found == NULL) return ENOMEM;
    *memory = found;
    return 0;
}

#endif
