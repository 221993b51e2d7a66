import Caching
import Evaluation

/// What a comparison would do and cost.
struct ComparisonDryRun: Encodable {
    private let images: Int
    /// The evaluations of one uncached image.
    private let evaluationsFull: Int
    /// The most evaluations of all runs together; calibrating some strategies costs more.
    private let evaluations: Int
    private let rows: [Row]
    private let files: [String]

    private struct Row: Encodable {
        let budget: Budget
        let strategy: String
        /// The most evaluations of one image.
        let evaluations: Int
    }

    init(request: ComparisonRequest, evaluationsFull: Int, files: [String]) {
        images = request.items.count
        self.evaluationsFull = evaluationsFull
        evaluations = request.evaluations(of: evaluationsFull)
        rows = request.budgets.flatMap { budget in
            request.strategies.map {
                Row(budget: budget, strategy: $0.name, evaluations: budget.evaluations(of: evaluationsFull))
            }
        }
        self.files = files
    }

    /// Writes it to standard output.
    func print(format: LogFormat) throws {
        switch format {
        case .json:
            try Terminal.standardOutput.writeResult(json: self)
        case .text:
            let lines = rows.map { row in
                "\(row.strategy) at \(row.budget.share): at most \(row.evaluations) of \(evaluationsFull) evaluations an "
                    + "image"
            }
            let total =
                "\(images) \(images == 1 ? "image" : "images"), uncached and under \(rows.count) "
                + "\(rows.count == 1 ? "row" : "rows"): at most \(evaluations) evaluations, and what calibrating takes"
            try Terminal.standardOutput.writeResult((lines + [total] + files).map { $0 + "\n" }.joined())
        }
    }
}
