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
            BLAS.multiply(
                m: tiles, n: min(Self.columnsPerTask, plan.outputs - first), k: plan.inputs,
                workspace.tiles.pointer + product * plan.tilesStride, lda: plan.inputs,
                workspace.filters.pointer + product * plan.inputs * plan.outputs + first, ldb: plan.outputs,
                into: workspace.products.pointer + product * plan.productsStride + first, ldc: plan.outputs)
        }
    }
}
