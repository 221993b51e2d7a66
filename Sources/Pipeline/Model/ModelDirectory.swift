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

    /// The guidance scale to use when none is asked for: the model's own, else that of the DiT paper's pictures, 4.
    public var defaultGuidanceScale: Double { config.guidanceScale ?? 4 }

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

    /// The hash that ties images to the weights; reads the files the first time.
    public func hash() -> String {
        ModelHash.of(archive.files)
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
    /// - Parameter progress: called with the share that has been loaded, from 0 to 1.
    /// - Returns: the network.
    /// - Throws: ``ModelError`` or ``SafetensorsError``.
    public func load(progress: ((Double) -> Void)? = nil) throws -> DiT {
        DiT(config: config, weights: try DiTWeights(from: archive, config: config, progress: progress))
    }
}
