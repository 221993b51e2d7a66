import Compute

/// A matrix of every batch entry, one after another, so that adjacent entries can be read as one.
///
/// Where it holds the inputs of layers that multiply in less than 32 bits, it has room for them in that precision, too:
/// whoever writes rows says how they will be read, and encodes them while they are in the cache.
struct EntryRows {
    private let tensor: Tensor  // (entries, T, columns)
    private let encoded: Encoded?

    /// All rows in less than 32 bits.
    private final class Encoded {
        let rows: MatrixRows
        /// Whether they are what was written last.
        var isCurrent = false
        private let memory: Tensor

        init(_ memory: Tensor, _ rows: MatrixRows) {
            (self.memory, self.rows) = (memory, rows)
        }
    }

    /// Allocates the matrices, in 32 bits and, if it is less, in `precision`.
    init(entries: Int, tokens: Int, columns: Int, precision: Precision = .float32) {
        tensor = Tensor([entries, tokens, columns])
        let count = entries * tokens
        let bytes = MatrixRows.bytes(rows: count, width: columns, precision: precision)
        guard bytes > 0 else {
            encoded = nil
            return
        }
        let memory = Tensor([(bytes + 3) / 4])
        encoded = Encoded(
            memory,
            MatrixRows(
                in: memory.pointer, beside: tensor.pointer, rows: count, width: columns, precision: precision))
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

    /// Begins to write rows that will be read in `precision`; where there is no room for that, in 32 bits.
    func begin(_ precision: Precision) { encoded?.isCurrent = encoded?.rows.precision == precision }

    /// Encodes rows that have been written in 32 bits, counted from the first one of an entry, if that is how they will be
    /// read.
    func encode(_ rows: Range<Int>, of entry: Int) {
        guard let encoded, encoded.isCurrent else { return }
        encoded.rows.advanced(byRows: entry * self.rows + rows.lowerBound)
            .encode(row(rows.lowerBound, of: entry), rows: rows.count)
    }

    /// The rows from the first one of an entry on, in less than 32 bits; nil unless that is how they were written last.
    func current(from entry: Int, in precision: Precision) -> MatrixRows? {
        guard let encoded, encoded.isCurrent, encoded.rows.precision == precision else { return nil }
        return latest(from: entry)
    }

    /// The rows from the first one of an entry on, in 32 bits.
    func inFull(from entry: Int) -> MatrixRows { MatrixRows(row(0, of: entry), width: columns) }

    /// The rows from the first one of an entry on, as they were written last.
    func latest(from entry: Int) -> MatrixRows {
        guard let encoded, encoded.isCurrent else { return inFull(from: entry) }
        return encoded.rows.advanced(byRows: entry * rows)
    }
}
