/// An affine map y = x W^T + b, with the weight (out, in) as checkpoints store it.
public struct Linear: Sendable {
    /// W, (out, in).
    public let weight: Tensor
    /// b, (out).
    public let bias: Tensor

    /// The width of an output row.
    public var outputWidth: Int { weight.shape[0] }
    /// The width of an input row.
    public var inputWidth: Int { weight.shape[1] }

    /// Joins a weight (out, in) with its bias (out).
    public init(weight: Tensor, bias: Tensor) {
        precondition(
            weight.shape.count == 2 && bias.shape == [weight.shape[0]],
            "a bias of \(bias.shape) beside a weight of \(weight.shape)")
        self.weight = weight
        self.bias = bias
    }

    /// How many columns of the result one task computes.
    ///
    /// Chosen by the shape alone: about four million operations a task, so that handing it out costs little, and
    /// few enough columns that a machine with many cores has work for each.
    private func columnsPerTask(rows: Int) -> Int {
        let worthwhile = 2_000_000 / max(1, rows * inputWidth)
        let panel = (worthwhile + Self.panelWidth - 1) / Self.panelWidth * Self.panelWidth
        return min(max(panel, Self.panelWidth), outputWidth)
    }

    /// A multiple of the widths of OpenBLAS' register tiles.
    private static let panelWidth = 48

    /// How many independent tasks the product of `rows` input rows makes.
    public func taskCount(rows: Int) -> Int {
        let columns = columnsPerTask(rows: rows)
        return (outputWidth + columns - 1) / columns
    }

    /// Computes one task's columns of y (rows, out) from x (rows, in), then applies `activation`, if any.
    public func run(
        task: Int, _ x: UnsafePointer<Float>, rows: Int, into y: UnsafeMutablePointer<Float>,
        activation: Activation? = nil
    ) {
        let columns = columnsPerTask(rows: rows)
        let first = task * columns
        let width = min(columns, outputWidth - first)
        BLAS.multiply(
            m: rows, n: width, k: inputWidth, x, lda: inputWidth,
            weight.pointer + first * inputWidth, ldb: inputWidth, .transposed,
            into: y + first, ldc: outputWidth)
        for row in 0..<rows {
            let target = y + row * outputWidth + first
            Elementwise.add(bias.pointer + first, count: width, to: target)
            activation?.apply(to: target, count: width)
        }
    }

    /// y (rows, out) = x W^T + b over all workers.
    public func callAsFunction(
        _ x: UnsafePointer<Float>, rows: Int, into y: UnsafeMutablePointer<Float>,
        activation: Activation? = nil, workers: Workers
    ) {
        workers.run(tasks: taskCount(rows: rows)) { _, task in
            run(task: task, x, rows: rows, into: y, activation: activation)
        }
    }
}
