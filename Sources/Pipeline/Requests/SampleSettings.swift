import Compute
import Models
import Sampling

/// What all images of a request share.
public struct SampleSettings: Codable, Equatable, Sendable {
    /// The number of steps.
    public var steps: Int
    /// The sampler with all its options.
    public var sampler: SamplerOptions
    /// The scale of classifier-free guidance; 1 is unguided.
    public var guidanceScale: Double
    /// How many channels are guided, the first ones; nil for all.
    public var guidedChannels: Int?
    /// The size of the pictures; nil for the model's own.
    public var size: PictureSize?
    /// What multiplies, and how precisely; the standard is left out, so that its files and hashes have no new field.
    private var otherArithmetic: Arithmetic?

    private enum CodingKeys: String, CodingKey {
        case steps, sampler, guidanceScale, guidedChannels, size
        case otherArithmetic = "arithmetic"
    }

    /// Joins the settings; they are checked against a model when it is opened.
    public init(
        steps: Int, sampler: SamplerOptions, guidanceScale: Double, guidedChannels: Int? = nil,
        arithmetic: Arithmetic = .standard
    ) {
        self.steps = steps
        self.sampler = sampler
        self.guidanceScale = guidanceScale
        self.guidedChannels = guidedChannels
        self.arithmetic = arithmetic
    }

    /// What multiplies, and how precisely.
    public var arithmetic: Arithmetic {
        get { otherArithmetic ?? .standard }
        set { otherArithmetic = newValue == .standard ? nil : newValue }
    }

    /// The same with another engine or precision.
    public func computed(by arithmetic: Arithmetic) -> SampleSettings {
        var settings = self
        settings.arithmetic = arithmetic
        return settings
    }

    /// How the branches' outputs become one.
    ///
    /// - Throws: ``SamplingError`` when scale or channels make no sense.
    public var guidance: Guidance {
        get throws(SamplingError) { try Guidance(scale: guidanceScale, channels: guidedChannels) }
    }

    /// Where `other` differs, such as "30 steps, not 50".
    func differences(from other: SampleSettings) -> [String] {
        let (kind, otherKind) = (sampler.kind.rawValue, other.sampler.kind.rawValue)
        let samplers = kind == otherKind ? "other options of the sampler \(kind)" : "sampler \(otherKind), not \(kind)"
        return [
            steps == other.steps ? nil : "\(other.steps) steps, not \(steps)",
            sampler == other.sampler ? nil : samplers,
            guidanceScale == other.guidanceScale ? nil : "guidance \(other.guidanceScale), not \(guidanceScale)",
            guidedChannels == other.guidedChannels ? nil : "guidance of other channels",
            size == other.size ? nil : "pictures of \(other.size.inWords), not \(size.inWords)",
            arithmetic == other.arithmetic ? nil : "computed by \(other.arithmetic), not \(arithmetic)",
        ].compactMap(\.self)
    }
}

/// The size of a picture, in pixels.
public struct PictureSize: Codable, Hashable, Sendable {
    public let width, height: Int

    public init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }
}

extension PictureSize? {
    fileprivate var inWords: String { map { "\($0.width) x \($0.height)" } ?? "the model's own size" }
}

/// One image of a request.
public struct SampleItem: Equatable, Sendable {
    /// What it should show.
    public let condition: Condition
    /// The seed of its own generator.
    public let seed: UInt32
    /// The prompt of the unconditional branch, what the image should not show; nil for the null condition.
    public let negative: String?

    /// Joins a condition and a seed.
    public init(condition: Condition, seed: UInt32, negative: String? = nil) {
        self.condition = condition
        self.seed = seed
        self.negative = negative
    }

    /// Joins a class and a seed.
    public init(classID: Int, seed: UInt32) {
        self.init(condition: .label(classID), seed: seed)
    }

    /// The class; nil for a prompt.
    public var classID: Int? {
        if case .label(let label) = condition { label } else { nil }
    }
}

extension SampleItem: Codable {
    private enum CodingKeys: String, CodingKey {
        case classID = "class"
        case prompt
        case seed
        case negative = "negativePrompt"
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        seed = try values.decode(UInt32.self, forKey: .seed)
        negative = try values.decodeIfPresent(String.self, forKey: .negative)
        if let prompt = try values.decodeIfPresent(String.self, forKey: .prompt) {
            condition = .prompt(prompt)
        } else {
            condition = .label(try values.decode(Int.self, forKey: .classID))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        switch condition {
        case .label(let label): try values.encode(label, forKey: .classID)
        case .prompt(let text): try values.encode(text, forKey: .prompt)
        case .null: break
        }
        try values.encode(seed, forKey: .seed)
        try values.encodeIfPresent(negative, forKey: .negative)
    }
}
