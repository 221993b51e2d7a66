import Caching
import Compute
import Models

/// Forecasts every layer's output from its finite differences at evenly spaced full calls: TaylorSeer (Liu et al., arXiv
/// 2503.06923; published with a distance of 4 and order 4), HiCache (Feng et al., arXiv 2508.16984; a scale of 0.5), and
/// FORA (Selvaraju et al., arXiv 2407.01425; a distance of 3), which holds the outputs.
///
/// The distances follow from the budget. The order, and then HiCache's scale, are those that bring the calibration images
/// nearest to their full runs; the published ones where there are no images.
struct LayerForecastStrategy: ReuseStrategy {
    let name: String
    /// The highest orders of the differences to choose from, the published one first.
    let orders: [Int]
    /// What they are multiplied by, to choose from, the published one first.
    let bases: [FeatureBasis]
    /// How many calls are full at the start.
    let warmUp: Int

    static let fora = Self(name: "fora", orders: [0], bases: [.taylor], warmUp: 1)
    static let taylorSeer = Self(name: "taylorseer", orders: [4, 3, 2, 1], bases: [.taylor], warmUp: 2)
    static let hiCache = Self(
        name: "hicache", orders: [4, 3, 2, 1], bases: [0.5, 0.3, 0.4, 0.6, 0.7, 0.8].map(FeatureBasis.hermite),
        warmUp: 2)

    func prepare(_ budget: Budget, in context: StrategyContext) throws -> PreparedStrategy {
        let (calls, network) = (context.calls.count, context.network)
        let allowed = try context.callBudget(budget, reusedBlocks: 0, fewest: 1, name: name)
        let schedule = network.schedule(SpacedCalls.full(calls: calls, full: allowed.full, warmUp: warmUp))
        func run(_ order: Int, _ basis: FeatureBasis) -> PreparedStrategy {
            PreparedStrategy(in: context) { _ in
                LayerForecastCache(schedule, order: order, basis: basis, network: network)
            }
        }
        guard allowed.full < calls else { return run(orders[0], bases[0]) }
        let order = try context.best(of: orders) { run($0, bases[0]) }.setting
        return try context.best(of: bases) { run(order, $0) }.strategy
    }
}

/// Forecasts the output of layers, before it is added to the hidden states, from those at the full calls.
final class LayerForecastCache: SiteInterceptor {
    /// Which calls are full, for each kind of layer; all are for a kind that is not there.
    typealias Schedule = [LayerKind: [Bool]]

    private let schedule: Schedule
    private var layers: [Site.ID: [any FeatureForecast]] = [:]

    /// - Parameters:
    ///   - schedule: Which calls are full.
    ///   - network: The network.
    ///   - forecast: Makes the forecast of one layer in one branch.
    init(_ schedule: Schedule, network: any DenoisingNetwork, forecast: (Site) -> any FeatureForecast) {
        self.schedule = schedule
        for site in network.layers where site.layer.map({ schedule[$0.kind] != nil }) ?? false {
            layers[site.id] = (0..<2).map { _ in forecast(site) }
        }
    }

    /// Forecasts from finite differences.
    convenience init(_ schedule: Schedule, order: Int, basis: FeatureBasis, network: any DenoisingNetwork) {
        self.init(schedule, network: network) { FeatureDifferences(order: order, basis: basis, shape: $0.shape) }
    }

    func replaces(
        _ site: Site.ID, call: Int, entry: Int, input: UnsafeBufferPointer<Float>,
        output: UnsafeMutableBufferPointer<Float>
    ) -> Bool {
        guard case .layer(let kind, _) = site, schedule[kind]?[call] == false else { return false }
        layers[site]?[entry].write(at: call, to: output)
        return true
    }

    func observe(
        _ site: Site.ID, call: Int, entry: Int, input: UnsafeBufferPointer<Float>,
        output: UnsafeBufferPointer<Float>
    ) {
        layers[site]?[entry].keep(output, at: call)
    }
}

/// What a ``LayerForecastCache`` knows of one layer in one branch.
protocol FeatureForecast: AnyObject {
    /// Takes the feature's value at a full call.
    func keep(_ value: UnsafeBufferPointer<Float>, at call: Int)
    /// Writes the forecast for a later call, the next one after the last that was kept or written.
    func write(at call: Int, to output: UnsafeMutableBufferPointer<Float>)
}

extension EvaluationPrice {
    /// The work of a run of so many calls, in which layers run as the schedule of all kinds says.
    func work(_ schedule: LayerForecastCache.Schedule, calls: Int) -> Int {
        let work = schedule.reduce(0) { sum, kind in sum + kind.value.count { $0 } * layers(of: kind.key) }
        return calls * call(blocks: 0) + branches * work
    }
}

extension DenoisingNetwork {
    /// The schedule that is the same for all kinds of layers.
    func schedule(_ full: [Bool]) -> LayerForecastCache.Schedule {
        Dictionary(uniqueKeysWithValues: layerKinds.map { ($0, full) })
    }
}

/// A feature of one layer and branch at its last evaluation, with its finite differences.
///
/// Order 0 holds the feature. The differences of order i come from those of order i − 1 at the last two full calls, divided
/// by the distance between the two, as in TaylorSeer's code (https://github.com/Shenyi-Z/TaylorSeer). Memory: order + 1
/// features.
private final class FeatureDifferences: FeatureForecast {
    private let basis: FeatureBasis
    private let differences: [Tensor]  // by order
    private let fresh: Tensor
    private var known = 0
    private var call = 0

    init(order: Int, basis: FeatureBasis, shape: [Int]) {
        self.basis = basis
        differences = (0...order).map { _ in Tensor(shape) }
        fresh = Tensor(shape)
    }

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

    func write(at call: Int, to output: UnsafeMutableBufferPointer<Float>) {
        let weights = basis.weights(ahead: Double(call - self.call), order: known - 1)
        output.update(repeating: 0)
        for (weight, difference) in zip(weights, differences) {
            let (weight, values) = (Float(weight), difference.values)
            for i in 0..<output.count { output[i] += weight * values[i] }
        }
    }
}
