/// The vector that kernels work in.
///
/// Its width is fixed, and so is the order in which lanes are added up: the same bits on every machine, whatever
/// vector registers the compiler may use for it.
package typealias Vector = SIMD16<Float>

extension Vector {
    /// `count` rounded up to whole vectors.
    package static func whole(_ count: Int) -> Int { (count + scalarCount - 1) / scalarCount * scalarCount }

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

    /// The largest lane; of a NaN and a number, the number.
    // Never inlined: within a kernel its comparisons are so much code that the compiler inlines nothing else.
    @inline(never)
    var largest: Float {
        let eight = lowHalf.replacing(with: highHalf, where: lowHalf .< highHalf)
        let four = eight.lowHalf.replacing(with: eight.highHalf, where: eight.lowHalf .< eight.highHalf)
        let two = four.lowHalf.replacing(with: four.highHalf, where: four.lowHalf .< four.highHalf)
        return two.x < two.y ? two.y : two.x
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

/// e^x of each lane, within 2 units in the last place over [-87.3, 88.3].
///
/// x = n ln 2 + r with |r| <= ln 2 / 2; e^r by its Taylor polynomial of degree 7, then scaled by 2^n through the
/// exponent bits. Arguments are clamped to that range, so the result is never zero, subnormal or infinite.
/// Compilers do not vectorise the C library's `expf`, and softmax and GELU call nothing else as often.
@inline(__always)
package func exponential(_ argument: Vector) -> Vector {
    let x = argument.larger(Vector(repeating: -87.3)).smaller(Vector(repeating: 88.3))
    // Adding 1.5 x 2^23 rounds to the nearest integer and leaves it in the low bits of the sum.
    let magic = Vector(repeating: 12_582_912)
    let shifted = x * 1.442_695_04 + magic
    let n = shifted - magic
    let r = (x - n * 0.693_359_375) - n * -2.121_944_4e-4
    var power = Vector(repeating: 1.984_126_98e-4)
    power = power * r + 1.388_888_89e-3
    power = power * r + 8.333_333_33e-3
    power = power * r + 4.166_666_67e-2
    power = power * r + 1.666_666_67e-1
    power = power * r + 0.5
    power = power * r * r + r + 1
    let exponent = unsafeBitCast(shifted, to: SIMD16<Int32>.self) &- SIMD16<Int32>(repeating: 0x4B40_0000)
    let scale = (exponent &+ SIMD16<Int32>(repeating: 127)) &<< SIMD16<Int32>(repeating: 23)
    return power * unsafeBitCast(scale, to: Vector.self)
}
