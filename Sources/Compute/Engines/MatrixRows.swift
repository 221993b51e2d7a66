/// Rows of a matrix, without gaps, in the precision in which a layer multiplies them: in 32 bits as they are, in 16
/// rounded, in 8 as integers with one scale a row. Their memory is someone else's.
public struct MatrixRows {
    public let precision: Precision
    let width: Int
    let numbers: UnsafeMutableRawPointer
    /// What the integers of each row are multiplied by; nil but for 8 bits.
    let scales: UnsafeMutablePointer<Float>?
    /// The same rows in 32 bits: these rows themselves, or room for what becomes them.
    let floats: UnsafeMutablePointer<Float>?

    /// The memory of `rows` rows in less than 32 bits, in bytes; 0 in 32.
    public static func bytes(rows: Int, width: Int, precision: Precision) -> Int {
        switch precision {
        case .float32: 0
        case .bfloat16: 2 * rows * width
        case .int8: scaleBytes(rows) + rows * width
        }
    }

    /// What the rows' scales take before the rows.
    private static func scaleBytes(_ rows: Int) -> Int { (4 * rows + 63) / 64 * 64 }

    /// Rows (rows, width) as they are.
    public init(_ x: UnsafeMutablePointer<Float>, width: Int) {
        (precision, self.width, scales, floats) = (.float32, width, nil, x)
        numbers = UnsafeMutableRawPointer(x)
    }

    /// Rows (rows, width) as they are, which are only read.
    init(reading x: UnsafePointer<Float>, width: Int) {
        self.init(UnsafeMutablePointer(mutating: x), width: width)
    }

    /// Rows in less than 32 bits, in memory of ``bytes(rows:width:precision:)``.
    ///
    /// - Parameters:
    ///   - memory: where they lie.
    ///   - floats: room for the same rows in 32 bits, which a layer may need that writes them; nil where none does.
    ///   - rows: how many there are.
    ///   - width: the numbers of a row.
    ///   - precision: less than 32 bits.
    public init(
        in memory: UnsafeMutableRawPointer, beside floats: UnsafeMutablePointer<Float>? = nil, rows: Int, width: Int,
        precision: Precision
    ) {
        precondition(precision != .float32, "numbers of 32 bits stay where they are")
        (self.precision, self.width, self.floats) = (precision, width, floats)
        scales = precision == .int8 ? memory.assumingMemoryBound(to: Float.self) : nil
        numbers = precision == .int8 ? memory + Self.scaleBytes(rows) : memory
    }

    private init(
        precision: Precision, width: Int, numbers: UnsafeMutableRawPointer, scales: UnsafeMutablePointer<Float>?,
        floats: UnsafeMutablePointer<Float>?
    ) {
        (self.precision, self.width, self.numbers) = (precision, width, numbers)
        (self.scales, self.floats) = (scales, floats)
    }

    /// The same rows from row `rows` on.
    public func advanced(byRows rows: Int) -> MatrixRows {
        MatrixRows(
            precision: precision, width: width, numbers: numbers + rows * width * precision.size,
            scales: scales.map { $0 + rows }, floats: floats.map { $0 + rows * width })
    }

    /// Writes the first `rows` rows, of numbers (rows, width); nothing in 32 bits.
    public func encode(_ x: UnsafePointer<Float>, rows: Int) {
        switch precision {
        case .float32: break
        case .bfloat16: BFloat16.narrow(x, into: numbers, count: rows * width)
        case .int8:
            guard let scales else { break }
            for row in 0..<rows {
                scales[row] = Quantisation.quantise(
                    x + row * width, count: width, into: numbers + row * width)
            }
        }
    }
}
