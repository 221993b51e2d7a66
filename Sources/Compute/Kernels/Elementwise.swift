/// Elementwise operations on rows, on the calling thread.
public enum Elementwise {
    /// x (rows, D) += gate (D) * y (rows, D): the gated residual of an adaLN-Zero block.
    public static func addGated(
        _ y: UnsafePointer<Float>, gate: UnsafePointer<Float>, rows: Int, width: Int,
        to x: UnsafeMutablePointer<Float>
    ) {
        for row in 0..<rows {
            let source = y + row * width
            let target = x + row * width
            for index in 0..<width { target[index] += gate[index] * source[index] }
        }
    }

    /// x += y over `count` elements.
    public static func add(_ y: UnsafePointer<Float>, count: Int, to x: UnsafeMutablePointer<Float>) {
        for index in 0..<count { x[index] += y[index] }
    }

    /// x += factor y over `count` elements.
    public static func addScaled(
        _ y: UnsafePointer<Float>, by factor: Float, count: Int, to x: UnsafeMutablePointer<Float>
    ) {
        for index in 0..<count { x[index] += factor * y[index] }
    }

    /// x *= y over `count` elements.
    public static func multiply(by y: UnsafePointer<Float>, count: Int, _ x: UnsafeMutablePointer<Float>) {
        for index in 0..<count { x[index] *= y[index] }
    }
}

/// Activation functions, in place.
public enum Activation: Sendable {
    /// x sigmoid(x) (Elfwing et al., arXiv 1702.03118).
    case silu
    /// The tanh form of GELU: x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) (Hendrycks & Gimpel, arXiv 1606.08415).
    case gelu

    /// Replaces `count` elements by their activations, on the calling thread.
    public func apply(to values: UnsafeMutablePointer<Float>, count: Int) {
        switch self {
        case .silu:
            mapInPlace(values, count: count) { $0 / (exponential(-$0) + 1) }
        case .gelu:
            mapInPlace(values, count: count, geluTanh)
        }
    }
}

/// Since (1 + tanh u) / 2 = sigmoid(2u), GELU needs one exponential and no tanh.
@inline(__always)
private func geluTanh(_ x: Vector) -> Vector {
    let twiceArgument = x * (x * x * 0.044_715 + 1) * 1.595_769_12
    return x / (exponential(-twiceArgument) + 1)
}
