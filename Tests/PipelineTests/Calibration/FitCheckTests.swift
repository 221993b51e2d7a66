import Caching
import Testing

@testable import Pipeline

/// Which forecaster a check chooses.
@Suite struct FitCheckTests {
    private static let specs: [Forecaster] = [
        PlanResolver.plainForecaster,
        .fitted(name: .spectral, quantity: .velocity, depth: 3, bandCount: 1, entries: []),
        .fitted(name: .steering, quantity: .velocity, depth: 3, bandCount: 1, entries: []),
    ]

    private func check(_ errors: [Double]) -> FitCheck {
        FitCheck(zip(Self.specs, errors).map { FitCheck.Candidate(forecaster: $0, error: $1) })
    }

    @Test(arguments: [
        ([3.0, 2, 1], "steering"), ([3, 1, 2], "spectral"), ([1, 2, 3], "taylor:2"), ([1, 3, 2], "taylor:2"),
        ([2, 3, 1], "steering"), ([1, 1, 1], "taylor:2"), ([2, 1, 1], "spectral"),
        ([3, 1, .infinity], "spectral"), ([.infinity, .infinity, .infinity], "taylor:2"),
    ])
    func `a fit is used only where it is better than all that know less`(errors: [Double], name: String) {
        let check = check(errors)
        #expect(check.best.name == name)
    }
}
