import Sampling
import Testing

@testable import Caching

/// What budgets promise.
@Suite struct QualityCurveTests {
    private func choice(_ evaluations: Int, _ decibels: [Double]?, of screened: Int) -> PlanChoice {
        PlanChoice(
            evaluations: evaluations, plan: .full(calls: 4, branches: .conditional), errors: [],
            quality: decibels.map { MeasuredQuality(decibels: $0, screened: screened) })
    }

    private func curve(_ choices: [PlanChoice]) throws -> QualityCurve {
        let measured = try GaussianCalibration(GaussianRun(type: .sample, steps: 4, scale: 3), seeds: 1..<3)
        return QualityCurve(measured.calibration.choosing(choices))
    }

    @Test func `so many may fall short that a sample of a worse model would rarely show as few`() {
        for images in 1...200 {
            // The probability of k or fewer shortfalls where one in twenty falls short.
            func tail(_ k: Int) -> Double {
                (0...k).reduce(0) { sum, i in
                    let ways = (0..<i).reduce(1.0) { $0 * Double(images - $1) / Double($1 + 1) }
                    return sum + ways * pow(0.05, i) * pow(0.95, images - i)
                }
            }
            if let k = QualityCurve.allowedShortfalls(of: images) {
                #expect(tail(k) <= 0.1 && tail(k + 1) > 0.1, "\(images)")
            } else {
                #expect(tail(0) > 0.1, "\(images)")
            }
        }
    }

    private func pow(_ base: Double, _ exponent: Int) -> Double {
        (0..<exponent).reduce(1) { power, _ in power * base }
    }

    @Test func `a promise is the quality of the worst image that may not fall short`() throws {
        let many = try curve([choice(2, [50, 20, 41, 60], of: 78)])
        #expect(QualityCurve.allowedShortfalls(of: 78) == 1)
        #expect(many.points[0].promise == 41)
        #expect(many.points[0].share(keeping: 41).count == 77)
        let few = try curve([choice(2, [50, 20], of: 12)])
        #expect(few.points[0].promise == nil)
    }

    @Test func `the cheapest budget that keeps a quality is chosen, and none where none does`() throws {
        let curve = try curve([
            choice(4, [60, 70], of: 60), choice(2, [30, 40], of: 60), choice(3, [50, 55], of: 60),
            choice(1, nil, of: 60),
        ])
        #expect(curve.points.map(\.evaluations) == [2, 3, 4])
        #expect(curve.cheapest(keeping: 30)?.evaluations == 2)
        #expect(curve.cheapest(keeping: 30.5)?.evaluations == 3)
        #expect(curve.cheapest(keeping: 61) == nil)
        #expect(QualityCurve(nil).points.isEmpty)
    }
}
