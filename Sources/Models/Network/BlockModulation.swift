/// What modulates an adaLN block: six vectors, each (D), in the order in which checkpoints store them.
struct BlockModulation {
    let attention: (shift: UnsafePointer<Float>, scale: UnsafePointer<Float>)
    let attentionGate: UnsafePointer<Float>
    let mlp: (shift: UnsafePointer<Float>, scale: UnsafePointer<Float>)
    let mlpGate: UnsafePointer<Float>

    /// The parts of a row (6D).
    init(_ row: UnsafePointer<Float>, width: Int) {
        attention = (row, row + width)
        attentionGate = row + 2 * width
        mlp = (row + 3 * width, row + 4 * width)
        mlpGate = row + 5 * width
    }
}

/// Model calls of a run whose modulation is computed together, by one product for each layer.
///
/// A product of two rows runs at a twentieth of the speed of one of thirty. Windows are fixed by the run, so their bits do
/// not depend on which calls are evaluated.
package struct CallWindow {
    /// The most model calls of a window.
    package static let largest = 32

    /// The calls of the window that has been computed; none at first.
    private(set) var calls = 0..<0
    /// How many calls a window has, but perhaps the last.
    let size: Int

    private let count: Int

    /// The windows of a run of so many calls.
    init(calls count: Int) {
        self.count = count
        size = max(1, min(count, Self.largest))
    }

    /// Moves to the window of `call`.
    ///
    /// - Returns: whether it is another than before, and so has to be computed.
    mutating func move(to call: Int) -> Bool {
        guard !calls.contains(call) else { return false }
        precondition((0..<count).contains(call), "call \(call) of a run of \(count)")
        let first = call / size * size
        calls = first..<min(first + size, count)
        return true
    }

    /// The row of a call in what has been computed.
    func row(of call: Int) -> Int {
        precondition(calls.contains(call), "the modulation of call \(call) has not been prepared")
        return call - calls.lowerBound
    }
}
