import Compute
import Foundation
import Models
import Pipeline

/// One of the tiny MM-JiTs that `Scripts/golden/minit2i.py` made, with the reference's outputs.
package struct GoldenMMJiT: Sendable {
    /// The folder's name.
    package let name: String

    /// The case of a name.
    package init(name: String) { self.name = name }

    package static let names = ["even", "odd"]

    private var folder: String { (Bundle.module.resourceURL?.path ?? "") + "/Golden/MMJiT/\(name)" }

    package func directory() throws -> ModelDirectory { try ModelDirectory(path: folder) }

    package func tensors() throws -> SafetensorsFile { try SafetensorsFile(path: "\(folder)/io.safetensors") }

    /// The network, whose every prompt has the states of the case.
    package func network() throws -> any DenoisingNetwork {
        try directory().load(prompts: FixedPromptEncoder(states: tensors().tensor("states")))
    }
}

/// Gives every prompt the same states, and counts how often it was asked.
package final class FixedPromptEncoder: PromptEncoder, @unchecked Sendable {
    private let states: Tensor
    /// How many prompts have been encoded.
    package private(set) var count = 0

    package init(states: Tensor) { self.states = states }

    package var width: Int { states.shape[1] }

    package func states(of prompt: String, limit: Int, length: Int?, workers: Workers) -> Tensor {
        count += 1
        return states
    }
}
