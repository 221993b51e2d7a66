import FoundationEssentials

/// Everything that makes an image what it is: stored in the file, hashed to recognise it, and enough to make it again.
public struct ImageRecord: Codable, Equatable, Sendable {
    /// The format of this record.
    public static let currentSchema = "omnicache.image/1"

    /// The model that was used.
    public struct Model: Codable, Equatable, Sendable {
        /// The model directory's name.
        public let name: String
        /// The SHA-256 of its weights.
        public let hash: String
        /// The SHA-256 of what its `config.json` says, names and recommendations aside.
        public let configuration: String

        /// Joins a name and the hashes.
        public init(name: String, hash: String, configuration: String) {
            self.name = name
            self.hash = hash
            self.configuration = configuration
        }

        /// Whether both make the same images: a renamed directory holds the same model.
        public func isSame(as other: Model) -> Bool {
            hash == other.hash && configuration == other.configuration
        }
    }

    /// What turned the latents into a picture.
    public struct Decoder: Codable, Equatable, Sendable {
        /// The kind of autoencoder.
        public let name: String
        /// The SHA-256 of its configuration and weights.
        public let hash: String
    }

    /// The format of this record.
    public let schema: String
    /// The model.
    public fileprivate(set) var model: Model
    /// The sampler and its settings.
    public let settings: SampleSettings
    /// The images in the file: one, or those of a grid in order.
    public fileprivate(set) var items: [SampleItem]
    /// The columns of a grid; nil for a single image.
    public let columns: Int?
    /// The SHA-256 of the numbers of an initial noise that came from a file; nil when the seed made the noise.
    public let initialNoise: String?
    /// What was reused; nil for a run that evaluates everything.
    public fileprivate(set) var reuse: ReuseRecord?
    /// What made the picture of the latents; nil where these are pixels.
    public let decoder: Decoder?
    /// The rate of a clip; nil for a picture that stands still.
    public let framesPerSecond: Int?
    /// Which frame of a clip the file holds, from 0; nil for a file that holds all of it.
    public private(set) var frame: Int?

    /// Joins the parts.
    public init(
        model: Model, settings: SampleSettings, items: [SampleItem], columns: Int? = nil, initialNoise: String? = nil,
        reuse: ReuseRecord? = nil, decoder: Decoder? = nil, framesPerSecond: Int? = nil
    ) {
        schema = Self.currentSchema
        self.model = model
        self.settings = settings
        self.items = items
        self.columns = columns
        self.initialNoise = initialNoise
        self.reuse = reuse
        self.decoder = decoder
        self.framesPerSecond = framesPerSecond
    }

    /// The SHA-256 of the record's canonical JSON: equal exactly for requests that make the same image.
    ///
    /// The model's name is left out, since a renamed directory holds the same model, and so are the budget and the
    /// planner, which say no more than the decisions that they led to.
    public var settingsHash: String { SHA256.hexadecimal(CanonicalJSON.data(hashed)) }

    /// The record of an image that has chosen between two plans.
    func decided(isHard: Bool) -> ImageRecord {
        var record = self
        record.reuse = reuse?.decided(isHard: isHard)
        return record
    }

    /// The record of a file that holds one frame of the clip.
    func frame(_ index: Int) -> ImageRecord {
        var record = self
        record.frame = index
        return record
    }

    /// The part that is hashed.
    var hashed: ImageRecord {
        var record = self
        record.model = Model(name: "", hash: model.hash, configuration: model.configuration)
        record.reuse = reuse?.essence
        return record
    }
}

/// Settings hashes of many images that differ in class and seed only, at a fraction of the cost of one record each.
public struct SettingsHasher: Sendable {
    private static let noItems = "\"items\":[]"

    private let head: [UInt8]
    private let tail: [UInt8]

    /// A hasher for single images made as `record` says, whatever its items.
    public init(_ record: ImageRecord) {
        var template = record
        template.items = []
        let text = String(decoding: CanonicalJSON.data(template.hashed), as: UTF8.self)
        // Quotes within texts are escaped, so this can only be the record's own key.
        let parts = text.split(separator: Self.noItems, maxSplits: 1, omittingEmptySubsequences: false)
        precondition(parts.count == 2, "a record without items")
        head = Array("\(parts[0])\"items\":[".utf8)
        tail = Array("]\(parts[1])".utf8)
    }

    /// The ``ImageRecord/settingsHash`` of the record with this item alone.
    public func hash(of item: SampleItem) -> String {
        SHA256.hexadecimal(head + CanonicalJSON.data(item) + tail)
    }
}
