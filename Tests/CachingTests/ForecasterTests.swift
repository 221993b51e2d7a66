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
        _ forecaster: Forecaster, _ outputs: [Double], at call: Int, plan: ReusePlan = plan, band: Int = 0
    ) throws -> Double {
        let calls = try Runs.calls(plan.calls)
        return forecaster.terms(for: .conditional, at: call, of: calls, plan: plan).reduce(0) {
            $0 + $1.weights[$1.weights.count > 1 ? band : 0] * outputs[$1.call]
        }
    }

    private static var reused: [Int] { (0..<plan.calls).filter { !plan.isFull(.conditional, at: $0) } }

    private static func all(_ calls: Int) -> [Forecaster] {
        Forecaster.orders.flatMap { order in
            ForecastVariable.allCases.map { Forecaster.taylor(order: order, quantity: .direction, variable: $0) }
                + [.hermite(order: order)]
        } + [
            .hold(), .omnicache(gammas: Runs.series(calls, seed: 4), filter: nil),
            .omnicache(
                gammas: Runs.series(calls, seed: 4),
                filter: .init(boundary: 0.5, lowPass: 3, highPass: 2, bandCount: 6)),
        ]
    }

    @Test func `every forecast's weights sum to 1, and its sources have been evaluated`() throws {
        let calls = try Runs.calls(18)
        for forecaster in Self.all(18) {
            for call in Self.reused {
                let terms = forecaster.terms(for: .unconditional, at: call, of: calls, plan: Self.plan)
                #expect(terms.allSatisfy { $0.branch == .unconditional && $0.call < call })
                #expect(terms.allSatisfy { $0.weights.count == forecaster.rule.bandCount })
                for band in 0..<forecaster.rule.bandCount {
                    // The weights alternate and grow with the order; their sum cancels to rounding errors of their size.
                    let weights = terms.map { $0.weights[band] }
                    let size = weights.reduce(1) { $0 + abs($1) }
                    #expect(abs(weights.reduce(0, +) - 1) < 1e-14 * size * Double(weights.count))
                }
            }
        }
    }

    @Test func `hold gives the last evaluated output`() throws {
        let outputs = (0..<18).map { Double($0) }
        #expect(
            try Self.reused.map { try Self.forecast(.hold(), outputs, at: $0) } == [
                1, 3, 3, 6, 6, 6, 10, 12, 12, 12, 12, 12,
            ])
    }

    @Test(arguments: Forecaster.orders, ForecastVariable.allCases)
    func `taylor of order k continues polynomials of degree k in its variable exactly`(
        order: Int, variable: ForecastVariable
    ) throws {
        let calls = try Runs.calls(18)
        let forecaster = Forecaster.taylor(order: order, quantity: .direction, variable: variable)
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
            #expect(try abs(Self.forecast(forecaster, outputs, at: call) - outputs[call]) < 1e-9)
        }
        #expect(checked > 5)
    }

    @Test func `taylor has the order that the outputs so far allow`() throws {
        let outputs = Runs.series(18, seed: 2)
        let high = Forecaster.taylor(order: 4, quantity: .direction, variable: .step)
        let low = Forecaster.taylor(order: 1, quantity: .direction, variable: .step)
        #expect(try Self.forecast(high, outputs, at: 2) == Self.forecast(low, outputs, at: 2))
        let early = ReusePlan(steps: [true, false, false], branches: .conditional)
        #expect(try Self.forecast(high, outputs, at: 1, plan: early) == outputs[0])
    }

    @Test func `taylor takes one output of calls that see the same noise`() throws {
        let calls = try Runs.calls(6, .heun)
        #expect(calls[1].timestep == calls[2].timestep)
        let plan = ReusePlan(steps: calls.map { $0.index < 4 }, branches: .conditional)
        let forecaster = Forecaster.taylor(order: 3, quantity: .direction, variable: .logSNR)
        let terms = forecaster.terms(for: .conditional, at: 4, of: calls, plan: plan)
        // Calls 3 and 4 see the same noise, so the newest output stands as it is.
        #expect(terms.map(\.call) == [3, 2, 0])
        #expect(terms.map { $0.weights[0] } == [1, 0, 0])
    }

    // MARK: - hermite

    @Test func `hermite of scale 1/√2 and order 1 is taylor of order 1 in steps`() throws {
        let outputs = Runs.series(18, seed: 3)
        let taylor = Forecaster.taylor(order: 1, quantity: .direction, variable: .step)
        let hermite = Forecaster.hermite(order: 1, scale: 0.5.squareRoot())
        for call in Self.reused {
            let difference = try Self.forecast(hermite, outputs, at: call) - Self.forecast(taylor, outputs, at: call)
            #expect(abs(difference) < 1e-12)
        }
    }

    @Test func `hermite of order 2 follows the published polynomials`() throws {
        // H1 = 2x, H2 = 4x² − 2, full steps 0, 2 and 4, two steps ahead, s = 0.5.
        let plan = ReusePlan(steps: "FRFRFRR".map { $0 == "F" }, branches: .conditional)
        let outputs = [3.0, 0, 5, 0, 4, 0, 0]
        let (first, second) = ((4.0 - 5) / 2, ((4.0 - 5) / 2 - (5.0 - 3) / 2) / 2)
        let (k, s) = (2.0, 0.5)
        let expected = 4 + first * s * (2 * s * k) + second / 2 * s * s * (4 * s * k * s * k - 2)
        #expect(try abs(Self.forecast(Forecaster.hermite(), outputs, at: 6, plan: plan) - expected) < 1e-14)
    }

    // MARK: - omnicache

    @Test func `omnicache with gamma 1 and no filter is taylor of order 1 in steps`() throws {
        let outputs = Runs.series(18, seed: 6)
        let taylor = Forecaster.taylor(order: 1, quantity: .direction, variable: .step)
        let omnicache = Forecaster.omnicache(gammas: Array(repeating: 1, count: 18), filter: nil)
        for call in Self.reused {
            let difference = try Self.forecast(omnicache, outputs, at: call) - Self.forecast(taylor, outputs, at: call)
            #expect(abs(difference) < 1e-12)
        }
    }

    @Test func `omnicache continues noise that follows its gammas exactly`() throws {
        let gammas = Runs.series(18, seed: 8).map { 0.5 + $0 }
        var outputs = [2.0, 1.7]
        for n in 2..<18 { outputs.append(outputs[n - 1] - gammas[n] * (outputs[n - 2] - outputs[n - 1])) }
        let forecaster = Forecaster.omnicache(gammas: gammas, filter: nil)
        for call in Self.reused {
            let expected = outputs[call]
            #expect(try abs(Self.forecast(forecaster, outputs, at: call) - expected) < 1e-9 * abs(expected))
        }
    }

    @Test func `omnicache splits the noise evenly where its gammas say nothing about the past`() throws {
        for gamma in [0, -0.4, 1e-9] {
            var gammas = Array(repeating: 1.0, count: 18)
            gammas[6] = gamma
            let even = Forecaster.omnicache(gammas: Array(repeating: 1, count: 18), filter: nil)
            let outputs = Runs.series(18, seed: 12)
            let forecaster = Forecaster.omnicache(gammas: gammas, filter: nil)
            #expect(try Self.forecast(forecaster, outputs, at: 7) == Self.forecast(even, outputs, at: 7))
        }
    }

    @Test func `omnicache corrects low frequencies before the boundary and high ones after it`() throws {
        let outputs = Runs.series(18, seed: 5)
        let gammas = Runs.series(18, seed: 7).map { 0.5 + $0 }
        let filtered = Forecaster.omnicache(
            gammas: gammas, filter: .init(boundary: 0.5, lowPass: 3, highPass: 1, bandCount: 8))
        let free = Forecaster.omnicache(gammas: gammas, filter: nil)
        for call in Self.reused {
            for band in 0..<8 {
                let passes = call < 9 ? band < 3 : band >= 1
                let expected = try Self.forecast(passes ? free : .hold(), outputs, at: call)
                #expect(try Self.forecast(filtered, outputs, at: call, band: band) == expected)
            }
        }
    }
}
