import Compute
import Glibc

/// The fixed sine-cosine position tables of DiT and its relatives.
///
/// A position p takes [sin(p w), cos(p w)] of some frequencies w: for a width of 2n, w_k = 10000^(-k / n), k below n.
///
/// Source: https://github.com/facebookresearch/DiT, models.py, get_2d_sincos_pos_embed; diffusers' PatchEmbed computes
/// the same table. For frames: https://github.com/Vchitect/Latte, models/latte.py, get_1d_sincos_temp_embed.
enum SinCosPositions {
    /// The table of shape (gridSize², width) for the tokens of a square at whole positions.
    static func table(gridSize: Int, width: Int) -> Tensor {
        let positions = (0..<gridSize).map { Float($0) }
        return table(rows: positions, columns: positions, width: width)
    }

    /// The table of shape (rows · columns, width) for tokens in row-major order; `width` is a multiple of 4.
    ///
    /// The first half of a token's numbers are of its column, the second half of its row.
    ///
    /// - Parameters:
    ///   - rows: the position y of each row.
    ///   - columns: the position x of each column.
    ///   - width: the width D of a token.
    /// - Returns: the table.
    static func table(rows: [Float], columns: [Float], width: Int) -> Tensor {
        precondition(width.isMultiple(of: 4), "width \(width) is not a multiple of 4")
        let frequencies = frequencies(width: width / 2)
        let table = Tensor([rows.count * columns.count, width])
        for (row, y) in rows.enumerated() {
            for (column, x) in columns.enumerated() {
                let token = table.pointer + (row * columns.count + column) * width
                write(x, frequencies, to: token)
                write(y, frequencies, to: token + width / 2)
            }
        }
        return table
    }

    /// The table of shape (count, width) for the frames of a clip; `width` is even.
    static func table(frames count: Int, width: Int) -> Tensor {
        precondition(width.isMultiple(of: 2), "width \(width) is odd")
        let frequencies = frequencies(width: width)
        let table = Tensor([count, width])
        for frame in 0..<count { write(Float(frame), frequencies, to: table.pointer + frame * width) }
        return table
    }

    private static func frequencies(width: Int) -> [Double] {
        (0..<width / 2).map { 1 / pow(10000, Double($0) / Double(width / 2)) }
    }

    /// Writes the sines, then the cosines of a position.
    private static func write(_ position: Float, _ frequencies: [Double], to target: UnsafeMutablePointer<Float>) {
        for (k, frequency) in frequencies.enumerated() {
            target[k] = Float(sin(Double(position) * frequency))
            target[frequencies.count + k] = Float(cos(Double(position) * frequency))
        }
    }
}
