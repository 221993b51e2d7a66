import Testing

@testable import Media
@testable import Reports

@Suite struct AxisTests {
    static let data: [[Double]] = [
        [0, 1], [0.3, 0.30000001], [-5, 17.2], [1e-12, 3e-12], [-1e90, 1e90], [3], [0], [-7, -7, -7], [1e-120], [],
        [.nan, 2, .infinity, 8], [0.1, 0.2, 0.7], [99.9, 100.1], [2.5, 5], [1, 1 + 1e-15], [1e-99, 1e99], [0.2, 5],
    ]

    @Test(arguments: data, [AxisScale.linear, .logarithmic])
    func `ticks cover the data, ascend and are told apart`(values: [Double], scale: AxisScale) throws {
        let axis = Axis(covering: values, scale: scale)
        #expect(axis.ticks.count >= 2)
        #expect(axis.ticks.count <= 10)
        #expect(zip(axis.ticks, axis.ticks.dropFirst()).allSatisfy { $0.value < $1.value })
        #expect(Set(axis.ticks.map(\.label)).count == axis.ticks.count)
        #expect(axis.ticks.first?.value == axis.lowerBound)
        #expect(axis.ticks.last?.value == axis.upperBound)
        for value in values where Axis.canDraw(value, scale: scale) {
            let share = try #require(axis.share(of: value))
            #expect((-1e-12...1 + 1e-12).contains(share))
            #expect(value >= axis.lowerBound && value <= axis.upperBound)
        }
        #expect(axis.share(of: axis.lowerBound) == 0)
        #expect(axis.share(of: axis.upperBound) == 1)
    }

    @Test(
        arguments: [
            ([0, 1], ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]), ([0, 49], ["0", "10", "20", "30", "40", "50"]),
            ([0.4, 2.6e-7], ["0.0", "0.1", "0.2", "0.3", "0.4"]),
            ([-2e-7, 1e-7], ["-2×10⁻⁷", "-1.5×10⁻⁷", "-10⁻⁷", "-5×10⁻⁸", "0", "5×10⁻⁸", "10⁻⁷"]),
            ([36.3, 49.4], ["35", "40", "45", "50"]),
        ] as [([Double], [String])])
    func `linear ticks are round`(values: [Double], labels: [String]) {
        #expect(Axis(covering: values, scale: .linear).ticks.map(\.label) == labels)
    }

    @Test(
        arguments: [
            ([0.03, 1.7], ["0.02", "0.05", "0.1", "0.2", "0.5", "1", "2"]), ([3], ["2", "5"]),
            ([10], ["5", "10", "20"]),
            ([1e-4, 1], ["10⁻⁴", "10⁻³", "10⁻²", "10⁻¹", "10⁰"]),
            ([1, 2e4], ["1", "10", "100", "1000", "10000", "100000"]),
        ] as [([Double], [String])])
    func `logarithmic ticks are powers of ten, or 1, 2 and 5 times these`(values: [Double], labels: [String]) {
        #expect(Axis(covering: values, scale: .logarithmic).ticks.map(\.label) == labels)
    }

    @Test func `equal ratios are equally far apart on a logarithmic axis`() throws {
        let axis = Axis(covering: [1, 1000], scale: .logarithmic)
        let shares = try [1.0, 10, 100, 1000].map { try #require(axis.share(of: $0)) }
        #expect(zip(shares, [0, 1.0 / 3, 2.0 / 3, 1]).allSatisfy { abs($0 - $1) < 1e-12 })
    }

    @Test func `what has no place has no share`() {
        let linear = Axis(covering: [0, 1], scale: .linear)
        #expect([Double.nan, .infinity, -.infinity, 1e100, -0.1, 1.1].allSatisfy { linear.share(of: $0) == nil })
        let logarithmic = Axis(covering: [1, 10], scale: .logarithmic)
        #expect([0, -1, Double.nan].allSatisfy { logarithmic.share(of: $0) == nil })
        #expect(logarithmic.clampedShare(of: 0) == 0)
        #expect(logarithmic.clampedShare(of: .infinity) == 1)
    }

    @Test(arguments: [(1, ["0"]), (10, (0..<10).map { "\($0)" }), (50, (0..<10).map { "\(5 * $0)" }), (0, [])])
    func `steps are labelled by whole numbers, each in the middle of its stretch`(count: Int, labels: [String]) {
        let axis = Axis(steps: count)
        #expect(axis.ticks.map(\.label) == labels)
        #expect(axis.lowerBound == -0.5)
        #expect(axis.upperBound == Double(max(1, count)) - 0.5)
        #expect(axis.ticks.allSatisfy { $0.label == "\(Int($0.value))" })
    }
}
