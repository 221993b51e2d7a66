import Sampling

extension ModelDirectory {
    /// The same settings, going through their timesteps as the model's scheduler of diffusers does; as they are for a model
    /// without one.
    ///
    /// Settings that make the same images by either rule are left as they are, so that they are known again.
    public func followingScheduler(_ settings: SampleSettings) -> SampleSettings {
        guard recommendedSampler != nil else { return settings }
        var followed = settings
        // What does not fit the model is told when the sampler is made.
        followed.sampler =
            (try? settings.sampler.following(.diffusers, process: process, steps: settings.steps)) ?? settings.sampler
        return followed
    }

    /// Why a run's images are not those of diffusers' scheduler for the same request; nil where they are, and for a model
    /// without a scheduler.
    public func departure(of settings: SampleSettings) -> String? {
        guard let own = recommendedSampler else { return nil }
        let sampler = settings.sampler
        let reason: String?
        if process.predictionType == .flow {
            reason =
                sampler == own
                ? nil
                : "it has no counterpart of sampler \(sampler.kind.rawValue) with \(sampler.spacing.rawValue) spacing"
        } else {
            reason = departure(of: sampler, from: own, steps: settings.steps)
        }
        return reason.map { "not the images of diffusers' scheduler: \($0)" }
    }

    private func departure(of sampler: SamplerOptions, from own: SamplerOptions, steps: Int) -> String? {
        let name = sampler.kind.rawValue
        let isAlongPath = sampler.kind == .euler || sampler.kind == .heun
        let isChanged = sampler.kind != own.kind
        let keepsEnd =
            !isChanged || (own.kind == .dpmSolver && sampler.kind == .euler)
            || (own.kind == .euler && sampler.kind == .dpmSolver)
        if sampler.spacing == .respaced { return "it has no respaced spacing" }
        if isAlongPath, sampler.spacing != .leading {
            return "its \(name) starts \(sampler.spacing.rawValue) spacing from noise of another scale"
        }
        if !isAlongPath, sampler.spacing == .trailing,
            TimestepSpacing.referenceOvershoots(steps, of: process.trainTimesteps)
        {
            return "by a rounding error it makes one step more of \(steps) steps with trailing spacing, to timestep -1"
        }
        if isAlongPath || sampler.kind == .dpmSolver, sampler.clip != nil { return "its \(name) does not clip" }
        if isChanged, [.ddim, .ddpm].contains(sampler.kind), ![.ddim, .ddpm].contains(own.kind), sampler.clip == nil {
            return "its \(name) clips unless its scheduler file says otherwise; --clip 1 does so here"
        }
        if !keepsEnd, sampler.end != .clean {
            return "its \(name) ends without noise unless its scheduler file says otherwise"
        }
        let followed = try? sampler.following(.diffusers, process: process, steps: steps)
        return followed == sampler
            ? nil : "it steps to other timesteps, and these settings come from an image or a plan that did not"
    }
}
