#include "internal.h"

#include <stdlib.h>
#include <string.h>

enum { FORWARD_INFERENCE = 96, DIRECT = 1 };

struct onednn_convolution {
    struct onednn_convolution_shape shape;
    struct primitive primitive;
    struct descriptor source, bias, result;
};

/// A map (height, width, channels), channel-last, as one of a batch of one.
static int describe_map(
    struct descriptor *descriptor, int64_t height, int64_t width, int64_t channels, enum onednn_type type
) {
    const dims_t dims = {1, channels, height, width};
    const dims_t strides = {height * width * channels, 1, width * channels, channels};
    return describe(descriptor, 4, dims, type, strides);
}

static int describe_convolution(onednn_convolution *convolution, const void *weights, handle attributes) {
    const void *source = address(&convolution->source), *result = address(&convolution->result);
    const void *bias = address(&convolution->bias);
    const dims_t step = {1, 1}, dilation = {0, 0};
    // The rows above and below are part of the source; the columns beside it are not.
    const dims_t border = {0, 1};
    if (!is_second()) {
        return dnnl.convolution_primitive_desc_create(
            &convolution->primitive.description, engine, FORWARD_INFERENCE, DIRECT, source, weights, bias, result,
            step, dilation, border, border, attributes) == 0;
    }
    // As in products.
    alignas(16) char structure[8192];
    memset(structure, 0, sizeof structure);
    return dnnl.convolution_desc_init(
               structure, FORWARD_INFERENCE, DIRECT, source, weights, bias, result, step, border, border) == 0
        && describe_primitive(&convolution->primitive, structure, attributes);
}

onednn_convolution *onednn_convolution_create(const struct onednn_convolution_shape *shape) {
    onednn_convolution *convolution = calloc(1, sizeof *convolution);
    if (convolution == NULL) return NULL;
    convolution->shape = *shape;
    struct descriptor any = {.pointer = NULL};
    const dims_t biases = {shape->outputs}, step = {1};
    const dims_t weights = {shape->outputs, shape->inputs, 3, 3};
    int is_fine = describe_map(&convolution->source, shape->height + 2, shape->width, shape->inputs, shape->type)
        && describe_map(&convolution->result, shape->height, shape->width, shape->outputs, ONEDNN_F32)
        && describe(&convolution->bias, 1, biases, ONEDNN_F32, step)
        && describe_any(&any, 4, weights, shape->type);
    handle attributes = is_fine ? make_attributes(shape->is_added, shape->activation) : NULL;
    is_fine = attributes != NULL
        && describe_convolution(convolution, address(&any), attributes)
        && finish_primitive(&convolution->primitive);
    if (attributes != NULL) dnnl.attr_destroy(attributes);
    destroy_descriptor(&any);
    if (is_fine) return convolution;
    onednn_convolution_destroy(convolution);
    return NULL;
}

void onednn_convolution_destroy(onednn_convolution *convolution) {
    if (convolution == NULL) return;
    destroy_primitive(&convolution->primitive);
    destroy_descriptor(&convolution->source);
    destroy_descriptor(&convolution->bias);
    destroy_descriptor(&convolution->result);
    free(convolution);
}

const char *onednn_convolution_kernel(const onednn_convolution *convolution) {
    return primitive_kernel(&convolution->primitive);
}

size_t onednn_convolution_packed_bytes(const onednn_convolution *convolution) {
    return dnnl.memory_desc_get_size(convolution->primitive.weights);
}

int onednn_convolution_pack(const onednn_convolution *convolution, const void *taps, void *packed) {
    struct descriptor stored = {.pointer = NULL};
    const struct onednn_convolution_shape *shape = &convolution->shape;
    const dims_t dims = {shape->outputs, shape->inputs, 3, 3};
    const dims_t strides = {shape->inputs * 9, 9, 3, 1};
    int is_fine = describe(&stored, 4, dims, shape->type, strides)
        && pack_weights(&convolution->primitive, &stored, taps, packed);
    destroy_descriptor(&stored);
    return is_fine;
}

int onednn_convolution_run(
    const onednn_convolution *convolution, const void *source, const void *taps, const float *bias, float *result
) {
    return run_primitive(
        &convolution->primitive, &convolution->source, source, taps, &convolution->bias, bias, &convolution->result,
        result);
}
