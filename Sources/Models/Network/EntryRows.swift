import Compute

/// A matrix of every batch entry, one behind another, so that adjacent entries can be read as one.
struct EntryRows {
    private let tensor: Tensor  // (entries, T, columns)

    init(entries: Int, tokens: Int, columns: Int) {
        tensor = Tensor([entries, tokens, columns])
    }

    /// The rows of an entry.
    var rows: Int { tensor.shape[1] }
    /// The numbers of a row.
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
}
