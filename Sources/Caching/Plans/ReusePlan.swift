import Sampling

/// Which branches are evaluated at which model call; what is not evaluated is reused.
///
/// A plan is made for a whole run before it starts, and is the same for every image.
public struct ReusePlan: Equatable, Sendable {
    /// The branches that are evaluated, one entry per model call.
    public let evaluated: [GuidanceBranches]

    /// The branches of the run.
    public let branches: GuidanceBranches

    /// A plan from its decisions; what is not a branch of the run is dropped.
    public init(evaluated: [GuidanceBranches], branches: GuidanceBranches) {
        self.evaluated = evaluated.map { $0.intersection(branches) }
        self.branches = branches
    }

    /// A plan that decides for both branches alike: `steps[n]` says whether call n is evaluated.
    public init(steps: [Bool], branches: GuidanceBranches) {
        self.init(evaluated: steps.map { $0 ? branches : [] }, branches: branches)
    }

    /// The plan that reuses nothing.
    public static func full(calls: Int, branches: GuidanceBranches) -> ReusePlan {
        ReusePlan(evaluated: Array(repeating: branches, count: calls), branches: branches)
    }

    /// The model calls that it covers.
    public var calls: Int { evaluated.count }

    /// The evaluations that it spends.
    public var evaluations: Int { evaluated.reduce(0) { $0 + $1.count } }

    /// The evaluations of the full run.
    public var fullEvaluations: Int { calls * branches.count }

    /// Whether `branch` is evaluated at `call`.
    public func isFull(_ branch: GuidanceBranches, at call: Int) -> Bool { evaluated[call].contains(branch) }

    /// The calls at which `branch` is evaluated, in order.
    public func fullCalls(of branch: GuidanceBranches) -> [Int] {
        evaluated.indices.filter { evaluated[$0].contains(branch) }
    }

    /// The longest row of calls at which `branch` is reused.
    public func longestReuse(of branch: GuidanceBranches) -> Int {
        var (longest, current) = (0, 0)
        for call in evaluated.indices {
            current = isFull(branch, at: call) ? 0 : current + 1
            longest = max(longest, current)
        }
        return longest
    }
}

/// A plan as text: drawn for people, and coded for files.
extension ReusePlan: CustomStringConvertible {
    /// The decisions about one branch.
    public struct Row: Equatable, Sendable {
        /// The branch's name.
        public let branch: String
        /// One cell per model call: `█` where the branch is evaluated, `·` where it is reused.
        public let cells: String
    }

    /// One row per branch of the run, the conditional one first.
    public var rows: [Row] {
        GuidanceBranches.named.filter { branches.contains($0.branch) }.map { branch, name in
            Row(branch: name, cells: marks(of: branch, full: "█", reused: "·"))
        }
    }

    /// The rows, one per line, with the branches' names before them.
    public var description: String {
        let rows = rows
        let width = rows.map(\.branch.count).max() ?? 0
        return rows.map { row in
            row.branch + String(repeating: " ", count: width - row.branch.count + 2) + row.cells
        }.joined(separator: "\n")
    }

    private func marks(of branch: GuidanceBranches, full: String, reused: String) -> String {
        evaluated.map { $0.contains(branch) ? full : reused }.joined()
    }
}

/// Coded as one string per branch of the run, `F` for full and `R` for reused: `{"conditional": "FRRF"}`.
extension ReusePlan: Codable {
    public init(from decoder: any Decoder) throws {
        let texts = try decoder.singleValueContainer().decode([String: String].self)
        let names = GuidanceBranches.named
        if let unknown = texts.keys.sorted().first(where: { key in !names.contains { $0.name == key } }) {
            throw PlanError.doesNotFit("decisions for '\(unknown)'; the branches are conditional and unconditional")
        }
        var branches: GuidanceBranches = []
        var evaluated: [GuidanceBranches]?
        for (branch, name) in names {
            guard let text = texts[name] else { continue }
            branches.formUnion(branch)
            let calls = evaluated ?? Array(repeating: [], count: text.utf8.count)
            guard calls.count == text.utf8.count, text.utf8.allSatisfy({ "FR".utf8.contains($0) }) else {
                throw PlanError.doesNotFit(
                    "the decisions of the \(name) branch must be F or R, as many as there are model calls")
            }
            evaluated = zip(calls, text.utf8).map { $1 == UInt8(ascii: "F") ? $0.union(branch) : $0 }
        }
        guard let evaluated, let first = evaluated.first, first == branches, branches.contains(.conditional) else {
            throw PlanError.doesNotFit("a plan needs decisions, those of the conditional branch too, and begins with F")
        }
        self.init(evaluated: evaluated, branches: branches)
    }

    public func encode(to encoder: any Encoder) throws {
        let texts = GuidanceBranches.named.filter { branches.contains($0.branch) }.map { branch, name in
            (name, marks(of: branch, full: "F", reused: "R"))
        }
        var container = encoder.singleValueContainer()
        try container.encode(Dictionary(uniqueKeysWithValues: texts))
    }
}

extension GuidanceBranches {
    /// Each branch with its name in texts and files.
    static let named: [(branch: GuidanceBranches, name: String)] = [
        (.conditional, "conditional"), (.unconditional, "unconditional"),
    ]
}

/// A single branch is coded by its name.
extension GuidanceBranches: Codable {
    public init(from decoder: any Decoder) throws {
        let name = try decoder.singleValueContainer().decode(String.self)
        guard let found = Self.named.first(where: { $0.name == name }) else {
            throw PlanError.invalidForecaster("no branch is called '\(name)'; there are conditional and unconditional")
        }
        self = found.branch
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self == .conditional ? "conditional" : "unconditional")
    }
}
