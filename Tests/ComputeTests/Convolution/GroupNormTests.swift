import Glibc
import TestSupport
import Testing

@testable import Compute

@Suite struct GroupNormTests {
    private static let sizes = [[1, 1, 4, 2], [3, 5, 6, 3], [7, 9, 16, 16], [40, 41, 24, 4], [5, 5, 32, 1]]

    private func norm(channels: Int, groups: Int, epsilon: Double = 1e-6) -> GroupNorm {
        GroupNorm(
            groups: groups, epsilon: epsilon, scale: Tensor(noise(channels, seed: 21, offset: 1), shape: [channels]),
            shift: Tensor(noise(channels, seed: 22), shape: [channels]))
    }

    private func apply(_ norm: GroupNorm, to planes: Tensor, silu: Bool = false, threads: Int = 2) -> Tensor {
        let map = FeatureMap(planes: planes)
        let workers = Workers(count: threads)
        norm.affine(for: map, silu: silu, workers: workers)(map, into: map, workers: workers)
        return map.planes()
    }

    @Test(arguments: sizes, [false, true])
    func `every group is normalised by its own mean and variance`(size: [Int], silu: Bool) {
        let (height, width, channels, groups) = (size[0], size[1], size[2], size[3])
        let pixels = height * width
        let planes = Tensor(
            noise(channels * pixels, seed: 5, scale: 3, offset: 7), shape: [channels, height, width])
        let norm = norm(channels: channels, groups: groups)
        let (scale, shift) = (noise(channels, seed: 21, offset: 1), noise(channels, seed: 22))
        let x = planes.elements.map(Double.init)
        let members = channels / groups * pixels
        let reference = x.indices.map { index -> Double in
            let group = x[index / members * members..<(index / members + 1) * members]
            let mean = group.reduce(0, +) / Double(members)
            let variance = group.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(members)
            let channel = index / pixels
            let y = (x[index] - mean) / (variance + 1e-6).squareRoot() * Double(scale[channel]) + Double(shift[channel])
            return silu ? y / (1 + exp(-y)) : y
        }
        let error = largestRelativeDifference(apply(norm, to: planes, silu: silu).elements, against: reference)
        // A value is scaled and shifted, each time rounded: with a mean of 4 deviations, a few units of 6e-8 of it.
        #expect(figure("group norm \(size)", error, below: 2e-6))
    }

    @Test func `scaling and shifting a whole group changes nothing`() {
        let (channels, groups, pixels) = (12, 3, 30)
        let norm = norm(channels: channels, groups: groups, epsilon: 1e-12)
        let planes = Tensor(noise(channels * pixels, seed: 7), shape: [channels, 5, 6])
        let changed = Tensor(planes.elements, shape: planes.shape)
        for index in 0..<changed.count {
            // Powers of two, so that the change itself rounds nothing away.
            let group = index / pixels / (channels / groups)
            changed.values[index] = changed.values[index] * [1, 0.25, 8][group] + [0, 0.5, -4][group]
        }
        let error = largestRelativeDifference(
            apply(norm, to: changed).elements, against: apply(norm, to: planes).elements)
        #expect(figure("group norm of a scaled group", error, below: 3e-6))
    }

    @Test func `a mean far above the deviation costs no more than the rounding of the input`() {
        let planes = Tensor(noise(16 * 400, seed: 9, offset: 4096), shape: [16, 20, 20])
        let norm = GroupNorm(
            groups: 4, epsilon: 1e-6, scale: Tensor([Float](repeating: 1, count: 16), shape: [16]), shift: Tensor([16]))
        let values = apply(norm, to: planes).elements
        let group = values[0..<1600]
        let mean = group.reduce(0) { $0 + Double($1) } / 1600
        let square = group.reduce(0) { $0 + Double($1) * Double($1) } / 1600
        // 4096 times the scale 1.7 is rounded to 7168 2^-24 or 4e-4; the deviation is exact to as much.
        #expect(abs(mean) < 1e-3)
        #expect(abs(square - 1) < 1e-3)
    }

    @Test func `the number of threads changes no bit`() {
        let planes = Tensor(noise(20 * 2500, seed: 3, scale: 2), shape: [20, 50, 50])
        let norm = norm(channels: 20, groups: 5)
        let one = apply(norm, to: planes, silu: true, threads: 1).elements
        let same = [2, 5].allSatisfy { apply(norm, to: planes, silu: true, threads: $0).elements == one }
        #expect(same)
    }

    @Test func `planes survive the way into a map and back`() {
        let planes = Tensor(noise(5 * 12, seed: 2), shape: [5, 3, 4])
        #expect(FeatureMap(planes: planes).planes().elements == planes.elements)
        #expect(FeatureMap(planes: planes).planes { $0 * 2 }.elements == planes.elements.map { $0 * 2 })
    }
}
