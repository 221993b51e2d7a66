import Compute
import Glibc

/// The orthonormal two-dimensional cosine transform (DCT-II) of every plane of a latent, as two matrix products each.
///
/// Orthonormal: sums of squares and inner products are the same before and after.
final class CosineTransform {
    private let planes: Int
    private let height: Int
    private let width: Int
    private let rows: Tensor  // (height, height)
    private let transposedRows: Tensor  // (height, height)
    private let columns: Tensor  // (width, width)
    private let scratch: Tensor

    /// The transform for latents of `shape` (C, H, W) or (C, F, H, W).
    init(shape: [Int]) {
        precondition(shape.count >= 3, "latents have the shape (C, H, W) or (C, F, H, W), not \(shape)")
        planes = shape.dropLast(2).reduce(1, *)
        (height, width) = (shape[shape.count - 2], shape[shape.count - 1])
        rows = Self.matrix(height)
        transposedRows = Self.transposed(rows, count: height)
        columns = Self.matrix(width)
        scratch = Tensor([height, width])
    }

    /// Replaces the pixels of `latents` by their coefficients.
    func forward(_ latents: Tensor) {
        for index in 0..<planes {
            let plane = latents.pointer + index * height * width
            BLAS.multiply(
                m: height, n: width, k: width, plane, lda: width, columns.pointer, ldb: width, .transposed,
                into: scratch.pointer, ldc: width)
            BLAS.multiply(
                m: height, n: width, k: height, rows.pointer, lda: height, scratch.pointer, ldb: width,
                into: plane, ldc: width)
        }
    }

    /// Replaces the coefficients of `latents` by their pixels.
    func inverse(_ latents: Tensor) {
        for index in 0..<planes {
            let plane = latents.pointer + index * height * width
            BLAS.multiply(
                m: height, n: width, k: width, plane, lda: width, columns.pointer, ldb: width,
                into: scratch.pointer, ldc: width)
            BLAS.multiply(
                m: height, n: width, k: height, transposedRows.pointer, lda: height, scratch.pointer, ldb: width,
                into: plane, ldc: width)
        }
    }

    /// Row k of the result is the k-th basis function.
    private static func matrix(_ count: Int) -> Tensor {
        let matrix = Tensor([count, count])
        for k in 0..<count {
            let scale = ((k == 0 ? 1 : 2) / Double(count)).squareRoot()
            for i in 0..<count {
                let angle = Double.pi * (Double(i) + 0.5) * Double(k) / Double(count)
                matrix.values[k * count + i] = Float(scale * cos(angle))
            }
        }
        return matrix
    }

    private static func transposed(_ matrix: Tensor, count: Int) -> Tensor {
        let result = Tensor([count, count])
        for i in 0..<count { for j in 0..<count { result.values[i * count + j] = matrix.values[j * count + i] } }
        return result
    }
}
