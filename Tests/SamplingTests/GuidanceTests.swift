import Compute
import TestSupport
import Testing

@testable import Sampling

/// Guidance of all channels, as in diffusers, and of the first few, as in the official DiT and SiT.
struct GuidanceTests {
    private static let shape = [4, 3, 5]
    private static let plane = 15

    private static func outputs() -> BranchOutputs {
        let outputs = BranchOutputs(
            branches: [.conditional, .unconditional], shape: shape, hasVariance: true)
        for (seed, tensor) in [outputs.conditional.prediction, outputs.unconditional.prediction].enumerated() {
            tensor.copy(from: Tensor(noise(4 * plane, seed: UInt64(seed)), shape: shape))
        }
        return outputs
    }

    private static func guided(_ guidance: Guidance, _ outputs: BranchOutputs) -> [Float] {
        let guided = Tensor(shape)
        guidance.combine(outputs, into: guided)
        return Array(guided.values)
    }

    @Test(arguments: [nil, 1, 2, 3, 4], [4.0, 0, -1.5])
    func `the first channels are guided and the others are the conditional branch's`(channels: Int?, scale: Double)
        throws
    {
        let outputs = Self.outputs()
        let found = Self.guided(try Guidance(scale: scale, channels: channels), outputs)
        let (c, u) = (outputs.conditional.prediction, outputs.unconditional.prediction)
        let expected = (0..<4 * Self.plane).map { i in
            let (c, u) = (Double(c.values[i]), Double(u.values[i]))
            return i / Self.plane < channels ?? 4 ? u + scale * (c - u) : c
        }
        #expect(largestRelativeDifference(found, against: expected) < 1e-6)
        let rest = (channels ?? 4) * Self.plane
        #expect(Array(found[rest...]) == Array(c.values[rest...]))
    }

    @Test func `guiding every channel by number changes no bit`() throws {
        let outputs = Self.outputs()
        let all = Self.guided(try Guidance(scale: 4), outputs)
        #expect(all == Self.guided(try Guidance(scale: 4, channels: 4), outputs))
        #expect(all != Self.guided(try Guidance(scale: 4, channels: 3), outputs))
    }

    @Test func `without guidance the channels do not matter`() throws {
        let outputs = Self.outputs()
        #expect(
            try Self.guided(Guidance(scale: 1, channels: 2), outputs) == Array(outputs.conditional.prediction.values))
        #expect(try Guidance(scale: 1, channels: 2).branches == .conditional)
    }

    @Test func `more channels than there are, or none, are refused with the range`() throws {
        for channels in [0, -3] {
            let error = #expect(throws: SamplingError.self) { try Guidance(scale: 4, channels: channels) }
            #expect(
                error?.description
                    == "the number of guided channels is \(channels); expected 1 to the number that the latents have")
        }
        let error = #expect(throws: SamplingError.self) {
            _ = try SamplingRun(
                denoiser: GaussianFlow(Flow()),
                sampler: makeSampler(
                    SamplerOptions(.euler), process: DiffusionProcess(Flow()), steps: 2, shape: Self.shape),
                guidance: Guidance(scale: 4, channels: 5), shape: Self.shape, noise: TorchRandom(seed: 0))
        }
        #expect(error?.description == "the number of guided channels is 5; expected 1 to 4, as the latents have")
    }
}
