import Caching
import Compute
import Models
import Pipeline
import Sampling

/// Watches the inside of the network during one full run.
///
/// Memory: the outputs of every layer at the last three calls, per branch.
final class RunRecorder: SiteInterceptor {
    private(set) var inputChanges: [Double]
    private(set) var residualRatios: [Double]

    private let changes: SiteChanges
    private let width: Int
    private let layers: [Site.ID: [RecentFeatures]]  // per entry
    private let inputs: [RecentFeatures]  // per entry
    private let residuals: [RecentFeatures]
    private var ratioSum = 0.0
    private var entriesSeen = 0
    private weak var base: NetworkDenoiser?

    init(changes: SiteChanges, calls: Int, network: any DenoisingNetwork) {
        self.changes = changes
        width = network.stack.width
        func perEntry(_ count: Int, _ site: Site) -> [RecentFeatures] {
            (0..<2).map { _ in RecentFeatures(count, shape: site.shape) }
        }
        layers = Dictionary(
            uniqueKeysWithValues: network.layers.map { ($0.id, perEntry(SiteChanges.longest + 1, $0)) })
        inputs = perEntry(2, network.stack)
        residuals = perEntry(2, network.stack)
        inputChanges = Array(repeating: 0, count: calls)
        residualRatios = Array(repeating: 1, count: calls)
    }

    /// Hangs itself into the model of the run's image.
    func attach(_ base: NetworkDenoiser) -> any Denoiser {
        self.base = base
        base.interceptor = self
        return base
    }

    func approach(
        _ site: Site.ID, call: Int, entries: BatchSubset, input: (_ entry: Int) -> UnsafeBufferPointer<Float>
    ) {
        guard site == .stack, let base else { return }
        var sums = AbsoluteSums()
        for entry in entries {
            base.writeFirstInput(of: input(entry), call: call, entry: entry, into: inputs[entry].slot(of: call))
            if call > 0 { sums.add(inputs[entry].values(of: call), inputs[entry].values(of: call - 1)) }
        }
        inputChanges[call] = sums.relative
        (ratioSum, entriesSeen) = (0, 0)
    }

    func observe(
        _ site: Site.ID, call: Int, entry: Int, input: UnsafeBufferPointer<Float>,
        output: UnsafeBufferPointer<Float>
    ) {
        switch site {
        case .layer(let kind, _):
            if let features = layers[site]?[entry] { keep(output, in: features, call: call, of: kind) }
        case .stack:
            let residual = residuals[entry].slot(of: call).values
            for i in 0..<residual.count { residual[i] = output[i] - input[i] }
            guard call > 0 else { return }
            ratioSum += sizeRatio(residuals[entry].values(of: call), residuals[entry].values(of: call - 1))
            entriesSeen += 1
            residualRatios[call] = ratioSum / Double(entriesSeen)
        case .rest:
            return
        }
    }

    private func keep(
        _ output: UnsafeBufferPointer<Float>, in features: RecentFeatures, call: Int, of kind: LayerKind
    ) {
        _ = features.slot(of: call).values.update(fromContentsOf: output)
        for distance in 1...SiteChanges.longest where call >= distance {
            let sums = AbsoluteSums(features.values(of: call - distance), output)
            changes.add(sums.relative, of: kind, from: call - distance, distance: distance)
        }
    }

    /// The mean over tokens of |a|₂/|b|₂, as MagCache measures it.
    private func sizeRatio(_ a: UnsafeBufferPointer<Float>, _ b: UnsafeBufferPointer<Float>) -> Double {
        var sum = 0.0
        let tokens = a.count / width
        for token in 0..<tokens {
            var (first, second) = (0.0, 0.0)
            for i in token * width..<(token + 1) * width {
                first += Double(a[i] * a[i])
                second += Double(b[i] * b[i])
            }
            sum += second > 0 ? (first / second).squareRoot() : 1
        }
        return sum / Double(tokens)
    }
}
