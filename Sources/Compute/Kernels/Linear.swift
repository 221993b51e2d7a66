/// An affine map y = x W^T + b, with the weight (out, in) as checkpoints store it.
///
/// Weights are multiplied in place, so that processes share them. A copy that was transposed at load would save
/// OpenBLAS some of its packing: 1 to 4 % of a product.
public struct Linear: Sendable {
    /// W, (out, in).
    public let weight: WeightMatrix
    /// b, (out).
    public let bias: Tensor

    public var outputWidth: Int { weight.shape[0] }
    public var inputWidth: Int { weight.shape[1] }

    /// Joins a weight (out, in) with its bias (out).
    public init(weight: WeightMatrix, bias: Tensor) {
        precondition(bias.shape == [weight.shape[0]], "a bias of \(bias.shape) beside a weight of \(weight.shape)")
        self.weight = weight
        self.bias = bias
    }

    /// Joins a weight (out, in) with its bias (out).
    public init(weight: Tensor, bias: Tensor) {
        self.init(weight: WeightMatrix(weight), bias: bias)
    }

    /// How many inputs are multiplied at a time: as many as OpenBLAS' own inner loop takes.
    private static let inputsPerPass = 384
    /// How many outputs' weights are widened at a time, so that they stay in the cache.
    private static let outputsPerStrip = 256

    /// How y, `blocks` times (`rows`, out), is cut for `workers`.
    public func tiling(blocks: Int = 1, rows: Int, workers: Workers) -> ProductTiling {
        ProductTiling(
            blocks: blocks, rows: rows, columns: outputWidth, inputs: min(inputWidth, Self.inputsPerPass),
            workers: workers)
    }

    /// Computes one tile of y from x, then applies `activation`, if any.
    ///
    /// - Parameters:
    ///   - tile: which, in `0..<tiling.count`.
    ///   - tiling: what ``tiling(blocks:rows:workers:)`` has made of the rows.
    ///   - x: the inputs (rows of all blocks, in).
    ///   - y: where the outputs go (rows of all blocks, out).
    ///   - activation: what is applied to the outputs.
    public func run(
        tile: Int, of tiling: ProductTiling, _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
        activation: Activation? = nil
    ) {
        let (rows, columns) = tiling[tile]
        let x = x + rows.lowerBound * inputWidth
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
        activate(rows: rows.count, columns: columns.count, y, by: activation)
    }

    /// In how many strips the widened weights of a tile's columns are multiplied: in one where that could change bits.
    private func strips(rows: Int, columns: Int) -> Int {
        let least = rows * Self.outputsPerStrip * min(inputWidth, Self.inputsPerPass)
        return BLAS.hasWideKernels && least > BLAS.directLimit ? max(1, columns / Self.outputsPerStrip) : 1
    }

    /// Applies `activation` to one tile of y, as ``run(tile:of:_:into:activation:)`` does once its products are made.
    package func activate(
        tile: Int, of tiling: ProductTiling, _ y: UnsafeMutablePointer<Float>, by activation: Activation?
    ) {
        let (rows, columns) = tiling[tile]
        activate(
            rows: rows.count, columns: columns.count, y + rows.lowerBound * outputWidth + columns.lowerBound,
            by: activation)
    }

    private func activate(rows: Int, columns: Int, _ y: UnsafeMutablePointer<Float>, by activation: Activation?) {
        guard let activation else { return }
        for row in 0..<rows { activation.apply(to: y + row * outputWidth, count: columns) }
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

    /// y (rows, out) = x W^T + b over all workers.
    public func callAsFunction(
        _ x: UnsafePointer<Float>, rows: Int, into y: UnsafeMutablePointer<Float>,
        activation: Activation? = nil, workers: Workers
    ) {
        let tiling = tiling(rows: rows, workers: workers)
        workers.run(tasks: tiling.count) { _, tile in run(tile: tile, of: tiling, x, into: y, activation: activation) }
    }
}
