import Models
import OmniCache
import Tensor

/// Forecasts the output of every attention and MLP, before its gate, from finite differences at the full calls.
///
/// Order 0 holds the output. The differences of order i come from those of order i − 1 at the last two full calls, divided
/// by the distance between the two, as in TaylorSeer's code (https://github.com/Shenyi-Z/TaylorSeer). Memory: order + 1
/// features per layer and branch.
final class LayerForecastCache: BlockInterceptor {
    /// Which calls are full, for each kind of layer.
    struct Schedule {
        let attention: [Bool]
        let mlp: [Bool]

        init(attention: [Bool], mlp: [Bool]) {
            self.attention = attention
            self.mlp = mlp
        }

        /// `calls` full calls.
        init(full calls: Int) {
            self.init(attention: Array(repeating: true, count: calls), mlp: Array(repeating: true, count: calls))
        }
    }

    private let schedule: Schedule
    private let basis: FeatureBasis
    private var layers: [BlockSite: [FeatureDifferences]] = [:]

    init(_ schedule: Schedule, order: Int, basis: FeatureBasis, config: DiTConfig) {
        self.schedule = schedule
        self.basis = basis
        let shape = [config.tokens, config.hiddenSize]
        for block in 0..<config.depth {
            for site in [BlockSite.attention(block: block), .mlp(block: block)] {
                layers[site] = (0..<2).map { _ in FeatureDifferences(order: order, shape: shape) }
            }
        }
    }

    func replaces(
        _ site: BlockSite, call: Int, entry: Int, input: UnsafeBufferPointer<Float>,
        output: UnsafeMutableBufferPointer<Float>
    ) -> Bool {
        switch site {
        case .attention where !schedule.attention[call], .mlp where !schedule.mlp[call]:
            layers[site]?[entry].write(at: call, basis: basis, to: output)
            return true
        default:
            return false
        }
    }

    func observe(
        _ site: BlockSite, call: Int, entry: Int, input: UnsafeBufferPointer<Float>,
        output: UnsafeBufferPointer<Float>
    ) {
        layers[site]?[entry].keep(output, at: call)
    }
}
