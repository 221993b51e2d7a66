/// An affine map y = x W^T + b, with the weight (out, in) as checkpoints store it, multiplied by an engine.
public struct Linear: Sendable {
    /// W, (out, in), as it is stored: in place, where it comes from a mapped file.
    public let weight: WeightMatrix
    /// b, (out).
    public let bias: Tensor

    private let map: any PreparedMap

    public var outputWidth: Int { weight.shape[0] }
    public var inputWidth: Int { weight.shape[1] }

    /// Joins a weight (out, in) with its bias (out), and lets `engine` prepare them for a layer of some role.
    ///
    /// - Throws: ``MachineError`` when the engine cannot multiply by it here.
    public init(weight: WeightMatrix, bias: Tensor, role: LayerRole = .block, engine: any Engine) throws(MachineError) {
        self.init(weight: weight, bias: bias, map: try engine.prepare(weight, bias: bias, role: role))
    }

    /// Joins a weight (out, in) with its bias (out), multiplied by OpenBLAS.
    public init(weight: WeightMatrix, bias: Tensor) {
        self.init(weight: weight, bias: bias, map: OpenBLASMap(weight: weight, bias: bias))
    }

    /// Joins a weight (out, in) with its bias (out), multiplied by OpenBLAS.
    public init(weight: Tensor, bias: Tensor) {
        self.init(weight: WeightMatrix(weight), bias: bias)
    }

    private init(weight: WeightMatrix, bias: Tensor, map: any PreparedMap) {
        precondition(bias.shape == [weight.shape[0]], "a bias of \(bias.shape) beside a weight of \(weight.shape)")
        self.weight = weight
        self.bias = bias
        self.map = map
    }

    /// The precision in which inputs are multiplied.
    public var inputPrecision: Precision { map.inputPrecision }

    /// Whether outputs can be written in a precision.
    public func canWrite(_ precision: Precision) -> Bool { map.canWrite(precision) }

    /// How y, `blocks` times (`rows`, out), is cut for `workers`.
    public func tiling(blocks: Int = 1, rows: Int, workers: Workers) -> ProductTiling {
        map.tiling(blocks: blocks, rows: rows, workers: workers)
    }

    /// Rows that one task puts into the form in which they are multiplied.
    private static let rowsPerTask = 32

    /// y = x W^T + b of `blocks` times `rows` rows over all workers, then `activation`, if any.
    ///
    /// - Parameters:
    ///   - x: the inputs (blocks · rows, in).
    ///   - blocks: how many blocks of rows lie one behind another; each has the same bits as on its own.
    ///   - rows: the rows of a block.
    ///   - y: where the outputs go (blocks · rows, out).
    ///   - activation: what is applied to the outputs.
    ///   - workers: the threads to use.
    ///   - scratch: memory for products of the same kind, so that they allocate none.
    ///   - measured: runs each task.
    @inline(__always)
    public func callAsFunction(
        _ x: UnsafePointer<Float>, blocks: Int = 1, rows: Int, into y: UnsafeMutablePointer<Float>,
        activation: Activation? = nil, workers: Workers, scratch: ProductScratch? = nil,
        measured: (_ task: () -> Void) -> Void = { $0() }
    ) {
        let scratch = scratch ?? ProductScratch()
        let operand = encode(x, rows: blocks * rows, into: scratch, workers: workers, measured: measured)
        self(
            operand, blocks: blocks, rows: rows, into: MatrixRows(y, width: outputWidth), activation: activation,
            workers: workers, measured: measured)
        withExtendedLifetime(scratch) {}
    }

    /// Brings `rows` rows of inputs into the precision in which they are multiplied, over all workers.
    ///
    /// - Returns: the inputs, in `scratch` unless they are multiplied as they are.
    public func encode(
        _ x: UnsafePointer<Float>, rows: Int, into scratch: ProductScratch, workers: Workers,
        measured: (_ task: () -> Void) -> Void = { $0() }
    ) -> MatrixRows {
        let bytes = MatrixRows.bytes(rows: rows, width: inputWidth, precision: inputPrecision)
        guard bytes > 0 else { return MatrixRows(reading: x, width: inputWidth) }
        let operand = MatrixRows(
            in: scratch.reserve(bytes: bytes), rows: rows, width: inputWidth, precision: inputPrecision)
        workers.run(tasks: (rows + Self.rowsPerTask - 1) / Self.rowsPerTask) { _, task in
            let first = task * Self.rowsPerTask
            measured {
                operand.advanced(byRows: first).encode(
                    x + first * inputWidth, rows: min(Self.rowsPerTask, rows - first))
            }
        }
        return operand
    }

    /// The same of inputs that are in the precision in which they are multiplied, into outputs of one that can be written.
    /// Calls `finish` with rows, counted over all blocks, once all of their outputs are there: on the thread that has computed
    /// them, where one computes whole rows.
    @inline(__always)
    public func callAsFunction(
        _ x: MatrixRows, blocks: Int = 1, rows: Int, into y: MatrixRows, activation: Activation? = nil,
        workers: Workers, measured: (_ task: () -> Void) -> Void = { $0() },
        finish: ((_ rows: Range<Int>) -> Void)? = nil
    ) {
        precondition(x.precision == inputPrecision && x.width == inputWidth, "inputs of another layer")
        precondition(canWrite(y.precision) && y.width == outputWidth, "outputs of another layer")
        let tiling = map.tiling(blocks: blocks, rows: rows, workers: workers)
        let areWhole = tiling.panels.count == 1
        workers.run(tasks: tiling.count) { _, tile in
            measured { map.run(tile: tile, of: tiling, x, into: y, activation: activation) }
            if areWhole { finish?(tiling[tile].rows) }
        }
        guard let finish, !areWhole else { return }
        workers.run(tasks: tiling.bands.count) { _, band in finish(tiling.bands[band]) }
    }

    /// The product alone, of inputs that are brought into their form beforehand: for benchmarks.
    ///
    /// - Parameters:
    ///   - x: the inputs (blocks · rows, in).
    ///   - blocks: how many blocks of rows lie one behind another.
    ///   - rows: the rows of a block.
    ///   - y: where the outputs go (blocks · rows, out).
    ///   - workers: the threads to use.
    /// - Returns: what makes the product.
    package func product(
        of x: Tensor, blocks: Int, rows: Int, into y: Tensor, workers: Workers
    ) -> () -> Void {
        let tiling = map.tiling(blocks: blocks, rows: rows, workers: workers)
        let scratch = ProductScratch()
        let operand = encode(x.pointer, rows: blocks * rows, into: scratch, workers: workers)
        let target = MatrixRows(y.pointer, width: outputWidth)
        return { [map] in
            workers.run(tasks: tiling.count) { _, tile in
                map.run(tile: tile, of: tiling, operand, into: target, activation: nil)
            }
            withExtendedLifetime((x, y, scratch)) {}
        }
    }

    /// Applies `activation` to one tile of y, as an engine does that cannot apply it within a product.
    package func activate(
        tile: Int, of tiling: ProductTiling, _ y: UnsafeMutablePointer<Float>, by activation: Activation
    ) {
        activation.apply(to: tiling[tile], of: y, width: outputWidth)
    }
}

extension Activation {
    /// Activates the tile of `rows` and `columns` of a matrix whose rows lie `width` apart.
    func apply(
        to tile: (rows: Range<Int>, columns: Range<Int>), of matrix: UnsafeMutablePointer<Float>, width: Int
    ) {
        for row in tile.rows {
            apply(to: matrix + row * width + tile.columns.lowerBound, count: tile.columns.count)
        }
    }
}
