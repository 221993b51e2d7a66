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
