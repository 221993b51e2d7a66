import Caching
import Glibc
import Sampling
import TestSupport
import Testing

@Suite struct ForecasterTests {
    private static let plan = ReusePlan(
        steps: "FFRFRRFRRRFRFRRRRR".map { $0 == "F" }, branches: Runs.guided)

    /// The forecast at `call` of a branch whose output at each call is `outputs[call]`, band by band.
    private static func forecast(
        _ forecaster: any Forecaster, _ outputs: [Double], at call: Int, plan: ReusePlan = plan, band: Int = 0
    ) -> Double {
        let history = OutputHistory(of: plan, at: call, depth: forecaster.depth)
        return forecaster.terms(for: .conditional, at: call, history: history).reduce(0) {
            $0 + $1.weights[$1.weights.count > 1 ? band : 0] * outputs[$1.call]
        }
    }

    private static var reused: [Int] { (0..<plan.calls).filter { !plan.isFull(.conditional, at: $0) } }

    private static func all(_ calls: [ModelCall]) -> [any Forecaster] {
        TaylorForecaster.orders.flatMap { order in
            ForecastVariable.allCases.map {
                TaylorForecaster(order: order, quantity: .direction, variable: $0, calls: calls) as any Forecaster
            } + [HermiteForecaster(order: order)]
        } + [
            HoldForecaster(), OmniCacheForecaster(gammas: Runs.series(calls.count, seed: 4), filter: nil),
            OmniCacheForecaster(
                gammas: Runs.series(calls.count, seed: 4),
                filter: .init(boundary: 0.5, lowPass: 3, highPass: 2, bandCount: 6)),
        ]
    }

    @Test func `every forecast's weights sum to 1, and its sources have been evaluated`() throws {
        for forecaster in Self.all(try Runs.calls(18)) {
            for call in Self.reused {
                let history = OutputHistory(of: Self.plan, at: call, depth: forecaster.depth)
                let terms = forecaster.terms(for: .unconditional, at: call, history: history)
                #expect(terms.allSatisfy { $0.branch == .unconditional && $0.call < call })
                #expect(terms.allSatisfy { $0.weights.count == forecaster.bandCount })
                for band in 0..<forecaster.bandCount {
                    // The weights alternate and grow with the order; their sum cancels to rounding errors of their size.
                    let weights = terms.map { $0.weights[band] }
                    let size = weights.reduce(1) { $0 + abs($1) }
                    #expect(abs(weights.reduce(0, +) - 1) < 1e-14 * size * Double(weights.count))
                }
            }
        }
    }

    @Test func `hold gives the last evaluated output`() {
        let outputs = (0..<18).map { Double($0) }
        #expect(
            Self.reused.map { Self.forecast(HoldForecaster(), outputs, at: $0) } == [
                1, 3, 3, 6, 6, 6, 10, 12, 12, 12, 12, 12,
            ])
    }

    @Test(arguments: TaylorForecaster.orders, ForecastVariable.allCases)
    func `taylor of order k continues polynomials of degree k in its variable exactly`(
        order: Int, variable: ForecastVariable
    ) throws {
        let calls = try Runs.calls(18)
        let forecaster = TaylorForecaster(order: order, quantity: .direction, variable: variable, calls: calls)
        let coefficients = noise(order + 1, seed: 9).map { Double($0) }
        // Scaled, so that the powers of a timestep of 999 do not drown the others.
        let scale = calls.map { abs(variable.position(of: $0)) }.max() ?? 1
        let outputs = calls.map { call in
            coefficients.reversed().reduce(0) { $0 * variable.position(of: call) / scale + $1 }
        }
        var checked = 0
        for call in Self.reused {
            let known = OutputHistory(of: Self.plan, at: call, depth: order + 1).calls(of: .conditional)
            guard known.count == order + 1 else { continue }
            checked += 1
            #expect(abs(Self.forecast(forecaster, outputs, at: call) - outputs[call]) < 1e-9)
        }
        #expect(checked > 5)
    }

    @Test func `taylor has the order that the outputs so far allow`() throws {
        let calls = try Runs.calls(18)
        let outputs = Runs.series(18, seed: 2)
        let high = TaylorForecaster(order: 4, quantity: .direction, variable: .step, calls: calls)
        let low = TaylorForecaster(order: 1, quantity: .direction, variable: .step, calls: calls)
        #expect(Self.forecast(high, outputs, at: 2) == Self.forecast(low, outputs, at: 2))
        let early = ReusePlan(steps: [true, false, false], branches: .conditional)
        #expect(Self.forecast(high, outputs, at: 1, plan: early) == outputs[0])
    }

    @Test func `taylor takes one output of calls that see the same noise`() throws {
        let calls = try Runs.calls(6, .heun)
        #expect(calls[1].timestep == calls[2].timestep)
        let plan = ReusePlan(steps: calls.map { $0.index < 4 }, branches: .conditional)
        let forecaster = TaylorForecaster(order: 3, quantity: .direction, variable: .logSNR, calls: calls)
        let history = OutputHistory(of: plan, at: 4, depth: forecaster.depth)
        let terms = forecaster.terms(for: .conditional, at: 4, history: history)
        // Calls 3 and 4 see the same noise, so the newest output stands as it is.
        #expect(terms.map(\.call) == [3, 2, 0])
        #expect(terms.map { $0.weights[0] } == [1, 0, 0])
    }

    // MARK: - hermite

    @Test func `hermite of scale 1/√2 and order 1 is taylor of order 1 in steps`() throws {
        let calls = try Runs.calls(18)
        let outputs = Runs.series(18, seed: 3)
        let taylor = TaylorForecaster(order: 1, quantity: .direction, variable: .step, calls: calls)
        let hermite = HermiteForecaster(order: 1, scale: 0.5.squareRoot())
        for call in Self.reused {
            let difference = Self.forecast(hermite, outputs, at: call) - Self.forecast(taylor, outputs, at: call)
            #expect(abs(difference) < 1e-12)
        }
    }

    @Test func `hermite of order 2 follows the published polynomials`() {
        // H1 = 2x, H2 = 4x² − 2, full steps 0, 2 and 4, two steps ahead, s = 0.5.
        let plan = ReusePlan(steps: "FRFRFRR".map { $0 == "F" }, branches: .conditional)
        let outputs = [3.0, 0, 5, 0, 4, 0, 0]
        let (first, second) = ((4.0 - 5) / 2, ((4.0 - 5) / 2 - (5.0 - 3) / 2) / 2)
        let (k, s) = (2.0, 0.5)
        let expected = 4 + first * s * (2 * s * k) + second / 2 * s * s * (4 * s * k * s * k - 2)
        #expect(abs(Self.forecast(HermiteForecaster(), outputs, at: 6, plan: plan) - expected) < 1e-14)
    }

    // MARK: - omnicache

    @Test func `omnicache with gamma 1 and no filter is taylor of order 1 in steps`() throws {
        let calls = try Runs.calls(18)
        let outputs = Runs.series(18, seed: 6)
        let taylor = TaylorForecaster(order: 1, quantity: .direction, variable: .step, calls: calls)
        let omnicache = OmniCacheForecaster(gammas: Array(repeating: 1, count: 18), filter: nil)
        for call in Self.reused {
            let difference = Self.forecast(omnicache, outputs, at: call) - Self.forecast(taylor, outputs, at: call)
            #expect(abs(difference) < 1e-12)
        }
    }

    @Test func `omnicache continues noise that follows its gammas exactly`() {
        let gammas = Runs.series(18, seed: 8).map { 0.5 + $0 }
        var outputs = [2.0, 1.7]
        for n in 2..<18 { outputs.append(outputs[n - 1] - gammas[n] * (outputs[n - 2] - outputs[n - 1])) }
        let forecaster = OmniCacheForecaster(gammas: gammas, filter: nil)
        for call in Self.reused {
            let expected = outputs[call]
            #expect(abs(Self.forecast(forecaster, outputs, at: call) - expected) < 1e-9 * abs(expected))
        }
    }

    @Test func `omnicache splits the noise evenly where its gammas say nothing about the past`() {
        for gamma in [0, -0.4, 1e-9] {
            var gammas = Array(repeating: 1.0, count: 18)
            gammas[6] = gamma
            let even = OmniCacheForecaster(gammas: Array(repeating: 1, count: 18), filter: nil)
            let outputs = Runs.series(18, seed: 12)
            let forecaster = OmniCacheForecaster(gammas: gammas, filter: nil)
            #expect(Self.forecast(forecaster, outputs, at: 7) == Self.forecast(even, outputs, at: 7))
        }
    }

    @Test func `omnicache corrects low frequencies before the boundary and high ones after it`() {
        let outputs = Runs.series(18, seed: 5)
        let gammas = Runs.series(18, seed: 7).map { 0.5 + $0 }
        let filtered = OmniCacheForecaster(
            gammas: gammas, filter: .init(boundary: 0.5, lowPass: 3, highPass: 1, bandCount: 8))
        let free = OmniCacheForecaster(gammas: gammas, filter: nil)
        for call in Self.reused {
            for band in 0..<8 {
                let passes = call < 9 ? band < 3 : band >= 1
                let expected = Self.forecast(passes ? free : HoldForecaster(), outputs, at: call)
                #expect(Self.forecast(filtered, outputs, at: call, band: band) == expected)
            }
        }
    }
}
