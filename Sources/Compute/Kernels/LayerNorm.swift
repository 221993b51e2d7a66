/// Layer normalisation without learned scale and shift, followed by adaLN modulation.
public enum LayerNorm {
    /// y = (x - mean) / sqrt(variance + epsilon) * (1 + scale) + shift, row by row, on the calling thread.
    ///
    /// The variance is the biased one, over the D elements of a row, from a second pass over the differences.
    ///
    /// - Parameters:
    ///   - x: the input (rows, D).
    ///   - rows: the number of rows.
    ///   - width: D.
    ///   - epsilon: what is added to the variance.
    ///   - shift: (D), the same for every row.
    ///   - scale: (D), the same for every row.
    ///   - y: the output (rows, D); may be `x`.
    public static func modulated(
        _ x: UnsafePointer<Float>, rows: Int, width: Int, epsilon: Float,
        shift: UnsafePointer<Float>, scale: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>
    ) {
        for row in 0..<rows {
            modulateRow(
                x + row * width, width: width, epsilon: epsilon, shift: shift, scale: scale, into: y + row * width)
        }
    }

    @inline(__always)
    private static func modulateRow(
        _ x: UnsafePointer<Float>, width: Int, epsilon: Float,
        shift: UnsafePointer<Float>, scale: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>
    ) {
        let whole = width - width % Vector.scalarCount
        var sums = Vector.zero
        for index in stride(from: 0, to: whole, by: Vector.scalarCount) { sums += Vector(at: x + index) }
        var sum = sums.total
        for index in whole..<width { sum += x[index] }
        let mean = sum / Float(width)

        var squares = Vector.zero
        for index in stride(from: 0, to: whole, by: Vector.scalarCount) {
            let difference = Vector(at: x + index) - mean
            squares += difference * difference
        }
        var square = squares.total
        for index in whole..<width { square += (x[index] - mean) * (x[index] - mean) }
        let factor = 1 / (square / Float(width) + epsilon).squareRoot()

        for index in stride(from: 0, to: whole, by: Vector.scalarCount) {
            let normal = (Vector(at: x + index) - mean) * factor
            (normal * (Vector(at: scale + index) + 1) + Vector(at: shift + index)).store(to: y + index)
        }
        for index in whole..<width { y[index] = (x[index] - mean) * factor * (1 + scale[index]) + shift[index] }
    }
}
