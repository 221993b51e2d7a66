import Caching
import Foundation
import Sampling
import Testing

@Suite struct ForecasterValueTests {
    private static let entries = [
        FittedRule.Entry(
            branch: .conditional, call: 1,
            terms: [ForecastTerm(branch: .conditional, call: 0, weights: [0.9, 1.1])]),
        FittedRule.Entry(
            branch: .unconditional, call: 1,
            terms: [
                ForecastTerm(branch: .unconditional, call: 0, weights: [0.1, 0.2]),
                ForecastTerm(branch: .conditional, call: 0, weights: [0.9, 0.8]),
            ]),
    ]

    private static let specs: [Forecaster] = [
        .hold(quantity: .clean), .taylor(order: 2, quantity: .direction, variable: .logSNR),
        .hermite(order: 2, scale: 0.5, quantity: .velocity),
        .omnicache(gammas: [0, 0, 0.5, 0.1 + 0.2], filter: nil, quantity: .direction),
        .omnicache(
            gammas: [0, 0, 0.5, 1 / 3], filter: .init(boundary: 0.5, lowPass: 3, highPass: 2), quantity: .direction),
        .fitted(name: .steering, quantity: .direction, depth: 3, bandCount: 2, entries: entries),
    ]

    @Test(arguments: specs)
    func `a forecaster survives coding, to the last bit`(spec: Forecaster) throws {
        #expect(try JSONDecoder().decode(Forecaster.self, from: JSONEncoder().encode(spec)) == spec)
    }

    @Test func `a forecaster is made with its parameters`() {
        #expect(Self.specs.map(\.name) == ["hold", "taylor:2", "hermite:2", "omnicache", "omnicache", "steering"])
        #expect(
            Self.specs.map(\.quantity) == [.clean, .direction, .velocity, .direction, .direction, .direction])
        #expect(Self.specs.map(\.rule.depth) == [1, 3, 3, 2, 2, 3])
        #expect(Self.specs.map(\.rule.bandCount) == [1, 1, 1, 1, 8, 2])
    }

    @Test func `keys and kinds in files are stable`() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let texts = try Self.specs.map { String(decoding: try encoder.encode($0), as: UTF8.self) }
        #expect(texts[1] == #"{"kind":"taylor","order":2,"quantity":"epsilon","variable":"log-snr"}"#)
        #expect(texts[2] == #"{"kind":"hermite","order":2,"quantity":"v","scale":0.5}"#)
        #expect(texts[4].contains(#""filter":{"bands":8,"boundary":0.5,"highPass":2,"lowPass":3}"#))
        #expect(texts[5].hasPrefix(#"{"bands":2,"depth":3,"kind":"steering","quantity":"epsilon","terms":[{"branch":"#))
    }

    @Test(arguments: [
        (#"{"kind":"magic","quantity":"epsilon"}"#, "'magic'"),
        (#"{"quantity":"epsilon"}"#, "'kind'"),
        (#"{"kind":"hold","quantity":"noise"}"#, "'quantity'"),
        (#"{"kind":"taylor","order":5,"quantity":"x0","variable":"step"}"#, "order 5"),
        (#"{"kind":"taylor","order":"2","quantity":"x0","variable":"step"}"#, "'order'"),
        (#"{"kind":"hermite","order":2,"scale":0,"quantity":"x0"}"#, "scale 0"),
        (#"{"kind":"omnicache","gammas":[1,"x"],"quantity":"x0"}"#, "gammas"),
        (
            #"{"kind":"omnicache","gammas":[1],"quantity":"x0","filter":{"bands":8,"boundary":2,"highPass":2,"lowPass":3}}"#,
            "boundary"
        ),
        (
            #"{"kind":"spectral","bands":2,"depth":1,"quantity":"x0","terms":[{"branch":"conditional","call":1,"sum":[{"branch":"conditional","call":0,"weights":[1]}]}]}"#,
            "2 finite weights"
        ),
        (#"{"kind":"spectral","bands":0,"depth":1,"quantity":"x0","terms":[]}"#, "bands"),
    ])
    func `what is no forecaster is refused in one line`(json: String, hint: String) throws {
        let error = try #require(throws: PlanError.self) {
            try JSONDecoder().decode(Forecaster.self, from: Data(json.utf8))
        }
        #expect("\(error)".contains(hint) && !"\(error)".contains("\n"), "\(error)")
    }

    @Test func `gammas for another run are refused`() {
        #expect(throws: PlanError.self) { try Self.specs[3].check(.full(calls: 5, branches: Runs.guided)) }
        #expect(throws: Never.self) { try Self.specs[3].check(.full(calls: 4, branches: Runs.guided)) }
    }

    @Test func `a fitted forecaster refuses plans that it was not fitted for`() throws {
        let forecaster = Forecaster.fitted(
            name: .steering, quantity: .direction, depth: 1, bandCount: 2, entries: Self.entries)
        try forecaster.check(ReusePlan(steps: [true, false], branches: Runs.guided))
        #expect((forecaster.rule as? FittedRule)?.entries == Self.entries)
        for plan in [
            ReusePlan(steps: [true, false, false], branches: Runs.guided),
            ReusePlan(steps: [true, true], branches: Runs.guided),
            ReusePlan(evaluated: [Runs.guided, .conditional], branches: Runs.guided),
        ] {
            #expect(throws: PlanError.self) { try forecaster.check(plan) }
        }
        let tooOld = Forecaster.fitted(
            name: .steering, quantity: .direction, depth: 1, bandCount: 1,
            entries: [
                .init(branch: .conditional, call: 2, terms: [.init(branch: .conditional, call: 0, weight: 1)])
            ])
        #expect(throws: PlanError.self) {
            try tooOld.check(ReusePlan(steps: [true, true, false], branches: .conditional))
        }
    }
}
