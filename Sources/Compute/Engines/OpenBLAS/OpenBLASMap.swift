/// An affine map that OpenBLAS computes from the weight as it is stored.
///
/// Weights are multiplied in place, so that processes share them. A copy that was transposed at load would save
/// OpenBLAS some of its packing: 1 to 4 % of a product.
struct OpenBLASMap: PreparedMap {
    let weight: WeightMatrix
    let bias: Tensor

    private var outputWidth: Int { weight.shape[0] }
    private var inputWidth: Int { weight.shape[1] }

    /// How many inputs are multiplied at a time: as many as OpenBLAS' own inner loop takes.
    private static let inputsPerPass = 384
    /// How many outputs' weights are widened at a time, so that they stay in the cache.
    private static let outputsPerStrip = 256

    func tiling(blocks: Int, rows: Int, workers: Workers) -> ProductTiling {
        ProductTiling(
            blocks: blocks, rows: rows, columns: outputWidth, inputs: min(inputWidth, Self.inputsPerPass),
            workers: workers)
    }

    /// Inputs are read as they are.
    func operandBytes(rows: Int) -> Int { 0 }

    func encode(
        _ rows: Range<Int>, of count: Int, _ x: UnsafePointer<Float>, into operand: UnsafeMutableRawPointer
    ) {}

    func run(
        tile: Int, of tiling: ProductTiling, _ x: UnsafeRawPointer, into y: UnsafeMutablePointer<Float>,
        activation: Activation?
    ) {
        let (rows, columns) = tiling[tile]
        let x = x.assumingMemoryBound(to: Float.self) + rows.lowerBound * inputWidth
        let matrix = y
        let y = y + rows.lowerBound * outputWidth + columns.lowerBound
        // OpenBLAS would clear the tile first; the biases cost no more.
        for row in 0..<rows.count {
            (y + row * outputWidth).update(from: bias.pointer + columns.lowerBound, count: columns.count)
        }
        if let weights = weight.float32 {
            forEachPass { inputs in
                BLAS.multiply(
                    m: rows.count, n: columns.count, k: inputs.count, x + inputs.lowerBound, lda: inputWidth,
                    weights + columns.lowerBound * inputWidth + inputs.lowerBound, ldb: inputWidth, .transposed,
                    into: y, ldc: outputWidth, adding: true)
            }
        } else {
            let strips = strips(rows: rows.count, columns: columns.count)
            let width = (columns.count + strips - 1) / strips
            let capacity = width * min(inputWidth, 2 * Self.inputsPerPass)
            withUnsafeTemporaryAllocation(of: Float.self, capacity: capacity) { panel in
                guard let panel = panel.baseAddress else { return }
                for strip in 0..<strips {
                    let first = columns.count * strip / strips
                    let end = columns.count * (strip + 1) / strips
                    let outputs = columns.lowerBound + first..<columns.lowerBound + end
                    forEachPass { inputs in
                        weight.widen(rows: outputs, columns: inputs, into: panel)
                        BLAS.multiply(
                            m: rows.count, n: outputs.count, k: inputs.count, x + inputs.lowerBound, lda: inputWidth,
                            panel, ldb: inputs.count, .transposed, into: y + first, ldc: outputWidth, adding: true)
                    }
                }
            }
        }
        activation?.apply(to: (rows, columns), of: matrix, width: outputWidth)
    }

    /// In how many strips the widened weights of a tile's columns are multiplied: in one where that could change bits.
    private func strips(rows: Int, columns: Int) -> Int {
        let least = rows * Self.outputsPerStrip * min(inputWidth, Self.inputsPerPass)
        return BLAS.hasWideKernels && least > BLAS.directLimit ? max(1, columns / Self.outputsPerStrip) : 1
    }

    /// Goes over the inputs in the same passes, however the weights are stored, so that the results have the same bits. A
    /// last, incomplete pass joins the one before.
    @inline(__always)
    private func forEachPass(_ body: (Range<Int>) -> Void) {
        var first = 0
        while first < inputWidth {
            let isLast = inputWidth - first < 2 * Self.inputsPerPass
            let end = isLast ? inputWidth : first + Self.inputsPerPass
            body(first..<end)
            first = end
        }
    }
}
