#include "internal.h"

#include <stdlib.h>
#include <string.h>

struct onednn_product {
    struct onednn_shape shape;
    struct primitive primitive;
    struct descriptor source, bias, result;
};

static int describe_product(
    onednn_product *product, const void *weights, const void *bias, handle attributes
) {
    const void *source = address(&product->source), *result = address(&product->result);
    if (!is_second()) {
        return dnnl.matmul_primitive_desc_create(
            &product->primitive.description, engine, source, weights, bias, result, attributes) == 0;
    }
    // The structure takes 2800 bytes in 2.6.
    alignas(16) char structure[8192];
    memset(structure, 0, sizeof structure);
    return dnnl.matmul_desc_init(structure, source, weights, bias, result) == 0
        && describe_primitive(&product->primitive, structure, attributes);
}

onednn_product *onednn_product_create(const struct onednn_shape *shape, const onednn_product *like) {
    onednn_product *product = calloc(1, sizeof *product);
    if (product == NULL) return NULL;
    product->shape = *shape;
    struct descriptor stored = {.pointer = NULL};
    int is_fine = describe_matrix(&product->source, shape->m, shape->k, shape->a_type, shape->lda, 1)
        && describe_matrix(&product->result, shape->m, shape->n, shape->c_type, shape->ldc, 1)
        && (!shape->has_bias || describe_matrix(&product->bias, 1, shape->n, ONEDNN_F32, shape->n, 1));
    const void *weights = like == NULL ? NULL : like->primitive.weights;
    if (is_fine && weights == NULL) {
        const dims_t dims = {shape->k, shape->n};
        is_fine = shape->ldb == 0 ? describe_any(&stored, 2, dims, shape->b_type)
            : shape->b_is_transposed ? describe_matrix(&stored, shape->k, shape->n, shape->b_type, 1, shape->ldb)
                                     : describe_matrix(&stored, shape->k, shape->n, shape->b_type, shape->ldb, 1);
        weights = address(&stored);
    }
    handle attributes = is_fine ? make_attributes(0, shape->activation) : NULL;
    is_fine = attributes != NULL
        && describe_product(product, weights, shape->has_bias ? address(&product->bias) : NULL, attributes)
        && finish_primitive(&product->primitive);
    if (attributes != NULL) dnnl.attr_destroy(attributes);
    destroy_descriptor(&stored);
    if (is_fine) return product;
    onednn_product_destroy(product);
    return NULL;
}

void onednn_product_destroy(onednn_product *product) {
    if (product == NULL) return;
    destroy_primitive(&product->primitive);
    destroy_descriptor(&product->source);
    destroy_descriptor(&product->bias);
    destroy_descriptor(&product->result);
    free(product);
}

const char *onednn_product_kernel(const onednn_product *product) { return primitive_kernel(&product->primitive); }

size_t onednn_product_packed_bytes(const onednn_product *product) {
    return dnnl.memory_desc_get_size(product->primitive.weights);
}

int onednn_product_pack(
    const onednn_product *product, const void *b, enum onednn_type type, int64_t distance, void *packed
) {
    struct descriptor stored = {.pointer = NULL};
    int is_fine = describe_matrix(&stored, product->shape.k, product->shape.n, type, 1, distance)
        && pack_weights(&product->primitive, &stored, b, packed);
    destroy_descriptor(&stored);
    return is_fine;
}

int onednn_product_run(const onednn_product *product, const void *a, const void *b, const float *bias, void *c) {
    return run_primitive(
        &product->primitive, &product->source, a, b, product->shape.has_bias ? &product->bias : NULL, bias,
        &product->result, c);
}
