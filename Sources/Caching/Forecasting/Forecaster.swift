import Sampling

/// Fills the gaps of a plan: each reused output is a weighted sum of outputs that were evaluated.
///
/// A value without state, which is stored, compared and hashed; ``CachedDenoiser`` keeps the outputs, per image and per
/// branch.
public struct Forecaster: Sendable {
    /// The rules that there are. A new one is a file with a ``ForecastRule``, and a line here.
    static let rules: [any ForecastRule.Type] = [
        HoldRule.self, TaylorRule.self, HermiteRule.self, OmniCacheRule.self, FittedRule.self,
    ]

    /// What is forecast; outputs are converted to it before they are kept, and back.
    public let quantity: ForecastQuantity
    /// What chooses the weights.
    public let rule: any ForecastRule

    /// A forecaster of `quantity` by a rule.
    public init(_ rule: any ForecastRule, of quantity: ForecastQuantity) {
        self.quantity = quantity
        self.rule = rule
    }

    /// The name on the command line, with the parameter that is chosen most often: `taylor:2`.
    public var name: String { rule.name }

    /// Checks that it can fill the gaps of `plan`.
    ///
    /// - Throws: ``PlanError/invalidForecaster(_:)`` when a parameter makes no sense, ``PlanError/doesNotFit(_:)`` when
    ///   it was made for another plan.
    public func check(_ plan: ReusePlan) throws(PlanError) {
        try rule.validate()
        try rule.check(plan)
    }

    /// The sum that replaces the output of `branch` at `call`, where `plan` reuses it; every term was evaluated before.
    public func terms(
        for branch: GuidanceBranches, at call: Int, of calls: [ModelCall], plan: ReusePlan
    ) -> [ForecastTerm] {
        rule.terms(
            for: branch, at: call, of: calls, history: OutputHistory(of: plan, at: call, depth: rule.depth))
    }
}

/// How a forecaster chooses its weights: one for all frequencies or one per frequency band.
public protocol ForecastRule: Codable, Equatable, Sendable {
    /// What files and the command line call it; a rule that is fitted in several ways has a name for each.
    static var kinds: [String] { get }

    /// The parameters that may follow its name on the command line; nil where its weights come from a calibration.
    static var parameters: String? { get }

    /// Reads ``parameters``; nil where its weights come from a calibration.
    ///
    /// - Throws: ``PlanError/invalidForecaster(_:)``.
    static func read(_ parameters: inout ForecastParameters) throws(PlanError) -> Forecaster?

    /// Which of ``kinds`` it is.
    var kind: String { get }

    /// The name on the command line.
    var name: String { get }

    /// How many evaluated outputs of each branch it looks back on, at most.
    var depth: Int { get }

    /// The number of frequency bands with weights of their own; 1 for none.
    var bandCount: Int { get }

    /// Checks the parameters.
    ///
    /// - Throws: ``PlanError/invalidForecaster(_:)``.
    func validate() throws(PlanError)

    /// Checks that it can fill the gaps of `plan`; most rules can fill those of any.
    ///
    /// - Throws: ``PlanError/doesNotFit(_:)`` for a rule that was made for another plan.
    func check(_ plan: ReusePlan) throws(PlanError)

    /// The sum that replaces an output.
    ///
    /// - Parameters:
    ///   - branch: A single branch, reused at `call`.
    ///   - call: The index of the model call.
    ///   - calls: The run's model calls.
    ///   - history: What has been evaluated so far; at least one output of `branch`.
    /// - Returns: Terms of which every source is in `history`.
    func terms(
        for branch: GuidanceBranches, at call: Int, of calls: [ModelCall], history: OutputHistory
    ) -> [ForecastTerm]
}

extension ForecastRule {
    public static var parameters: String? { nil }
    public static func read(_ parameters: inout ForecastParameters) throws(PlanError) -> Forecaster? { nil }
    public var kind: String { Self.kinds[0] }
    public var name: String { kind }
    public var bandCount: Int { 1 }
    public func validate() throws(PlanError) {}
    public func check(_ plan: ReusePlan) throws(PlanError) {}

    fileprivate func isEqual(to other: any ForecastRule) -> Bool { other as? Self == self }
}

/// One summand of a forecast.
public struct ForecastTerm: Equatable, Codable, Sendable {
    /// The branch whose evaluated output is weighted.
    public let branch: GuidanceBranches
    /// The call at which it was evaluated.
    public let call: Int
    /// One weight for all frequencies, or one per frequency band, lowest first.
    public let weights: [Double]

    /// A term with a weight per band.
    public init(branch: GuidanceBranches, call: Int, weights: [Double]) {
        self.branch = branch
        self.call = call
        self.weights = weights
    }

    /// A term with one weight for all frequencies.
    public init(branch: GuidanceBranches, call: Int, weight: Double) {
        self.init(branch: branch, call: call, weights: [weight])
    }
}

/// The calls at which each branch has been evaluated, up to and including the present one.
public struct OutputHistory: Equatable, Sendable {
    private let conditional: [Int]
    private let unconditional: [Int]

    /// The history of `plan` at `call`, of at most `depth` outputs a branch.
    ///
    /// At a call where one branch is evaluated and the other reused, the evaluated one is already part of it.
    public init(of plan: ReusePlan, at call: Int, depth: Int) {
        func last(_ branch: GuidanceBranches) -> [Int] {
            Array((0...call).reversed().lazy.filter { plan.isFull(branch, at: $0) }.prefix(depth))
        }
        conditional = last(.conditional)
        unconditional = last(.unconditional)
    }

    /// The calls at which `branch` was evaluated, newest first.
    public func calls(of branch: GuidanceBranches) -> [Int] {
        branch == .conditional ? conditional : unconditional
    }
}

extension Forecaster: Equatable {
    public static func == (a: Forecaster, b: Forecaster) -> Bool {
        a.quantity == b.quantity && a.rule.isEqual(to: b.rule)
    }
}

/// Coded as one object: the `kind`, the quantity, and the rule's own keys beside them.
extension Forecaster: Codable {
    private enum CodingKeys: String, CodingKey { case kind, quantity }

    public init(from decoder: any Decoder) throws {
        do {
            self = try Self.decoded(from: decoder)
        } catch let error as DecodingError {
            throw PlanError.invalidForecaster("the forecaster cannot be read: \(error.summary)")
        }
        try rule.validate()
    }

    private static func decoded(from decoder: any Decoder) throws -> Forecaster {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        let kind = try fields.decode(String.self, forKey: .kind)
        let quantity = try fields.decode(ForecastQuantity.self, forKey: .quantity)
        guard let type = rules.first(where: { $0.kinds.contains(kind) }) else {
            let known = rules.flatMap { $0.kinds }.joined(separator: ", ")
            throw PlanError.invalidForecaster("no forecaster is called '\(kind)'; there are \(known)")
        }
        return Forecaster(try type.init(from: decoder), of: quantity)
    }

    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(rule.kind, forKey: .kind)
        try fields.encode(quantity, forKey: .quantity)
        try rule.encode(to: encoder)
    }
}

extension DecodingError {
    /// What is wrong with which key, without the decoder's own words.
    fileprivate var summary: String {
        switch self {
        case .keyNotFound(let key, _): "'\(key.stringValue)' is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            context.codingPath.last { $0.intValue == nil }.map { "'\($0.stringValue)' is not what it should be" }
                ?? "it is not an object"
        @unknown default: "it is damaged"
        }
    }
}
