import Compute
import Foundation
import Testing

@testable import Models

/// One of the tiny random-weight autoencoders that `Scripts/golden/autoencoders.py` made, with the reference's image.
struct GoldenAutoencoder: CustomTestStringConvertible, Sendable {
    /// The folder's name.
    let name: String

    static let all = ["kl", "kl-plain-float16", "tiny"].map(GoldenAutoencoder.init)

    var testDescription: String { name }

    var folder: String { (Bundle.module.resourceURL?.path ?? "") + "/Golden/\(name)" }

    var config: AutoencoderConfig {
        get throws { try AutoencoderConfig(directory: folder) }
    }

    func load() throws -> any ImageAutoencoder {
        try config.load(from: WeightArchive(directory: folder))
    }

    /// `latents` or `image`.
    func tensor(_ name: String) throws -> Tensor {
        try SafetensorsFile(path: "\(folder)/io.safetensors").tensor(name)
    }

    /// Writes the weights into another directory, each tensor by what `change` makes of its name and itself.
    func rewrite(
        to directory: TemporaryDirectory, _ change: (String, Tensor) -> (name: String, tensor: Tensor)?
    ) throws {
        let file = try SafetensorsFile(path: "\(folder)/diffusion_pytorch_model.safetensors")
        let tensors = try file.entries.compactMap { change($0.name, try file.tensor($0.name)) }
        try directory.write(SafetensorsWriter.bytes(tensors), to: "model.safetensors")
    }

    /// Loads weights that have been changed on the way.
    func load(
        changing change: (String, Tensor) -> (name: String, tensor: Tensor)?
    ) throws -> any ImageAutoencoder {
        let directory = try TemporaryDirectory()
        try rewrite(to: directory, change)
        return try config.load(from: WeightArchive(directory: directory.path))
    }
}
