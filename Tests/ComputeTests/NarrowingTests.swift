import TestSupport
import Testing

@testable import Compute

@Suite struct NarrowingTests {
    @Test func `16 bits are the nearest, ties to even, and NaNs stay NaNs`() {
        let cases: [(Float, Float)] = [
            (1, 1), (-1, -1), (0, 0), (1.003_906_25, 1), (1.011_718_75, 1.015_625), (1.004, 1.007_812_5),
            (.infinity, .infinity), (-.infinity, -.infinity), (.greatestFiniteMagnitude, .infinity),
        ]
        var bits = [UInt16](repeating: 0, count: cases.count + 2)
        let numbers = cases.map(\.0) + [.nan, Float(bitPattern: 0x7F80_0001)]
        bits.withUnsafeMutableBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            BFloat16.narrow(numbers, into: start, count: numbers.count)
        }
        let widened = bits.map { Float(bitPattern: UInt32($0) << 16) }
        for (found, expected) in zip(widened, cases) { #expect(found == expected.1, "\(expected.0)") }
        for number in widened.suffix(2) { #expect(number.isNaN) }
    }

    @Test func `numbers are rounded alike in whole vectors and behind them, and nothing else is written`() {
        let numbers = noise(53, seed: 6)
        let alone = numbers.map { number in
            var half: UInt16 = 0
            withUnsafeMutableBytes(of: &half) { bytes in
                guard let start = bytes.baseAddress else { return }
                BFloat16.narrow([number], times: 1.5, into: start, count: 1)
            }
            return half
        }
        var all = [UInt16](repeating: 7, count: 60)
        all.withUnsafeMutableBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            BFloat16.narrow(numbers, times: 1.5, into: start, count: numbers.count)
        }
        #expect(Array(all.prefix(53)) == alone)
        #expect(all.suffix(7).allSatisfy { $0 == 7 })
    }

    @Test func `the exponentials that are rounded are those that are not`() {
        for count in [1, 15, 16, 77] {
            let scores = noise(count, seed: 8, scale: 4)
            let plain = Tensor([Vector.whole(count)])
            let rounding = Tensor([Vector.whole(count)])
            for index in 0..<count {
                plain.values[index] = scores[index] / 4
                rounding.values[index] = scores[index]
            }
            let sum = Softmax.exponentiate(plain.pointer, count: count)
            var halves = [UInt16](repeating: 0, count: Vector.whole(count))
            let found = halves.withUnsafeMutableBytes { bytes in
                bytes.baseAddress.map {
                    Softmax.exponentiate(rounding.pointer, count: count, scale: 0.25, roundedInto: $0)
                }
            }
            #expect(abs((found ?? 0) - sum) <= sum * 1e-4)
            #expect(halves[count...].allSatisfy { $0 == 0 })
            for index in 0..<count {
                let number = Float(bitPattern: UInt32(halves[index]) << 16)
                // What rounding to 8 bits may do, and what the shorter exponential does.
                #expect(abs(number - plain.values[index]) <= plain.values[index] * (1 / 256 + 1e-4))
            }
        }
    }

    @Test func `a score that is no number leaves no sum`() {
        for place in [0, 20] {
            let scores = Tensor([32])
            scores.values[place] = .nan
            var halves = [UInt16](repeating: 0, count: 32)
            let sum = halves.withUnsafeMutableBytes { bytes in
                bytes.baseAddress.map {
                    Softmax.exponentiate(scores.pointer, count: 32, scale: 1, roundedInto: $0)
                }
            }
            #expect(sum?.isNaN == true)
        }
    }

    @Test func `the largest lane is found wherever it is`() {
        for lane in 0..<Vector.scalarCount {
            var vector = Vector(repeating: -3)
            vector[lane] = 2
            #expect(vector.largest == 2)
        }
    }

    @Test func `integers of 8 bits are within half a scale, the largest is 127, and zeros stay zeros`() {
        var row = noise(1000, seed: 4, scale: 3)
        row[7] = -20
        row[8] = 0
        var integers = [Int8](repeating: 1, count: row.count)
        let scale = integers.withUnsafeMutableBytes { bytes in
            bytes.baseAddress.map { Quantisation.quantise(row, count: row.count, into: $0) } ?? 0
        }
        #expect(scale == 20 / 127 && integers[7] == -127 && integers[8] == 0)
        for (number, integer) in zip(row, integers) { #expect(abs(number - Float(integer) * scale) <= scale * 0.501) }
        let nothing = integers.withUnsafeMutableBytes { bytes in
            bytes.baseAddress.map { Quantisation.quantise([Float](repeating: 0, count: 1000), count: 1000, into: $0) }
        }
        #expect(nothing == 0 && integers.allSatisfy { $0 == 0 })
        for place in [3, 999] {
            for number in [Float.nan, .infinity] {
                row[place] = number
                let scale = integers.withUnsafeMutableBytes { bytes in
                    bytes.baseAddress.map { Quantisation.quantise(row, count: row.count, into: $0) } ?? 0
                }
                #expect(!scale.isFinite)
                row[place] = 0
            }
        }
    }
}
