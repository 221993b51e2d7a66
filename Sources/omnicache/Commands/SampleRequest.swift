import Pipeline
import Sampling
import Tensor

/// What `omnicache sample` was asked for, with every default filled in and checked against the model.
struct SampleRequest {
    let directory: ModelDirectory
    let settings: SampleSettings
    let work: WorkList
    let seedWasDrawn: Bool
    /// Evaluations of one image.
    let evaluations: Int
    let initialNoise: Tensor?
    let latentsPath: String?
    let format: ImageFile.Format
    /// What is to be made: each file (nil for standard output) with the images in it.
    let files: [(file: ImageFile?, record: ImageRecord)]

    /// Fills in the defaults, those of `like` before those of the model, and checks everything that can be known.
    init(
        model: ModelOptions, sampling: SamplingOptions, output: OutputOptions, like: ImageMetadata?
    ) throws {
        directory = try model.open()
        let reference = ImageRecord.Model(name: directory.name, hash: directory.hash())
        if let like, like.record.model.hash != reference.hash {
            throw PipelineError.badData(
                "--like: the image was made by model \(like.record.model.name) with other weights than "
                    + "\(directory.path); give its directory with --model")
        }
        settings = sampling.settings(
            over: like?.record.settings
                ?? SampleSettings(
                    steps: 50, sampler: SamplerOptions(), guidanceScale: directory.defaultGuidanceScale))
        evaluations = try settings.evaluations(for: directory)
        (work, seedWasDrawn) = try Self.work(sampling, like: like, directory: directory)
        let noise = try output.initNoise.map { [shape = directory.latentShape] path in
            try LatentFile.readNoise(path: path, shape: shape)
        }
        initialNoise = noise
        let noiseHash = noise.map(LatentFile.hash)
        if let expected = like?.record.initialNoise, noiseHash != expected {
            throw PipelineError.usage(
                "--like: the image started from noise in a file (SHA-256 \(expected.prefix(12))…); give that file "
                    + "with --init-noise")
        }
        latentsPath = output.saveLatents
        guard latentsPath == nil || work.items.count == 1 else {
            throw PipelineError.usage("--save-latents holds one image, not \(work.items.count); give --count 1")
        }
        format = try output.resolvedFormat()
        files = try Self.files(
            output, format: format, columns: output.grid ?? like?.record.columns, directory: directory,
            items: work.items
        ) { [settings] items, columns in
            ImageRecord(
                model: reference, settings: settings, items: items, columns: columns, initialNoise: noiseHash)
        }
    }

    private static func work(
        _ sampling: SamplingOptions, like: ImageMetadata?, directory: ModelDirectory
    ) throws -> (WorkList, seedWasDrawn: Bool) {
        let classes = try sampling.classes.map(directory.classes.resolve)
        if let like, sampling.classes == nil, sampling.seed == nil, sampling.count == nil {
            return (try WorkList(items: like.record.items, classCount: directory.classes.count), false)
        }
        let first = like?.record.items.first
        let seed = sampling.seed ?? first?.seed ?? UInt32.random(in: 0...UInt32.max >> 1)
        let chosen = classes ?? first.map { [$0.classID] }
        let list = try WorkList(
            seed: seed, count: sampling.count ?? classes?.count ?? 1, classes: chosen,
            classCount: directory.classes.count)
        return (list, sampling.seed == nil && first == nil)
    }

    private static func files(
        _ output: OutputOptions, format: ImageFile.Format, columns: Int?, directory: ModelDirectory,
        items: [SampleItem],
        record: ([SampleItem], Int?) -> ImageRecord
    ) throws -> [(file: ImageFile?, record: ImageRecord)] {
        let pattern = try output.pattern(format: format)
        func file(_ item: SampleItem, _ index: Int) -> ImageFile? {
            guard !output.usesStandardOutput else { return nil }
            let path = pattern.path(for: item, index: index, classNames: directory.classes)
            return ImageFile(path: path, format: format, replaces: output.force)
        }
        if let columns {
            guard (1...10_000).contains(columns) else {
                throw PipelineError.usage("--grid \(columns): give a number of columns from 1 to 10000")
            }
            return [(file(items[0], 0), record(items, columns))]
        }
        guard !output.usesStandardOutput || items.count == 1 else {
            throw PipelineError.usage("--output - writes one image, not \(items.count); give --count 1 or --grid")
        }
        var owner: [String: Int] = [:]
        return try items.enumerated().map { index, item in
            let target = file(item, index)
            if let path = target?.path, let other = owner.updateValue(index, forKey: path) {
                throw PipelineError.usage(
                    "--output \(pattern.text): images \(other) and \(index) would both be \(path); add {seed} or {index}"
                )
            }
            return (target, record([item], nil))
        }
    }
}
