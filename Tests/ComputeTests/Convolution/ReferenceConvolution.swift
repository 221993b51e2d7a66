import TestSupport

@testable import Compute

/// A convolution of one test: its numbers, and its textbook result in Double.
struct ReferenceConvolution {
    let height, width, inputs, outputs: Int
    let input: Tensor  // (Cin, H, W)
    let weight: Tensor  // (Cout, Cin, 3, 3)
    let bias: Tensor  // (Cout)

    init(
        height: Int, width: Int, inputs: Int, outputs: Int, seed: UInt64 = 1, engine: any Engine = OpenBLASEngine()
    ) {
        self.engine = engine
        (self.height, self.width, self.inputs, self.outputs) = (height, width, inputs, outputs)
        input = Tensor(
            noise(inputs * height * width, seed: seed, scale: 2, offset: 0.5), shape: [inputs, height, width])
        weight = Tensor(noise(outputs * inputs * 9, seed: seed + 1), shape: [outputs, inputs, 3, 3])
        bias = Tensor(noise(outputs, seed: seed + 2), shape: [outputs])
    }

    /// What multiplies.
    let engine: any Engine

    /// The kernel under test.
    var convolution: Convolution {
        withExtendedLifetime(weight) {
            Convolution(weight: weight.pointer, outputs: outputs, inputs: inputs, bias: bias, engine: engine)
        }
    }

    /// Planes (Cout, H, W).
    var result: [Double] {
        let (x, filters, offsets) = (input.pointer, weight.pointer, bias.pointer)
        var result: [Double] = []
        for output in 0..<outputs {
            for row in 0..<height {
                for column in 0..<width {
                    var sum = Double(offsets[output])
                    for tap in 0..<9 {
                        let (y, z) = (row + tap / 3 - 1, column + tap % 3 - 1)
                        guard (0..<height).contains(y), (0..<width).contains(z) else { continue }
                        for channel in 0..<inputs {
                            sum +=
                                Double(filters[(output * inputs + channel) * 9 + tap])
                                * Double(x[(channel * height + y) * width + z])
                        }
                    }
                    result.append(sum)
                }
            }
        }
        return withExtendedLifetime(self) { result }
    }

    /// The map that the kernel makes of `map`, or of the input.
    func run(
        on map: FeatureMap? = nil, affine: ChannelAffine? = nil, upsampled: Bool = false,
        onto previous: Tensor? = nil, _ finish: Convolution.Output = .init(), threads: Int = 2
    ) -> FeatureMap {
        let map = map ?? FeatureMap(planes: input)
        let factor = upsampled ? 2 : 1
        let output = FeatureMap(
            planes: previous ?? Tensor([outputs, factor * map.height, factor * map.width]))
        convolution(
            map, affine: affine, upsampled: upsampled, into: output, finish, workspace: ConvolutionWorkspace(),
            workers: Workers(count: threads))
        return output
    }
}
