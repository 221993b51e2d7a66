import FoundationEssentials
import Media
import Models

/// What a whole batch is, `run.json`: written by the first shard that begins, compared by all others, and the same for
/// any number of shards.
public struct RunFile: Codable, Equatable, Sendable {
    /// The format of the file.
    public static let currentSchema = "omnicache.run/1"
    /// The name of the file, beside the manifests.
    public static let name = "run.json"

    /// What images of one kind share.
    public struct Variant: Codable, Equatable, Sendable {
        /// The sampler and its settings.
        public let settings: SampleSettings
        /// The budget, if one was asked for.
        public let budget: Double?
        /// The planner; nil where nothing is reused.
        public let planner: String?
        /// The forecaster; nil where nothing is reused.
        public let forecaster: String?
        /// The SHA-256 of the decisions and the forecaster with its coefficients; nil where nothing is reused.
        public let reuse: String?
        /// The evaluations of one image.
        public let evaluations: Int
        /// The evaluations of one image when nothing is reused.
        public let evaluationsFull: Int

        /// Describes settings and what is reused under them.
        public init(settings: SampleSettings, reuse: ReuseRecord?, evaluationsFull: Int) {
            self.settings = settings
            budget = reuse?.budget?.share
            planner = reuse?.planner
            forecaster = reuse?.forecaster.name
            self.reuse = reuse.map { SHA256.hexadecimal(CanonicalJSON.data($0.essence)) }
            evaluations = reuse?.evaluations ?? evaluationsFull
            self.evaluationsFull = evaluationsFull
        }
    }

    /// The format.
    public let schema: String
    /// The model.
    public let model: ImageRecord.Model
    /// What makes pictures of latents; nil where these are pixels.
    public let decoder: ImageRecord.Decoder?
    /// The SHA-256 of an initial noise that all images share; nil when seeds make it.
    public let initialNoise: String?
    /// The rate of clips; nil for pictures, and in files of earlier versions.
    public let framesPerSecond: Int?
    /// How many images there are.
    public let count: Int
    /// The SHA-256 of the list: file, class or prompts, seed and variant of every image in order. (Earlier versions left
    /// negative prompts out; their batches with such are another batch.)
    public let list: String
    /// What images share; more than one where the list's options differ.
    public let variants: [Variant]

    /// An image of the list: its file, seen from the run's directory, and the number of its variant.
    public typealias Image = (file: String, item: SampleItem, variant: Int)

    /// Describes a batch.
    public init(
        model: ImageRecord.Model, decoder: ImageRecord.Decoder?, initialNoise: String?, framesPerSecond: Int? = nil,
        variants: [Variant], images: [Image]
    ) {
        schema = Self.currentSchema
        self.model = model
        self.decoder = decoder
        self.initialNoise = initialNoise
        self.framesPerSecond = framesPerSecond
        self.variants = variants
        count = images.count
        let hash = SHA256()
        for image in images {
            let line = "\(image.file)\t\(image.item.hashedCondition)\t\(image.item.seed)\t\(image.variant)\n"
            Array(line.utf8).withUnsafeBytes { hash.update($0) }
        }
        list = hash.finish()
    }

    /// Reads the file in `folder`.
    ///
    /// - Throws: ``PipelineError`` when it is missing, damaged, or no such file.
    public init(folder: String) throws(PipelineError) {
        let path = folder + Self.name
        let bytes = try UntrustedFolder(path: folder).read(
            Self.name, most: Manifest.mostBytes, missing: "; it stands beside the manifests of a batch")
        guard let file = try? JSONDecoder().decode(RunFile.self, from: Data(bytes)), file.schema == Self.currentSchema,
            file.isPrintable
        else {
            throw .badData("\(path): not the \(Self.name) of a batch, or of another version of omnicache")
        }
        guard (1...WorkList.mostImages).contains(file.count) else {
            throw .badData(
                "\(path): lists \(file.count) images, but a batch has 1 to \(WorkList.mostImages); remove it and run "
                    + "the batch again")
        }
        self = file
    }

    /// Whether no text of it holds a control character, which none has that a batch wrote.
    private var isPrintable: Bool {
        let names: [String?] =
            [model.name, model.hash, decoder?.name] + variants.map(\.planner) + variants.map(\.forecaster)
        return !names.contains { $0?.unprintable != nil }
    }

    /// Writes the file into `folder`, or finds there what another shard of the same batch has written.
    ///
    /// - Throws: ``PipelineError/cannotCreate(_:)`` that says what differs if the directory holds another batch.
    public func keep(in folder: String, replaces: Bool) throws(PipelineError) {
        do throws(FileError) {
            try AtomicFile.write(
                CanonicalJSON.file(self, isIndented: true), to: folder + Self.name,
                onConflict: replaces ? .replace : .fail)
        } catch {
            guard case .exists = error else { throw PipelineError(error) }
            try check(against: RunFile(folder: folder), folder: folder)
        }
    }

    /// Compares with an existing file, to find a mistake before any work is done.
    ///
    /// - Throws: ``PipelineError/cannotCreate(_:)`` that says what differs if the directory holds another batch.
    public func check(in folder: String) throws(PipelineError) {
        guard FileManager.default.fileExists(atPath: folder + Self.name) else { return }
        try check(against: RunFile(folder: folder), folder: folder)
    }

    private func check(against other: RunFile, folder: String) throws(PipelineError) {
        guard let difference = difference(from: other) else { return }
        throw .cannotCreate(
            "\(folder)\(Self.name): the directory holds another batch, with \(difference); choose another directory, or "
                + "--force to start over")
    }

    /// The first difference, as what `other` has and this has not; nil if both make the same images.
    func difference(from other: RunFile) -> String? {
        if !model.isSame(as: other.model) { return "model \(other.model.name) (\(other.model.hash.prefix(10))…)" }
        if decoder != other.decoder { return "another decoder" }
        if initialNoise != other.initialNoise { return "other initial noise" }
        if let mine = framesPerSecond, let theirs = other.framesPerSecond, mine != theirs {
            return "\(theirs) frames a second, not \(mine)"
        }
        if count != other.count { return "\(other.count) images, not \(count)" }
        if variants.count != other.variants.count { return "other options in its list" }
        for (mine, theirs) in zip(variants, other.variants) where mine != theirs {
            if let difference = mine.settings.differences(from: theirs.settings).first { return difference }
            if mine.reuse != theirs.reuse {
                return "\(theirs.evaluations) of \(theirs.evaluationsFull) evaluations an image"
                    + (theirs.planner.map { " by the \($0) planner" } ?? "")
                    + ", not \(mine.evaluations)\(mine.evaluations == theirs.evaluations ? " like these" : "")"
            }
        }
        if list != other.list { return "another list of classes, prompts, seeds or file names" }
        return nil
    }
}

extension SampleItem {
    /// The condition as it enters the list's hash: a class by its number, prompts quoted.
    fileprivate var hashedCondition: String {
        (classID.map { "\($0)" } ?? "\(condition)") + (negative.map { "\t\(Condition.prompt($0))" } ?? "")
    }
}
