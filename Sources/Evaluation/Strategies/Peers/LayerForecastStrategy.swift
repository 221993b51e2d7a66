import Caching
import Compute
import Models

/// Forecasts every layer's output from its finite differences at evenly spaced full calls: TaylorSeer (Liu et al., arXiv
/// 2503.06923; published with a distance of 4 and order 4), HiCache (Feng et al., arXiv 2508.16984; a scale of 0.5), and
/// FORA (Selvaraju et al., arXiv 2407.01425; a distance of 3), which holds the outputs.
///
/// The distances follow from the budget.
struct LayerForecastStrategy: ReuseStrategy {
    let name: String
    /// The highest order of the differences.
    let order: Int
    /// What they are multiplied by.
    let basis: FeatureBasis
    /// How many calls are full at the start.
    let warmUp: Int

    static let fora = Self(name: "fora", order: 0, basis: .taylor, warmUp: 1)
    static let taylorSeer = Self(name: "taylorseer", order: 4, basis: .taylor, warmUp: 2)
    static let hiCache = Self(name: "hicache", order: 4, basis: .hermite(scale: 0.5), warmUp: 2)

    func prepare(_ budget: Budget, in context: StrategyContext) throws -> PreparedStrategy {
        let allowed = try context.callBudget(budget, reusedBlocks: 0, fewest: 1, name: name)
        let full = SpacedCalls.full(calls: context.calls.count, full: allowed.full, warmUp: warmUp)
        let (order, basis, network) = (order, basis, context.network)
        return PreparedStrategy(in: context) { _ in
            LayerForecastCache(network.schedule(full), order: order, basis: basis, network: network)
        }
    }
}

/// Forecasts the output of every layer, before it is added to the hidden states, from finite differences at the full calls.
///
/// Order 0 holds the output. The differences of order i come from those of order i − 1 at the last two full calls, divided
/// by the distance between the two, as in TaylorSeer's code (https://github.com/Shenyi-Z/TaylorSeer). Memory: order + 1
/// features per layer and branch.
final class LayerForecastCache: SiteInterceptor {
    /// Which calls are full, for each kind of layer; all are for a kind that is not there.
    typealias Schedule = [LayerKind: [Bool]]

    private let schedule: Schedule
    private let basis: FeatureBasis
    private var layers: [Site.ID: [FeatureDifferences]] = [:]

    init(_ schedule: Schedule, order: Int, basis: FeatureBasis, network: any DenoisingNetwork) {
        self.schedule = schedule
        self.basis = basis
        for site in network.layers {
            layers[site.id] = (0..<2).map { _ in FeatureDifferences(order: order, shape: site.shape) }
        }
    }

    func replaces(
        _ site: Site.ID, call: Int, entry: Int, input: UnsafeBufferPointer<Float>,
        output: UnsafeMutableBufferPointer<Float>
    ) -> Bool {
        guard case .layer(let kind, _) = site, schedule[kind]?[call] == false else { return false }
        layers[site]?[entry].write(at: call, basis: basis, to: output)
        return true
    }

    func observe(
        _ site: Site.ID, call: Int, entry: Int, input: UnsafeBufferPointer<Float>,
        output: UnsafeBufferPointer<Float>
    ) {
        layers[site]?[entry].keep(output, at: call)
    }
}

extension DenoisingNetwork {
    /// The schedule that is the same for all kinds of layers.
    func schedule(_ full: [Bool]) -> LayerForecastCache.Schedule {
        Dictionary(uniqueKeysWithValues: layerKinds.map { ($0, full) })
    }
}

/// A feature of one layer and branch at its last evaluation, with its finite differences.
private final class FeatureDifferences {
    private let differences: [Tensor]  // by order
    private let fresh: Tensor
    private var known = 0
    private var call = 0

    init(order: Int, shape: [Int]) {
        differences = (0...order).map { _ in Tensor(shape) }
        fresh = Tensor(shape)
    }

    /// Takes the feature's value at `call`.
    func keep(_ value: UnsafeBufferPointer<Float>, at call: Int) {
        let nextKnown = min(known + 1, differences.count)
        let inverse = 1 / Float(max(1, call - self.call))
        _ = fresh.values.update(fromContentsOf: value)
        let newer = fresh.values
        for difference in differences.prefix(nextKnown) {
            let kept = difference.values
            for i in 0..<kept.count {
                let older = kept[i]
                kept[i] = newer[i]
                newer[i] = (newer[i] - older) * inverse
            }
        }
        (known, self.call) = (nextKnown, call)
    }

    /// Writes the forecast for `call`.
    func write(at call: Int, basis: FeatureBasis, to output: UnsafeMutableBufferPointer<Float>) {
        let weights = basis.weights(ahead: Double(call - self.call), order: known - 1)
        output.update(repeating: 0)
        for (weight, difference) in zip(weights, differences) {
            let (weight, values) = (Float(weight), difference.values)
            for i in 0..<output.count { output[i] += weight * values[i] }
        }
    }
}
