import Compute

@testable import Sampling

/// A stream that plays back given numbers, so that two implementations can be fed the same noise.
struct GivenNoise: NormalSource {
    private var values: ArraySlice<Float>

    init(_ values: [Float] = []) { self.values = values[...] }

    mutating func fill(_ target: UnsafeMutableBufferPointer<Float>) {
        precondition(values.count >= target.count, "the given noise has run out")
        for i in 0..<target.count { target[i] = values[values.startIndex + i] }
        values = values.dropFirst(target.count)
    }
}

/// Runs a sampler on an elementwise model y = model(x, call), without a denoiser around it.
func drive(
    _ sampler: any Sampler, from start: [Float], noise: [Float] = [],
    model: (Double, ModelCall) -> Double, variance: (Double, ModelCall) -> Double = { _, _ in 0 }
) -> [Float] {
    var sampler = sampler
    var source = GivenNoise(noise)
    let latents = Tensor(start, shape: [start.count])
    let output = Tensor(latents.shape)
    let learned = Tensor(latents.shape)
    for call in sampler.calls {
        for i in 0..<latents.count {
            output.values[i] = Float(model(Double(latents.values[i]), call))
            learned.values[i] = Float(variance(Double(latents.values[i]), call))
        }
        sampler.advance(
            past: call.index, latents: latents, output: output, varianceOutput: learned, noise: &source)
    }
    return Array(latents.values)
}

/// The betas that the DiT models and the reference's tests use.
func linearProcess(_ type: PredictionType = .epsilon, start: Double = 0.0001) throws -> DiffusionProcess {
    try DiffusionProcess(type, betas: .linear(start: start, end: 0.02))
}
