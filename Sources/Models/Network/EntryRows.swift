import Compute

/// A matrix of every batch entry, one after another, so that adjacent entries can be read as one.
///
/// Where it holds the inputs of layers that multiply in less than 32 bits, it has them in that precision, too: whoever
/// writes rows encodes them while they are in the cache.
struct EntryRows {
    private let tensor: Tensor  // (entries, T, columns)
    /// All rows in less than 32 bits, and what owns the memory.
    private var encoded: (operand: Operand, memory: Tensor)?

    /// Allocates the matrices, in 32 bits and for layers that multiply in `precision`.
    init(entries: Int, tokens: Int, columns: Int, precision: Precision = .float32) {
        tensor = Tensor([entries, tokens, columns])
        let bytes = Operand.bytes(rows: entries * tokens, width: columns, precision: precision)
        guard bytes > 0 else { return }
        let memory = Tensor([(bytes + 3) / 4])
        let operand = Operand(in: memory.pointer, rows: entries * tokens, width: columns, precision: precision)
        encoded = (operand, memory)
    }

    var rows: Int { tensor.shape[1] }
    var columns: Int { tensor.shape[2] }

    /// The numbers of an entry, (T, columns); they live as long as this does.
    subscript(entry: Int) -> UnsafeMutableBufferPointer<Float> {
        let count = tensor.shape[1] * tensor.shape[2]
        return UnsafeMutableBufferPointer(rebasing: tensor.values[entry * count..<(entry + 1) * count])
    }

    /// The first number of a row of an entry.
    func row(_ row: Int, of entry: Int) -> UnsafeMutablePointer<Float> {
        tensor.pointer + (entry * tensor.shape[1] + row) * tensor.shape[2]
    }

    /// The same matrices for what is not the input of such a layer: writing them encodes nothing.
    var unencoded: EntryRows {
        var matrices = self
        matrices.encoded = nil
        return matrices
    }

    /// Encodes rows that have been written, counted from the first one of an entry.
    func encode(_ rows: Range<Int>, of entry: Int) {
        guard let (operand, _) = encoded else { return }
        operand.advanced(byRows: entry * self.rows + rows.lowerBound)
            .encode(row(rows.lowerBound, of: entry), rows: rows.count)
    }

    /// The inputs of `layer` from the first row of an entry on; nil where they are not encoded for it.
    func operand(of entry: Int, for layer: Linear) -> Operand? {
        guard let (operand, _) = encoded, operand.precision == layer.inputPrecision else { return nil }
        return operand.advanced(byRows: entry * rows)
    }
}
