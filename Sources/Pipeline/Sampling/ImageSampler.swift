import Compute
import FoundationEssentials
import Models
import Sampling

/// Samples images from one model with one set of settings.
///
/// Scratch memory is shared between them, and nothing else: an image does not depend on which came before, and runs may
/// take turns, but two of them must not be in a step at the same time.
public final class ImageSampler {
    /// The settings that all images share.
    public let settings: SampleSettings

    private let directory: ModelDirectory
    private let network: any DenoisingNetwork
    private let workspace: any ForwardWorkspace
    private let guidance: Guidance

    /// Checks the settings against the model and allocates the scratch memory.
    ///
    /// - Throws: ``SamplingError`` when the sampler, the steps or the guidance do not fit the model.
    public init(directory: ModelDirectory, network: any DenoisingNetwork, settings: SampleSettings, workers: Workers)
        throws
    {
        self.directory = directory
        self.settings = settings
        self.network = network
        workspace = network.workspace(entries: 2, workers: workers)
        guidance = try settings.guidance
        _ = try settings.evaluations(for: directory)
    }

    /// Starts the run of one image; step it with `next()`.
    ///
    /// - Parameters:
    ///   - item: the condition and the seed.
    ///   - initialNoise: in the latents' shape, instead of the noise that the seed gives; the seed still gives what a sampler adds.
    ///   - wrap: puts a cache around the model, or watches it; by default, neither.
    /// - Returns: the run, before its first step.
    /// - Throws: ``SamplingError``, for what ``init(directory:network:settings:workers:)`` has not already refused, or
    ///   what the wrapped denoiser throws.
    public func start(
        _ item: SampleItem, initialNoise: Tensor? = nil, wrap: (NetworkDenoiser) -> any Denoiser = { $0 }
    ) throws -> SamplingRun {
        let shape = directory.latentShape.dimensions
        let denoiser = wrap(
            NetworkDenoiser(
                network: network, process: directory.process, condition: item.condition,
                opposite: item.negative.map(Condition.prompt) ?? .null, workspace: workspace))
        let sampler = try makeSampler(
            settings.sampler, process: directory.process, steps: settings.steps, shape: shape)
        let random = TorchRandom(seed: item.seed)
        guard let initialNoise else {
            return try SamplingRun(
                denoiser: denoiser, sampler: sampler, guidance: guidance, shape: shape,
                noiseScale: directory.process.initialNoiseScale, noise: random)
        }
        return try SamplingRun(
            denoiser: denoiser, sampler: sampler, guidance: guidance, initialNoise: initialNoise,
            noiseScale: directory.process.initialNoiseScale, noise: random)
    }

    /// Checks the latents of a finished run.
    ///
    /// - Throws: ``PipelineError/badData(_:)`` when the run has diverged.
    public func check(_ latents: Tensor) throws(PipelineError) {
        guard latents.values.allSatisfy(\.isFinite) else {
            throw .badData(
                "\(directory.name): the run diverged (its latents are not finite); lower --cfg-scale or change --sampler"
            )
        }
    }
}
