#define _GNU_SOURCE
#include "COpenBLAS.h"

#include <dlfcn.h>
#include <sched.h>
#include <string.h>

/// Stores the function of a name; false if the library has none.
static int look_up(void *library, const char *name, void *function) {
    void *found = dlsym(library, name);
    memcpy(function, &found, sizeof found);
    return found != NULL;
}

const char *openblas_open(const char *name, struct openblas_functions *functions) {
    void *library = dlopen(name, RTLD_NOW | RTLD_GLOBAL);
    if (library == NULL) return dlerror();
    if (!look_up(library, "cblas_sgemm", &functions->sgemm)
        || !look_up(library, "cblas_dsyrk", &functions->dsyrk)
        || !look_up(library, "openblas_get_config", &functions->get_config)
        || !look_up(library, "openblas_get_corename", &functions->get_corename)
        || !look_up(library, "openblas_set_num_threads", &functions->set_num_threads)) {
        return dlerror();
    }
    // Neither is in OpenBLAS's headers.
    if (!look_up(library, "blas_memory_alloc", &functions->memory_alloc)
        || !look_up(library, "blas_memory_free", &functions->memory_free)) {
        functions->memory_alloc = NULL;
    }
    return NULL;
}

int openblas_processor_count(void) {
    cpu_set_t mask;
    return sched_getaffinity(0, sizeof mask, &mask) == 0 ? CPU_COUNT(&mask) : 0;
}

unsigned openblas_processor_features(void) {
    unsigned features = 0;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("sse3")) features |= OPENBLAS_SSE3;
    if (__builtin_cpu_supports("ssse3")) features |= OPENBLAS_SSSE3;
    if (__builtin_cpu_supports("sse4.1")) features |= OPENBLAS_SSE4_1;
    if (__builtin_cpu_supports("sse4.2")) features |= OPENBLAS_SSE4_2;
    if (__builtin_cpu_supports("avx")) features |= OPENBLAS_AVX;
    if (__builtin_cpu_supports("fma4")) features |= OPENBLAS_FMA4;
    if (__builtin_cpu_supports("fma")) features |= OPENBLAS_FMA;
    if (__builtin_cpu_supports("avx2")) features |= OPENBLAS_AVX2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
        features |= OPENBLAS_AVX512;
    }
    if (__builtin_cpu_supports("avx512bf16")) features |= OPENBLAS_AVX512_BF16;
#endif
    return features;
}

int openblas_processor_is_intel(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    return __builtin_cpu_is("intel") != 0;
#else
    return 0;
#endif
}
