import Caching
import Evaluation
import Pipeline

/// What a command would do and cost.
struct DryRun {
    /// What JSON shows.
    private let json: any Encodable
    /// What text shows above the files.
    private let lines: [String]
    /// The files that would be written.
    private let files: [String]

    /// A request to sample.
    init(_ request: SampleRequest) {
        let batch = request.batch
        let first = batch.variants[0]
        self.init(
            settings: first.settings, images: batch.imageCount, variants: batch.variants.count,
            evaluations: first.evaluations, evaluationsFull: first.evaluationsFull, reuse: first.reuse,
            files: batch.targets.flatMap(\.paths))
    }

    /// Images that are sampled.
    ///
    /// - Parameters:
    ///   - settings: the settings of the first image.
    ///   - images: how many images there are.
    ///   - variants: how many settings there are.
    ///   - evaluations: the evaluations of the first image.
    ///   - evaluationsFull: its evaluations when nothing is reused.
    ///   - reuse: what is reused; nil for nothing.
    ///   - files: the files that would be written.
    init(
        settings: SampleSettings, images: Int, variants: Int = 1, evaluations: Int, evaluationsFull: Int,
        reuse: ReuseRecord? = nil, files: [String]
    ) {
        struct Fields: Encodable {
            let steps: Int
            let sampler: String
            let guidanceScale: Double
            let images: Int
            let variants: Int
            let evaluations: Int
            let evaluationsFull: Int
            let plan: ReusePlan?
            let planner: String?
            let forecaster: String?
            let files: [String]
        }
        let sampler = settings.sampler.kind.rawValue
        json = Fields(
            steps: settings.steps, sampler: sampler, guidanceScale: settings.guidanceScale, images: images,
            variants: variants, evaluations: evaluations, evaluationsFull: evaluationsFull, plan: reuse?.decisions,
            planner: reuse?.planner, forecaster: reuse?.forecaster.name, files: files)
        var lines = [
            "\(images.counted("image")), \(settings.steps) steps of \(sampler), guidance \(settings.guidanceScale): "
                + "\(evaluations) of \(evaluationsFull) evaluations per image"
                + (reuse?.hard == nil ? "" : " on average")
        ]
        if variants > 1 { lines.append("and \((variants - 1).counted("other setting")) of the list") }
        if let reuse {
            if let hard = reuse.hard {
                lines += ["hard images:", "\(hard.decisions)", "others:"]
            }
            lines += ["\(reuse.decisions)", "\(reuse.planner) planner, \(reuse.forecaster.name) forecaster"]
        }
        self.lines = lines
        self.files = files
    }

    /// A comparison of strategies; `evaluationsFull` are those of one uncached image.
    init(_ request: ComparisonRequest, evaluationsFull: Int, files: [String]) {
        struct Row: Encodable {
            let budget: Budget
            let strategy: String
            /// The most evaluations of one image.
            let evaluations: Int
        }
        struct Fields: Encodable {
            let images: Int
            let evaluationsFull: Int
            /// The most evaluations of all runs together, without calibrations.
            let evaluations: Int
            let rows: [Row]
            let files: [String]
        }
        let rows = request.budgets.flatMap { budget in
            request.strategies.map {
                Row(budget: budget, strategy: $0.name, evaluations: budget.evaluations(of: evaluationsFull))
            }
        }
        let (images, evaluations) = (request.items.count, request.evaluations(of: evaluationsFull))
        json = Fields(
            images: images, evaluationsFull: evaluationsFull, evaluations: evaluations, rows: rows, files: files)
        lines =
            rows.map { row in
                "\(row.strategy) at \(row.budget.share): at most \(row.evaluations) of \(evaluationsFull) evaluations per "
                    + "image"
            } + [
                "\(images.counted("image")), uncached and in \(rows.count.counted("row")): at most \(evaluations) "
                    + "evaluations, and those of calibrations"
            ]
        self.files = files
    }

    /// Finished batches that are read.
    init(_ batches: [FinishedBatch], files: [String]) {
        struct Fields: Encodable {
            let batches: [String]
            let images: [Int]
            var evaluations = 0
            let files: [String]
        }
        json = Fields(batches: batches.map(\.name), images: batches.map(\.lines.count), files: files)
        lines = batches.map { "\($0.name): \($0.lines.count.counted("image")) to read" }
        self.files = files
    }

    /// Writes it to standard output.
    func print(format: LogFormat) throws {
        switch format {
        case .json: try Terminal.standardOutput.writeResult(json: json)
        case .text: try Terminal.standardOutput.writeResult((lines + files).map { $0 + "\n" }.joined())
        }
    }
}

extension Int {
    /// The number with a noun, which gets an s for any number but 1.
    fileprivate func counted(_ noun: String) -> String { "\(self) \(noun)\(self == 1 ? "" : "s")" }
}
