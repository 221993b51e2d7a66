/// A convolution by minimal filtering (``Winograd``), with an engine's products.
///
/// The map is cut into bands of tile rows; of each band the tiles are transformed, each of the 36 transformed values makes
/// one matrix product (tiles, Cin) (Cin, Cout), and the products are transformed back. The scratch memory holds one band.
/// The transformed filters take four times the memory of the filters, so they are made anew for each call, at a few
/// percent of its time.
struct FilteredConvolution: ConvolutionWay {
    /// (3, 3, stride of Cin, stride of Cout), zero past the channels.
    private let taps: Tensor
    private let engine: any Engine

    /// Copies a weight (Cout, Cin, 3, 3).
    init(weight: UnsafePointer<Float>, outputs outChannels: Int, inputs inChannels: Int, engine: any Engine) {
        self.engine = engine
        let (inputs, outputs) = (Vector.whole(inChannels), Vector.whole(outChannels))
        taps = Tensor([9, inputs, outputs])
        // By blocks of outputs, so that what is read and what is written stays in a cache.
        for first in stride(from: 0, to: outChannels, by: Vector.scalarCount) {
            let block = first..<min(first + Vector.scalarCount, outChannels)
            for input in 0..<inChannels {
                for tap in 0..<9 {
                    let target = taps.pointer + (tap * inputs + input) * outputs
                    for output in block {
                        target[output] = weight[(output * inChannels + input) * 9 + tap]
                    }
                }
            }
        }
    }

    func run(
        _ input: FeatureMap, affine: ChannelAffine?, shift: Int, into output: FeatureMap, bias: Tensor,
        _ finish: Convolution.Output, workspace: ConvolutionWorkspace, workers: Workers
    ) {
        let plan = ConvolutionPlan(
            height: output.height, width: output.width, inputs: input.stride, outputs: output.stride)
        plan.reserve(in: workspace)
        transformFilters(into: workspace.filters, workers: workers)
        for band in 0..<plan.bands {
            let pass = ConvolutionPass(
                plan: plan, band: band, workspace: workspace, engine: engine, workers: workers)
            pass.gather(input, affine: affine, shift: shift)
            pass.transformTiles()
            pass.multiply()
            pass.finish(into: output, bias: bias, finish)
        }
    }

    /// How many numbers of a tap one task transforms, about.
    private static let elementsPerTask = 4096

    /// (36, Cin, Cout) from the taps.
    private func transformFilters(into filters: Tensor, workers: Workers) {
        let (inputs, outputs) = (taps.shape[1], taps.shape[2])
        let rows = max(1, Self.elementsPerTask / outputs)
        workers.run(tasks: (inputs + rows - 1) / rows) { _, task in
            withUnsafeTemporaryAllocation(of: Vector.self, capacity: 3 * Winograd.inputs) { scratch in
                let end = min((task + 1) * rows, inputs) * outputs
                for index in stride(from: task * rows * outputs, to: end, by: Vector.scalarCount) {
                    transform(taps.pointer + index, scratch, into: filters.pointer + index, step: inputs * outputs)
                }
            }
        }
    }

    /// Transforms a vector of filters: their columns into `scratch`, then the rows of that; `step` lies between taps.
    @inline(__always)
    private func transform(
        _ source: UnsafePointer<Float>, _ scratch: UnsafeMutableBufferPointer<Vector>,
        into target: UnsafeMutablePointer<Float>, step: Int
    ) {
        for x in 0..<3 {
            let g = source + x * step
            Winograd.filter(Vector(at: g), Vector(at: g + 3 * step), Vector(at: g + 6 * step)) {
                scratch[3 * $0 + x] = $1
            }
        }
        for y in 0..<Winograd.inputs {
            Winograd.filter(scratch[3 * y], scratch[3 * y + 1], scratch[3 * y + 2]) {
                $1.store(to: target + (Winograd.inputs * y + $0) * step)
            }
        }
    }
}
