import Caching
import TestSupport
import Testing

@testable import Evaluation

@Suite struct PolicyTests {
    @Test(arguments: [1, 2, 5, 10, 20, 37, 50], [1, 2, 3])
    func `full calls are as many as asked, evenly spaced from the warm-up to the last call`(full: Int, warmUp: Int) {
        let mask = SpacedCalls.full(calls: 50, full: full, warmUp: warmUp)
        let calls = mask.indices.filter { mask[$0] }
        #expect(calls.count == full)
        #expect(calls.prefix(warmUp).elementsEqual(0..<min(warmUp, full)))
        let tail = Array(calls.drop { $0 < min(warmUp, full) - 1 })
        let gaps = zip(tail.dropFirst(), tail).map { $0 - $1 }
        if let least = gaps.min(), let most = gaps.max() {
            #expect(most - least <= 1)
            #expect(calls.last == 49)
        }
    }

    @Test func `a schedule never exceeds what may be full, whatever the rule wants`() {
        var random = SplitMix64(seed: 5)
        for _ in 0..<500 {
            let calls = Int.random(in: 2...30, using: &random)
            let full = Int.random(in: 2...calls, using: &random)
            let keepsLast = Bool.random(using: &random)
            let warmUp = Int.random(in: 1..<full, using: &random)
            let eagerness = Double.random(in: 0...1, using: &random)
            var schedule = OnlineSchedule(calls: calls, full: full, warmUp: warmUp, keepsLast: keepsLast)
            let decisions = (0..<calls).map {
                schedule.decides(at: $0, wanted: Double.random(in: 0...1, using: &random) < eagerness)
            }
            // What is left at the end is spent there.
            #expect(decisions.count { $0 } == full)
            #expect(decisions.prefix(warmUp).allSatisfy { $0 })
            if keepsLast { #expect(decisions[calls - 1]) }
        }
    }

    @Test func `without a limit the rule rules`() {
        let wishes = [false, true, false, false, true, false]
        var schedule = OnlineSchedule(calls: 6, full: nil, warmUp: 1, keepsLast: true)
        let decisions = wishes.indices.map { schedule.decides(at: $0, wanted: wishes[$0]) }
        #expect(decisions == [true, true, false, false, true, true])
    }

    @Test func `the smaller the budget, the higher the threshold, and it is kept and nearly spent`() {
        let changes = noise(200, seed: 3).map { Double(abs($0)) }
        func spent(_ threshold: Double) -> Double {
            var (sum, count) = (0.0, 1.0)
            for change in changes {
                sum += change
                if sum >= threshold { (sum, count) = (0, count + 1) }
            }
            return count
        }
        var last = 0.0
        for limit in stride(from: 195.0, through: 5, by: -10) {
            let threshold = ThresholdSearch.lowest(from: 0.3, within: limit, step: 1, spent: spent)
            #expect(threshold >= last)
            #expect(spent(threshold) <= limit)
            #expect(spent(threshold / (1 + 2 * ThresholdSearch.precision)) > limit - 1)
            last = threshold
        }
    }

    @Test func `skips grow with the threshold and are at most as long as the errors reach`() {
        let errors = (1...3).map { k in noise(30, seed: UInt64(k)).map { Double(abs($0)) * Double(k) } }
        let schedule = SkipSchedule(errors: errors)
        var last = 31
        for threshold in [0, 0.1, 0.5, 1, 3, .infinity] {
            let full = schedule.full(calls: 30, threshold: threshold)
            #expect(full[0] && full[29])
            for (call, isFull) in full.enumerated() where isFull && call < 29 {
                let skipped = full[(call + 1)...].prefix { !$0 }.count
                #expect(skipped <= 3)
                if skipped > 0 { #expect(errors[skipped - 1][call] <= threshold) }
            }
            #expect(full.count { $0 } <= last)
            last = full.count { $0 }
        }
        #expect(last == 9)  // 0, 4, 8, … 28, 29
    }

    @Test func `a residual of steady size is reused as long as allowed, one that grows is not`() {
        let steady = MagnitudeSchedule(ratios: Array(repeating: 1, count: 12))
        #expect(indices(steady.full(threshold: 0.1, longest: 4, warmUp: 2)) == [0, 1, 6, 11])
        // After k reused calls the accumulated error of 10 % a call is 0.1 + 0.21 + …
        let growing = MagnitudeSchedule(ratios: Array(repeating: 1.1, count: 9))
        #expect(indices(growing.full(threshold: 0.32, longest: 4, warmUp: 1)) == [0, 3, 6])
    }

    private func indices(_ full: [Bool]) -> [Int] { full.indices.filter { full[$0] } }

    @Test func `a polynomial is recovered from its points`() throws {
        let truth = Polynomial(coefficients: [0.1, -2, 30, 400, -1000])
        let points = (1...30).map { (x: Double($0) / 200, y: truth(Double($0) / 200)) }
        let fitted = try Polynomial(fitting: points, degree: 4)
        for (found, expected) in zip(fitted.coefficients, truth.coefficients) {
            #expect(abs(found - expected) <= 1e-7 * abs(expected))
        }
        #expect(try Polynomial(fitting: [], degree: 4)(0.3) == 0)
        #expect(try abs(Polynomial(fitting: [(2, 6)], degree: 4)(5) - 6) < 1e-12)
    }

    @Test(arguments: [0, 1, 15, 16, 17, 1023, 1024, 5000])
    func `sums of magnitudes are those of a plain loop`(count: Int) {
        let (a, b) = (noise(count, seed: 1), noise(count, seed: 2, offset: 0.2))
        let sums = a.withUnsafeBufferPointer { a in b.withUnsafeBufferPointer { AbsoluteSums(a, $0) } }
        let difference = zip(a, b).map { abs(Double($0) - Double($1)) }.reduce(0, +)
        let reference = b.map { abs(Double($0)) }.reduce(0, +)
        #expect(abs(sums.difference - difference) <= 1e-6 * difference)
        #expect(abs(sums.reference - reference) <= 1e-6 * reference)
    }

    @Test func `Taylor weights continue a polynomial from its derivatives`() {
        // f(n) = 3 + 2 n − n² + n³/2 at n = 0: derivatives 3, 2, −2, 3.
        let weights = FeatureBasis.taylor.weights(ahead: 4, order: 3)
        let derivatives: [Double] = [3, 2, -2, 3]
        let sum = zip(weights, derivatives).map { $0 * $1 }.reduce(0, +)
        #expect(abs(sum - 27) < 1e-12)  // 3 + 8 − 16 + 32
    }

    @Test func `Hermite weights are the physicists' polynomials, scaled twice`() {
        let (s, k) = (0.5, 3.0)
        let weights = FeatureBasis.hermite(scale: s).weights(ahead: k, order: 4)
        let x = s * k
        let (square, cube, fourth) = (x * x, x * x * x, x * x * x * x)
        let polynomials: [Double] = [1, 2 * x, 4 * square - 2, 8 * cube - 12 * x, 16 * fourth - 48 * square + 12]
        let factors: [Double] = [1, 0.5, 0.25 / 2, 0.125 / 6, 0.0625 / 24]
        let expected = zip(polynomials, factors).map { $0 * $1 }
        #expect(largestRelativeDifference(weights, against: expected) < 1e-12)
    }
}
