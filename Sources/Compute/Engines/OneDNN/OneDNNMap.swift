/// An affine map whose weight oneDNN has packed, in 32, 16 or 8 bits.
///
/// A tile is a band of rows with all columns: oneDNN's fastest kernels want a result without gaps. Bands follow from the
/// rows of a block alone, so that an element has the same bits whatever the threads and the other blocks.
struct OneDNNMap: PreparedMap {
    private let packed: Tensor
    private let bias: Tensor
    /// Of each output, what its integers are multiplied by; nil but for 8 bits.
    private let scales: Tensor?
    private let precision: Precision
    private let inputs, outputs: Int

    /// The rows of a band. The weights are read once for each: with half as many rows, DiT-XL/2 in 16 bits takes 1.18 times
    /// as long.
    private static let rowsPerBand = 128
    /// Where the weights stay in a second-level cache, a quarter as many do.
    private static let smallWeightBytes = 1 << 20

    /// Packs a weight (out, in); nil where oneDNN has no fast kernel for it.
    init?(_ weight: WeightMatrix, bias: Tensor, precision: Precision) {
        (outputs, inputs) = (weight.shape[0], weight.shape[1])
        self.precision = precision
        self.bias = bias
        let shape = Self.shape(rows: Self.rowsPerBand, inputs, outputs, precision)
        guard let product = OneDNNProduct.make(shape) else { return nil }
        let packed = Tensor(uninitialized: [(product.packedBytes + 3) / 4])
        let form = StoredForm(weight, precision: precision)
        guard product.pack(form.address, into: packed.pointer) else { return nil }
        withExtendedLifetime(form) {}
        weight.release()
        self.packed = packed
        scales = form.scales
    }

    private static func shape(
        rows: Int, _ inputs: Int, _ outputs: Int, _ precision: Precision, results: Precision = .float32,
        activation: Activation? = nil
    ) -> OneDNNProduct.Shape {
        OneDNNProduct.Shape(
            m: rows, n: outputs, k: inputs, operands: precision, results: results, hasBias: precision != .int8,
            activation: activation, packedForRows: rowsPerBand)
    }

    func tiling(blocks: Int, rows: Int, workers: Workers) -> ProductTiling {
        let isSmall = inputs * outputs * precision.size <= Self.smallWeightBytes
        let rowsPerBand = isSmall ? Self.rowsPerBand / 4 : Self.rowsPerBand
        return ProductTiling(blocks: blocks, rows: rows, columns: outputs, rowsPerBand: rowsPerBand)
    }

    var inputPrecision: Precision { precision }

    // Sums of integers are made in 32 bits, and put into any precision from there.
    func canWrite(_ precision: Precision) -> Bool {
        precision == .float32 || precision == self.precision || self.precision == .int8
    }

    func run(
        tile: Int, of tiling: ProductTiling, _ x: MatrixRows, into y: MatrixRows,
        activation: Activation?
    ) {
        let rows = tiling[tile].rows
        let (x, y) = (x.advanced(byRows: rows.lowerBound), y.advanced(byRows: rows.lowerBound))
        guard let scales, let rowScales = x.scales else {
            return multiply(rows.count, x.numbers, into: y, activation: activation)
        }
        guard let sums = y.floats else { preconditionFailure("no room for sums in 32 bits") }
        multiply(rows.count, x.numbers, into: MatrixRows(sums, width: outputs))
        for row in 0..<rows.count {
            let line = sums + row * outputs
            Quantisation.widen(
                line, count: outputs, scale: rowScales[row], scales: scales.pointer, bias: bias.pointer)
            activation?.apply(to: line, count: outputs)
            y.advanced(byRows: row).encode(line, rows: 1)
        }
    }
}

extension OneDNNMap {
    /// Multiplies some rows; in 8 bits their sums stay integers.
    private func multiply(
        _ rows: Int, _ x: UnsafeRawPointer, into y: MatrixRows, activation: Activation? = nil
    ) {
        let bias = scales == nil ? bias.pointer : nil
        func product(_ rows: Int) -> OneDNNProduct? {
            OneDNNProduct.make(
                Self.shape(rows: rows, inputs, outputs, precision, results: y.precision, activation: activation))
        }
        if let product = product(rows) { return product.run(x, packed.pointer, bias: bias, into: y.numbers) }
        // A few rows may have kernels that read weights in another form than many; then there are zeros below them.
        guard rows < Self.rowsPerBand, let product = product(Self.rowsPerBand) else {
            preconditionFailure("oneDNN has packed weights for \(Self.rowsPerBand) rows")
        }
        let read = rows * inputs * precision.size
        let (written, all) = (rows * outputs * y.precision.size, Self.rowsPerBand * outputs * y.precision.size)
        withUnsafeTemporaryAllocation(byteCount: Self.rowsPerBand * inputs * precision.size, alignment: 64) { padded in
            withUnsafeTemporaryAllocation(byteCount: all, alignment: 64) { results in
                guard let source = padded.baseAddress, let target = results.baseAddress else { return }
                padded.initializeMemory(as: UInt8.self, repeating: 0)
                source.copyMemory(from: x, byteCount: read)
                product.run(source, packed.pointer, bias: bias, into: target)
                y.numbers.copyMemory(from: target, byteCount: written)
            }
        }
    }
}

/// A weight (out, in) in rows without gaps, in the precision in which it is multiplied: where it is stored, or a copy.
private struct StoredForm {
    let address: UnsafeRawPointer
    /// Of each output, what its integers are multiplied by; nil but for 8 bits.
    let scales: Tensor?
    /// What keeps the numbers.
    private let copy: Tensor?

    init(_ weight: WeightMatrix, precision: Precision) {
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        if precision == .float32, let stored = weight.float32 {
            (address, scales, copy) = (UnsafeRawPointer(stored), nil, nil)
            return
        }
        if precision == .bfloat16, let stored = weight.bfloat16 {
            (address, scales, copy) = (stored, nil, nil)
            return
        }
        let copy = Tensor(uninitialized: [(weight.count * precision.size + 3) / 4])
        let scales = precision == .int8 ? Tensor(uninitialized: [outputs]) : nil
        let line = Tensor(uninitialized: [inputs])
        let target = UnsafeMutableRawPointer(copy.pointer)
        for row in 0..<outputs {
            weight.widen(rows: row..<row + 1, columns: 0..<inputs, into: line.pointer)
            let place = target + row * inputs * precision.size
            switch precision {
            case .float32: place.copyMemory(from: line.pointer, byteCount: 4 * inputs)
            case .bfloat16: BFloat16.narrow(line.pointer, into: place, count: inputs)
            case .int8: scales?.pointer[row] = Quantisation.quantise(line.pointer, count: inputs, into: place)
            }
        }
        (address, self.scales, self.copy) = (UnsafeRawPointer(target), scales, copy)
    }
}

extension ProductTiling {
    /// Cuts each block into at least two bands of about `rowsPerBand` rows, with all columns.
    init(blocks: Int, rows: Int, columns: Int, rowsPerBand: Int) {
        let most = max(Self.unit, min(rowsPerBand, (rows / 2 + Self.unit - 1) / Self.unit * Self.unit))
        self.init(
            bands: Cut(blocks: blocks, of: rows, most: most), panels: Cut(columns, into: 1))
    }
}
