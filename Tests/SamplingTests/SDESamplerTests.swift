import Compute
import Glibc
import TestSupport
import Testing

@testable import Sampling

/// The stochastic sampler against SiT's formulas in Double, and its statistics.
struct SDESamplerTests {
    /// w as the paper and willisma/SiT (transport/path.py, `compute_diffusion`) give it.
    private static func diffusion(
        _ form: DiffusionForm, _ norm: Double, _ mixture: GaussianFlow.Mixture, at t: Double
    ) -> Double {
        switch form {
        case .constant: norm
        case .scoreBased:
            norm
                * (mixture.alphaRate / mixture.alpha * mixture.sigma * mixture.sigma
                    - mixture.sigma * mixture.sigmaRate)
        case .sigma: norm * mixture.sigma
        case .linear: norm * (1 - t)
        case .decreasing: 0.25 * pow(norm * cos(.pi * t) + 1, 2)
        case .increasingDecreasing: norm * pow(sin(.pi * t), 2)
        }
    }

    /// A step of a model that is linear in x: x' = state · x + noise · n.
    private struct Step {
        let state: Double
        let noise: Double
    }

    /// All steps of a run, after willisma/SiT (transport/transport.py and integrators.py).
    private static func steps(_ options: SamplerOptions, _ path: Flow.Path, count: Int) -> [Step] {
        let (form, norm, size) = (options.diffusionForm, options.diffusionNorm, options.lastStepSize)
        let start = form == .scoreBased ? (1 - size) / Double(count) : 0
        let length = (1 - size - start) / Double(count - 1)
        return (0..<count).map { index in
            let t = start + Double(index) * length
            let mixture = GaussianFlow.Mixture(path, at: t)
            let w = diffusion(form, norm, mixture, at: t)
            let drift = mixture.velocity + w * mixture.score
            guard index + 1 == count else {
                return Step(state: 1 + length * drift, noise: (2 * w * length).squareRoot())
            }
            switch options.lastStep {
            case .mean: return Step(state: 1 + size * drift, noise: 0)
            case .euler: return Step(state: 1 + size * mixture.velocity, noise: 0)
            case .tweedie:
                return Step(state: (1 + mixture.sigma * mixture.sigma * mixture.score) / mixture.alpha, noise: 0)
            }
        }
    }

    @Test(arguments: DiffusionForm.allCases, Flow.Path.allCases)
    func `every form takes the published steps`(form: DiffusionForm, path: Flow.Path) throws {
        let (steps, start) = (12, [Float](arrayLiteral: 1.7, -0.4, 0.9))
        let drawn = noise(3 * (steps - 1), seed: 3, scale: 2)
        for lastStep in LastStep.allCases {
            let options = SamplerOptions(
                .sde, diffusionForm: form, diffusionNorm: 0.7, lastStep: lastStep, lastStepSize: 0.06)
            let model = GaussianFlow.published(path)
            let sampler = try makeSampler(options, process: model.process(), steps: steps, shape: [3])
            let found = drive(sampler, from: start, noise: drawn) { x, call in model.output(x, told: call.timestep) }
            let expected = start.indices.map { element in
                Self.steps(options, path, count: steps).enumerated().reduce(Double(start[element])) { x, step in
                    let n = step.element.noise > 0 ? Double(drawn[3 * step.offset + element]) : 0
                    return step.element.state * x + step.element.noise * n
                }
            }
            // Twelve steps, each rounding by 2^-24 a state that noise has made up to ten times the end's.
            #expect(largestRelativeDifference(found, against: expected) < 1e-5, "\(lastStep)")
        }
    }

    @Test(arguments: DiffusionForm.allCases, Flow.Path.allCases)
    func `samples have the distribution that the steps imply, near the data's`(
        form: DiffusionForm, path: Flow.Path
    ) throws {
        let (count, steps) = (65536, 100)
        let options = SamplerOptions(.sde, diffusionForm: form)
        let initial = Tensor([count])
        var generator = TorchRandom(seed: 21)
        generator.fill(initial.values)
        let found = try GaussianFlow.published(path).sample(
            options, steps: steps, from: Array(initial.values), seed: 22)

        // A step maps the variance V to state² V + noise²; the mean stays 0.
        let variance = Self.steps(options, path, count: steps).reduce(1.0) {
            $1.state * $1.state * $0 + $1.noise * $1.noise
        }
        let mean = found.reduce(0.0) { $0 + Double($1) } / Double(count)
        let sampled = found.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(count)
        // Five standard deviations: of a mean of n normal numbers √(V/n), of their mean square V √(2/n).
        #expect(abs(mean) < 5 * (variance / Double(count)).squareRoot())
        #expect(abs(sampled / variance - 1) < 5 * (2 / Double(count)).squareRoot())
        // Constant noise is still there when the last step, which does not remove all of it, begins.
        let bound = form == .constant ? 0.1 : 0.01
        let name = "deviation of the sde samples, \(form.rawValue), \(path), 100 steps, off 0.5 by"
        #expect(figure(name, abs(variance.squareRoot() - GaussianFlow.deviation), below: bound))
    }

    @Test(arguments: DiffusionForm.allCases.filter { $0 != .decreasing && $0 != .scoreBased }, Flow.Path.allCases)
    func `without noise it is Euler's method`(form: DiffusionForm, path: Flow.Path) throws {
        let model = GaussianFlow.published(path)
        let start: [Float] = [1.7, -0.4, 0.9]
        let stochastic = try model.sample(
            SamplerOptions(.sde, diffusionForm: form, diffusionNorm: 0, lastStepSize: 1 / 16), steps: 16, from: start)
        let euler = try model.sample(SamplerOptions(.euler, spacing: .trailing), steps: 16, from: start)
        #expect(largestRelativeDifference(stochastic, against: euler) < 1e-6)
    }

    @Test func `noise comes from the run's source, anew in every step but the last`() throws {
        let model = GaussianFlow.published(.linear)
        let start: [Float] = [0.3, -1.1]
        let first = try model.sample(SamplerOptions(.sde), steps: 10, from: start, seed: 1)
        #expect(try first == model.sample(SamplerOptions(.sde), steps: 10, from: start, seed: 1))
        #expect(try first != model.sample(SamplerOptions(.sde), steps: 10, from: start, seed: 2))
    }

    @Test func `a step allocates no tensor`() throws {
        // Other tests run beside this one and allocate: one attempt without a new tensor is proof enough.
        let model = GaussianFlow.published(.linear)
        for _ in 0..<2000 {
            let sampler = try makeSampler(SamplerOptions(.sde), process: model.process(), steps: 6, shape: [8])
            var run = try SamplingRun(
                denoiser: model, sampler: sampler, guidance: Guidance(scale: 1), shape: [8], noise: TorchRandom(seed: 1)
            )
            let before = Tensor.allocationCount
            while try run.next() != nil {}
            if Tensor.allocationCount == before { return }
        }
        Issue.record("tensors were allocated in every run")
    }
}
