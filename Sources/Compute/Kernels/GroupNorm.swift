/// Group normalisation (Wu & He, arXiv 1803.08494) with a learned scale and shift for each channel.
public struct GroupNorm: Sendable {
    /// How many groups of neighbouring channels share a mean and a variance.
    public let groups: Int
    /// What is added to the variance.
    public let epsilon: Double

    private let scale: Tensor
    private let shift: Tensor

    public var channels: Int { scale.count }

    /// Joins the scale (C) and the shift (C); `groups` divides C.
    public init(groups: Int, epsilon: Double, scale: Tensor, shift: Tensor) {
        precondition(scale.count == shift.count && scale.count.isMultiple(of: groups))
        self.groups = groups
        self.epsilon = epsilon
        self.scale = scale
        self.shift = shift
    }

    /// Measures `map` and returns the affine map that normalises it, followed by SiLU if `silu`.
    ///
    /// The variance is the biased one. Sums are taken in double precision, where the square of a `Float` is exact, so
    /// one pass over the map does.
    public func affine(for map: FeatureMap, silu: Bool, workers: Workers) -> ChannelAffine {
        precondition(map.channels == channels, "a norm of \(channels) channels on a map of \(map.channels)")
        let sums = channelSums(map, workers: workers)
        let scales = Tensor([map.stride])
        let shifts = Tensor([map.stride])
        let members = channels / groups
        let count = Double(members * map.pixels)
        for group in 0..<groups {
            let range = group * members..<(group + 1) * members
            let mean = range.reduce(0) { $0 + sums[$1] } / count
            let square = range.reduce(0) { $0 + sums[map.stride + $1] } / count
            let factor = 1 / (max(0, square - mean * mean) + epsilon).squareRoot()
            for channel in range {
                let channelScale = factor * Double(scale.values[channel])
                scales.values[channel] = Float(channelScale)
                shifts.values[channel] = Float(Double(shift.values[channel]) - mean * channelScale)
            }
        }
        return ChannelAffine(scale: scales, shift: shifts, silu: silu)
    }

    private static let pixelsPerTask = 1024

    /// The sum of each channel, then the sum of the squares of each channel; (2, stride).
    private func channelSums(_ map: FeatureMap, workers: Workers) -> [Double] {
        let width = map.stride
        let tasks = (map.pixels + Self.pixelsPerTask - 1) / Self.pixelsPerTask
        var parts = [Double](repeating: 0, count: tasks * 2 * width)
        parts.withUnsafeMutableBufferPointer { parts in
            guard let start = parts.baseAddress else { return }
            nonisolated(unsafe) let base = start
            workers.run(tasks: tasks) { _, task in
                let first = task * Self.pixelsPerTask
                let last = min(first + Self.pixelsPerTask, map.pixels)
                let sums = base + task * 2 * width
                let squares = sums + width
                for pixel in first..<last {
                    let x = map.values.pointer + pixel * width
                    for channel in 0..<width {
                        let value = Double(x[channel])
                        sums[channel] += value
                        squares[channel] += value * value
                    }
                }
            }
        }
        var total = [Double](repeating: 0, count: 2 * width)
        for task in 0..<tasks {
            for index in total.indices { total[index] += parts[task * total.count + index] }
        }
        return total
    }
}

/// y = activation(scale x + shift) with a scale and a shift for each channel: a group norm whose statistics are known.
public struct ChannelAffine {
    /// (stride), zero past the channels.
    let scale: Tensor
    /// (stride), zero past the channels.
    let shift: Tensor
    let silu: Bool

    private static let pixelsPerTask = 512

    /// Applies it to every pixel of `x`; `y` is a map of the same size, or `x`.
    public func callAsFunction(_ x: FeatureMap, into y: FeatureMap, workers: Workers) {
        precondition(x.stride == scale.count && y.stride == x.stride && y.pixels == x.pixels)
        workers.run(tasks: (x.pixels + Self.pixelsPerTask - 1) / Self.pixelsPerTask) { _, task in
            let first = task * Self.pixelsPerTask
            apply(
                x.values.pointer + first * x.stride, pixels: min(Self.pixelsPerTask, x.pixels - first),
                stride: x.stride, into: y.values.pointer + first * x.stride)
        }
    }

    /// Writes the results for `pixels` pixels of x to `y`, which may be x.
    @inline(__always)
    func apply(
        _ x: UnsafePointer<Float>, pixels: Int, stride width: Int, into y: UnsafeMutablePointer<Float>
    ) {
        if silu {
            map(x, pixels: pixels, stride: width, into: y) { $0 / (exponential(-$0) + 1) }
        } else {
            map(x, pixels: pixels, stride: width, into: y) { $0 }
        }
    }

    @inline(__always)
    private func map(
        _ x: UnsafePointer<Float>, pixels: Int, stride width: Int, into y: UnsafeMutablePointer<Float>,
        _ activation: (Vector) -> Vector
    ) {
        let (scale, shift) = (scale.pointer, shift.pointer)
        for pixel in 0..<pixels {
            for channel in stride(from: 0, to: width, by: Vector.scalarCount) {
                let index = pixel * width + channel
                let value = Vector(at: x + index) * Vector(at: scale + channel) + Vector(at: shift + channel)
                activation(value).store(to: y + index)
            }
        }
    }
}
