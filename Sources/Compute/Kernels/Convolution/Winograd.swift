/// The transforms of the minimal filtering algorithm F(4x4, 3x3): 4 x 4 outputs of a 3 x 3 convolution from a 6 x 6
/// tile of its input with 36 products instead of 144 (Winograd 1980; Lavin & Gray, arXiv 1509.09308).
///
/// Along one axis, outputs and filter are polynomials that are multiplied through their values at 0, ±a, ±b and
/// infinity (Toom-Cook): y = Aᵀ ((G g) ⊙ (Bᵀ d)), here written out for any a and b; a plane applies it to columns, then
/// to rows.
enum Winograd {
    /// The side of a tile of outputs.
    static let outputs = 4
    /// The side of a tile of inputs: the outputs and a border of one pixel.
    static let inputs = 6
    /// The products of a tile.
    static let products = inputs * inputs

    // The usual points 1 and 2 are the cheapest to write down, but round worst. Against Double, 256 channels of SiLU of
    // normal noise: an error of 1.8e-6 (root mean square; largest 3e-5) for 1 and 2, 0.8e-6 (largest 8e-6) for these,
    // 0.3e-6 for F(2x2, 3x3), which takes 1.8 times the products, 0.2e-6 for the direct sum. On the whole decoder of
    // Stable Diffusion with random weights, normal or heavy-tailed, images are off by at most 3e-6 of their range;
    // 1/255 is 4e-3.
    private static let a: Float = 0.625
    private static let b: Float = 1.5
    private static let aa = a * a
    private static let bb = b * b

    /// Bᵀ d for six inputs.
    @inline(__always)
    static func input(
        _ d0: Vector, _ d1: Vector, _ d2: Vector, _ d3: Vector, _ d4: Vector, _ d5: Vector,
        _ put: (Int, Vector) -> Void
    ) {
        let evenA = d4 - d2 * bb
        let oddA = (d3 - d1 * bb) * a
        let evenB = d4 - d2 * aa
        let oddB = (d3 - d1 * aa) * b
        put(0, d0 * (aa * bb) - d2 * (aa + bb) + d4)
        put(1, evenA + oddA)
        put(2, evenA - oddA)
        put(3, evenB + oddB)
        put(4, evenB - oddB)
        put(5, d1 * (aa * bb) - d3 * (aa + bb) + d5)
    }

    /// G g for three taps.
    @inline(__always)
    static func filter(_ g0: Vector, _ g1: Vector, _ g2: Vector, _ put: (Int, Vector) -> Void) {
        let scaleA = 1 / (2 * aa * (aa - bb))
        let scaleB = 1 / (2 * bb * (bb - aa))
        let evenA = (g0 + g2 * aa) * scaleA
        let oddA = g1 * (a * scaleA)
        let evenB = (g0 + g2 * bb) * scaleB
        let oddB = g1 * (b * scaleB)
        put(0, g0 * (1 / (aa * bb)))
        put(1, evenA + oddA)
        put(2, evenA - oddA)
        put(3, evenB + oddB)
        put(4, evenB - oddB)
        put(5, g2)
    }

    /// Aᵀ m for six products.
    @inline(__always)
    static func output(
        _ m0: Vector, _ m1: Vector, _ m2: Vector, _ m3: Vector, _ m4: Vector, _ m5: Vector,
        _ put: (Int, Vector) -> Void
    ) {
        let sumA = m1 + m2
        let differenceA = (m1 - m2) * a
        let sumB = m3 + m4
        let differenceB = (m3 - m4) * b
        put(0, m0 + sumA + sumB)
        put(1, differenceA + differenceB)
        put(2, sumA * aa + sumB * bb)
        put(3, differenceA * aa + differenceB * bb + m5)
    }
}
