import Models
import OmniCache
import Sampling
import Tensor

/// Watches the inside of the network during one full run.
///
/// Memory: the outputs of every layer at the last three calls, per branch.
final class RunRecorder: BlockInterceptor {
    private(set) var inputChanges: [Double]
    private(set) var residualRatios: [Double]

    private let changes: SiteChanges
    private let width: Int
    private let attention: [[RecentFeatures]]  // per block and entry
    private let mlp: [[RecentFeatures]]
    private let inputs: [RecentFeatures]  // per entry
    private let residuals: [RecentFeatures]
    private var ratioSum = 0.0
    private var entriesSeen = 0
    private weak var base: DiTDenoiser?

    init(changes: SiteChanges, calls: Int, config: DiTConfig) {
        self.changes = changes
        width = config.hiddenSize
        let shape = [config.tokens, config.hiddenSize]
        func perEntry(_ count: Int) -> [RecentFeatures] { (0..<2).map { _ in RecentFeatures(count, shape: shape) } }
        attention = (0..<config.depth).map { _ in perEntry(SiteChanges.longest + 1) }
        mlp = (0..<config.depth).map { _ in perEntry(SiteChanges.longest + 1) }
        inputs = perEntry(2)
        residuals = perEntry(2)
        inputChanges = Array(repeating: 0, count: calls)
        residualRatios = Array(repeating: 1, count: calls)
    }

    /// Hangs itself into the model of the run's image.
    func attach(_ base: DiTDenoiser) -> any Denoiser {
        self.base = base
        base.interceptor = self
        return base
    }

    func approach(
        _ site: BlockSite, call: Int, entries: BatchSubset, input: (_ entry: Int) -> UnsafeBufferPointer<Float>
    ) {
        guard site == .stack, let base else { return }
        var sums = AbsoluteSums()
        for entry in entries {
            base.modulateInput(input(entry), call: call, entry: entry, into: inputs[entry].slot(of: call))
            if call > 0 { sums.add(inputs[entry].values(of: call), inputs[entry].values(of: call - 1)) }
        }
        inputChanges[call] = sums.relative
        (ratioSum, entriesSeen) = (0, 0)
    }

    func observe(
        _ site: BlockSite, call: Int, entry: Int, input: UnsafeBufferPointer<Float>,
        output: UnsafeBufferPointer<Float>
    ) {
        switch site {
        case .attention(let block):
            keep(output, in: attention[block][entry], call: call, tell: changes.addAttention)
        case .mlp(let block):
            keep(output, in: mlp[block][entry], call: call, tell: changes.addMLP)
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
        _ output: UnsafeBufferPointer<Float>, in features: RecentFeatures, call: Int,
        tell: (_ change: Double, _ from: Int, _ distance: Int) -> Void
    ) {
        _ = features.slot(of: call).values.update(fromContentsOf: output)
        for distance in 1...SiteChanges.longest where call >= distance {
            let sums = AbsoluteSums(features.values(of: call - distance), output)
            tell(sums.relative, call - distance, distance)
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
