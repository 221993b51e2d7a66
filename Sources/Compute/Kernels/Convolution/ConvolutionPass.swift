/// One band of a convolution: four passes, each spread over the workers.
struct ConvolutionPass {
    let plan: ConvolutionPlan
    /// The first tile row and the number of tile rows.
    let firstRow, rows: Int
    let workspace: ConvolutionWorkspace
    let engine: any Engine
    let workers: Workers

    private static let tilesPerTask = 8
    /// Columns of a product that one task computes.
    private static let columnsPerTask = 512

    init(plan: ConvolutionPlan, band: Int, workspace: ConvolutionWorkspace, engine: any Engine, workers: Workers) {
        self.engine = engine
        self.plan = plan
        firstRow = band * plan.rowsPerBand
        rows = min(plan.rowsPerBand, plan.rows - firstRow)
        self.workspace = workspace
        self.workers = workers
    }

    private var tiles: Int { rows * plan.columns }
    /// The tasks of a pass over the tiles.
    var tileTasks: Int { (tiles + Self.tilesPerTask - 1) / Self.tilesPerTask }

    /// The tiles of one of them, counted from the band's first.
    func tiles(ofTask task: Int) -> Range<Int> {
        task * Self.tilesPerTask..<min((task + 1) * Self.tilesPerTask, tiles)
    }

    /// Fills the band with the input's pixels and zeros around them; the input is 2^-shift times the output's size.
    func gather(_ input: FeatureMap, affine: ChannelAffine?, shift: Int) {
        let width = plan.inputs
        let band = workspace.band.pointer
        workers.run(tasks: Winograd.outputs * rows + 2) { _, row in
            let target = band + row * plan.bandWidth * width
            let y = Winograd.outputs * firstRow - 1 + row
            guard y >= 0, y < plan.height else {
                target.update(repeating: 0, count: plan.bandWidth * width)
                return
            }
            let source = input.values.pointer + (y >> shift) * input.width * width
            target.update(repeating: 0, count: width)
            if shift > 0 {
                for x in 0..<plan.width {
                    copy(source + (x >> shift) * width, pixels: 1, affine: affine, into: target + (1 + x) * width)
                }
            } else {
                copy(source, pixels: plan.width, affine: affine, into: target + width)
            }
            let end = (1 + plan.width) * width
            (target + end).update(repeating: 0, count: plan.bandWidth * width - end)
        }
    }

    @inline(__always)
    private func copy(
        _ source: UnsafePointer<Float>, pixels: Int, affine: ChannelAffine?, into target: UnsafeMutablePointer<Float>
    ) {
        if let affine {
            affine.apply(source, pixels: pixels, stride: plan.inputs, into: target)
        } else {
            target.update(from: source, count: pixels * plan.inputs)
        }
    }

    /// Multiplies the tiles by the filters.
    func multiply() {
        let panels = (plan.outputs + Self.columnsPerTask - 1) / Self.columnsPerTask
        workers.run(tasks: Winograd.products * panels) { _, task in
            let (product, first) = (task / panels, task % panels * Self.columnsPerTask)
            engine.multiply(
                m: tiles, n: min(Self.columnsPerTask, plan.outputs - first), k: plan.inputs,
                workspace.tiles.pointer + product * plan.tilesStride, lda: plan.inputs,
                workspace.filters.pointer + product * plan.inputs * plan.outputs + first, ldb: plan.outputs,
                into: workspace.products.pointer + product * plan.productsStride + first, ldc: plan.outputs,
                adding: false)
        }
    }
}

/// The passes that take tiles to where they are multiplied, and back.
extension ConvolutionPass {
    /// Transforms the band's tiles.
    func transformTiles() {
        workers.run(tasks: tileTasks) { _, task in
            withUnsafeTemporaryAllocation(of: Vector.self, capacity: Winograd.products) { scratch in
                for tile in tiles(ofTask: task) {
                    for channel in stride(from: 0, to: plan.inputs, by: Vector.scalarCount) {
                        transform(tile: tile, channel: channel, scratch)
                    }
                }
            }
        }
    }

    /// Transforms a vector of channels of one tile: its columns into `scratch`, then the rows of that.
    @inline(__always)
    private func transform(tile: Int, channel: Int, _ scratch: UnsafeMutableBufferPointer<Vector>) {
        let side = Winograd.inputs
        let (row, column) = (tile / plan.columns, tile % plan.columns)
        let pixel = Winograd.outputs * (row * plan.bandWidth + column)
        let corner = workspace.band.pointer + pixel * plan.inputs + channel
        let step = plan.bandWidth * plan.inputs
        for x in 0..<side {
            let d = corner + x * plan.inputs
            Winograd.input(
                Vector(at: d), Vector(at: d + step), Vector(at: d + 2 * step), Vector(at: d + 3 * step),
                Vector(at: d + 4 * step), Vector(at: d + 5 * step)
            ) { scratch[side * $0 + x] = $1 }
        }
        let target = workspace.tiles.pointer + tile * plan.inputs + channel
        for y in 0..<side {
            let d = side * y
            Winograd.input(
                scratch[d], scratch[d + 1], scratch[d + 2], scratch[d + 3], scratch[d + 4], scratch[d + 5]
            ) { $1.store(to: target + (d + $0) * plan.tilesStride) }
        }
    }

    /// Transforms the products back and writes what lies inside the output.
    func finish(into output: FeatureMap, bias: Tensor, _ finish: Convolution.Output) {
        let capacity = Winograd.outputs * (Winograd.inputs + Winograd.outputs)
        workers.run(tasks: tileTasks) { _, task in
            withUnsafeTemporaryAllocation(of: Vector.self, capacity: capacity) { scratch in
                let results = UnsafeMutableBufferPointer(rebasing: scratch[(Winograd.outputs * Winograd.inputs)...])
                for tile in tiles(ofTask: task) {
                    for channel in stride(from: 0, to: plan.outputs, by: Vector.scalarCount) {
                        sum(tile: tile, channel: channel, scratch, into: results)
                        write(
                            tile: tile, channel: channel, results, bias: Vector(at: bias.pointer + channel),
                            into: output, finish)
                    }
                }
            }
        }
    }

    /// Transforms a vector of channels of one tile's products back: the columns into `scratch`, then the rows of that.
    @inline(__always)
    private func sum(
        tile: Int, channel: Int, _ scratch: UnsafeMutableBufferPointer<Vector>,
        into results: UnsafeMutableBufferPointer<Vector>
    ) {
        let (side, outputs) = (Winograd.inputs, Winograd.outputs)
        let source = workspace.products.pointer + tile * plan.outputs + channel
        let step = side * plan.productsStride
        for x in 0..<side {
            let m = source + x * plan.productsStride
            Winograd.output(
                Vector(at: m), Vector(at: m + step), Vector(at: m + 2 * step), Vector(at: m + 3 * step),
                Vector(at: m + 4 * step), Vector(at: m + 5 * step)
            ) { scratch[side * $0 + x] = $1 }
        }
        for y in 0..<outputs {
            let m = side * y
            Winograd.output(
                scratch[m], scratch[m + 1], scratch[m + 2], scratch[m + 3], scratch[m + 4], scratch[m + 5]
            ) { results[outputs * y + $0] = $1 }
        }
    }

    /// Writes a vector of channels of one tile's results, as far as they lie inside the output.
    @inline(__always)
    private func write(
        tile: Int, channel: Int, _ results: UnsafeMutableBufferPointer<Vector>, bias: Vector,
        into output: FeatureMap, _ finish: Convolution.Output
    ) {
        let outputs = Winograd.outputs
        let y = outputs * (firstRow + tile / plan.columns)
        let x = outputs * (tile % plan.columns)
        let corner = output.values.pointer + (y * plan.width + x) * plan.outputs + channel
        for row in 0..<min(outputs, plan.height - y) {
            for column in 0..<min(outputs, plan.width - x) {
                let place = corner + (row * plan.width + column) * plan.outputs
                var value = results[outputs * row + column] + bias
                if finish.isAdded { value += Vector(at: place) }
                if finish.isRectified { value = value.larger(.zero) }
                value.store(to: place)
            }
        }
    }
}

/// How a convolution is cut into bands of whole tile rows: by its shape alone.
struct ConvolutionPlan {
    /// The extents of the output.
    let height, width: Int
    /// The channels that are stored, of the input and of the output.
    let inputs, outputs: Int
    /// The tiles of a tile row.
    let columns: Int
    /// The tile rows of the map.
    let rows: Int
    /// The tile rows of a band; the last band may have fewer.
    let rowsPerBand: Int

    /// How many numbers the transformed tiles of a band should take at most: so many that the products are large
    /// matrices, and so few that they stay in a last-level cache.
    private static let scratch = 1 << 22

    /// Plans the convolution to an output of the given size.
    init(height: Int, width: Int, inputs: Int, outputs: Int) {
        self.height = height
        self.width = width
        self.inputs = inputs
        self.outputs = outputs
        columns = (width + Winograd.outputs - 1) / Winograd.outputs
        rows = (height + Winograd.outputs - 1) / Winograd.outputs
        let most = max(1, Self.scratch / (Winograd.products * max(inputs, outputs) * columns))
        // Bands of equal height.
        let bands = (rows + most - 1) / most
        rowsPerBand = (rows + bands - 1) / bands
    }

    var bands: Int { (rows + rowsPerBand - 1) / rowsPerBand }
    /// The tiles of a whole band.
    var tiles: Int { rowsPerBand * columns }
    /// The pixels of a row of a band with its border.
    var bandWidth: Int { Winograd.outputs * columns + 2 }
    /// The rows of pixels of a whole band with its border.
    var bandHeight: Int { Winograd.outputs * rowsPerBand + 2 }

    /// The distances between matrices: a little more than their size, so that those of one tile do not all fall into
    /// the same set of a cache.
    var tilesStride: Int { tiles * inputs + Vector.scalarCount }
    var productsStride: Int { tiles * outputs + Vector.scalarCount }

    /// Makes room for a band.
    func reserve(in workspace: ConvolutionWorkspace) {
        workspace.reserve(
            filters: Winograd.products * inputs * outputs, band: bandHeight * bandWidth * inputs,
            tiles: Winograd.products * tilesStride, products: Winograd.products * productsStride)
    }
}
