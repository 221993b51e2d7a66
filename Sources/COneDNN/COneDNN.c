#define _GNU_SOURCE
#include "COneDNN.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What both versions have in common. Source: https://github.com/oneapi-src/oneDNN (include/oneapi/dnnl), 2.6 and 3.13.

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

enum {
    CPU = 1,
    // What runs a loop on the calling thread alone: no threads, OpenMP with one thread, or a pool that is not given.
    RUNTIMES = 1 | 2 | 8,
    IN_ORDER = 1,
    FORMAT_ANY = 1,
    QUERY_IMPLEMENTATION = 8,
    QUERY_WEIGHTS = 131,
    QUERY_SCRATCHPAD = 136,
    SCRATCHPAD_OF_USER = 1,
    SOURCE = 1,
    DESTINATION = 17,
    WEIGHTS = 33,
    BIAS = 41,
    SCRATCHPAD = 80,
};

static struct {
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
    int (*primitive_desc_create)(handle *, const void *, handle, handle, handle);
    int (*append_eltwise_2)(handle, float, int, float, float);
    // Version 3.
    int (*memory_desc_create_with_strides)(void *, int, const dims_t, int, const int64_t *);
    int (*memory_desc_create_with_tag)(void *, int, const dims_t, int, int);
    int (*memory_desc_destroy)(handle);
    int (*matmul_primitive_desc_create)(
        handle *, handle, const void *, const void *, const void *, const void *, handle);
    int (*append_eltwise_3)(handle, int, float, float);
    // OpenMP's, where the library uses that.
    void (*omp_set_num_threads)(int);
} dnnl;

static int version;
static handle engine;

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
            && look_up(library, "dnnl_primitive_desc_create", &dnnl.primitive_desc_create)
            && look_up(library, "dnnl_post_ops_append_eltwise", &dnnl.append_eltwise_2);
    }
    return look_up(library, "dnnl_memory_desc_create_with_strides", &dnnl.memory_desc_create_with_strides)
        && look_up(library, "dnnl_memory_desc_create_with_tag", &dnnl.memory_desc_create_with_tag)
        && look_up(library, "dnnl_memory_desc_destroy", &dnnl.memory_desc_destroy)
        && look_up(library, "dnnl_matmul_primitive_desc_create", &dnnl.matmul_primitive_desc_create)
        && look_up(library, "dnnl_post_ops_append_eltwise", &dnnl.append_eltwise_3);
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

static int is_second(void) { return version < 30000; }

// MARK: - Descriptors

/// A descriptor of a matrix: the structure itself in version 2, a pointer to one in version 3.
struct descriptor {
    alignas(16) char structure[1024];
    handle pointer;
};

static const void *address(const struct descriptor *descriptor) {
    return is_second() ? (const void *)descriptor->structure : descriptor->pointer;
}

static void destroy_descriptor(struct descriptor *descriptor) {
    if (!is_second() && descriptor->pointer != NULL) dnnl.memory_desc_destroy(descriptor->pointer);
    descriptor->pointer = NULL;
}

/// A matrix whose elements lie `row` and `column` apart.
static int describe(
    struct descriptor *descriptor, int64_t rows, int64_t columns, enum onednn_type type, int64_t row, int64_t column
) {
    dims_t dims = {rows, columns};
    dims_t strides = {row, column};
    return 0 == (is_second()
        ? dnnl.memory_desc_init_by_strides(descriptor->structure, 2, dims, type, strides)
        : dnnl.memory_desc_create_with_strides(&descriptor->pointer, 2, dims, type, strides));
}

/// A matrix in whatever form the library multiplies best.
static int describe_any(struct descriptor *descriptor, int64_t rows, int64_t columns, enum onednn_type type) {
    dims_t dims = {rows, columns};
    return 0 == (is_second()
        ? dnnl.memory_desc_init_by_tag(descriptor->structure, 2, dims, type, FORMAT_ANY)
        : dnnl.memory_desc_create_with_tag(&descriptor->pointer, 2, dims, type, FORMAT_ANY));
}

// MARK: - The calling thread

/// What a thread has of its own.
struct thread {
    handle stream;
    void *scratch;
    size_t bytes;
};

static pthread_key_t thread_key;
static pthread_once_t thread_key_once = PTHREAD_ONCE_INIT;
static __thread struct thread *thread;

static void end_thread(void *argument) {
    struct thread *ended = argument;
    dnnl.stream_destroy(ended->stream);
    free(ended->scratch);
    free(ended);
}

static void make_thread_key(void) { pthread_key_create(&thread_key, end_thread); }

/// The calling thread, with scratch memory of some size; null where there is no memory.
static struct thread *this_thread(size_t bytes) {
    if (thread == NULL) {
        pthread_once(&thread_key_once, make_thread_key);
        struct thread *new = calloc(1, sizeof *new);
        if (new == NULL) return NULL;
        if (dnnl.stream_create(&new->stream, engine, IN_ORDER) != 0) {
            free(new);
            return NULL;
        }
        // Holds for this thread alone.
        if (dnnl.omp_set_num_threads != NULL) dnnl.omp_set_num_threads(1);
        pthread_setspecific(thread_key, new);
        thread = new;
    }
    if (thread->bytes < bytes) {
        free(thread->scratch);
        thread->bytes = 0;
        size_t whole = (bytes + 4095) / 4096 * 4096;
        thread->scratch = aligned_alloc(4096, whole);
        if (thread->scratch == NULL) return NULL;
        thread->bytes = whole;
    }
    return thread;
}

// MARK: - Products

struct onednn_product {
    struct onednn_shape shape;
    handle primitive_desc;
    handle primitive;
    /// What the primitive descriptor says; they live as long as it does.
    const void *weights;
    const void *scratchpad;
    size_t scratch_bytes;
    struct descriptor source, bias, result;
};

static int activation_code(enum onednn_activation activation) {
    if (activation == ONEDNN_GELU_TANH) return is_second() ? 0xcf : 0x2b;
    return is_second() ? 0xdf : 0x2c;
}

/// What is done beside the product itself; null where the library does not take it.
static handle make_attributes(const struct onednn_shape *shape) {
    handle attributes = NULL;
    handle operations = NULL;
    if (dnnl.attr_create(&attributes) != 0) return NULL;
    int is_fine = dnnl.attr_set_scratchpad_mode(attributes, SCRATCHPAD_OF_USER) == 0
        && dnnl.post_ops_create(&operations) == 0;
    if (is_fine && shape->activation != ONEDNN_NONE) {
        int code = activation_code(shape->activation);
        is_fine = (is_second() ? dnnl.append_eltwise_2(operations, 1, code, 1, 0)
                               : dnnl.append_eltwise_3(operations, code, 1, 0)) == 0;
    }
    is_fine = is_fine && dnnl.attr_set_post_ops(attributes, operations) == 0;
    if (operations != NULL) dnnl.post_ops_destroy(operations);
    if (is_fine) return attributes;
    dnnl.attr_destroy(attributes);
    return NULL;
}

static int make_primitive_desc(
    onednn_product *product, const void *weights, const void *bias, handle attributes
) {
    const void *source = address(&product->source), *result = address(&product->result);
    if (!is_second()) {
        return dnnl.matmul_primitive_desc_create(
            &product->primitive_desc, engine, source, weights, bias, result, attributes) == 0;
    }
    // The structure takes 2800 bytes in 2.6.
    alignas(16) char description[8192];
    memset(description, 0, sizeof description);
    return dnnl.matmul_desc_init(description, source, weights, bias, result) == 0
        && dnnl.primitive_desc_create(&product->primitive_desc, description, attributes, engine, NULL) == 0;
}

onednn_product *onednn_product_create(const struct onednn_shape *shape, const onednn_product *like) {
    onednn_product *product = calloc(1, sizeof *product);
    if (product == NULL) return NULL;
    product->shape = *shape;
    struct descriptor stored = {.pointer = NULL};
    int is_fine = describe(&product->source, shape->m, shape->k, shape->a_type, shape->lda, 1)
        && describe(&product->result, shape->m, shape->n, shape->c_type, shape->ldc, 1)
        && (!shape->has_bias || describe(&product->bias, 1, shape->n, ONEDNN_F32, shape->n, 1));
    const void *weights = like == NULL ? NULL : like->weights;
    if (is_fine && weights == NULL) {
        is_fine = shape->ldb == 0 ? describe_any(&stored, shape->k, shape->n, shape->b_type)
            : shape->b_is_transposed ? describe(&stored, shape->k, shape->n, shape->b_type, 1, shape->ldb)
                                     : describe(&stored, shape->k, shape->n, shape->b_type, shape->ldb, 1);
        weights = address(&stored);
    }
    handle attributes = is_fine ? make_attributes(shape) : NULL;
    is_fine = attributes != NULL
        && make_primitive_desc(product, weights, shape->has_bias ? address(&product->bias) : NULL, attributes)
        && dnnl.primitive_create(&product->primitive, product->primitive_desc) == 0;
    if (attributes != NULL) dnnl.attr_destroy(attributes);
    destroy_descriptor(&stored);
    if (is_fine) {
        product->weights = dnnl.primitive_desc_query_md(product->primitive_desc, QUERY_WEIGHTS, 0);
        product->scratchpad = dnnl.primitive_desc_query_md(product->primitive_desc, QUERY_SCRATCHPAD, 0);
        product->scratch_bytes = dnnl.memory_desc_get_size(product->scratchpad);
        // Plain loops, which the library has for what its kernels cannot do.
        is_fine = strstr(onednn_product_kernel(product), "ref") == NULL;
    }
    if (is_fine) return product;
    onednn_product_destroy(product);
    return NULL;
}

void onednn_product_destroy(onednn_product *product) {
    if (product == NULL) return;
    if (product->primitive != NULL) dnnl.primitive_destroy(product->primitive);
    if (product->primitive_desc != NULL) dnnl.primitive_desc_destroy(product->primitive_desc);
    destroy_descriptor(&product->source);
    destroy_descriptor(&product->bias);
    destroy_descriptor(&product->result);
    free(product);
}

const char *onednn_product_kernel(const onednn_product *product) {
    const char *name = NULL;
    dnnl.primitive_desc_query(product->primitive_desc, QUERY_IMPLEMENTATION, 0, &name);
    return name == NULL ? "" : name;
}

size_t onednn_product_packed_bytes(const onednn_product *product) {
    return dnnl.memory_desc_get_size(product->weights);
}

/// Runs a primitive on memory that begins at some addresses.
static int execute(
    handle primitive, struct thread *thread, int count, const int *kinds, const void *const *descriptors,
    void *const *addresses
) {
    struct argument arguments[5];
    int made = 0;
    while (made < count
           && dnnl.memory_create(&arguments[made].memory, descriptors[made], engine, addresses[made]) == 0) {
        arguments[made].kind = kinds[made];
        made++;
    }
    int is_fine = made == count && dnnl.primitive_execute(primitive, thread->stream, count, arguments) == 0;
    while (made > 0) dnnl.memory_destroy(arguments[--made].memory);
    return is_fine;
}

int onednn_product_pack(
    const onednn_product *product, const void *b, enum onednn_type type, int64_t distance, void *packed
) {
    struct descriptor stored = {.pointer = NULL};
    handle attributes = NULL, description = NULL, primitive = NULL;
    int is_fine = describe(&stored, product->shape.k, product->shape.n, type, 1, distance)
        && dnnl.attr_create(&attributes) == 0
        && dnnl.attr_set_scratchpad_mode(attributes, SCRATCHPAD_OF_USER) == 0
        && dnnl.reorder_primitive_desc_create(
               &description, address(&stored), engine, product->weights, engine, attributes) == 0
        && dnnl.primitive_create(&primitive, description) == 0;
    if (is_fine) {
        const void *scratchpad = dnnl.primitive_desc_query_md(description, QUERY_SCRATCHPAD, 0);
        struct thread *thread = this_thread(dnnl.memory_desc_get_size(scratchpad));
        const int kinds[] = {SOURCE, DESTINATION, SCRATCHPAD};
        const void *const descriptors[] = {address(&stored), product->weights, scratchpad};
        void *const addresses[] = {(void *)b, packed, thread == NULL ? NULL : thread->scratch};
        is_fine = thread != NULL && execute(primitive, thread, 3, kinds, descriptors, addresses);
    }
    if (primitive != NULL) dnnl.primitive_destroy(primitive);
    if (description != NULL) dnnl.primitive_desc_destroy(description);
    if (attributes != NULL) dnnl.attr_destroy(attributes);
    destroy_descriptor(&stored);
    return is_fine;
}

int onednn_product_run(const onednn_product *product, const void *a, const void *b, const float *bias, void *c) {
    struct thread *thread = this_thread(product->scratch_bytes);
    if (thread == NULL) return 0;
    const int kinds[] = {SOURCE, WEIGHTS, DESTINATION, SCRATCHPAD, BIAS};
    const void *const descriptors[] = {
        address(&product->source), product->weights, address(&product->result), product->scratchpad,
        address(&product->bias)};
    void *const addresses[] = {(void *)a, (void *)b, c, thread->scratch, (void *)bias};
    return execute(product->primitive, thread, product->shape.has_bias ? 5 : 4, kinds, descriptors, addresses);
}
