import FoundationEssentials
import Pipeline

/// What a request would do and cost.
struct DryRun: Encodable {
    private let steps: Int
    private let sampler: String
    private let guidanceScale: Double
    private let images: Int
    /// Evaluations of one image.
    private let evaluations: Int
    /// Evaluations of one image when nothing is reused.
    private let evaluationsFull: Int
    private let files: [String]

    init(request: SampleRequest) {
        self.init(
            settings: request.settings, images: request.work.items.count, evaluations: request.evaluations,
            files: request.targets.compactMap(\.path))
    }

    /// Runs in which nothing is reused.
    init(settings: SampleSettings, images: Int, evaluations: Int, files: [String]) {
        steps = settings.steps
        sampler = settings.sampler.kind.rawValue
        guidanceScale = settings.guidanceScale
        self.images = images
        self.evaluations = evaluations
        evaluationsFull = evaluations
        self.files = files
    }

    /// Writes it to standard output.
    func print(format: LogFormat) throws {
        switch format {
        case .json:
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            try Terminal.standardOutput.writeResult(String(decoding: encoder.encode(self), as: UTF8.self) + "\n")
        case .text:
            let cost = "\(evaluations) of \(evaluationsFull) evaluations an image"
            try Terminal.standardOutput.writeResult(
                "\(images) \(images == 1 ? "image" : "images"), \(steps) steps of \(sampler), guidance \(guidanceScale): \(cost)\n"
                    + files.map { $0 + "\n" }.joined())
        }
    }
}
