import ArgumentParser
import Models
import Pipeline

/// What turns latents into pictures.
struct DecoderOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What turns latents into pictures: vae, tiny, or the directory of an AutoencoderKL or AutoencoderTiny.",
            discussion: "Default: vae, the model's own; models of pixels need none.", valueName: "name"))
    var decoder: String?

    /// What is asked for.
    var choice: DecoderChoice {
        switch decoder {
        case nil, "vae": .own
        case "tiny": .tiny
        case let directory?: .directory(directory)
        }
    }
}
