import Compute
import FoundationEssentials
import Media
import Models

/// Latents and initial noise in safetensors files, so that a run can be checked against another implementation.
public struct LatentFile: Equatable, Sendable {
    /// The name of the only tensor that is written, and the one that is looked for first.
    static let tensorName = "latents"
    /// The metadata under which the settings hash of the run is written.
    static let hashName = "omnicache settings"

    /// Where the latents go.
    public let path: String
    /// Whether another file at this path is replaced.
    public let replaces: Bool

    /// Joins a path and a policy.
    public init(path: String, replaces: Bool) {
        self.path = path
        self.replaces = replaces
    }

    /// Whether the latents of this run exist already.
    ///
    /// - Throws: ``PipelineError/cannotCreate(_:)`` when another file is in the way or the directory is not writable.
    public func standing(for record: ImageRecord) throws(PipelineError) -> Standing {
        try Standing(of: path, hash: record.settingsHash, replaces: replaces) { path in
            (try? SafetensorsFile(path: path))?.metadata[Self.hashName]
        }
    }

    /// Writes the final latents of a run under the name `latents`, whole or not at all.
    public func write(_ latents: Tensor, record: ImageRecord) throws {
        let bytes = SafetensorsWriter.bytes(
            [(Self.tensorName, latents)], metadata: [Self.hashName: record.settingsHash])
        try AtomicFile.writeResult(bytes, to: path, replaces: replaces)
    }

    /// Reads the initial noise of a run: a tensor named `latents` or `noise`, or the only one there.
    ///
    /// A leading batch dimension of 1 is accepted.
    ///
    /// - Throws: ``SafetensorsError``, or ``PipelineError/badData(_:)`` when no tensor fits.
    public static func readNoise(path: String, shape: [Int]) throws -> Tensor {
        let file = try SafetensorsFile(path: path)
        let named = file.entries.first { [tensorName, "noise"].contains($0.name) }
        guard let entry = named ?? (file.entries.count == 1 ? file.entries[0] : nil) else {
            throw PipelineError.badData("\(path): no tensor named 'latents' or 'noise'; rename the one that is meant")
        }
        guard entry.shape == shape || entry.shape == [1] + shape else {
            throw PipelineError.badData(
                "\(path): tensor \(entry.name) has shape \(entry.shape), expected \(shape), as the model's latents")
        }
        return try file.tensor(entry.name).reshaped(shape)
    }

    /// The SHA-256 of the numbers, which identifies the noise in an image's record.
    public static func hash(_ latents: Tensor) -> String {
        SHA256.hexadecimal(UnsafeRawBufferPointer(latents.values))
    }
}
