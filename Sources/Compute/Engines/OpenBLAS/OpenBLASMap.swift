/// An affine map that OpenBLAS computes from the weight as it is stored.
///
/// Weights are multiplied in place, so that processes share them. A copy that was transposed at load would save
/// OpenBLAS some of its packing: 1 to 4 % of a product. Of few rows, packing takes half of it: weights that pass are then
/// multiplied in strips that are small enough to need none.
struct OpenBLASMap: PreparedMap {
    let weight: WeightMatrix
    let bias: Tensor
    let role: LayerRole

    private var outputWidth: Int { weight.shape[0] }
    private var inputWidth: Int { weight.shape[1] }

    /// How many inputs are multiplied at a time: as many as OpenBLAS' own inner loop takes.
    private static let inputsPerPass = 384
    /// How many outputs' weights are widened at a time, so that they stay in the cache.
    private static let outputsPerStrip = 256
    /// Tiles of a passing weight for each thread, as threads may not begin at the same time.
    private static let tilesPerWorker = 4

    init(weight: WeightMatrix, bias: Tensor, role: LayerRole = .block) {
        self.weight = weight
        self.bias = bias
        self.role = role
    }

    func tiling(blocks: Int, rows: Int, workers: Workers) -> ProductTiling {
        guard role == .passing, BLAS.isDirect(m: rows, n: ProductTiling.unit, k: 2 * Self.inputsPerPass) else {
            return ProductTiling(
                blocks: blocks, rows: rows, columns: outputWidth, inputs: min(inputWidth, Self.inputsPerPass),
                workers: workers)
        }
        // Panels begin at multiples of the unit, so that no strip depends on how many there are.
        return ProductTiling(
            bands: ProductTiling.Cut(blocks * rows, into: blocks, unit: rows),
            panels: ProductTiling.Cut(outputWidth, into: Self.tilesPerWorker * workers.count),
            isDirect: true)
    }

    var inputPrecision: Precision { .float32 }

    func run(
        tile: Int, of tiling: ProductTiling, _ x: MatrixRows, into y: MatrixRows,
        activation: Activation?
    ) {
        let (rows, columns) = tiling[tile]
        let x = x.numbers.assumingMemoryBound(to: Float.self) + rows.lowerBound * inputWidth
        let matrix = y.numbers.assumingMemoryBound(to: Float.self)
        let y = matrix + rows.lowerBound * outputWidth + columns.lowerBound
        // OpenBLAS would clear the tile first; the biases cost no more.
        for row in 0..<rows.count {
            (y + row * outputWidth).update(from: bias.pointer + columns.lowerBound, count: columns.count)
        }
        let strips =
            tiling.isDirect
            ? ProductTiling.Cut(columns.count, into: columns.count) : strips(rows: rows.count, columns: columns.count)
        let capacity = weight.float32 == nil ? strips.most * min(inputWidth, 2 * Self.inputsPerPass) : 1
        withUnsafeTemporaryAllocation(of: Float.self, capacity: capacity) { panel in
            guard let panel = panel.baseAddress else { return }
            for strip in 0..<strips.count {
                let (first, count) = (strips[strip].lowerBound, strips[strip].count)
                let outputs = columns.lowerBound + first..<columns.lowerBound + first + count
                forEachPass { inputs in
                    let weights = weights(of: outputs, inputs, widenedInto: panel)
                    BLAS.multiply(
                        m: rows.count, n: count, k: inputs.count, x + inputs.lowerBound, lda: inputWidth,
                        weights.start, ldb: weights.distance, .transposed, into: y + first, ldc: outputWidth,
                        adding: true)
                }
            }
        }
        activation?.apply(to: (rows, columns), of: matrix, width: outputWidth)
    }

    /// A block of the weights: where it is stored, or widened into `panel`; with the distance between its rows.
    private func weights(
        of outputs: Range<Int>, _ inputs: Range<Int>, widenedInto panel: UnsafeMutablePointer<Float>
    ) -> (start: UnsafePointer<Float>, distance: Int) {
        if let stored = weight.float32 {
            return (stored + outputs.lowerBound * inputWidth + inputs.lowerBound, inputWidth)
        }
        weight.widen(rows: outputs, columns: inputs, into: panel)
        return (UnsafePointer(panel), inputs.count)
    }

    /// The strips in which a tile's columns are multiplied: one where more could change bits, or where nothing is widened.
    private func strips(rows: Int, columns: Int) -> ProductTiling.Cut {
        let least = rows * Self.outputsPerStrip * min(inputWidth, Self.inputsPerPass)
        let isCut = weight.float32 == nil && BLAS.hasWideKernels && least > BLAS.directLimit
        return ProductTiling.Cut(columns, into: isCut ? max(1, columns / Self.outputsPerStrip) : 1)
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
