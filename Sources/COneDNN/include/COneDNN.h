// oneDNN, opened at run time: its matrix products and convolutions, through the C interfaces of its versions 2 and 3.
//
// The two versions differ in the layout of their descriptors and in some functions, so neither's header is used: what is
// needed is declared here, and no more than the library's file has to be there when a program runs.
#ifndef OMNICACHE_CONEDNN_H
#define OMNICACHE_CONEDNN_H

#include <stddef.h>
#include <stdint.h>

/// Opens the first of some libraries, once for the whole process.
///
/// Returns null, or a text that says why none can be used.
const char *onednn_open(const char *const *names, int count);

/// The version of the open library, as `major * 10000 + minor * 100 + patch`; 0 where none is open.
int onednn_version(void);

/// The types of numbers, as oneDNN counts them.
enum onednn_type { ONEDNN_F16 = 1, ONEDNN_BF16 = 2, ONEDNN_F32 = 3, ONEDNN_S32 = 4, ONEDNN_S8 = 5 };

/// What is applied to a result.
enum onednn_activation { ONEDNN_NONE, ONEDNN_GELU_TANH, ONEDNN_SWISH, ONEDNN_RELU };

/// C (m, n) = A (m, k) B (k, n), all of them matrices of rows.
struct onednn_shape {
    int64_t m, n, k;
    /// The distances between rows of A and of C.
    int64_t lda, ldc;
    /// The distance between rows of B as it is stored; 0 where B is packed.
    int64_t ldb;
    /// Whether B is stored as (n, k).
    int b_is_transposed;
    enum onednn_type a_type, b_type, c_type;
    /// Whether n biases of 32 bits are added.
    int has_bias;
    enum onednn_activation activation;
};

/// A product of one shape: any number of threads may make it at the same time.
typedef struct onednn_product onednn_product;

/// Prepares a product.
///
/// With `like`, B is packed as that product packs it. Returns null where the library has no fast kernel for it.
onednn_product *onednn_product_create(const struct onednn_shape *shape, const onednn_product *like);

void onednn_product_destroy(onednn_product *product);

/// The memory that B takes once it is packed, in bytes.
size_t onednn_product_packed_bytes(const onednn_product *product);

/// Packs B, stored as (n, k) in rows that lie `distance` numbers of `type` apart.
///
/// Returns whether that was possible.
int onednn_product_pack(
    const onednn_product *product, const void *b, enum onednn_type type, int64_t distance, void *packed);

/// Makes a product on the calling thread alone.
///
/// Returns whether that was possible.
int onednn_product_run(const onednn_product *product, const void *a, const void *b, const float *bias, void *c);

/// The name of the kernels that make the product.
const char *onednn_product_kernel(const onednn_product *product);

/// A convolution of 3 x 3 taps and step 1 of a band of rows: from (height + 2, width, inputs), the rows above and below
/// among them, to (height, width, outputs), both channel-last. The columns beside the band are zero.
struct onednn_convolution_shape {
    int64_t height, width, inputs, outputs;
    /// The numbers of the source and of the taps; results and biases have 32 bits.
    enum onednn_type type;
    /// Whether results are added to what is there.
    int is_added;
    /// What is applied after that.
    enum onednn_activation activation;
};

/// A convolution of one shape: any number of threads may make it at the same time.
typedef struct onednn_convolution onednn_convolution;

/// Prepares a convolution; each shape packs taps in its own way. Returns null where the library has no fast kernel for it.
onednn_convolution *onednn_convolution_create(const struct onednn_convolution_shape *shape);

void onednn_convolution_destroy(onednn_convolution *convolution);

/// The memory that the taps take once they are packed, in bytes.
size_t onednn_convolution_packed_bytes(const onednn_convolution *convolution);

/// Packs taps (outputs, inputs, 3, 3) of the shape's type.
///
/// Returns whether that was possible.
int onednn_convolution_pack(const onednn_convolution *convolution, const void *taps, void *packed);

/// Makes a convolution on the calling thread alone, with `outputs` biases.
///
/// Returns whether that was possible.
int onednn_convolution_run(
    const onednn_convolution *convolution, const void *source, const void *taps, const float *bias, float *result);

/// The name of the kernels that make the convolution.
const char *onednn_convolution_kernel(const onednn_convolution *convolution);

#endif
