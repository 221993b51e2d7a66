import Compute

/// One decoding of an ``AutoencoderKL``: its memory and its steps, each of which takes a map and leaves another, or the
/// same changed.
struct AutoencoderKLPass {
    private let workers: Workers
    private let workspace = ConvolutionWorkspace()
    private let pool = FeatureMapPool()

    /// Starts without memory.
    init(workers: Workers) {
        self.workers = workers
    }

    /// The convolution of `x`, which is given back.
    func convolve(
        _ x: FeatureMap, affine: ChannelAffine? = nil, upsampled: Bool = false, by convolution: Convolution
    ) -> FeatureMap {
        let factor = upsampled ? 2 : 1
        let y = pool.take(height: factor * x.height, width: factor * x.width, channels: convolution.outChannels)
        convolution(x, affine: affine, upsampled: upsampled, into: y, workspace: workspace, workers: workers)
        pool.giveBack(x)
        return y
    }

    /// The convolution of one tap of `x`, which is given back.
    func map(_ x: FeatureMap, by convolution: PointwiseConvolution) -> FeatureMap {
        let y = pool.take(height: x.height, width: x.width, channels: convolution.outChannels)
        convolution(x, into: y, workers: workers)
        pool.giveBack(x)
        return y
    }

    /// x + conv2(silu(norm2(conv1(silu(norm1(x)))))), x with a convolution of one tap where the widths differ.
    func residual(_ x: FeatureMap, _ block: AutoencoderKL.Residual) -> FeatureMap {
        let hidden = pool.take(height: x.height, width: x.width, channels: block.convolution1.outChannels)
        let first = block.norm1.affine(for: x, silu: true, workers: workers)
        block.convolution1(x, affine: first, into: hidden, workspace: workspace, workers: workers)
        let sum = block.shortcut.map { map(x, by: $0) } ?? x
        let second = block.norm2.affine(for: hidden, silu: true, workers: workers)
        block.convolution2(
            hidden, affine: second, into: sum, Convolution.Output(isAdded: true), workspace: workspace,
            workers: workers)
        pool.giveBack(hidden)
        return sum
    }

    /// Adds the attention over the pixels of x to x.
    func attend(_ x: FeatureMap, _ block: AutoencoderKL.Attention) {
        let (tokens, width) = (x.pixels, x.stride)
        let normed = pool.take(height: x.height, width: x.width, channels: x.channels)
        block.norm.affine(for: x, silu: false, workers: workers)(x, into: normed, workers: workers)
        let qkv = Tensor(uninitialized: [tokens, 3 * width])
        for (part, layer) in [block.query, block.key, block.value].enumerated() {
            layer(normed, into: qkv.pointer + part * width, distance: 3 * width, workers: workers)
        }
        let attention = Attention(
            tokens: tokens, heads: 1, headWidth: width, scale: 1 / Float(x.channels).squareRoot(), workers: workers)
        workers.run(tasks: attention.taskCount) { worker, task in
            attention.run(task: task, worker: worker, qkv: qkv.pointer, into: normed.values.pointer)
        }
        withExtendedLifetime(qkv) {}
        block.out(normed, into: x, isAdded: true, workers: workers)
        pool.giveBack(normed)
    }
}
