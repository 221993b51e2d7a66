extension SamplerOptions {
    /// The same options for another sampler: those that it does not have fall back to their defaults.
    public func changed(to kind: SamplerKind) -> SamplerOptions {
        guard kind != self.kind else { return self }
        var changed = SamplerOptions(kind, spacing: spacing, stepsOffset: stepsOffset)
        if [.ddim, .ddpm, .dpmSolver].contains(kind) { changed.clip = clip }
        if [.ddim, .ddpm].contains(kind) { changed.stepRule = stepRule }
        if kind != .ddpm, kind != .sde { changed.end = end }
        return changed
    }

    /// The same options with another spacing, without the offset that only leading spacing has, and by the default rule
    /// where diffusers does not know the spacing.
    public func changed(to spacing: TimestepSpacing) -> SamplerOptions {
        var changed = self
        changed.spacing = spacing
        if spacing != .leading { changed.stepsOffset = 0 }
        if spacing == .respaced { changed.stepRule = .list }
        return changed
    }

    /// The same options with a step rule, or with the default one where the rule would change nothing for `steps` steps of
    /// a model of this process: equal results have equal options.
    ///
    /// - Throws: A ``SamplingError`` when the options do not fit the process.
    public func following(
        _ rule: StepRule, process: DiffusionProcess, steps: Int
    ) throws(SamplingError) -> SamplerOptions {
        var (own, ruled) = (self, self)
        (own.stepRule, ruled.stepRule) = (.list, rule)
        guard [.ddim, .ddpm].contains(kind), spacing != .respaced, process.predictionType != .flow else { return own }
        let (grid, ruledGrid) = try (
            SamplingGrid(own, process: process, steps: steps), SamplingGrid(ruled, process: process, steps: steps)
        )
        // The small variance of a step to no noise is none.
        let addsNoise = ruledGrid.addsNoiseLast && variance != .fixedSmall
        return grid.isSame(as: ruledGrid) && !(kind == .ddpm && addsNoise) ? own : ruled
    }
}
