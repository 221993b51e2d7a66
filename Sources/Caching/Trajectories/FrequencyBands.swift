import Compute
import Glibc

/// Which band each coefficient of a cosine transform belongs to, by its radial frequency.
///
/// The radius of coefficient (i, j) is √((i/H)² + (j/W)²)/√2, from 0 (the mean) to almost 1; the bands' edges grow with
/// the square of their number, so that low frequencies, where images have most of their energy, are in narrow bands.
public struct FrequencyBands: Equatable, Sendable {
    /// The number of bands.
    public let count: Int

    /// The band of each coefficient of one plane, (H, W) in row-major order.
    public let indices: [UInt8]

    /// Bands for latents of `shape` (C, H, W) or (C, F, H, W).
    public init(shape: [Int], count: Int) {
        precondition(shape.count >= 3 && (1...255).contains(count), "bands of latents (C, H, W), not \(shape)")
        self.count = count
        let (height, width) = (shape[shape.count - 2], shape[shape.count - 1])
        indices = (0..<height * width).map { position in
            let (i, j) = (Double(position / width) / Double(height), Double(position % width) / Double(width))
            let radius = ((i * i + j * j) / 2).squareRoot()
            return UInt8(min(count - 1, Int(Double(count) * radius.squareRoot())))
        }
    }
}

/// The orthonormal two-dimensional cosine transform (DCT-II) of every plane of a latent, as two matrix products each.
///
/// Orthonormal: sums of squares and inner products are the same before and after.
package final class CosineTransform {
    private let planes: Int
    private let height: Int
    private let width: Int
    private let rows: CosineBasis
    private let columns: CosineBasis
    private let scratch: Tensor

    /// The transform for latents of `shape` (C, H, W) or (C, F, H, W).
    package init(shape: [Int]) {
        precondition(shape.count >= 3, "latents have the shape (C, H, W) or (C, F, H, W), not \(shape)")
        planes = shape.dropLast(2).reduce(1, *)
        (height, width) = (shape[shape.count - 2], shape[shape.count - 1])
        rows = CosineBasis(height)
        columns = CosineBasis(width)
        scratch = Tensor([height, width])
    }

    /// Replaces the pixels of `latents` by their coefficients.
    package func forward(_ latents: Tensor) {
        for index in 0..<planes {
            let plane = latents.pointer + index * height * width
            BLAS.multiply(
                m: height, n: width, k: width, plane, lda: width, columns.matrix.pointer, ldb: width, .transposed,
                into: scratch.pointer, ldc: width)
            BLAS.multiply(
                m: height, n: width, k: height, rows.matrix.pointer, lda: height, scratch.pointer, ldb: width,
                into: plane, ldc: width)
        }
    }

    /// Replaces the coefficients of `latents` by their pixels.
    package func inverse(_ latents: Tensor) {
        for index in 0..<planes {
            let plane = latents.pointer + index * height * width
            BLAS.multiply(
                m: height, n: width, k: width, plane, lda: width, columns.matrix.pointer, ldb: width,
                into: scratch.pointer, ldc: width)
            BLAS.multiply(
                m: height, n: width, k: height, rows.transposed.pointer, lda: height, scratch.pointer, ldb: width,
                into: plane, ldc: width)
        }
    }
}

/// The orthonormal cosines (DCT-II) of one axis.
public struct CosineBasis {
    /// (side, side), row k the k-th cosine.
    public let matrix: Tensor
    /// Its transpose.
    public let transposed: Tensor

    /// The basis of `side` points.
    public init(_ side: Int) {
        matrix = Tensor([side, side])
        transposed = Tensor([side, side])
        for k in 0..<side {
            let scale = ((k == 0 ? 1 : 2) / Double(side)).squareRoot()
            for i in 0..<side {
                let value = Float(scale * cos(Double.pi * (Double(i) + 0.5) * Double(k) / Double(side)))
                matrix.values[k * side + i] = value
                transposed.values[i * side + k] = value
            }
        }
    }
}
