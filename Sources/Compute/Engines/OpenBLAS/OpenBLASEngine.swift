/// The default engine, and the reference for others: OpenBLAS in 32 bits.
public struct OpenBLASEngine: Engine {
    /// OpenBLAS must be open (``BLAS/open()``) when something is multiplied.
    public init() {}

    public var arithmetic: Arithmetic { .standard }
    public var packsWeights: Bool { false }

    public func prepare(_ weight: WeightMatrix, bias: Tensor, role: LayerRole) -> any PreparedMap {
        OpenBLASMap(weight: weight, bias: bias, role: role)
    }

    public func prepare(_ shape: AttentionShape, workers: Workers) -> any PreparedAttention {
        OpenBLASAttention(shape, workers: workers)
    }

    public func multiply(
        m: Int, n: Int, k: Int, _ a: UnsafePointer<Float>, lda: Int, _ b: UnsafePointer<Float>, ldb: Int,
        into c: UnsafeMutablePointer<Float>, ldc: Int, adding: Bool
    ) {
        BLAS.multiply(m: m, n: n, k: k, a, lda: lda, b, ldb: ldb, into: c, ldc: ldc, adding: adding)
    }
}
