import Caching
import Compute
import Models
import Pipeline
import Sampling

/// TCC (Liang et al., arXiv 2605.24870) on FORA: layers' outputs are held between evenly spaced full calls, and corrected by
/// what a calibration has found them to differ from those of the full run.
///
/// The corrections of a call are measured on runs that those of all calls before have already been applied to. The paper
/// leaves to its text, which we have not seen, what a correction is: here it is, for each layer and call, an offset per
/// channel, a factor per channel or one factor, as brings the calibration images nearest to their full runs.
struct TCCStrategy: ReuseStrategy {
    let name = "tcc"

    func prepare(_ budget: Budget, in context: StrategyContext) throws -> PreparedStrategy {
        let (calls, network) = (context.calls.count, context.network)
        let allowed = try context.callBudget(budget, reusedBlocks: 0, fewest: 1, name: name)
        let full = SpacedCalls.full(calls: calls, full: allowed.full)
        func run(_ corrections: LayerCorrections) -> PreparedStrategy {
            PreparedStrategy(in: context) { _ in
                CorrectedHoldCache(full: full, network: network, corrections: { corrections })
            }
        }
        guard allowed.full < calls else { return run(LayerCorrections(kind: .offset)) }
        _ = try context.recorded()
        return try context.best(of: LayerCorrections.Kind.allCases) { kind in
            run(try calibrate(full, kind, in: context))
        }.strategy
    }

    /// Takes every calibration image through its full run and its cached run side by side, call by call.
    private func calibrate(
        _ full: [Bool], _ kind: LayerCorrections.Kind, in context: StrategyContext
    ) throws -> LayerCorrections {
        let network = context.network
        var corrections = LayerCorrections(kind: kind)
        let recorders = context.items.map { _ in LayerOutputs(network) }
        let caches = context.items.map { _ in
            CorrectedHoldCache(full: full, network: network, corrections: { corrections })
        }
        func runs(_ interceptors: [any SiteInterceptor]) throws -> [SamplingRun] {
            try zip(context.items, interceptors).map { item, interceptor in
                try context.start(item) { base in
                    base.interceptor = interceptor
                    return base
                }
            }
        }
        var (fullRuns, cachedRuns) = (try runs(recorders), try runs(caches))
        for call in context.calls.indices {
            for index in fullRuns.indices { _ = try fullRuns[index].next() }
            if !full[call] {
                for site in network.layers {
                    let pairs = zip(recorders, caches).flatMap { recorder, cache in
                        (0..<context.branches.count).map { (recorder.values(of: site.id, $0), cache.held(site.id, $0)) }
                    }
                    corrections.fit(pairs, of: site, at: call)
                }
            }
            for index in cachedRuns.indices { _ = try cachedRuns[index].next() }
        }
        return corrections
    }
}

/// TCC's corrections of held outputs, by call and layer.
struct LayerCorrections {
    /// What a correction is.
    enum Kind: CaseIterable {
        /// A number for each channel, which is added.
        case offset
        /// A number for each channel, which is multiplied by.
        case channelFactor
        /// One number, which is multiplied by.
        case factor
    }

    private struct Place: Hashable {
        let site: Site.ID
        let call: Int
    }

    private let kind: Kind
    private var values: [Place: [Float]] = [:]  // one per channel

    init(kind: Kind) { self.kind = kind }

    /// Fits the correction of a layer at a call.
    ///
    /// - Parameters:
    ///   - pairs: The outputs, (T, D), of the full run and as they are held in the cached one, of each image and branch.
    ///   - site: The layer.
    ///   - call: The call.
    mutating func fit(_ pairs: [(true: Tensor, held: Tensor)], of site: Site, at call: Int) {
        let width = site.width
        var (differences, products, squares) = (
            [Double](repeating: 0, count: width), [Double](repeating: 0, count: width),
            [Double](repeating: 0, count: width)
        )
        for pair in pairs {
            let (truth, held) = (pair.true.values, pair.held.values)
            for start in stride(from: 0, to: truth.count, by: width) {
                for channel in 0..<width {
                    let (y, x) = (Double(truth[start + channel]), Double(held[start + channel]))
                    differences[channel] += y - x
                    products[channel] += x * y
                    squares[channel] += x * x
                }
            }
        }
        func factor(_ product: Double, _ square: Double) -> Float { square > 0 ? Float(product / square) : 1 }
        let tokens = pairs.reduce(0) { $0 + $1.held.count / width }
        values[Place(site: site.id, call: call)] =
            switch kind {
            case .offset: differences.map { Float($0 / Double(max(1, tokens))) }
            case .channelFactor: zip(products, squares).map(factor)
            case .factor:
                Array(repeating: factor(products.reduce(0, +), squares.reduce(0, +)), count: width)
            }
    }

    /// Corrects an output, (T, D), in place; leaves it where nothing has been fitted.
    func apply(to output: UnsafeMutableBufferPointer<Float>, of site: Site.ID, at call: Int) {
        guard let values = values[Place(site: site, call: call)] else { return }
        for start in stride(from: 0, to: output.count, by: values.count) {
            for (channel, value) in values.enumerated() {
                if kind == .offset { output[start + channel] += value } else { output[start + channel] *= value }
            }
        }
    }
}

/// The outputs of all layers at the last call at which they were computed, per batch entry.
private final class LayerOutputs: SiteInterceptor {
    private var layers: [Site.ID: [Tensor]] = [:]

    init(_ network: any DenoisingNetwork) {
        for site in network.layers { layers[site.id] = (0..<2).map { _ in Tensor(site.shape) } }
    }

    func values(of site: Site.ID, _ entry: Int) -> Tensor {
        guard let values = layers[site] else { preconditionFailure("a layer of another network") }
        return values[entry]
    }

    func observe(
        _ site: Site.ID, call: Int, entry: Int, input: UnsafeBufferPointer<Float>,
        output: UnsafeBufferPointer<Float>
    ) {
        if let kept = layers[site] { _ = kept[entry].values.update(fromContentsOf: output) }
    }
}

/// Holds the outputs of all layers, corrected.
private final class CorrectedHoldCache: SiteInterceptor {
    private let full: [Bool]
    private let outputs: LayerOutputs
    private let corrections: () -> LayerCorrections

    init(full: [Bool], network: any DenoisingNetwork, corrections: @escaping () -> LayerCorrections) {
        self.full = full
        outputs = LayerOutputs(network)
        self.corrections = corrections
    }

    /// What is held of a layer, as it was computed.
    func held(_ site: Site.ID, _ entry: Int) -> Tensor { outputs.values(of: site, entry) }

    func replaces(
        _ site: Site.ID, call: Int, entry: Int, input: UnsafeBufferPointer<Float>,
        output: UnsafeMutableBufferPointer<Float>
    ) -> Bool {
        guard case .layer = site, !full[call] else { return false }
        _ = output.update(fromContentsOf: outputs.values(of: site, entry).values)
        corrections().apply(to: output, of: site, at: call)
        return true
    }

    func observe(
        _ site: Site.ID, call: Int, entry: Int, input: UnsafeBufferPointer<Float>,
        output: UnsafeBufferPointer<Float>
    ) {
        outputs.observe(site, call: call, entry: entry, input: input, output: output)
    }
}
