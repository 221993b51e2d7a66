/// oneDNN in 32, 16 or 8 bits.
///
/// It multiplies the layers of blocks in the precision that was asked for. The first and the last layer and what embeds
/// conditions stay at 32 bits; what modulates blocks and what reads attention's outputs at 16 or more. Convolutions have
/// 16 bits where that is faster. Weights that are used once are not packed: OpenBLAS multiplies by them, in 32 bits.
public struct OneDNNEngine: Engine {
    public let arithmetic: Arithmetic
    public var packsWeights: Bool { true }

    /// Opens oneDNN.
    ///
    /// - Throws: ``MachineError`` when it is not there, or has no kernels of this precision for the processor.
    public init(precision: Precision) throws(MachineError) {
        // What oneDNN has no fast kernel for is left to OpenBLAS.
        try BLAS.open()
        try OneDNN.open()
        guard OneDNN.precisions.contains(precision) else {
            throw .unusablePrecision(
                precision.rawValue, engine: "oneDNN \(OneDNN.version ?? "")",
                available: OneDNN.precisions.map(\.rawValue))
        }
        arithmetic = Arithmetic(engine: .onednn, precision: precision)
    }

    public func prepare(
        _ weight: WeightMatrix, bias: Tensor, role: LayerRole
    ) throws(MachineError) -> any PreparedMap {
        let other = OpenBLASMap(weight: weight, bias: bias, role: role)
        guard let precision = role.precision(atMost: arithmetic.precision) else { return other }
        return OneDNNMap(weight, bias: bias, precision: precision) ?? other
    }

    public func prepare(_ shape: AttentionShape, workers: Workers) -> any PreparedAttention {
        guard arithmetic.precision != .float32, let attention = OneDNNAttention(shape, workers: workers) else {
            // OpenBLAS multiplies blocks of this size without packing them.
            return OpenBLASAttention(shape, workers: workers)
        }
        return attention
    }

    public func prepare(taps: UnsafePointer<Float>, outputs: Int, inputs: Int) -> (any PreparedConvolution)? {
        arithmetic.precision == .float32 ? nil : OneDNNConvolution(taps, outputs: outputs, inputs: inputs)
    }

    public func multiply(
        m: Int, n: Int, k: Int, _ a: UnsafePointer<Float>, lda: Int, _ b: UnsafePointer<Float>, ldb: Int,
        into c: UnsafeMutablePointer<Float>, ldc: Int, adding: Bool
    ) {
        BLAS.multiply(m: m, n: n, k: k, a, lda: lda, b, ldb: ldb, into: c, ldc: ldc, adding: adding)
    }
}

extension LayerRole {
    /// The precision of a layer of this role, where `precision` is asked for; nil where packing it does not pay.
    func precision(atMost precision: Precision) -> Precision? {
        switch self {
        case .block: precision
        case .afterAttention, .modulation: precision == .int8 ? .bfloat16 : precision
        case .edge: .float32
        case .passing: nil
        }
    }
}
