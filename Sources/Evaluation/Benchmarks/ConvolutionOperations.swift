import Compute
import Models

/// The convolutions of a decoder at its shapes.
struct ConvolutionOperations {
    private let shapes: [(channels: Int, height: Int, width: Int)]
    private let workers: Workers

    /// One 3 x 3 convolution for each width and resolution that the decoder in a directory has, for a frame of latents.
    init(decoder directory: String, latents: LatentShape, workers: Workers) throws {
        let config = try AutoencoderConfig(directory: directory)
        let widths: [Int] =
            switch config {
            case .kl(let config): config.blockOutChannels.reversed()
            case .tiny(let config): Array(repeating: config.width, count: config.blocks.count)
            }
        shapes = widths.enumerated().map { ($1, latents.height << $0, latents.width << $0) }
        self.workers = workers
    }

    /// All of them, from the latents' resolution up.
    var all: [BenchmarkOperation] { shapes.map(convolution) }

    private func convolution(channels: Int, height: Int, width: Int) -> BenchmarkOperation {
        let weight = ArbitraryNumbers.tensor([channels, channels, 3, 3], seed: 21)
        let bias = ArbitraryNumbers.tensor([channels], seed: 22)
        let convolution = Convolution(
            weight: weight.pointer, outputs: channels, inputs: channels, bias: bias)
        let input = FeatureMap(planes: ArbitraryNumbers.tensor([channels, height, width], seed: 23))
        let output = FeatureMap(
            height: height, width: width, channels: channels,
            in: Tensor([FeatureMap.count(height: height, width: width, channels: channels)]))
        let workspace = ConvolutionWorkspace()
        let workers = workers
        return BenchmarkOperation(
            name: "convolution", shape: "\(channels) channels, \(height) x \(width)",
            operations: 18 * Double(channels * channels * height * width), bound: 1e-4,
            error: {
                let pixels = [(0, 0), (height / 2, width / 2 + 1), (height - 1, width - 1)]
                return BenchmarkOperation.error(
                    pixels.flatMap { y, x in
                        (0..<channels).map { channel in
                            (
                                output.values.values[(y * width + x) * output.stride + channel],
                                Double(bias.values[channel])
                                    + input.plainSum(taps: weight, output: channel, y: y, x: x)
                            )
                        }
                    })
            },
            run: { convolution(input, into: output, workspace: workspace, workers: workers) })
    }
}
