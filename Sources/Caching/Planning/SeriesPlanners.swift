/// The planner of the paper (OmniCache, arXiv 2508.16212): reuses where the sampling path bends least, over the whole
/// run, and never three steps in a row.
///
/// The paper does not say how reuse is kept from gathering in one place. Our reading: the run is cut into stages of
/// about ten calls, each is reused in equal parts, and within a stage the straightest calls are.
public struct CurvaturePlanner: Planner {
    public var name: String { PlannerKind.curvature.rawValue }

    /// The most steps in a row that the paper's rule lets be reused.
    public static let longestReuse = 2

    private static let callsPerStage = 10

    /// The curvature of the path at each call; that of the first call is not used.
    private let curvature: [Double]

    /// A planner for runs along a path of the given curvature, one number per model call.
    public init(curvature: [Double]) {
        self.curvature = curvature
    }

    public func plan(_ request: PlanRequest) throws(PlanError) -> ReusePlan {
        try request.check(curvature, "curvature")
        let rules = PlanRules(request, longestReuse: Self.longestReuse)
        let count = try rules.fullCalls(for: request, planner: name)
        // Near the smallest budget the cap alone says where the full calls go, and equal parts may be out of reach.
        let free = rules.isForced.count { !$0 }
        for stages in (1...max(1, (free + Self.callsPerStage / 2) / Self.callsPerStage)).reversed() {
            let ranges = Self.ranges(rules, count: count, stages: stages)
            if let steps = rules.choose(count, values: [0] + curvature.dropFirst(), ranges: ranges) {
                return ReusePlan(steps: steps, branches: request.branches)
            }
        }
        preconditionFailure("\(count) full calls keep the rules")
    }

    /// Where the k-th full call lies when each stage gets its part of those that are not forced.
    private static func ranges(_ rules: PlanRules, count: Int, stages: Int) -> [Range<Int>] {
        let free = rules.isForced.indices.filter { !rules.isForced[$0] }
        let forced = rules.isForced.count - free.count
        var ranges: [Range<Int>] = []
        var start = 0
        for stage in 1...stages {
            let boundary = stage * free.count / stages
            let end = stage == stages ? rules.isForced.count : free[boundary]
            let share = Double((count - forced) * boundary) / Double(max(free.count, 1))
            let total = rules.isForced[..<end].count { $0 } + Int(share.rounded())
            ranges += Array(repeating: start..<end, count: max(0, total - ranges.count))
            start = end
        }
        return ranges
    }
}

extension PlanRequest {
    /// Checks that a series has a finite number for each call.
    func check(_ series: [Double], _ name: String) throws(PlanError) {
        guard series.count == calls.count else {
            throw .doesNotFit("a \(name) of \(series.count) numbers for a run of \(calls.count) model calls")
        }
        if let call = series.dropFirst().firstIndex(where: { !$0.isFinite }) {
            throw .doesNotFit("the \(name) at model call \(call) is \(series[call]), not a finite number")
        }
    }
}

/// Reuses where the model's output changes least from one call to the next.
///
/// The similarity-driven rule of earlier caches, and the counter-example of the OmniCache paper (arXiv 2508.16212): the
/// outputs are most alike late in the run, where nothing can correct what reuse brings in.
public struct LatePlanner: Planner {
    public var name: String { PlannerKind.late.rawValue }

    /// The relative change of the output at each call against the call before; that of the first is not used.
    private let change: [Double]

    /// A planner for runs whose outputs change as given, one number per model call.
    public init(change: [Double]) {
        self.change = change
    }

    public func plan(_ request: PlanRequest) throws(PlanError) -> ReusePlan {
        try request.check(change, "change of the output")
        let rules = PlanRules(request)
        let count = try rules.fullCalls(for: request, planner: name)
        guard let steps = rules.choose(count, values: [0] + change.dropFirst()) else {
            preconditionFailure("\(count) full calls keep the rules")
        }
        return ReusePlan(steps: steps, branches: request.branches)
    }
}

extension PlannerKind {
    /// ``CurvaturePlanner``.
    public static let curvature = PlannerKind("curvature", forecaster: .omnicache) {
        CurvaturePlanner(curvature: try $0().path.curvature)
    }

    /// ``LatePlanner``.
    public static let late = PlannerKind("late") { LatePlanner(change: try $0().path.change) }
}
