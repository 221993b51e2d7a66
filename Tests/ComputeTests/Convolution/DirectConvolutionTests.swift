import TestSupport
import Testing

@testable import Compute

@Suite struct DirectConvolutionTests {
    /// Plain loops in the place of an engine's kernels.
    private struct PlainConvolution: PreparedConvolution {
        let reference: ReferenceConvolution
        let numberBytes = 4

        func encode(_ numbers: UnsafePointer<Float>, count: Int, into target: UnsafeMutableRawPointer) {
            target.copyMemory(from: numbers, byteCount: 4 * count)
        }

        func run(
            rows: Int, width: Int, _ source: UnsafeRawPointer, bias: UnsafePointer<Float>,
            into target: UnsafeMutablePointer<Float>, _ finish: Convolution.Output
        ) {
            let (inputs, outputs) = (Vector.whole(reference.inputs), Vector.whole(reference.outputs))
            let pixels = source.assumingMemoryBound(to: Float.self)
            let weight = reference.weight.values
            for index in 0..<rows * width * reference.outputs {
                let (pixel, output) = (index / reference.outputs, index % reference.outputs)
                let (y, x) = (pixel / width, pixel % width)
                var sum = bias[output]
                for tap in 0..<9 where (0..<width).contains(x + tap % 3 - 1) {
                    let place = ((y + tap / 3) * width + x + tap % 3 - 1) * inputs
                    for input in 0..<reference.inputs {
                        sum += weight[(output * reference.inputs + input) * 9 + tap] * pixels[place + input]
                    }
                }
                target[pixel * outputs + output] = finish.isAdded ? target[pixel * outputs + output] + sum : sum
            }
        }
    }

    private static func run(
        _ reference: ReferenceConvolution, on map: FeatureMap, affine: ChannelAffine? = nil, shift: Int = 0,
        bandBytes: Int
    ) -> [Float] {
        let output = FeatureMap(
            planes: Tensor([reference.outputs, map.height << shift, map.width << shift]))
        let bias = Tensor([Vector.whole(reference.outputs)])
        for index in 0..<reference.outputs { bias.values[index] = reference.bias.values[index] }
        DirectConvolution(prepared: PlainConvolution(reference: reference), bandBytes: bandBytes).run(
            map, affine: affine, shift: shift, into: output, bias: bias, .init(), workspace: ConvolutionWorkspace(),
            workers: Workers(count: 3))
        return output.planes().elements
    }

    @Test(arguments: [[1, 1], [2, 5], [7, 19], [24, 18], [33, 3]])
    func `bands of any size give what one band does, and the textbook formula`(sides: [Int]) {
        let reference = ReferenceConvolution(height: sides[0], width: sides[1], inputs: 3, outputs: 5)
        let map = FeatureMap(planes: reference.input)
        let whole = Self.run(reference, on: map, bandBytes: 1 << 24)
        let error = largestRelativeDifference(whole, against: reference.result)
        #expect(figure("direct convolution \(sides)", error, below: 1e-6))
        for bytes in [1, 4096, 20000] {
            let same = Self.run(reference, on: map, bandBytes: bytes) == whole
            #expect(same)
        }
    }

    @Test func `norm and upsampling on the way in are those before`() {
        let reference = ReferenceConvolution(height: 6, width: 19, inputs: 8, outputs: 4)
        let norm = GroupNorm(
            groups: 2, epsilon: 1e-6, scale: Tensor(noise(8, seed: 8), shape: [8]),
            shift: Tensor(noise(8, seed: 9), shape: [8]))
        let map = FeatureMap(planes: reference.input)
        let affine = norm.affine(for: map, silu: true, workers: Workers(count: 1))
        let normed = FeatureMap(planes: reference.input)
        affine(map, into: normed, workers: Workers(count: 2))
        let large = FeatureMap(planes: Tensor([8, 12, 38]))
        for pixel in 0..<large.pixels {
            let (y, x) = (pixel / 38, pixel % 38)
            for channel in 0..<8 {
                large.values.values[pixel * large.stride + channel] =
                    normed.values.values[(y / 2 * 19 + x / 2) * normed.stride + channel]
            }
        }
        let same =
            Self.run(reference, on: map, affine: affine, shift: 1, bandBytes: 8192)
            == Self.run(reference, on: large, bandBytes: 1 << 24)
        #expect(same)
    }
}

/// oneDNN's kernels, where this machine has oneDNN in 16 bits; where it has no AMX, minimal filtering takes their place.
@Suite(.enabled(if: OneDNN.precisions.contains(.bfloat16), "no oneDNN in 16 bits on this machine"))
struct OneDNNConvolutionTests {
    private static func reference(_ height: Int, _ width: Int, _ inputs: Int, _ outputs: Int) throws
        -> ReferenceConvolution
    {
        ReferenceConvolution(
            height: height, width: width, inputs: inputs, outputs: outputs,
            engine: try OneDNNEngine(precision: .bfloat16))
    }

    @Test(arguments: [[1, 1, 32, 32], [7, 5, 32, 48], [16, 33, 64, 32], [9, 12, 48, 64], [3, 5, 4, 7]])
    func `it follows the textbook formula within the rounding of 16 bits`(shape: [Int]) throws {
        let reference = try Self.reference(shape[0], shape[1], shape[2], shape[3])
        let error = largestRelativeDifference(reference.run().planes().elements, against: reference.result)
        #expect(figure("convolution \(shape) in bfloat16", error, below: 6e-3))
    }

    @Test func `threads change no bit, and sums are added and rectified`() throws {
        let reference = try Self.reference(20, 17, 32, 64)
        let sums = reference.run(threads: 1).planes().elements
        let same = [2, 5].allSatisfy { reference.run(threads: $0).planes().elements == sums }
        #expect(same)
        let previous = Tensor(noise(sums.count, seed: 6, scale: 20), shape: [64, 20, 17])
        let finished = reference.run(onto: previous, .init(isAdded: true, isRectified: true)).planes().elements
        let expected = zip(sums, previous.elements).map { Double(max(0, $0 + $1)) }
        #expect(largestRelativeDifference(finished, against: expected) < 1e-6)
    }
}
