/// y = activation(scale x + shift) with a scale and a shift for each channel: a group norm whose statistics are known.
public struct ChannelAffine {
    /// (stride), zero past the channels.
    let scale: Tensor
    /// (stride), zero past the channels.
    let shift: Tensor
    /// Whether SiLU follows.
    let silu: Bool

    /// Pixels that one task changes.
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
