import Caching
import Compute
import Evaluation
import Foundation
import Models
import Pipeline
import Sampling
import TestSupport

/// A tiny model that is sampled from in a millisecond, to use what readers have read as a run would.
struct TinyRun {
    /// The most steps of a run whose settings come from a damaged file.
    private static let mostSteps = 8
    /// The most pixels or latents of a channel: the time of attention grows with their square.
    private static let largestArea = 64 * 64

    let directory: ModelDirectory
    let network: any DenoisingNetwork
    let reference: ImageRecord.Model

    /// Writes the model into `path` and opens it.
    init(at path: String) throws {
        try TinyModel().write(to: path)
        try self.init(ModelDirectory(path: path))
    }

    /// Loads a model that has been opened.
    init(_ directory: ModelDirectory) throws {
        self.directory = directory
        network = try directory.load()
        reference = directory.reference()
    }

    /// Six steps of DDIM with guidance.
    static let settings = SampleSettings(steps: 6, sampler: SamplerOptions(.ddim), guidanceScale: 4)

    /// Samples an image.
    func sample(_ settings: SampleSettings = settings, reuse: ReuseRecord? = nil) throws {
        try Self.sample(directory, network, settings, reuse: reuse)
    }

    /// Samples an image of `directory` in a few of its own steps.
    static func sample(_ directory: ModelDirectory, steps: Int) throws {
        var settings = directory.defaultSettings
        settings.steps = min(settings.steps, steps)
        try sample(directory, directory.load(), settings, reuse: nil)
    }

    /// Makes one guided forward of a configuration with random weights, if it is small.
    static func forward(_ config: any NetworkConfiguration) throws {
        let (size, shape) = (config.size, config.latentShape)
        let captionWidth = config.conditions.promptRules?.width ?? 0
        guard size.depth <= 8, size.width <= 256, size.tokens <= 1024, shape.count <= 1 << 16, captionWidth <= 1 << 12
        else { return }
        try BLAS.open()
        let network = try config.random(seed: 1, engine: OpenBLASEngine())
        let session = try network.workspace(entries: 2, workers: Workers(count: 1)).session(
            timesteps: [500], conditions: [config.conditions.condition(at: 0), .null])
        let outputs = (0..<2).map { _ in Tensor([shape.count * (config.hasVariance ? 2 : 1)]) }
        session.evaluate(
            latents: ArbitraryNumbers.tensor(shape.dimensions, seed: 2), call: 0, subset: BatchSubset(first: 2),
            into: outputs, interceptor: nil)
    }

    private static func sample(
        _ directory: ModelDirectory, _ network: any DenoisingNetwork, _ settings: SampleSettings, reuse: ReuseRecord?
    ) throws {
        let schedule = try settings.schedule(for: directory)
        let forecaster = try reuse?.forecaster(for: schedule)
        let shape = directory.latentShape
        guard schedule.calls.count <= 2 * mostSteps, shape.height * shape.width <= largestArea else { return }
        let sampler = try ImageSampler(
            directory: directory, network: network, settings: settings, workers: Workers(count: 1))
        var run = try sampler.start(SampleItem(classID: 0, seed: 1)) { denoiser in
            guard let reuse, let forecaster else { return denoiser }
            return CachedDenoiser(
                denoiser, predictionType: directory.process.predictionType, plan: reuse.decisions,
                forecaster: forecaster)
        }
        while try run.next() != nil {}
        try sampler.check(run.latents)
    }
}

/// Files in a reader's folder.
enum Files {
    static func write(_ bytes: some Sequence<UInt8>, to path: String) throws {
        let folder = URL(filePath: path).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(filePath: path))
    }

    static func write(_ text: String, to path: String) throws { try write(text.utf8, to: path) }

    static func read(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: path))) }
}
