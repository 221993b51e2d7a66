/// The sizes and conventions of a Latte (Ma et al., arXiv 2401.03048): a transformer of clips with the blocks of a DiT,
/// which mix the tokens of a frame and those of a place by turns.
///
/// A value of this type has been validated: its sizes are positive and bounded, and fit one another.
public struct LatteConfig: Equatable, Sendable {
    /// The sizes of the parts: those of a DiT of one frame, with blocks of both kinds. An unconditional model has one class
    /// there, which changes nothing.
    public private(set) var frame: DiTConfig
    /// The number of frames F of a clip.
    public let frames: Int
    /// Whether the class is a condition.
    public let isConditional: Bool
    /// How many frames are shown in a second.
    private var rate: Int

    /// The rate at which the published models' clips are shown.
    private static let usualRate = 8

    /// Makes a configuration of checked values.
    ///
    /// - Throws: ``ConfigProblem`` that names the first value out of bounds.
    public init(
        frame: DiTConfig, frames: Int, isConditional: Bool = true, framesPerSecond: Int? = nil
    ) throws(ConfigProblem) {
        self.frame = frame
        self.frames = frames
        self.isConditional = isConditional
        rate = framesPerSecond ?? Self.usualRate
        guard frame.depth.isMultiple(of: 2) else {
            throw ConfigProblem(
                "depth is \(frame.depth), an odd number; Latte's blocks come in pairs, one over space and one over time"
            )
        }
        try ConfigProblem.check(frames, 1...1 << 10, "num_frames")
        try ConfigProblem.check(rate, 1...1000, "frames_per_second")
    }

    public var framesPerSecond: Int? { rate }

    /// The same without names and recommendations: all that a clip depends on.
    public var conventions: LatteConfig {
        var copy = self
        copy.frame = frame.conventions
        copy.rate = Self.usualRate
        return copy
    }

    /// Which tokens attend to one another, by turns: those of a frame, and those of a place.
    var sequences: [TokenSequences] { .byTurns(frames: frames, tokens: frame.tokens) }
}

extension LatteConfig {
    /// Reads and validates a `config.json` of this family: DiT's keys, and `num_frames`.
    ///
    /// - Throws: ``ModelError`` that names the file and the key at fault.
    init(file: JSONFile) throws(ModelError) {
        self = try file.read { fields throws(ConfigProblem) in
            let classes = try fields.required("num_classes", .whole)
            let names = try fields.optional("class_names", .list(of: .text)) ?? []
            guard classes != 0 || names.count <= 1 else {
                throw ConfigProblem("class_names has \(names.count) names, but num_classes is 0")
            }
            return try LatteConfig(
                frame: DiTConfig(own: fields, numClasses: classes == 0 ? 1 : classes),
                frames: fields.required("num_frames", .whole), isConditional: classes != 0,
                framesPerSecond: fields.optional("frames_per_second", .whole))
        }
    }
}

/// The encoded form is this package's `config.json`.
extension LatteConfig: Encodable {
    private enum CodingKeys: String, CodingKey {
        case architecture
        case frames = "num_frames"
        case numClasses = "num_classes"
        case rate = "frames_per_second"
    }

    public func encode(to encoder: any Encoder) throws {
        try frame.encode(to: encoder)
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(NetworkFamily.latte.name, forKey: .architecture)
        try values.encode(frames, forKey: .frames)
        if !isConditional { try values.encode(0, forKey: .numClasses) }
        try values.encode(rate, forKey: .rate)
    }
}
