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
}
