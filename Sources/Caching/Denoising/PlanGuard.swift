import Compute
import Sampling

/// When an image is looked at, and what makes it a hard one.
///
/// A few images stand between two pictures in their early steps. Where they do, the model's estimate of the clean picture
/// moves more than usual, and not everywhere but in one place: what the rule looks at is the largest change in any of
/// 8 x 8 blocks of the picture (``change(from:to:)``). It comes from outputs that are evaluated anyway.
public struct GuardRule: Codable, Equatable, Sendable {
    /// The model call after which it is decided; the conditional branch is evaluated there.
    public let call: Int
    /// Images whose change is larger are hard.
    public let threshold: Double

    /// Joins the two.
    public init(call: Int, threshold: Double) {
        self.call = call
        self.threshold = threshold
    }

    /// Decisions are made in this share of a run: later ones come too late for the images that turn into others.
    private static let share = 1.0 / 16

    /// The call after which images under `plan` are to be looked at: the last one in the first sixteenth of the run that
    /// evaluates the conditional branch. nil where only the first call does.
    public static func call(for plan: ReusePlan) -> Int? {
        plan.fullCalls(of: .conditional).last { Double($0) < Self.share * Double(plan.calls) }.flatMap {
            $0 > 0 ? $0 : nil
        }
    }

    /// The threshold above which `share` of images with these changes are.
    public static func threshold(over share: Double, of changes: [Double]) -> Double {
        precondition(!changes.isEmpty && (0...1).contains(share), "a share of some images")
        let sorted = changes.sorted(by: >)
        let above = Int((share * Double(sorted.count)).rounded())
        // Between the last one above and the first one below.
        let (low, high) = (sorted[min(above, sorted.count - 1)], sorted[max(above - 1, 0)])
        return above == 0 ? high : (low + high) / 2
    }

    /// How many blocks there are along each side.
    private static let blocks = 8

    /// The largest sum of squared differences in a block: the last two dimensions are cut into 8 parts each (fewer where
    /// they are shorter), and all channels and frames are added up.
    static func change(from old: Tensor, to new: Tensor) -> Double {
        let (height, width) = (new.shape[new.shape.count - 2], new.shape[new.shape.count - 1])
        var sums = [Double](repeating: 0, count: blocks * blocks)
        let (a, b) = (old.values, new.values)
        for i in 0..<b.count {
            let (row, column) = (i / width % height, i % width)
            let difference = Double(b[i]) - Double(a[i])
            sums[row * blocks / height * blocks + column * blocks / width] += difference * difference
        }
        return sums.max() ?? 0
    }
}

/// A second plan, for the images that are found hard during the run.
///
/// Both plans evaluate the same and forecast the same until the decision, so that an image is the one that its plan alone
/// would have made.
public struct PlanGuard: Equatable, Sendable {
    /// When it is decided, and how.
    public let rule: GuardRule
    /// What is evaluated of hard images.
    public let plan: ReusePlan
    /// What fills its gaps.
    public let forecaster: Forecaster

    /// Joins the parts.
    public init(rule: GuardRule, plan: ReusePlan, forecaster: Forecaster) {
        self.rule = rule
        self.plan = plan
        self.forecaster = forecaster
    }

    /// Checks that runs of a light plan can go on with ``plan``.
    ///
    /// - Throws: ``PlanError/doesNotFit(_:)`` where the two differ before the decision, or fill gaps in another way.
    public func check(from light: ReusePlan, _ forecaster: Forecaster) throws(PlanError) {
        guard light.calls == plan.calls, light.branches == plan.branches, (0..<light.calls).contains(rule.call),
            rule.threshold.isFinite, light.isFull(.conditional, at: rule.call),
            light.evaluated[...rule.call] == plan.evaluated[...rule.call]
        else { throw .doesNotFit("the plan for hard images is not the other one until call \(rule.call)") }
        guard let (a, b) = Self.rules(forecaster, self.forecaster), forecaster.quantity == self.forecaster.quantity,
            a.depth == b.depth, a.bandCount == b.bandCount,
            a.entries(upTo: rule.call) == b.entries(upTo: rule.call)
        else { throw .doesNotFit("the forecasts for hard images are not the other ones until call \(rule.call)") }
        try self.forecaster.check(plan)
    }

    private static func rules(_ a: Forecaster, _ b: Forecaster) -> (FittedRule, FittedRule)? {
        guard let a = a.rule as? FittedRule, let b = b.rule as? FittedRule else { return nil }
        return (a, b)
    }
}

/// The plans that images choose between, and by what.
public struct GuardedPlans: Codable, Equatable, Sendable {
    /// When it is decided, and how.
    public let rule: GuardRule
    /// The plan of most images.
    public let light: ReusePlan
    /// That of hard ones, which is the same until the decision.
    public let heavy: ReusePlan
    /// How many images the threshold comes from.
    public let images: Int

    /// Joins the parts.
    public init(rule: GuardRule, light: ReusePlan, heavy: ReusePlan, images: Int) {
        self.rule = rule
        self.light = light
        self.heavy = heavy
        self.images = images
    }
}

extension ReusePlan {
    /// This plan until `call`, which is included, and then another one.
    public func joined(with other: ReusePlan, after call: Int) -> ReusePlan {
        ReusePlan(
            evaluated: Array(evaluated[...call] + other.evaluated[(call + 1)...]), branches: branches)
    }
}

extension Forecaster {
    /// The fitted sums of this one until `call`, which is included, and then those of another one; nil where one of them is
    /// not fitted, or they differ in more than their sums.
    public func joined(with other: Forecaster, after call: Int) -> Forecaster? {
        guard let first = rule as? FittedRule, let second = other.rule as? FittedRule, quantity == other.quantity,
            first.depth == second.depth, first.bandCount == second.bandCount
        else { return nil }
        return .fitted(
            name: second.fit, quantity: quantity, depth: first.depth, bandCount: first.bandCount,
            entries: first.entries(upTo: call) + second.entries.filter { $0.call > call })
    }
}

extension FittedRule {
    /// What is forecast until `call`.
    fileprivate func entries(upTo call: Int) -> [Entry] { entries.filter { $0.call <= call } }
}
