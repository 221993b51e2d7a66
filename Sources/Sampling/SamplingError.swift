/// What can be wrong with a request to sample: each description is one line that says what to do about it.
public enum SamplingError: Error, Equatable, Sendable {
    /// A field of the diffusion process (or of the sampler's options) has a value that cannot be used.
    case invalidField(name: String, found: String, expected: String)
    /// A field that belongs to the other family of processes is present.
    case misplacedField(name: String, predictionType: PredictionType)
    /// The number of steps is not within what the schedule and the spacing allow.
    case stepsOutOfRange(steps: Int, limits: ClosedRange<Int>, spacing: TimestepSpacing)
    /// The offset pushes timesteps beyond the schedule.
    case offsetOutOfRange(offset: Int, limit: Int)
    /// The sampler does not work for models of this prediction type.
    case unsupportedPrediction(SamplerKind, PredictionType)
    /// The spacing has no meaning for models of this prediction type.
    case unsupportedSpacing(TimestepSpacing, PredictionType)
    /// An option was set that the chosen sampler does not have.
    case unusedOption(name: String, sampler: SamplerKind, usedBy: [SamplerKind])
    /// The guidance scale is infinite or not a number.
    case guidanceScaleNotFinite(Double)
    /// The number of guided channels is below 1, or more than the latents have (`limit`, if known by then).
    case guidedChannelsOutOfRange(Int, limit: Int?)
    /// The sampler needs a learned variance, and the model has none.
    case noLearnedVariance
}

extension SamplingError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .invalidField(let name, let found, let expected):
            "\(name) is \(found); expected \(expected)"
        case .misplacedField(let name, let type):
            "\(name) has no meaning for a model whose prediction_type is \(type.rawValue); remove it"
        case .stepsOutOfRange(let steps, let limits, let spacing):
            "steps is \(steps); \(spacing.rawValue) spacing takes \(limits.lowerBound) to \(limits.upperBound)"
        case .offsetOutOfRange(let offset, let limit):
            "the steps offset is \(offset); with this many steps it can be 0 to \(limit)"
        case .unsupportedPrediction(let kind, let type):
            "sampler \(kind.rawValue) does not work for \(type.rawValue) models; use "
                + SamplerKind.allCases.filter { $0.supports(type) }.map(\.rawValue).joined(separator: ", ")
        case .unsupportedSpacing(let spacing, let type):
            "\(spacing.rawValue) spacing does not work for \(type.rawValue) models; use "
                + TimestepSpacing.allCases.filter { $0.supports(type) }.map(\.rawValue).joined(separator: ", ")
        case .unusedOption(let name, let sampler, let usedBy):
            "sampler \(sampler.rawValue) has no \(name.words); leave it at its default, or use "
                + usedBy.map(\.rawValue).joined(separator: ", ")
        case .guidanceScaleNotFinite(let scale):
            "the guidance scale is \(scale); give a finite number, 1 for no guidance"
        case .guidedChannelsOutOfRange(let channels, let limit):
            "the number of guided channels is \(channels); expected 1 to "
                + (limit.map { "\($0), as the latents have" } ?? "the number that the latents have")
        case .noLearnedVariance:
            "this model has no learned variance; use the ddpm variance fixed_small or fixed_large"
        }
    }
}

extension String {
    /// A name of several words that are joined by capital letters, as these words.
    fileprivate var words: String {
        reduce(into: "") { text, letter in text += letter.isUppercase ? " " + letter.lowercased() : String(letter) }
    }
}
