/// What kinds of model the classes of diffusers are that are not run here, in words for messages.
package enum ForeignModel {
    /// What is supported in their place.
    package static let supported = "class-conditional Diffusion Transformers (DiT, SiT)"

    /// Beginnings of names and what they stand for; the first that fits counts. The names are those of
    /// https://github.com/huggingface/diffusers, version 0.42.1.
    private static let pipelines: [(prefix: String, kind: String)] = [
        ("StableDiffusion3", "a text-to-image transformer's pipeline"),
        ("StableDiffusion", "a U-Net's text-to-image pipeline"),
        ("StableCascade", "a U-Net's text-to-image pipeline"),
        ("Kandinsky5", "a video transformer's pipeline"),
        ("Kandinsky", "a U-Net's text-to-image pipeline"),
        ("LatentConsistency", "a U-Net's text-to-image pipeline"),
        ("LDM", "a U-Net's pipeline"), ("DDPM", "a U-Net's pipeline"), ("DDIM", "a U-Net's pipeline"),
        ("Wan", "a video transformer's pipeline"), ("CogVideo", "a video transformer's pipeline"),
        ("HunyuanVideo", "a video transformer's pipeline"), ("LTX", "a video transformer's pipeline"),
        ("Mochi", "a video transformer's pipeline"), ("Latte", "a video transformer's pipeline"),
    ]

    /// What a class of this name is: a phrase such as "a U-Net".
    package static func kind(of className: String) -> String {
        if className.hasSuffix("Pipeline") {
            return pipelines.first { className.hasPrefix($0.prefix) }?.kind ?? "a text-to-image or other pipeline"
        }
        if className.hasPrefix("Autoencoder") || className == "VQModel" {
            return "a decoder, which belongs in the subdirectory vae of a model"
        }
        if className.contains("UNet") { return "a U-Net" }
        if className.contains("ControlNet") { return "an add-on to another model" }
        if className.contains("3DModel") || className.contains("Video") { return "a video transformer" }
        if className.contains("Transformer") || className.contains("DiT") { return "a text-to-image transformer" }
        if className.contains("Scheduler") { return "a scheduler, which belongs in the subdirectory scheduler" }
        return "another kind of model"
    }
}
