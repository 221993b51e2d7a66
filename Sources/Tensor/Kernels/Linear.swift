/// An affine map y = x W^T + b, with the weight (out, in) as checkpoints store it.
///
/// Weights are multiplied where they lie. OpenBLAS packs either operand anyway, and a weight that was transposed at
/// load gave it nothing (within 3 % either way over the shapes of S to XL).
public struct Linear: Sendable {
    /// W, (out, in).
    public let weight: WeightMatrix
    /// b, (out).
    public let bias: Tensor

    /// The width of an output row.
    public var outputWidth: Int { weight.shape[0] }
    /// The width of an input row.
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

    /// The fewest columns that make a panel: each task packs all of x anew, which fewer columns do not repay.
    private static let leastColumns = 256
    /// The most panels; a guided forward has twice as many tasks.
    private static let mostTasks = 8
    /// A multiple of the widths of OpenBLAS' register tiles.
    private static let columnUnit = 16
    /// How many inputs are multiplied at a time: those that OpenBLAS' own inner loop takes, so that panels of widened
    /// weights stay in the cache.
    private static let inputsPerPass = 384

    /// How many columns of the result one task computes; chosen by the shape alone.
    ///
    /// Powers of two share out evenly; even the smallest layer makes two tasks.
    private var columnsPerTask: Int {
        var tasks = 2
        while tasks < Self.mostTasks, outputWidth >= 2 * tasks * Self.leastColumns { tasks *= 2 }
        let columns = (outputWidth + tasks - 1) / tasks
        return (columns + Self.columnUnit - 1) / Self.columnUnit * Self.columnUnit
    }

    /// How many independent tasks a product makes.
    public var taskCount: Int { (outputWidth + columnsPerTask - 1) / columnsPerTask }

    /// Computes one task's columns of y (rows, out) from x (rows, in), then applies `activation`, if any.
    public func run(
        task: Int, _ x: UnsafePointer<Float>, rows: Int, into y: UnsafeMutablePointer<Float>,
        activation: Activation? = nil
    ) {
        let first = task * columnsPerTask
        let columns = first..<min(first + columnsPerTask, outputWidth)
        if let weights = weight.float32 {
            forEachPass { inputs in
                BLAS.multiply(
                    m: rows, n: columns.count, k: inputs.count, x + inputs.lowerBound, lda: inputWidth,
                    weights + first * inputWidth + inputs.lowerBound, ldb: inputWidth, .transposed,
                    into: y + first, ldc: outputWidth, adding: inputs.lowerBound > 0)
            }
        } else {
            let capacity = columns.count * min(inputWidth, Self.inputsPerPass)
            withUnsafeTemporaryAllocation(of: Float.self, capacity: capacity) { panel in
                guard let panel = panel.baseAddress else { return }
                forEachPass { inputs in
                    weight.widen(rows: columns, columns: inputs, into: panel)
                    BLAS.multiply(
                        m: rows, n: columns.count, k: inputs.count, x + inputs.lowerBound, lda: inputWidth,
                        panel, ldb: inputs.count, .transposed,
                        into: y + first, ldc: outputWidth, adding: inputs.lowerBound > 0)
                }
            }
        }
        for row in 0..<rows {
            let target = y + row * outputWidth + first
            Elementwise.add(bias.pointer + first, count: columns.count, to: target)
            activation?.apply(to: target, count: columns.count)
        }
    }

    /// Goes over the inputs in the same passes, however the weights are stored: the same bits from all.
    @inline(__always)
    private func forEachPass(_ body: (Range<Int>) -> Void) {
        for first in stride(from: 0, to: inputWidth, by: Self.inputsPerPass) {
            body(first..<min(first + Self.inputsPerPass, inputWidth))
        }
    }

    /// y (rows, out) = x W^T + b over all workers.
    public func callAsFunction(
        _ x: UnsafePointer<Float>, rows: Int, into y: UnsafeMutablePointer<Float>,
        activation: Activation? = nil, workers: Workers
    ) {
        workers.run(tasks: taskCount) { _, task in
            run(task: task, x, rows: rows, into: y, activation: activation)
        }
    }
}
