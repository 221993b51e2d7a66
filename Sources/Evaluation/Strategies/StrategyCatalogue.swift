import Caching
import Pipeline
import Sampling

/// The strategies by their names: the project's own combinations, those that others have published, reimplemented from
/// their rules, and those that a sceptic asks for.
public enum StrategyCatalogue {
    /// The project's combinations, and the paper's.
    public static let own: [any ReuseStrategy] = [
        PlannedStrategy.standard,
        PlannedStrategy(planner: PlanResolver.defaultPlanner, forecaster: .spectral),
        PlannedStrategy(planner: .curvature, forecaster: .omnicache),
    ]

    /// The published strategies, in alphabetical order.
    public static let peers: [any ReuseStrategy] = [
        BudCacheStrategy(filling: .residual), BudCacheStrategy(filling: .forecast), CEMStrategy(),
        ProbeStrategy.dbCache, ProbeStrategy.diCache, DPCacheStrategy(), EasyCacheStrategy(), FasterCacheStrategy(),
        ProbeStrategy.fbCache, FoCaStrategy(), LayerForecastStrategy.fora, GOCStrategy(), LayerForecastStrategy.hiCache,
        L2PStrategy(), LeMiCaStrategy(), MagCacheStrategy(), PABStrategy(), ModulatedInputStrategy.seaCache,
        SmoothCacheStrategy(),
        SpectrumStrategy(), LayerForecastStrategy.taylorSeer, TCCStrategy(), ModulatedInputStrategy.teaCache,
    ]

    /// Published strategies that need a flow.
    public static let flows: [any ReuseStrategy] = [MeanCacheStrategy()]

    /// Plain sampling at the same number of evaluations.
    public static let sceptics: [any ReuseStrategy] = [
        FewerStepsStrategy(sampler: nil), FewerStepsStrategy(sampler: .dpmSolver),
    ]

    /// The strategy of that name; `fewer-steps:SAMPLER` for any sampler, `PLANNER+FORECASTER` for any combination, `default`
    /// for the one that sampling uses, `guarded` for the same with budgets that are means over images.
    ///
    /// - Returns: nil when there is none.
    public static func named(_ name: String) -> (any ReuseStrategy)? {
        let prefix = "fewer-steps:"
        if name.hasPrefix(prefix) {
            return SamplerKind(rawValue: String(name.dropFirst(prefix.count))).map(FewerStepsStrategy.init(sampler:))
        }
        return (peers + flows + sceptics + [GuardedStrategy()]).first { $0.name == name } ?? PlannedStrategy(name)
    }

    /// The strategies that a list of names asks for, each once, in the order of the list.
    ///
    /// - Parameter list: names separated by commas, or the groups `own`, `peers`, `sceptics` and `all`, which is these
    ///   three, and `flows`, which other models refuse.
    /// - Returns: the strategies.
    /// - Throws: ``PipelineError/usage(_:)`` that names the strategies that exist.
    public static func strategies(_ list: String) throws(PipelineError) -> [any ReuseStrategy] {
        var found: [any ReuseStrategy] = []
        for name in list.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
            for strategy in try group(name) where !found.contains(where: { $0.name == strategy.name }) {
                found.append(strategy)
            }
        }
        return found
    }

    private static func group(_ name: String) throws(PipelineError) -> [any ReuseStrategy] {
        switch name {
        case "own": return own
        case "peers": return peers
        case "sceptics": return sceptics
        case "flows": return flows
        case "all": return own + peers + sceptics
        default:
            guard let strategy = named(name) else {
                let planners = PlannerKind.allCases.map(\.rawValue).joined(separator: ", ")
                let samplers = SamplerKind.allCases.map(\.rawValue).joined(separator: ", ")
                throw .usage(
                    "--strategies '\(name)': there are \((peers + flows).map(\.name).joined(separator: ", ")), fewer-steps, "
                        + "fewer-steps:SAMPLER (\(samplers)), default, guarded, PLANNER+FORECASTER such as path+steering (planners "
                        + "\(planners)), and the groups own, peers, flows, sceptics and all")
            }
            return [strategy]
        }
    }
}
