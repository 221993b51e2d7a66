extension SamplerOptions {
    /// The same options for another sampler: those that it does not have fall back to their defaults.
    public func changed(to kind: SamplerKind) -> SamplerOptions {
        guard kind != self.kind else { return self }
        var changed = SamplerOptions(kind, spacing: spacing, stepsOffset: stepsOffset)
        if [.ddim, .ddpm, .dpmSolver].contains(kind) { changed.clip = clip }
        if kind != .ddpm, kind != .sde { changed.end = end }
        return changed
    }

    /// The same options with another spacing, without the offset that only leading spacing has.
    public func changed(to spacing: TimestepSpacing) -> SamplerOptions {
        var changed = self
        changed.spacing = spacing
        if spacing != .leading { changed.stepsOffset = 0 }
        return changed
    }
}
