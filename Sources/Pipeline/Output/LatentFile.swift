import FoundationEssentials
import Imaging
import Models
import Tensor

/// Latents and initial noise in safetensors files, so that a run can be checked against another implementation.
public enum LatentFile {
    /// The name of the only tensor that is written, and the one that is looked for first.
    static let tensorName = "latents"

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

    /// Writes latents under the name `latents`.
    public static func write(_ latents: Tensor, to path: String, replaces: Bool) throws {
        try AtomicFile.write(
            SafetensorsWriter.bytes([(tensorName, latents)]), to: path, onConflict: replaces ? .replace : .fail)
    }

    /// The SHA-256 of the numbers, which stands for the noise in an image's record.
    public static func hash(_ latents: Tensor) -> String {
        SHA256.hexadecimal(UnsafeRawBufferPointer(latents.values))
    }
}
