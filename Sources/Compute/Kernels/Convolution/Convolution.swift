/// A convolution of 3 x 3 taps with stride 1 and a border of zeros one pixel wide.
///
/// Computed by ``Winograd``: the map is cut into bands of tile rows; of each band the tiles are transformed, each of the
/// 36 transformed values makes one matrix product (tiles, Cin) (Cin, Cout), and the products are transformed back. The scratch memory holds one band. The transformed filters take four times the memory of the filters, so they
/// are made anew for each call, at a few percent of its time.
public struct Convolution: Sendable {
    /// Cin and Cout.
    public let inChannels, outChannels: Int

    /// (3, 3, stride of Cin, stride of Cout), zero past the channels.
    private let taps: Tensor
    /// (stride of Cout), zero past the channels.
    private let bias: Tensor
    private let engine: any Engine

    /// How the sums are written.
    public struct Output: Sendable {
        /// Whether they are added to what the map holds.
        public var isAdded = false
        /// Whether negative results, after the addition, become zero.
        public var isRectified = false

        /// Plain sums by default.
        public init(isAdded: Bool = false, isRectified: Bool = false) {
            self.isAdded = isAdded
            self.isRectified = isRectified
        }
    }

    /// Copies a weight (Cout, Cin, 3, 3), as checkpoints store it, and a bias (Cout); nil is a bias of zeros.
    public init(
        weight: UnsafePointer<Float>, outputs outChannels: Int, inputs inChannels: Int, bias: Tensor?,
        engine: any Engine = OpenBLASEngine()
    ) {
        self.engine = engine
        (self.outChannels, self.inChannels) = (outChannels, inChannels)
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
        self.bias = Tensor([outputs])
        if let bias { self.bias.pointer.update(from: bias.pointer, count: outChannels) }
    }

    /// Convolves `input` into `output`.
    ///
    /// - Parameters:
    ///   - input: (H, W, Cin); may not be `output`.
    ///   - affine: what is applied to each pixel first; the border stays zero.
    ///   - upsampled: whether each pixel of the input stands for 2 x 2 pixels (nearest upsampling).
    ///   - output: (H, W, Cout), or twice the sides if upsampled.
    ///   - finish: how the sums are written.
    ///   - workspace: scratch memory.
    ///   - workers: the threads to use; their number changes no bit.
    public func callAsFunction(
        _ input: FeatureMap, affine: ChannelAffine? = nil, upsampled: Bool = false, into output: FeatureMap,
        _ finish: Output = Output(), workspace: ConvolutionWorkspace, workers: Workers
    ) {
        let factor = upsampled ? 2 : 1
        precondition(
            input.channels == inChannels && output.channels == outChannels && output.height == factor * input.height
                && output.width == factor * input.width, "the maps do not fit the convolution")
        let plan = ConvolutionPlan(
            height: output.height, width: output.width, inputs: input.stride, outputs: output.stride)
        plan.reserve(in: workspace)
        transformFilters(into: workspace.filters, workers: workers)
        for band in 0..<plan.bands {
            let pass = ConvolutionPass(
                plan: plan, band: band, workspace: workspace, engine: engine, workers: workers)
            pass.gather(input, affine: affine, shift: upsampled ? 1 : 0)
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

/// The scratch memory of convolutions, used by one at a time; it grows to what the largest so far needs.
public final class ConvolutionWorkspace {
    /// The transformed filters, (36, Cin, Cout).
    private(set) var filters = Tensor([0])
    /// The rows of a band, normalised, upsampled, and with a border of zeros: (4 rows + 2, 4 columns + 2, Cin).
    private(set) var band = Tensor([0])
    /// The transformed tiles of a band, (36, tiles, Cin).
    private(set) var tiles = Tensor([0])
    /// Their products with the filters, (36, tiles, Cout).
    private(set) var products = Tensor([0])

    /// Starts empty.
    public init() {}

    /// Makes each part at least as large as the given count of elements.
    func reserve(filters: Int, band: Int, tiles: Int, products: Int) {
        Self.grow(&self.filters, to: filters)
        Self.grow(&self.band, to: band)
        Self.grow(&self.tiles, to: tiles)
        Self.grow(&self.products, to: products)
    }

    private static func grow(_ tensor: inout Tensor, to count: Int) {
        guard tensor.count < count else { return }
        // Frees the old memory before the new is allocated.
        tensor = Tensor([0])
        tensor = Tensor(uninitialized: [count])
    }
}

/// A convolution of one tap: the same affine map of the channels at every pixel.
public struct PointwiseConvolution: Sendable {
    /// Cin and Cout.
    public let inChannels, outChannels: Int

    /// (stride of Cin, stride of Cout), zero past the channels.
    private let weight: Tensor
    /// (stride of Cout), zero past the channels.
    private let bias: Tensor
    /// What multiplies.
    package let engine: any Engine

    private static let pixelsPerTask = 256

    /// Copies a weight (Cout, Cin), as checkpoints store it, and a bias (Cout); nil is a bias of zeros.
    public init(
        weight: UnsafePointer<Float>, outputs outChannels: Int, inputs inChannels: Int, bias: Tensor?,
        engine: any Engine = OpenBLASEngine()
    ) {
        self.engine = engine
        (self.outChannels, self.inChannels) = (outChannels, inChannels)
        let (inputs, outputs) = (Vector.whole(inChannels), Vector.whole(outChannels))
        self.weight = Tensor([inputs, outputs])
        self.bias = Tensor([outputs])
        for output in 0..<outChannels {
            for input in 0..<inChannels {
                self.weight.pointer[input * outputs + output] = weight[output * inChannels + input]
            }
        }
        if let bias { self.bias.pointer.update(from: bias.pointer, count: outChannels) }
    }

    /// Maps the pixels of `input` to the first numbers of rows of `output`, `distance` numbers apart; if `isAdded`, adds to
    /// what they hold.
    public func callAsFunction(
        _ input: FeatureMap, into output: UnsafeMutablePointer<Float>, distance: Int, isAdded: Bool = false,
        workers: Workers
    ) {
        precondition(input.channels == inChannels, "the map does not fit the convolution")
        let (inputs, outputs) = (weight.shape[0], weight.shape[1])
        workers.run(tasks: (input.pixels + Self.pixelsPerTask - 1) / Self.pixelsPerTask) { _, task in
            let first = task * Self.pixelsPerTask
            let pixels = min(Self.pixelsPerTask, input.pixels - first)
            let target = output + first * distance
            engine.multiply(
                m: pixels, n: outputs, k: inputs, input.values.pointer + first * inputs, lda: inputs, weight.pointer,
                ldb: outputs, into: target, ldc: distance, adding: isAdded)
            for pixel in 0..<pixels { Elementwise.add(bias.pointer, count: outputs, to: target + pixel * distance) }
        }
    }

    /// Maps `input` to `output`, a map of the same size.
    public func callAsFunction(_ input: FeatureMap, into output: FeatureMap, isAdded: Bool = false, workers: Workers) {
        precondition(output.channels == outChannels && output.pixels == input.pixels)
        self(
            input, into: output.values.pointer, distance: output.stride, isAdded: isAdded, workers: workers)
    }
}
