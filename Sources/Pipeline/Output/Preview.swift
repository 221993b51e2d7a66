import Compute
import FoundationEssentials
import Media
import Models
import Sampling

/// A picture, or a clip, of a run's current estimate of the clean sample, written every few steps.
///
/// It is written beside the picture's file, in place of a file of that name, and removed with ``remove()``.
public final class Preview {
    /// The file.
    public let path: String

    private let interval: Int
    private let decoder: any LatentDecoder
    private let predictionType: PredictionType
    private let clean: Tensor
    private var isWritten = false

    /// - Parameters:
    ///   - interval: how many steps lie between two previews, at least 1.
    ///   - path: the path of the picture that is being made.
    ///   - decoder: what turns latents into a picture.
    ///   - predictionType: what the model's outputs say.
    ///   - shape: the latents' shape.
    public init(
        every interval: Int, of path: String, decoder: any LatentDecoder, predictionType: PredictionType, shape: [Int]
    ) {
        precondition(interval > 0, "a preview every \(interval) steps")
        self.interval = interval
        self.path = Self.stem(of: path) + ".preview.png"
        self.decoder = decoder
        self.predictionType = predictionType
        clean = Tensor(shape)
    }

    /// Does the run's next model call, and makes the preview if it is time for one.
    ///
    /// - Returns: the step; nil when the sample is complete.
    /// - Throws: what the run, the decoder or the file throws.
    public func next(of run: inout SamplingRun) throws -> SamplingRun.Step? {
        clean.copy(from: run.latents)
        guard let step = try run.next() else { return nil }
        let (number, isFirstCall) = (
            step.call.step + 1, step.index == 0 || run.calls[step.index - 1].step != step.call.step
        )
        guard isFirstCall, number.isMultiple(of: interval), step.index + 1 < step.count else { return step }
        let sum = predictionType.clean(at: step.call.level)
        let output = run.guided.values
        for i in 0..<clean.count {
            clean.values[i] = Float(sum.state * Double(clean.values[i]) + sum.output * Double(output[i]))
        }
        let picture = try PNGWriter.encode(Clip(decoder.decode(clean)))
        try AtomicFile.writeResult(picture, to: path, replaces: true)
        isWritten = true
        return step
    }

    /// The path without its ending.
    private static func stem(of path: String) -> String {
        guard let dot = path.lastIndex(of: "."), !path[dot...].contains("/") else { return path }
        return String(path[..<dot])
    }

    /// Removes the file, if it was written.
    public func remove() {
        guard isWritten else { return }
        try? FileManager.default.removeItem(atPath: path)
    }
}
