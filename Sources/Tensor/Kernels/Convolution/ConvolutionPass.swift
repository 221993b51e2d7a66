/// One band of a convolution: four passes, each spread over the workers.
struct ConvolutionPass {
    let plan: ConvolutionPlan
    /// The first tile row and the number of tile rows.
    let firstRow, rows: Int
    let workspace: ConvolutionWorkspace
    let workers: Workers

    /// Tiles that one task transforms.
    private static let tilesPerTask = 8
    /// Columns of a product that one task computes.
    private static let columnsPerTask = 512

    init(plan: ConvolutionPlan, band: Int, workspace: ConvolutionWorkspace, workers: Workers) {
        self.plan = plan
        firstRow = band * plan.rowsPerBand
        rows = min(plan.rowsPerBand, plan.rows - firstRow)
        self.workspace = workspace
        self.workers = workers
    }

    private var tiles: Int { rows * plan.columns }
    private var tileTasks: Int { (tiles + Self.tilesPerTask - 1) / Self.tilesPerTask }

    private func tiles(ofTask task: Int) -> Range<Int> {
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

    /// Transforms the band's tiles.
    func transformTiles() {
        let width = plan.inputs
        let rowStride = plan.bandWidth * width
        let side = Winograd.inputs
        workers.run(tasks: tileTasks) { _, task in
            withUnsafeTemporaryAllocation(of: Vector.self, capacity: Winograd.products) { columns in
                for tile in tiles(ofTask: task) {
                    let (row, column) = (tile / plan.columns, tile % plan.columns)
                    let corner = workspace.band.pointer + (row * plan.bandWidth + column) * Winograd.outputs * width
                    let target = workspace.tiles.pointer + tile * width
                    for channel in stride(from: 0, to: width, by: Vector.scalarCount) {
                        for x in 0..<side {
                            let d = corner + x * width + channel
                            Winograd.input(
                                Vector(at: d), Vector(at: d + rowStride), Vector(at: d + 2 * rowStride),
                                Vector(at: d + 3 * rowStride), Vector(at: d + 4 * rowStride),
                                Vector(at: d + 5 * rowStride)
                            ) { columns[side * $0 + x] = $1 }
                        }
                        for y in 0..<side {
                            let d = side * y
                            Winograd.input(
                                columns[d], columns[d + 1], columns[d + 2], columns[d + 3], columns[d + 4],
                                columns[d + 5]
                            ) { $1.store(to: target + (d + $0) * plan.tilesStride + channel) }
                        }
                    }
                }
            }
        }
    }

    /// Multiplies the tiles by the filters.
    func multiply() {
        let panels = (plan.outputs + Self.columnsPerTask - 1) / Self.columnsPerTask
        workers.run(tasks: Winograd.products * panels) { _, task in
            let (product, first) = (task / panels, task % panels * Self.columnsPerTask)
            BLAS.multiply(
                m: tiles, n: min(Self.columnsPerTask, plan.outputs - first), k: plan.inputs,
                workspace.tiles.pointer + product * plan.tilesStride, lda: plan.inputs,
                workspace.filters.pointer + product * plan.inputs * plan.outputs + first, ldb: plan.outputs,
                into: workspace.products.pointer + product * plan.productsStride + first, ldc: plan.outputs)
        }
    }

    /// Transforms the products back and writes what lies inside the output.
    func finish(into output: FeatureMap, bias: Tensor, _ finish: Convolution.Output) {
        let width = plan.outputs
        let (side, outputs) = (Winograd.inputs, Winograd.outputs)
        workers.run(tasks: tileTasks) { _, task in
            withUnsafeTemporaryAllocation(of: Vector.self, capacity: outputs * side + outputs * outputs) { scratch in
                for tile in tiles(ofTask: task) {
                    let y = outputs * (firstRow + tile / plan.columns)
                    let x = outputs * (tile % plan.columns)
                    let source = workspace.products.pointer + tile * width
                    let target = output.values.pointer + (y * plan.width + x) * width
                    let (height, breadth) = (min(outputs, plan.height - y), min(outputs, plan.width - x))
                    for channel in stride(from: 0, to: width, by: Vector.scalarCount) {
                        let offset = Vector(at: bias.pointer + channel)
                        for column in 0..<side {
                            let m = source + column * plan.productsStride + channel
                            let step = side * plan.productsStride
                            Winograd.output(
                                Vector(at: m), Vector(at: m + step), Vector(at: m + 2 * step),
                                Vector(at: m + 3 * step), Vector(at: m + 4 * step), Vector(at: m + 5 * step)
                            ) { scratch[side * $0 + column] = $1 }
                        }
                        let pixels = outputs * side
                        for row in 0..<outputs {
                            let m = side * row
                            Winograd.output(
                                scratch[m], scratch[m + 1], scratch[m + 2], scratch[m + 3], scratch[m + 4],
                                scratch[m + 5]
                            ) { scratch[pixels + outputs * row + $0] = $1 + offset }
                        }
                        for row in 0..<height {
                            for column in 0..<breadth {
                                let place = target + (row * plan.width + column) * width + channel
                                var value = scratch[pixels + outputs * row + column]
                                if finish.isAdded { value += Vector(at: place) }
                                if finish.isRectified { value = value.larger(.zero) }
                                value.store(to: place)
                            }
                        }
                    }
                }
            }
        }
    }
}
