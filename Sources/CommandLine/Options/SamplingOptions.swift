import ArgumentParser
import Models
import Pipeline
import Sampling

/// How a run samples. Every option is optional, so that those of an image or a plan can be kept.
struct SamplingOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The number of steps. Default: the model's own, else 50.", valueName: "n"))
    var steps: Int?

    @Option(
        name: [.customLong("cfg-scale"), .customLong("guidance-scale")], parsing: .unconditional,
        help: ArgumentHelp(
            "The scale of classifier-free guidance; 1 means no guidance. Default: the model's own.", valueName: "g"))
    var guidanceScale: Double?

    @Option(
        help: ArgumentHelp(
            "Guide only the first n channels, or 'all'. Default: the model's own, else all.",
            discussion: "The official code of DiT and SiT guides 3, diffusers all.", valueName: "n"))
    var guidedChannels: GuidedChannels?

    @Option(help: "The sampler. Default: the model's own, else ddim.")
    var sampler: SamplerKind?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The share of fresh noise in a DDIM step, from 0 to 1. Default: 0.", valueName: "eta"))
    var eta: Share?

    @Option(help: "The spacing of the timesteps. Default: that of the model's scheduler, else linspace.")
    var spacing: TimestepSpacing?

    @Option(help: "The variance of the noise that ddpm adds. Default: the model's own, else fixed_small.")
    var variance: SamplerOptions.Variance?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Clip the estimate of the clean image to -x...x in every step. Default: as the model's scheduler does, else no "
                + "clipping.",
            valueName: "x"))
    var clip: Double?

    @Option(help: "The diffusion coefficient of sde, as a function of time. Default: sigma.")
    var diffusion: DiffusionForm?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The factor of the diffusion coefficient of sde. Default: 1.", valueName: "x"))
    var diffusionNorm: Double?

    @Option(help: "How sde takes its last step, which adds no noise. Default: mean.")
    var lastStep: LastStep?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The share of the time that the last step of sde takes. Default: 0.04.", valueName: "x"))
    var lastStepSize: Share?

    /// The first of the options that was given; nil if none was.
    var given: String? {
        let options = [
            ("--steps", steps != nil), ("--cfg-scale", guidanceScale != nil),
            ("--guided-channels", guidedChannels != nil), ("--sampler", sampler != nil), ("--eta", eta != nil),
            ("--spacing", spacing != nil), ("--variance", variance != nil), ("--clip", clip != nil),
            ("--diffusion", diffusion != nil), ("--diffusion-norm", diffusionNorm != nil),
            ("--last-step", lastStep != nil), ("--last-step-size", lastStepSize != nil),
        ]
        return options.first { $0.1 }?.0
    }

    /// The settings given here over those of `base`. A new sampler or step count follows the scheduler of `directory`;
    /// otherwise the timesteps stay those of `base`, which may come from an image or a plan.
    func settings(over base: SampleSettings, of directory: ModelDirectory) -> SampleSettings {
        var settings = settings(over: base)
        settings.size = directory.size
        guard settings.steps != base.steps || settings.sampler != base.sampler else { return settings }
        return directory.followingScheduler(settings)
    }

    private func settings(over base: SampleSettings) -> SampleSettings {
        var settings = base
        settings.steps = steps ?? base.steps
        settings.guidanceScale = guidanceScale ?? base.guidanceScale
        settings.guidedChannels = guidedChannels.map(\.count) ?? base.guidedChannels
        if let sampler { settings.sampler = settings.sampler.changed(to: sampler) }
        if let spacing { settings.sampler = settings.sampler.changed(to: spacing) }
        settings.sampler.eta = eta?.value ?? settings.sampler.eta
        settings.sampler.variance = variance ?? settings.sampler.variance
        settings.sampler.clip = clip ?? settings.sampler.clip
        settings.sampler.diffusionForm = diffusion ?? settings.sampler.diffusionForm
        settings.sampler.diffusionNorm = diffusionNorm ?? settings.sampler.diffusionNorm
        settings.sampler.lastStep = lastStep ?? settings.sampler.lastStep
        settings.sampler.lastStepSize = lastStepSize?.value ?? settings.sampler.lastStepSize
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

extension DiffusionForm: ExpressibleByArgument {}
extension LastStep: ExpressibleByArgument {}
extension SamplerKind: ExpressibleByArgument {}
extension TimestepSpacing: ExpressibleByArgument {}
extension SamplerOptions.Variance: ExpressibleByArgument {}
