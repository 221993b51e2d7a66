import Sampling

/// The strategies that others have published, reimplemented from their rules, and those that a sceptic asks for.
public enum StrategyCatalogue {
    /// The published strategies, in alphabetical order.
    public static let peers: [any ReuseStrategy] = [
        ProbeStrategy.dbCache, ProbeStrategy.diCache, DPCacheStrategy(), EasyCacheStrategy(), ProbeStrategy.fbCache,
        FORAStrategy(), GOCStrategy(), LayerForecastStrategy.hiCache, LeMiCaStrategy(), MagCacheStrategy(),
        ModulatedInputStrategy.seaCache, SmoothCacheStrategy(), LayerForecastStrategy.taylorSeer,
        ModulatedInputStrategy.teaCache,
    ]

    /// Plain sampling at the same number of evaluations.
    public static let sceptics: [any ReuseStrategy] = [
        FewerStepsStrategy(sampler: nil), FewerStepsStrategy(sampler: .dpmSolver),
    ]

    /// The strategy of that name; `fewer-steps:SAMPLER` for any sampler.
    ///
    /// - Returns: nil when there is none.
    public static func named(_ name: String) -> (any ReuseStrategy)? {
        let prefix = "fewer-steps:"
        if name.hasPrefix(prefix) {
            return SamplerKind(rawValue: String(name.dropFirst(prefix.count))).map(FewerStepsStrategy.init(sampler:))
        }
        return (peers + sceptics).first { $0.name == name }
    }
}
