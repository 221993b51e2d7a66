import Pipeline

/// What looking at finished batches would do.
struct BatchDryRun: Encodable {
    private let batches: [String]
    /// The images of each batch.
    private let images: [Int]
    private let evaluations = 0
    private let files: [String]

    init(_ batches: [FinishedBatch], files: [String]) {
        self.batches = batches.map(\.name)
        images = batches.map(\.lines.count)
        self.files = files
    }

    /// Writes it to standard output.
    func print(format: LogFormat) throws {
        switch format {
        case .json:
            try Terminal.standardOutput.writeResult(json: self)
        case .text:
            let lines = zip(batches, images).map { "\($0): \($1) \($1 == 1 ? "image" : "images") to read" }
            try Terminal.standardOutput.writeResult((lines + files).map { $0 + "\n" }.joined())
        }
    }
}
