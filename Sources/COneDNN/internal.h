// What the parts of this target share: the library's functions, descriptors of arrays, and primitives.
//
// Source: https://github.com/oneapi-src/oneDNN (include/oneapi/dnnl), 2.6 and 3.13.
#ifndef OMNICACHE_CONEDNN_INTERNAL_H
#define OMNICACHE_CONEDNN_INTERNAL_H

#include "COneDNN.h"

#include <stdalign.h>

typedef int64_t dims_t[12];
typedef void *handle;

struct argument {
    int kind;
    handle memory;
};

struct version {
    int major, minor, patch;
    const char *commit;
    /// What it runs loops with.
    unsigned runtime;
};

/// The library's functions; those of one version alone are null in the other.
struct library {
    const struct version *(*version)(void);
    int (*engine_create)(handle *, int, size_t);
    int (*stream_create)(handle *, handle, unsigned);
    int (*stream_destroy)(handle);
    int (*attr_create)(handle *);
    int (*attr_destroy)(handle);
    int (*attr_set_scratchpad_mode)(handle, int);
    int (*attr_set_post_ops)(handle, handle);
    int (*post_ops_create)(handle *);
    int (*post_ops_destroy)(handle);
    int (*primitive_desc_destroy)(handle);
    const void *(*primitive_desc_query_md)(handle, int, int);
    int (*primitive_desc_query)(handle, int, int, void *);
    int (*primitive_create)(handle *, handle);
    int (*primitive_destroy)(handle);
    int (*primitive_execute)(handle, handle, int, const struct argument *);
    int (*memory_create)(handle *, const void *, handle, void *);
    int (*memory_destroy)(handle);
    size_t (*memory_desc_get_size)(const void *);
    int (*reorder_primitive_desc_create)(handle *, const void *, handle, const void *, handle, handle);
    // Version 2.
    int (*memory_desc_init_by_strides)(void *, int, const dims_t, int, const int64_t *);
    int (*memory_desc_init_by_tag)(void *, int, const dims_t, int, int);
    int (*matmul_desc_init)(void *, const void *, const void *, const void *, const void *);
    int (*convolution_desc_init)(
        void *, int, int, const void *, const void *, const void *, const void *, const dims_t, const dims_t,
        const dims_t);
    int (*primitive_desc_create)(handle *, const void *, handle, handle, handle);
    int (*append_eltwise_2)(handle, float, int, float, float);
    int (*append_sum_2)(handle, float);
    // Version 3.
    int (*memory_desc_create_with_strides)(void *, int, const dims_t, int, const int64_t *);
    int (*memory_desc_create_with_tag)(void *, int, const dims_t, int, int);
    int (*memory_desc_destroy)(handle);
    int (*matmul_primitive_desc_create)(
        handle *, handle, const void *, const void *, const void *, const void *, handle);
    int (*convolution_primitive_desc_create)(
        handle *, handle, int, int, const void *, const void *, const void *, const void *, const dims_t, const dims_t,
        const dims_t, const dims_t, handle);
    int (*append_eltwise_3)(handle, int, float, float);
    int (*append_sum_3)(handle, float, int32_t, int);
    // OpenMP's, where the library uses that.
    void (*omp_set_num_threads)(int);
};

extern struct library dnnl;
/// The processor.
extern handle engine;

/// Whether the open library is of version 2.
int is_second(void);

// MARK: - Descriptors

/// A descriptor of an array: the structure itself in version 2, a pointer to one in version 3.
struct descriptor {
    alignas(16) char structure[1024];
    handle pointer;
};

/// The descriptor as the library takes it.
const void *address(const struct descriptor *descriptor);

/// Frees what the library keeps of it.
void destroy_descriptor(struct descriptor *descriptor);

/// An array whose elements lie `strides` apart. Returns whether the library takes it.
int describe(
    struct descriptor *descriptor, int rank, const dims_t dims, enum onednn_type type, const dims_t strides);

/// An array in whatever form the library multiplies best. Returns whether the library takes it.
int describe_any(struct descriptor *descriptor, int rank, const dims_t dims, enum onednn_type type);

/// A matrix whose elements lie `row` and `column` apart. Returns whether the library takes it.
int describe_matrix(
    struct descriptor *descriptor, int64_t rows, int64_t columns, enum onednn_type type, int64_t row, int64_t column);

// MARK: - Primitives

/// What the library has made for one shape. Any number of threads may run it at the same time.
struct primitive {
    handle description, code;
    /// What the description says; they live as long as it does.
    const void *weights, *scratchpad;
    size_t scratch_bytes;
};

/// What is done beside a primitive's own work; null where the library does not take it.
handle make_attributes(int is_added, enum onednn_activation activation);

/// Makes the description of a structure of version 2.
int describe_primitive(struct primitive *primitive, const void *structure, handle attributes);

/// Makes the code of a primitive that is described. Returns whether the library has a fast one.
int finish_primitive(struct primitive *primitive);

void destroy_primitive(struct primitive *primitive);

/// The name of the primitive's code.
const char *primitive_kernel(const struct primitive *primitive);

/// Rewrites stored weights in the form that the primitive wants. Returns whether that was possible.
int pack_weights(
    const struct primitive *primitive, const struct descriptor *stored, const void *weights, void *packed);

/// Runs a primitive on the calling thread; without a bias, `bias` is null. Returns whether that was possible.
int run_primitive(
    const struct primitive *primitive, const struct descriptor *source, const void *a, const void *weights,
    const struct descriptor *bias, const float *biases, const struct descriptor *result, void *c);

#endif
