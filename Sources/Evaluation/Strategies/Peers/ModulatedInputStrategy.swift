import Caching
import Compute
import Models
import Pipeline

/// Reuses the stack's residual until the change of block 0's modulated input has added up to a threshold, the first and the
/// last call full: TeaCache (Liu et al., arXiv 2411.19108) and, on a filtered input, SeaCache.
///
/// The threshold is solved from the budget; published from 0.25 to 0.8, and 0.3 for SeaCache. TeaCache's polynomial of
/// degree 4, from the input's change to the output's, is fitted to the calibration images.
struct ModulatedInputStrategy: ReuseStrategy {
    /// What is done to the changes before they are added up.
    enum Refinement {
        /// A polynomial estimates the output's change.
        case polynomial
        /// The input is filtered by the spectrum of clean images.
        case wienerFilter
    }

    let name: String
    let refinement: Refinement

    static let teaCache = Self(name: "teacache", refinement: .polynomial)
    static let seaCache = Self(name: "seacache", refinement: .wienerFilter)

    private static let publishedThreshold = 0.3

    func prepare(_ budget: Budget, in context: StrategyContext) throws -> PreparedStrategy {
        let allowed = try context.callBudget(budget, reusedBlocks: 0, fewest: 2, name: name)
        let (stack, calls) = (context.network.stack, context.calls.count)
        let filter = refinement == .wienerFilter ? TokenFilter(stack, calls: context.calls) : nil
        let estimate = try refinement == .polynomial && allowed.full < calls ? polynomial(context) : nil
        func run(_ threshold: Double, full: Int?) -> PreparedStrategy {
            PreparedStrategy(in: context) { base in
                let decision = ModulatedInputDecision(
                    threshold: threshold,
                    schedule: OnlineSchedule(calls: calls, full: full, warmUp: 1, keepsLast: true), base: base,
                    stack: stack, estimate: { estimate?($0) ?? $0 }, filter: filter)
                return StackResidualCache(stack: stack, decision: decision.isFull)
            }
        }
        let threshold = try context.threshold(from: Self.publishedThreshold, within: allowed) { run($0, full: nil) }
        return run(threshold, full: allowed.full)
    }

    /// From the modulated input's change to that of the output, over all calls of all calibration images.
    private func polynomial(_ context: StrategyContext) throws -> Polynomial {
        let points = try context.recorded().flatMap { run in
            context.calls.indices.dropFirst().map { call in
                var sums = AbsoluteSums()
                for (now, before) in zip(run.outputs[call], run.outputs[call - 1]) {
                    now.withUnsafeBufferPointer { now in before.withUnsafeBufferPointer { sums.add(now, $0) } }
                }
                return (x: run.inputChanges[call], y: sums.relative)
            }
        }
        return try Polynomial(fitting: points, degree: 4)
    }
}

/// A polynomial in one variable, fitted by least squares.
struct Polynomial {
    /// The coefficients, of the constant term first.
    let coefficients: [Double]

    /// A polynomial from its coefficients.
    init(coefficients: [Double]) { self.coefficients = coefficients }

    /// The polynomial of degree `degree` (less for fewer points) nearest to the points.
    ///
    /// - Throws: ``LinearAlgebraError``.
    init(fitting points: [(x: Double, y: Double)], degree: Int) throws(LinearAlgebraError) {
        let terms = min(degree + 1, points.count)
        // Powers of x over its largest value: the columns are then of one size.
        let scale = points.map { abs($0.x) }.max() ?? 0
        guard terms > 0, scale > 0 else {
            coefficients = []
            return
        }
        let powers = points.flatMap { point in (0..<terms).map { Self.power(point.x / scale, $0) } }
        let solution = try LeastSquares(
            Matrix(rows: points.count, columns: terms, elements: powers),
            Matrix(rows: points.count, columns: 1, elements: points.map(\.y)), tolerance: 1e-10
        ).solution.elements
        coefficients = (0..<terms).map { solution[$0] / Self.power(scale, $0) }
    }

    /// Its value at `x`.
    func callAsFunction(_ x: Double) -> Double {
        coefficients.reversed().reduce(0) { $0 * x + $1 }
    }

    private static func power(_ x: Double, _ exponent: Int) -> Double {
        (0..<exponent).reduce(1) { product, _ in product * x }
    }
}

/// Full once the change of block 0's modulated input, call by call, has added up to a threshold: TeaCache's rule (Liu et
/// al., arXiv 2411.19108), and on a filtered input SeaCache's.
private final class ModulatedInputDecision {
    private let threshold: Double
    private let estimate: (Double) -> Double
    private let filter: TokenFilter?
    private weak var base: NetworkDenoiser?
    private let inputs: [RecentFeatures]
    private var schedule: OnlineSchedule
    private var accumulated = 0.0

    /// - Parameters:
    ///   - threshold: What the accumulated change has to reach.
    ///   - schedule: Keeps the budget.
    ///   - base: The model of the image.
    ///   - stack: The site of the stack.
    ///   - estimate: The change of the output, from that of the input.
    ///   - filter: Filters the input before it is compared.
    init(
        threshold: Double, schedule: OnlineSchedule, base: NetworkDenoiser, stack: Site,
        estimate: @escaping (Double) -> Double = { $0 }, filter: TokenFilter? = nil
    ) {
        self.threshold = threshold
        self.schedule = schedule
        self.base = base
        self.estimate = estimate
        self.filter = filter
        inputs = (0..<2).map { _ in RecentFeatures(2, shape: stack.shape) }
    }

    func isFull(
        _ call: Int, entries: BatchSubset, input: (_ entry: Int) -> UnsafeBufferPointer<Float>
    ) -> Bool {
        var sums = AbsoluteSums()
        for entry in entries {
            let features = inputs[entry]
            let current = features.slot(of: call)
            base?.writeFirstInput(of: input(entry), call: call, entry: entry, into: current)
            filter?.apply(to: current, call: call)
            if call > 0 { sums.add(UnsafeBufferPointer(current.values), features.values(of: call - 1)) }
        }
        accumulated += max(0, estimate(sums.relative))
        let isFull = schedule.decides(at: call, wanted: accumulated >= threshold)
        if isFull { accumulated = 0 }
        return isFull
    }
}
