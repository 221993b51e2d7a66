/// A set of guidance branches: the ways in which the model is asked about the same latents.
public struct GuidanceBranches: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// The model is told the class.
    public static let conditional = GuidanceBranches(rawValue: 1 << 0)

    /// The model is given the null class.
    public static let unconditional = GuidanceBranches(rawValue: 1 << 1)

    /// The number of evaluations that the set costs.
    public var count: Int { rawValue.nonzeroBitCount }
}
