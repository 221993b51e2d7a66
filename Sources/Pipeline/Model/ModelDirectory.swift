import FoundationEssentials
import Models
import Sampling
import Tensor

/// A model directory, opened: its configuration and the headers of its weights, but not yet the weights.
public struct ModelDirectory: Sendable {
    /// Where it lies.
    public let path: String
    /// The network's dimensions and conventions.
    public let config: DiTConfig
    /// What the model was trained to undo.
    public let process: DiffusionProcess
    /// The weight files.
    public let archive: WeightArchive
    /// The classes.
    public let classes: ClassNames

    /// The directory's name, which stands for the model in file metadata.
    public var name: String {
        URL(filePath: path).standardizedFileURL.lastPathComponent
    }

    /// Whether the model can be guided.
    public var hasNullClass: Bool { DiTWeights.hasNullClass(in: archive, config: config) }

    /// What is done when nothing is asked for: 50 steps of DDIM (Euler for flows) with the model's own guidance scale, or
    /// that of the DiT paper's pictures, 4; unguided if the model cannot be guided.
    public var defaultSettings: SampleSettings {
        SampleSettings(
            steps: 50, sampler: SamplerOptions(process.predictionType == .flow ? .euler : .ddim),
            guidanceScale: hasNullClass ? config.guidanceScale ?? 4 : 1)
    }

    /// Opens the directory at `path`: reads `config.json` and checks the headers of the weights.
    ///
    /// - Throws: ``ModelError``, ``SafetensorsError`` or ``PipelineError`` that say what is wrong where.
    public init(path: String) throws {
        self.path = path
        config = try DiTConfig(directory: path)
        process = try Self.process(in: "\(path)/config.json")
        archive = try WeightArchive(directory: path)
        classes = ClassNames(
            config.classNames.isEmpty ? (0..<config.numClasses).map { "class \($0)" } : config.classNames)
    }

    private static func process(in file: String) throws(PipelineError) -> DiffusionProcess {
        do {
            return try JSONDecoder().decode(DiffusionProcess.self, from: Data(contentsOf: URL(filePath: file)))
        } catch let error as SamplingError {
            throw .badData("\(file): \(error)")
        } catch {
            throw .inputOutput("\(file): cannot be read; check its permissions")
        }
    }

    /// What ties images to the model; reads the weights the first time.
    public func reference() -> ImageRecord.Model {
        let conventions = ImageRecord.canonical(config.conventions) + ImageRecord.canonical(process)
        return ImageRecord.Model(
            name: name, hash: ModelHash.of(archive.files), configuration: SHA256.hexadecimal(conventions))
    }

    /// The shape of the latents, (C, H, W).
    public var latentShape: [Int] { [config.inChannels, config.inputSize, config.inputSize] }

    /// What turns the final latents into a picture; nil if the model's latents are not pixels.
    public var decoder: (any LatentDecoder)? {
        guard config.inChannels == 1 || config.inChannels == 3 else { return nil }
        let range = config.valueRange ?? -1...1
        return PixelDecoder(range: Float(range.lowerBound)...Float(range.upperBound))
    }

    /// Says that there is no ``decoder``.
    public var needsDecoder: PipelineError {
        .usage(
            "\(name): latents of \(config.inChannels) channels need a decoder, and there is none yet; "
                + "keep the latents with --save-latents")
    }

    /// Loads the weights.
    ///
    /// - Parameters:
    ///   - precision: how wide the numbers are in memory.
    ///   - progress: called with the share that has been loaded, from 0 to 1.
    /// - Returns: the network.
    /// - Throws: ``ModelError`` or ``SafetensorsError``.
    public func load(precision: WeightPrecision = .float32, progress: ((Double) -> Void)? = nil) throws -> DiT {
        DiT(
            config: config,
            weights: try DiTWeights(from: archive, config: config, precision: precision, progress: progress))
    }
}
