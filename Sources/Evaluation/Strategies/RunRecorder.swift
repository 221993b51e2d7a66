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

    /// Becomes the interceptor of the run's model.
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

/// A full run of one calibration image: its states, its outputs, and what a recorder saw inside the network.
struct RecordedRun {
    let item: SampleItem
    /// The state at each call, (C, H, W).
    private(set) var states: [[Float]] = []
    /// The output of each branch at each call, the conditional one first.
    private(set) var outputs: [[[Float]]] = []
    /// The learned variance of each branch at each call; empty for models without.
    private(set) var variances: [[[Float]]] = []
    /// The final latents.
    let latents: Tensor
    /// The relative L1 change of block 0's modulated input from the call before, over all branches; 0 at the first.
    let inputChanges: [Double]
    /// The size of the stack's residual over that at the call before, averaged over tokens; 1 at the first.
    let residualRatios: [Double]

    /// Takes a run to its end.
    init(_ item: SampleItem, of run: SamplingRun, watchedBy recorder: RunRecorder) throws {
        self.item = item
        var run = run
        while true {
            let state = run.latents.elements
            guard try run.next() != nil else { break }
            let all = run.outputs.each(of: run.branches).map(\.output)
            states.append(state)
            outputs.append(all.map(\.prediction.elements))
            variances.append(all.compactMap { $0.variance?.elements })
        }
        latents = run.latents.reshaped(run.latents.shape)
        inputChanges = recorder.inputChanges
        residualRatios = recorder.residualRatios
    }
}

/// The relative L1 change of the layers' outputs over one to ``longest`` calls, averaged over the layers of a kind, the
/// branches and the calibration images.
final class SiteChanges {
    /// The longest distance in calls, SmoothCache's cap.
    static let longest = 3

    /// Sums and counts, both [distance − 1][call from which].
    private struct Sums {
        var totals: [[Double]]
        var counts: [[Int]]
    }

    private let calls: Int
    private var sums: [LayerKind: Sums] = [:]

    init(calls: Int) {
        self.calls = calls
    }

    /// The changes of the layers of a kind: [distance − 1][call from which].
    func changes(of kind: LayerKind) -> [[Double]] {
        guard let sums = sums[kind] else {
            return Array(repeating: Array(repeating: 0, count: calls), count: Self.longest)
        }
        return zip(sums.totals, sums.counts).map { totals, counts in
            zip(totals, counts).map { $1 == 0 ? 0 : $0 / Double($1) }
        }
    }

    func add(_ change: Double, of kind: LayerKind, from call: Int, distance: Int) {
        sums[kind, default: empty].totals[distance - 1][call] += change
        sums[kind, default: empty].counts[distance - 1][call] += 1
    }

    private var empty: Sums {
        Sums(
            totals: Array(repeating: Array(repeating: 0, count: calls), count: Self.longest),
            counts: Array(repeating: Array(repeating: 0, count: calls), count: Self.longest))
    }
}

/// Gives what a recorded run put out, up to one of its calls, and evaluates from there on.
final class ReplayDenoiser: Denoiser {
    private let base: NetworkDenoiser
    private let recording: RecordedRun
    private let last: Int

    /// A run of `base` that is replayed from `recording` through call `last`.
    init(_ base: NetworkDenoiser, recording: RecordedRun, through last: Int) {
        self.base = base
        self.recording = recording
        self.last = last
    }

    var hasVariance: Bool { base.hasVariance }

    func begin(calls: [ModelCall], guidance: Guidance, shape: [Int]) throws {
        try base.begin(calls: calls, guidance: guidance, shape: shape)
    }

    func evaluate(
        _ branches: GuidanceBranches, at call: ModelCall, latents: Tensor, into outputs: BranchOutputs
    ) throws {
        guard call.index <= last else {
            return try base.evaluate(branches, at: call, latents: latents, into: outputs)
        }
        for (entry, output) in outputs.each(of: branches) {
            _ = output.prediction.values.update(fromContentsOf: recording.outputs[call.index][entry])
            if let variance = output.variance {
                _ = variance.values.update(fromContentsOf: recording.variances[call.index][entry])
            }
        }
    }
}

extension BranchOutputs {
    /// The outputs of `branches` with their places in a batch: 0 for the conditional branch, 1 for the unconditional.
    func each(of branches: GuidanceBranches) -> [(entry: Int, output: ModelOutput)] {
        (branches.contains(.conditional) ? [(0, conditional)] : [])
            + (branches.contains(.unconditional) ? [(1, unconditional)] : [])
    }
}
