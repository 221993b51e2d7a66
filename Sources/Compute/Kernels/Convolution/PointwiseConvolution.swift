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
