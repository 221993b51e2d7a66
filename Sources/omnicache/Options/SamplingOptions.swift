import ArgumentParser
import Pipeline
import Sampling

/// How a run is made. Every option is optional, so that those of an image or a plan can be kept.
struct SamplingOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: ArgumentHelp("The number of steps. Default: 50.", valueName: "n"))
    var steps: Int?

    @Option(
        name: [.customLong("cfg-scale"), .customLong("guidance-scale")], parsing: .unconditional,
        help: ArgumentHelp(
            "The scale of classifier-free guidance; 1 is unguided. Default: the model's own.", valueName: "g"))
    var guidanceScale: Double?

    @Option(
        help: ArgumentHelp(
            "How many channels are guided, the first ones, or 'all'. Default: the model's own, else all.",
            discussion: "The official code of DiT and SiT guides 3; diffusers guides all.", valueName: "n"))
    var guidedChannels: GuidedChannels?

    @Option(help: "The sampler. Default: that of the model, else ddim.")
    var sampler: SamplerKind?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The share of fresh noise in a DDIM step, 0 to 1. Default: 0.", valueName: "eta"))
    var eta: Double?

    @Option(help: "Which timesteps are visited. Default: that of the model's scheduler, else linspace.")
    var spacing: TimestepSpacing?

    @Option(help: "The variance of the noise that ddpm adds. Default: that of the model, else fixed_small.")
    var variance: SamplerOptions.Variance?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Clip the estimate of the clean image to plus or minus this in every step. Default: that of the model's "
                + "scheduler, else no clipping.",
            valueName: "x"))
    var clip: Double?

    /// The settings: those given here over those of `base`.
    func settings(over base: SampleSettings) -> SampleSettings {
        var settings = base
        settings.steps = steps ?? base.steps
        settings.guidanceScale = guidanceScale ?? base.guidanceScale
        settings.guidedChannels = guidedChannels.map(\.count) ?? base.guidedChannels
        if let sampler { settings.sampler = settings.sampler.changed(to: sampler) }
        if let spacing { settings.sampler = settings.sampler.changed(to: spacing) }
        settings.sampler.eta = eta ?? settings.sampler.eta
        settings.sampler.variance = variance ?? settings.sampler.variance
        settings.sampler.clip = clip ?? settings.sampler.clip
        return settings
    }
}

/// `all`, or a number of channels.
struct GuidedChannels: ExpressibleByArgument {
    /// The number; nil for all.
    let count: Int?

    init?(argument: String) {
        guard argument == "all" || Int(argument) != nil else { return nil }
        count = Int(argument)
    }
}

extension SamplerKind: ExpressibleByArgument {}
extension TimestepSpacing: ExpressibleByArgument {}
extension SamplerOptions.Variance: ExpressibleByArgument {}
