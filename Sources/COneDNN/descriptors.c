#include "internal.h"

enum { FORMAT_ANY = 1 };

const void *address(const struct descriptor *descriptor) {
    return is_second() ? (const void *)descriptor->structure : descriptor->pointer;
}

void destroy_descriptor(struct descriptor *descriptor) {
    if (!is_second() && descriptor->pointer != NULL) dnnl.memory_desc_destroy(descriptor->pointer);
    descriptor->pointer = NULL;
}

int describe(
    struct descriptor *descriptor, int rank, const dims_t dims, enum onednn_type type, const dims_t strides
) {
    return 0 == (is_second()
        ? dnnl.memory_desc_init_by_strides(descriptor->structure, rank, dims, type, strides)
        : dnnl.memory_desc_create_with_strides(&descriptor->pointer, rank, dims, type, strides));
}

int describe_any(struct descriptor *descriptor, int rank, const dims_t dims, enum onednn_type type) {
    return 0 == (is_second()
        ? dnnl.memory_desc_init_by_tag(descriptor->structure, rank, dims, type, FORMAT_ANY)
        : dnnl.memory_desc_create_with_tag(&descriptor->pointer, rank, dims, type, FORMAT_ANY));
}

int describe_matrix(
    struct descriptor *descriptor, int64_t rows, int64_t columns, enum onednn_type type, int64_t row, int64_t column
) {
    dims_t dims = {rows, columns};
    dims_t strides = {row, column};
    return describe(descriptor, 2, dims, type, strides);
}
