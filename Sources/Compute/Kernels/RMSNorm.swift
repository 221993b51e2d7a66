/// Root-mean-square normalisation (Zhang & Sennrich, arXiv 1910.07467), with a learned scale.
public enum RMSNorm {
    /// y = x / sqrt(mean(x²) + epsilon) * scale, row by row, on the calling thread.
    ///
    /// - Parameters:
    ///   - x: the input; a row begins `distance` numbers after the one before.
    ///   - rows: the number of rows.
    ///   - width: D, the numbers of a row.
    ///   - distance: the distance between rows of the input; nil where they lie side by side.
    ///   - epsilon: what is added to the mean square.
    ///   - scale: (D), the same for every row.
    ///   - y: the output (rows, D), its rows as far apart as those of the input; may be `x`.
    public static func apply(
        _ x: UnsafePointer<Float>, rows: Int, width: Int, distance: Int? = nil, epsilon: Float,
        scale: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>
    ) {
        let distance = distance ?? width
        for row in 0..<rows {
            applyRow(x + row * distance, width: width, epsilon: epsilon, scale: scale, into: y + row * distance)
        }
    }

    @inline(__always)
    static func applyRow(
        _ x: UnsafePointer<Float>, width: Int, epsilon: Float, scale: UnsafePointer<Float>,
        into y: UnsafeMutablePointer<Float>
    ) {
        let whole = width - width % Vector.scalarCount
        var squares = Vector.zero
        for index in stride(from: 0, to: whole, by: Vector.scalarCount) {
            let values = Vector(at: x + index)
            squares += values * values
        }
        var square = squares.total
        for index in whole..<width { square += x[index] * x[index] }
        let factor = 1 / (square / Float(width) + epsilon).squareRoot()
        for index in stride(from: 0, to: whole, by: Vector.scalarCount) {
            (Vector(at: x + index) * factor * Vector(at: scale + index)).store(to: y + index)
        }
        for index in whole..<width { y[index] = x[index] * factor * scale[index] }
    }
}
