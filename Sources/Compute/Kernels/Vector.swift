/// The vector that kernels work in.
///
/// Its width is fixed, and so is the order in which lanes are added up: the same bits on every machine, whatever
/// vector registers the compiler may use for it.
package typealias Vector = SIMD16<Float>

extension Vector {
    /// Sixteen consecutive elements from `address`, which needs no alignment.
    @inline(__always)
    init(at address: UnsafePointer<Float>) {
        self = UnsafeRawPointer(address).loadUnaligned(as: Vector.self)
    }

    /// Writes the lanes to sixteen consecutive elements.
    @inline(__always)
    func store(to address: UnsafeMutablePointer<Float>) {
        UnsafeMutableRawPointer(address).storeBytes(of: self, as: Vector.self)
    }

    /// The sum of all lanes, added in halves.
    @inline(__always)
    var total: Float {
        let eight = lowHalf + highHalf
        let four = eight.lowHalf + eight.highHalf
        let two = four.lowHalf + four.highHalf
        return two.x + two.y
    }

    /// Lane by lane, the larger of the two; of a NaN and a number, the NaN if it is this one's.
    @inline(__always)
    func larger(_ other: Vector) -> Vector {
        replacing(with: other, where: self .< other)
    }

    /// Lane by lane, the smaller of the two; of a NaN and a number, the NaN if it is this one's.
    @inline(__always)
    func smaller(_ other: Vector) -> Vector {
        replacing(with: other, where: self .> other)
    }
}

/// Applies `body` to `count` elements in place, a vector at a time; a shorter rest is padded with zeros.
@inline(__always)
func mapInPlace(_ values: UnsafeMutablePointer<Float>, count: Int, _ body: (Vector) -> Vector) {
    let width = Vector.scalarCount
    var index = 0
    while index + width <= count {
        body(Vector(at: values + index)).store(to: values + index)
        index += width
    }
    guard index < count else { return }
    var rest = Vector.zero
    for lane in 0..<count - index { rest[lane] = values[index + lane] }
    rest = body(rest)
    for lane in 0..<count - index { values[index + lane] = rest[lane] }
}
