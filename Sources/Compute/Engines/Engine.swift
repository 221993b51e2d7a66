/// A library that makes the matrix products of layers.
///
/// It prepares a weight once, in whatever form it multiplies best, and multiplies activations by it. How products are cut
/// into tiles, and what is packed or converted when, is its own business; threads are ``Workers``'. No bit of a result
/// depends on the number of threads, or on which other blocks of rows are multiplied with it.
public protocol Engine: Sendable {
    /// Which engine it is, and in which precision it multiplies.
    var arithmetic: Arithmetic { get }

    /// Whether it keeps weights in a form of its own, so that the numbers need not be widened first.
    var packsWeights: Bool { get }

    /// Prepares y = x Wᵀ + b.
    ///
    /// - Parameters:
    ///   - weight: W, (out, in).
    ///   - bias: b, (out).
    ///   - role: how much the precision of this map matters.
    /// - Returns: the prepared map.
    /// - Throws: ``MachineError`` when the engine cannot multiply by it here.
    func prepare(_ weight: WeightMatrix, bias: Tensor, role: LayerRole) throws(MachineError) -> any PreparedMap

    /// Prepares for the attention of queries to keys; allocates the scratch memory of each worker.
    func prepare(_ shape: AttentionShape, workers: Workers) -> any PreparedAttention

    /// Prepares a convolution of 3 x 3 taps.
    ///
    /// - Parameters:
    ///   - taps: (outputs, inputs, 3, 3).
    ///   - outputs: Cout.
    ///   - inputs: Cin.
    /// - Returns: the convolution; nil, the default, where minimal filtering with ``multiply(m:n:k:_:lda:_:ldb:into:ldc:adding:)``
    ///   is faster.
    func prepare(taps: UnsafePointer<Float>, outputs: Int, inputs: Int) -> (any PreparedConvolution)?

    /// C (m, n) = A (m, k) B (k, n), all row-major, on the calling thread; adds to what C holds if `adding`.
    ///
    /// For products whose operands are both made anew each time. `lda`, `ldb` and `ldc` are the distances between rows.
    func multiply(
        m: Int, n: Int, k: Int, _ a: UnsafePointer<Float>, lda: Int, _ b: UnsafePointer<Float>, ldb: Int,
        into c: UnsafeMutablePointer<Float>, ldc: Int, adding: Bool)
}

extension Engine {
    public func prepare(taps: UnsafePointer<Float>, outputs: Int, inputs: Int) -> (any PreparedConvolution)? { nil }
}

/// What a layer does in a network, by which engines of less than 32 bits decide how precisely it is multiplied.
public enum LayerRole: Sendable {
    /// One of many in the blocks of a network, where nearly all of the time goes.
    case block
    /// What reads the outputs of attention, which an engine of less than 32 bits writes in 16.
    case afterAttention
    /// What computes the modulation of blocks from the condition.
    case modulation
    /// The first and the last layer, and the embedding of conditions: little work, and errors there are in everything.
    case edge
    /// Read from a file for one product of few rows, then dropped: preparing it would take as long as multiplying by it.
    case passing
}

/// An affine map whose weight an engine has prepared.
public protocol PreparedMap: Sendable {
    /// How y, `blocks` times (`rows`, out), is cut for `workers`.
    func tiling(blocks: Int, rows: Int, workers: Workers) -> ProductTiling

    /// The precision in which inputs are multiplied.
    var inputPrecision: Precision { get }

    /// Whether outputs can be written in a precision: in 32 bits, unless it says otherwise.
    func canWrite(_ precision: Precision) -> Bool

    /// Computes one tile of y, then applies `activation`, if any.
    ///
    /// - Parameters:
    ///   - tile: which, in `0..<tiling.count`.
    ///   - tiling: what ``tiling(blocks:rows:workers:)`` has made of the rows.
    ///   - x: the inputs of the rows of all blocks (rows, in), in ``inputPrecision``.
    ///   - y: where the outputs go (rows of all blocks, out), in a precision that can be written.
    ///   - activation: what is applied to the outputs.
    func run(
        tile: Int, of tiling: ProductTiling, _ x: MatrixRows, into y: MatrixRows,
        activation: Activation?)
}

extension PreparedMap {
    public func canWrite(_ precision: Precision) -> Bool { precision == .float32 }
}

/// The sizes of an attention.
public struct AttentionShape: Sendable {
    /// Q, the number of queries.
    public let queries: Int
    /// T, the number of keys, and of values.
    public let keys: Int
    /// H, the number of heads.
    public let heads: Int
    /// K, the head dimension; D = H K.
    public let headDimension: Int
    /// What the products of queries and keys are multiplied by.
    public let scale: Float
}

/// An attention that an engine has prepared for: ``Attention`` says what it computes.
public protocol PreparedAttention: Sendable {
    /// The precision in which it reads and writes fastest: 32 bits, unless it says otherwise. It always can in 32.
    var precision: Precision { get }

    /// How many independent tasks one matrix makes.
    var taskCount: Int { get }

    /// Computes one task; ``Attention/run(task:worker:query:key:value:mask:into:)`` describes the parameters.
    func run(
        task: Int, worker: Int, query: Attention.Rows, key: Attention.Rows, value: Attention.Rows,
        mask: Attention.Rows?, into output: Attention.Results)

    /// Makes the products of one task alone, of whatever numbers, where the engine has a form of its own for them: for
    /// benchmarks.
    ///
    /// - Returns: whether it has; false unless it says otherwise.
    func multiply(task: Int, worker: Int) -> Bool
}

extension PreparedAttention {
    public var precision: Precision { .float32 }

    public func multiply(task: Int, worker: Int) -> Bool { false }
}

/// A convolution of 3 x 3 taps whose taps an engine has prepared.
public protocol PreparedConvolution: Sendable {
    /// The size of a number as it is read, in bytes.
    var numberBytes: Int { get }

    /// Writes numbers in the form in which they are read.
    func encode(_ numbers: UnsafePointer<Float>, count: Int, into target: UnsafeMutableRawPointer)

    /// Convolves a block of rows on the calling thread.
    ///
    /// - Parameters:
    ///   - rows: the rows of the result.
    ///   - width: the pixels of a row; those beside it are zero.
    ///   - source: what ``encode(_:count:into:)`` has made of (rows + 2, width, Cin).
    ///   - bias: (Cout).
    ///   - target: (rows, width, Cout).
    ///   - finish: how the sums are written.
    func run(
        rows: Int, width: Int, _ source: UnsafeRawPointer, bias: UnsafePointer<Float>,
        into target: UnsafeMutablePointer<Float>, _ finish: Convolution.Output)
}

/// Memory for the inputs of products in the form in which an engine multiplies them, used by one product at a time; it
/// grows to what the largest so far needs.
public final class ProductScratch {
    private var memory: Tensor?

    /// Starts empty.
    public init() {}

    /// The beginning of at least so many bytes; what was there before is lost.
    func reserve(bytes: Int) -> UnsafeMutableRawPointer {
        let count = (bytes + 3) / 4
        if let memory, memory.count >= count { return UnsafeMutableRawPointer(memory.pointer) }
        // Frees the old memory before the new is allocated.
        memory = nil
        let new = Tensor(uninitialized: [count])
        memory = new
        return UnsafeMutableRawPointer(new.pointer)
    }
}
