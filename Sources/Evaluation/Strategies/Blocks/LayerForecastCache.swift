import Caching
import Compute
import Models

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
