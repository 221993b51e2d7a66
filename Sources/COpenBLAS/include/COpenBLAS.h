// OpenBLAS, opened at run time: a program that computes nothing neither needs it nor pays for it, and memory, kernels
// and threads are settled before it starts.
#ifndef OMNICACHE_COPENBLAS_H
#define OMNICACHE_COPENBLAS_H

#include <stddef.h>

#if __has_include(<cblas-openblas.h>)
// Debian's name for OpenBLAS's own header, whichever library has given it cblas.h.
#include <cblas-openblas.h>
#else
#include <cblas.h>
#endif

/// The functions that are used, with the types of their header.
struct openblas_functions {
    __typeof__(&cblas_sgemm) sgemm;
    __typeof__(&cblas_dsyrk) dsyrk;
    __typeof__(&openblas_get_config) get_config;
    __typeof__(&openblas_get_corename) get_corename;
    __typeof__(&openblas_set_num_threads) set_num_threads;
    /// Takes a buffer as a product does; null where the library does not tell.
    void *(*memory_alloc)(int);
    /// Gives it back to the library, which keeps it for the next product; null where the library does not tell.
    void (*memory_free)(void *);
};

/// Opens the library of this name and looks its functions up.
///
/// Returns null, or a text that says why it cannot be used; it is the loader's, and good until the loader is next asked.
const char *openblas_open(const char *name, struct openblas_functions *functions);

/// How many processors this process may run on, by its affinity mask; 0 if the system does not tell.
int openblas_processor_count(void);

/// What this processor, and the system on it, can do beyond the first x86-64; bits in the order below.
unsigned openblas_processor_features(void);

/// Whether this processor is one of Intel's.
int openblas_processor_is_intel(void);

enum {
    OPENBLAS_SSE3 = 1 << 0,
    OPENBLAS_SSSE3 = 1 << 1,
    OPENBLAS_SSE4_1 = 1 << 2,
    OPENBLAS_SSE4_2 = 1 << 3,
    OPENBLAS_AVX = 1 << 4,
    OPENBLAS_FMA4 = 1 << 5,
    OPENBLAS_FMA = 1 << 6,
    OPENBLAS_AVX2 = 1 << 7,
    OPENBLAS_AVX512 = 1 << 8,
    OPENBLAS_AVX512_BF16 = 1 << 9,
};

#endif
