#include "internal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    IN_ORDER = 1,
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

// MARK: - Making

static int activation_code(enum onednn_activation activation) {
    switch (activation) {
    case ONEDNN_GELU_TANH: return is_second() ? 0xcf : 0x2b;
    case ONEDNN_RELU: return is_second() ? 0x1f : 0x20;
    default: return is_second() ? 0xdf : 0x2c;
    }
}

/// Lists what follows the work: the sum with what is there, then the activation.
static int append_operations(handle operations, int is_added, enum onednn_activation activation) {
    if (is_added
        && (is_second() ? dnnl.append_sum_2(operations, 1) : dnnl.append_sum_3(operations, 1, 0, 0)) != 0) return 0;
    if (activation == ONEDNN_NONE) return 1;
    int code = activation_code(activation);
    return 0 == (is_second() ? dnnl.append_eltwise_2(operations, 1, code, activation == ONEDNN_RELU ? 0 : 1, 0)
                             : dnnl.append_eltwise_3(operations, code, activation == ONEDNN_RELU ? 0 : 1, 0));
}

handle make_attributes(int is_added, enum onednn_activation activation) {
    handle attributes = NULL;
    handle operations = NULL;
    if (dnnl.attr_create(&attributes) != 0) return NULL;
    int is_fine = dnnl.attr_set_scratchpad_mode(attributes, SCRATCHPAD_OF_USER) == 0
        && dnnl.post_ops_create(&operations) == 0 && append_operations(operations, is_added, activation)
        && dnnl.attr_set_post_ops(attributes, operations) == 0;
    if (operations != NULL) dnnl.post_ops_destroy(operations);
    if (is_fine) return attributes;
    dnnl.attr_destroy(attributes);
    return NULL;
}

int describe_primitive(struct primitive *primitive, const void *structure, handle attributes) {
    return dnnl.primitive_desc_create(&primitive->description, structure, attributes, engine, NULL) == 0;
}

int finish_primitive(struct primitive *primitive) {
    if (dnnl.primitive_create(&primitive->code, primitive->description) != 0) return 0;
    primitive->weights = dnnl.primitive_desc_query_md(primitive->description, QUERY_WEIGHTS, 0);
    primitive->scratchpad = dnnl.primitive_desc_query_md(primitive->description, QUERY_SCRATCHPAD, 0);
    primitive->scratch_bytes = dnnl.memory_desc_get_size(primitive->scratchpad);
    // Plain loops, which the library has for what its kernels cannot do.
    return strstr(primitive_kernel(primitive), "ref") == NULL;
}

void destroy_primitive(struct primitive *primitive) {
    if (primitive->code != NULL) dnnl.primitive_destroy(primitive->code);
    if (primitive->description != NULL) dnnl.primitive_desc_destroy(primitive->description);
}

const char *primitive_kernel(const struct primitive *primitive) {
    const char *name = NULL;
    dnnl.primitive_desc_query(primitive->description, QUERY_IMPLEMENTATION, 0, &name);
    return name == NULL ? "" : name;
}

// MARK: - Running

/// Runs a primitive on memory that begins at some addresses.
static int execute(
    handle code, struct thread *thread, int count, const int *kinds, const void *const *descriptors,
    void *const *addresses
) {
    struct argument arguments[5];
    int made = 0;
    while (made < count
           && dnnl.memory_create(&arguments[made].memory, descriptors[made], engine, addresses[made]) == 0) {
        arguments[made].kind = kinds[made];
        made++;
    }
    int is_fine = made == count && dnnl.primitive_execute(code, thread->stream, count, arguments) == 0;
    while (made > 0) dnnl.memory_destroy(arguments[--made].memory);
    return is_fine;
}

int pack_weights(
    const struct primitive *primitive, const struct descriptor *stored, const void *weights, void *packed
) {
    handle attributes = NULL, description = NULL, code = NULL;
    int is_fine = dnnl.attr_create(&attributes) == 0
        && dnnl.attr_set_scratchpad_mode(attributes, SCRATCHPAD_OF_USER) == 0
        && dnnl.reorder_primitive_desc_create(
               &description, address(stored), engine, primitive->weights, engine, attributes) == 0
        && dnnl.primitive_create(&code, description) == 0;
    if (is_fine) {
        const void *scratchpad = dnnl.primitive_desc_query_md(description, QUERY_SCRATCHPAD, 0);
        struct thread *thread = this_thread(dnnl.memory_desc_get_size(scratchpad));
        const int kinds[] = {SOURCE, DESTINATION, SCRATCHPAD};
        const void *const descriptors[] = {address(stored), primitive->weights, scratchpad};
        void *const addresses[] = {(void *)weights, packed, thread == NULL ? NULL : thread->scratch};
        is_fine = thread != NULL && execute(code, thread, 3, kinds, descriptors, addresses);
    }
    if (code != NULL) dnnl.primitive_destroy(code);
    if (description != NULL) dnnl.primitive_desc_destroy(description);
    if (attributes != NULL) dnnl.attr_destroy(attributes);
    return is_fine;
}

int run_primitive(
    const struct primitive *primitive, const struct descriptor *source, const void *a, const void *weights,
    const struct descriptor *bias, const float *biases, const struct descriptor *result, void *c
) {
    struct thread *thread = this_thread(primitive->scratch_bytes);
    if (thread == NULL) return 0;
    const int kinds[] = {SOURCE, WEIGHTS, DESTINATION, SCRATCHPAD, BIAS};
    const void *const descriptors[] = {
        address(source), primitive->weights, address(result), primitive->scratchpad,
        bias == NULL ? NULL : address(bias)};
    void *const addresses[] = {(void *)a, (void *)weights, c, thread->scratch, (void *)biases};
    return execute(primitive->code, thread, bias == NULL ? 4 : 5, kinds, descriptors, addresses);
}
