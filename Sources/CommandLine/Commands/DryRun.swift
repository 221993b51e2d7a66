import Caching
import Pipeline

/// What a request would do and cost.
struct DryRun: Encodable {
    private let steps: Int
    private let sampler: String
    private let guidanceScale: Double
    private let images: Int
    /// How many settings there are; the others' numbers are those of the first.
    private let variants: Int
    /// Evaluations of one image.
    private let evaluations: Int
    /// Evaluations of one image when nothing is reused.
    private let evaluationsFull: Int
    /// What is evaluated when, branch by branch; nil when nothing is reused.
    private let plan: ReusePlan?
    private let planner: String?
    private let forecaster: String?
    private let files: [String]

    init(request: SampleRequest) {
        let batch = request.batch
        let first = batch.variants[0]
        steps = first.settings.steps
        sampler = first.settings.sampler.kind.rawValue
        guidanceScale = first.settings.guidanceScale
        images = batch.imageCount
        variants = batch.variants.count
        evaluations = first.evaluations
        evaluationsFull = first.evaluationsFull
        plan = first.reuse?.decisions
        planner = first.reuse?.planner
        forecaster = first.reuse?.forecaster.name
        files = batch.targets.compactMap(\.path)
    }

    /// Runs in which nothing is reused.
    init(settings: SampleSettings, images: Int, evaluations: Int, files: [String]) {
        steps = settings.steps
        sampler = settings.sampler.kind.rawValue
        guidanceScale = settings.guidanceScale
        self.images = images
        variants = 1
        self.evaluations = evaluations
        evaluationsFull = evaluations
        plan = nil
        planner = nil
        forecaster = nil
        self.files = files
    }

    /// Writes it to standard output.
    func print(format: LogFormat) throws {
        switch format {
        case .json:
            try Terminal.standardOutput.writeResult(json: self)
        case .text:
            let rows = plan.map { "\($0)\n\(planner ?? "") planner, \(forecaster ?? "") forecaster\n" } ?? ""
            let cost = "\(evaluations) of \(evaluationsFull) evaluations an image"
            try Terminal.standardOutput.writeResult(
                "\(images) \(images == 1 ? "image" : "images"), \(steps) steps of \(sampler), guidance \(guidanceScale): \(cost)\n"
                    + (variants > 1 ? "and \(variants - 1) more settings of the list's own\n" : "") + rows
                    + files.map { $0 + "\n" }.joined())
        }
    }
}
