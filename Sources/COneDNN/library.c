#define _GNU_SOURCE
#include "internal.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CPU = 1,
    // What runs a loop on the calling thread alone: no threads, OpenMP with one thread, or a pool that is not given.
    RUNTIMES = 1 | 2 | 8,
};

struct library dnnl;
handle engine;
static int version;

/// Stores the function of a name; false if the library has none.
static int look_up(void *library, const char *name, void *function) {
    void *found = dlsym(library, name);
    memcpy(function, &found, sizeof found);
    return found != NULL;
}

static int look_up_all(void *library) {
    int found = look_up(library, "dnnl_version", &dnnl.version)
        && look_up(library, "dnnl_engine_create", &dnnl.engine_create)
        && look_up(library, "dnnl_stream_create", &dnnl.stream_create)
        && look_up(library, "dnnl_stream_destroy", &dnnl.stream_destroy)
        && look_up(library, "dnnl_primitive_attr_create", &dnnl.attr_create)
        && look_up(library, "dnnl_primitive_attr_destroy", &dnnl.attr_destroy)
        && look_up(library, "dnnl_primitive_attr_set_scratchpad_mode", &dnnl.attr_set_scratchpad_mode)
        && look_up(library, "dnnl_primitive_attr_set_post_ops", &dnnl.attr_set_post_ops)
        && look_up(library, "dnnl_post_ops_create", &dnnl.post_ops_create)
        && look_up(library, "dnnl_post_ops_destroy", &dnnl.post_ops_destroy)
        && look_up(library, "dnnl_primitive_desc_destroy", &dnnl.primitive_desc_destroy)
        && look_up(library, "dnnl_primitive_desc_query_md", &dnnl.primitive_desc_query_md)
        && look_up(library, "dnnl_primitive_desc_query", &dnnl.primitive_desc_query)
        && look_up(library, "dnnl_primitive_create", &dnnl.primitive_create)
        && look_up(library, "dnnl_primitive_destroy", &dnnl.primitive_destroy)
        && look_up(library, "dnnl_primitive_execute", &dnnl.primitive_execute)
        && look_up(library, "dnnl_memory_create", &dnnl.memory_create)
        && look_up(library, "dnnl_memory_destroy", &dnnl.memory_destroy)
        && look_up(library, "dnnl_memory_desc_get_size", &dnnl.memory_desc_get_size)
        && look_up(library, "dnnl_reorder_primitive_desc_create", &dnnl.reorder_primitive_desc_create);
    if (!found) return 0;
    if (dnnl.version()->major == 2) {
        return look_up(library, "dnnl_memory_desc_init_by_strides", &dnnl.memory_desc_init_by_strides)
            && look_up(library, "dnnl_memory_desc_init_by_tag", &dnnl.memory_desc_init_by_tag)
            && look_up(library, "dnnl_matmul_desc_init", &dnnl.matmul_desc_init)
            && look_up(library, "dnnl_convolution_forward_desc_init", &dnnl.convolution_desc_init)
            && look_up(library, "dnnl_primitive_desc_create", &dnnl.primitive_desc_create)
            && look_up(library, "dnnl_post_ops_append_eltwise", &dnnl.append_eltwise_2)
            && look_up(library, "dnnl_post_ops_append_sum", &dnnl.append_sum_2);
    }
    return look_up(library, "dnnl_memory_desc_create_with_strides", &dnnl.memory_desc_create_with_strides)
        && look_up(library, "dnnl_memory_desc_create_with_tag", &dnnl.memory_desc_create_with_tag)
        && look_up(library, "dnnl_memory_desc_destroy", &dnnl.memory_desc_destroy)
        && look_up(library, "dnnl_matmul_primitive_desc_create", &dnnl.matmul_primitive_desc_create)
        && look_up(
               library, "dnnl_convolution_forward_primitive_desc_create", &dnnl.convolution_primitive_desc_create)
        && look_up(library, "dnnl_post_ops_append_eltwise", &dnnl.append_eltwise_3)
        && look_up(library, "dnnl_post_ops_append_sum", &dnnl.append_sum_3);
}

const char *onednn_open(const char *const *names, int count) {
    static char problem[256];
    void *library = NULL;
    for (int i = 0; i < count && library == NULL; i++) {
        // OpenMP reads this while it is loaded; its threads would spin beside ours.
        char *before = getenv("OMP_NUM_THREADS");
        char *kept = before == NULL ? NULL : strdup(before);
        setenv("OMP_NUM_THREADS", "1", 1);
        library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
        if (kept != NULL) {
            setenv("OMP_NUM_THREADS", kept, 1);
            free(kept);
        } else {
            unsetenv("OMP_NUM_THREADS");
        }
    }
    if (library == NULL) {
        snprintf(problem, sizeof problem, "%s", dlerror());
        return problem;
    }
    if (!look_up(library, "dnnl_version", &dnnl.version)) return "it is not oneDNN";
    const struct version *found = dnnl.version();
    if (found->major != 2 && found->major != 3) {
        snprintf(problem, sizeof problem, "it is version %d.%d, and 2 and 3 are supported", found->major, found->minor);
        return problem;
    }
    if ((found->runtime & ~(unsigned)RUNTIMES) != 0) return "it was built for TBB or SYCL, and not for OpenMP";
    if (!look_up_all(library)) return "it lacks functions of its version";
    if (dnnl.engine_create(&engine, CPU, 0) != 0) return "it was built without kernels for processors";
    // In another namespace than the library's own, but the same OpenMP.
    look_up(library, "omp_set_num_threads", &dnnl.omp_set_num_threads);
    version = found->major * 10000 + found->minor * 100 + found->patch;
    return NULL;
}

int onednn_version(void) { return version; }

int is_second(void) { return version < 30000; }
