/// A convolution of 3 x 3 taps with stride 1 and a border of zeros one pixel wide.
///
/// Where the engine has convolutions of its own (``Engine/prepare(taps:outputs:inputs:)``), they compute it, else minimal
/// filtering with the engine's products does.
public struct Convolution: Sendable {
    /// Cin and Cout.
    public let inChannels, outChannels: Int

    /// (stride of Cout), zero past the channels.
    private let bias: Tensor
    private let way: any ConvolutionWay

    /// How the sums are written.
    public struct Output: Sendable, Hashable {
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
        (self.outChannels, self.inChannels) = (outChannels, inChannels)
        self.bias = Tensor([Vector.whole(outChannels)])
        if let bias { self.bias.pointer.update(from: bias.pointer, count: outChannels) }
        if let prepared = engine.prepare(taps: weight, outputs: outChannels, inputs: inChannels) {
            way = DirectConvolution(prepared: prepared)
        } else {
            way = FilteredConvolution(weight: weight, outputs: outChannels, inputs: inChannels, engine: engine)
        }
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
        way.run(
            input, affine: affine, shift: upsampled ? 1 : 0, into: output, bias: bias, finish, workspace: workspace,
            workers: workers)
    }
}

/// A way to compute a convolution.
protocol ConvolutionWay: Sendable {
    /// Convolves maps whose sizes fit; the input's sides are 2^-shift of the output's.
    func run(
        _ input: FeatureMap, affine: ChannelAffine?, shift: Int, into output: FeatureMap, bias: Tensor,
        _ finish: Convolution.Output, workspace: ConvolutionWorkspace, workers: Workers)
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
