/// y = activation(scale x + shift) with a scale and a shift for each channel: a group norm whose statistics are known.
public struct ChannelAffine {
    /// (stride), zero past the channels.
    let scale: Tensor
    /// (stride), zero past the channels.
    let shift: Tensor
    /// Whether SiLU follows.
    let silu: Bool

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
