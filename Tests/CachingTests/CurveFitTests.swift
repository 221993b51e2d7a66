import Glibc
import Testing

@testable import Caching

/// Windowed curvature and torsion of curves that have one of each.
@Suite struct CurveFitTests {
    private func curve(_ count: Int, _ point: (Double) -> SIMD3<Double>) -> [SIMD3<Double>] {
        (0..<count).map { point(Double($0)) }
    }

    @Test(arguments: [5, 7])
    func `a straight line has no curvature, and so no torsion`(window: Int) throws {
        let fits = try CurveFit.fits(of: curve(12) { SIMD3(2 * $0 * $0, -$0 * $0, 3) }, window: window)
        #expect(fits.count == 12)
        for fit in fits { #expect((fit?.curvature ?? .nan) < 1e-10 && fit?.torsion == nil && fit != nil) }
    }

    @Test(arguments: [5, 7])
    func `a circle has the curvature 1/R and no torsion`(window: Int) throws {
        let radius = 40.0
        let circle = curve(20) { SIMD3(radius * cos(0.02 * $0), 7, radius * sin(0.02 * $0)) }
        for fit in try CurveFit.fits(of: circle, window: window) {
            #expect(abs((fit?.curvature ?? .nan) * radius - 1) < 5e-3)
            #expect(abs(fit?.torsion ?? .nan) * radius < 1e-6)
        }
    }

    /// The helix (r cos t, r sin t, c t) has κ = r/(r² + c²) and τ = c/(r² + c²); the sign of c is its hand.
    @Test(arguments: [(5, 2.0), (7, 2.0), (7, -2.0)])
    func `a helix has its curvature and torsion`(window: Int, rise: Double) throws {
        let radius = 3.0
        let helix = curve(24) { SIMD3(radius * cos(0.03 * $0), radius * sin(0.03 * $0), rise * 0.03 * $0) }
        let scale = radius * radius + rise * rise
        for fit in try CurveFit.fits(of: helix, window: window) {
            #expect(abs((fit?.curvature ?? .nan) * scale / radius - 1) < 0.01)
            #expect(abs((fit?.torsion ?? .nan) * scale / rise - 1) < 0.05)
        }
    }

    @Test func `uneven steps do not matter`() throws {
        let circle = curve(16) { n in
            let angle = 0.01 * n + 0.002 * n * n
            return SIMD3(5 * cos(angle), 5 * sin(angle), 0)
        }
        for fit in try CurveFit.fits(of: circle) { #expect(abs((fit?.curvature ?? .nan) * 5 - 1) < 0.02) }
    }

    @Test func `too few points, and points that coincide, have no fit`() throws {
        #expect(try CurveFit.fits(of: curve(4) { SIMD3($0, 0, 0) }) == [nil, nil, nil, nil])
        #expect(try CurveFit.fits(of: Array(repeating: SIMD3(1, 2, 3), count: 6)).allSatisfy { $0 == nil })
        #expect(try CurveFit.fits(of: []).isEmpty)
    }

    @Test func `a window that is longer than the curve takes all of it`() throws {
        let arc = curve(5) { SIMD3(cos(0.1 * $0), sin(0.1 * $0), 0) }
        #expect(try CurveFit.fits(of: arc, window: 9) == CurveFit.fits(of: arc, window: 5))
    }
}
