import Sampling

/// Says how a reused output is put together from outputs that were evaluated.
///
/// Every forecaster is a weighted sum of evaluated outputs, with one weight for all frequencies or one per frequency
/// band. It is a value without state: ``CachedDenoiser`` keeps the outputs, per image and per branch.
public protocol Forecaster: Sendable {
    /// The name on the command line.
    var name: String { get }

    /// What is forecast; outputs are converted before they are kept, and back.
    var quantity: ForecastQuantity { get }

    /// How many evaluated outputs of each branch it looks back on, at most.
    var depth: Int { get }

    /// The number of frequency bands that its weights tell apart; 1 for none.
    var bandCount: Int { get }

    /// The sum that stands for the output of `branch` at `call`.
    ///
    /// - Parameters:
    ///   - branch: A single branch, reused at `call`.
    ///   - call: The index of the model call.
    ///   - history: What has been evaluated so far; at least one output of `branch`.
    /// - Returns: Terms of which every source is in `history`.
    func terms(for branch: GuidanceBranches, at call: Int, history: OutputHistory) -> [ForecastTerm]

    /// Checks that it can fill the gaps of `plan`; most can fill those of any.
    ///
    /// - Throws: ``PlanError/doesNotFit(_:)`` for one that was fitted for another plan.
    func check(_ plan: ReusePlan) throws(PlanError)
}

extension Forecaster {
    public func check(_ plan: ReusePlan) throws(PlanError) {}
}

/// One summand of a forecast.
public struct ForecastTerm: Equatable, Sendable {
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
