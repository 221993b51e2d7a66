import Compute
import TestSupport
import Testing

@testable import Sampling

/// Literals of torch 2.13.0 (CPU), each with the Python that printed it; `g(s)` is `torch.Generator().manual_seed(s)`.
struct TorchRandomTests {
    private static let tolerance: Float = 1e-6

    private static func normals(_ count: Int, _ generator: inout TorchRandom) -> [Float] {
        let tensor = Tensor([count])
        generator.fill(tensor.values)
        return Array(tensor.values)
    }

    private static func normals(_ count: Int, seed: UInt32) -> [Float] {
        var generator = TorchRandom(seed: seed)
        return normals(count, &generator)
    }

    private static func uniforms(_ count: Int, _ generator: inout TorchRandom) -> [Float] {
        let tensor = Tensor([count])
        generator.uniform(tensor.values)
        return Array(tensor.values)
    }

    private static func expect(
        _ actual: some Collection<Float>, _ expected: [Float], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(actual.count == expected.count, sourceLocation: sourceLocation)
        let largest = zip(actual, expected).reduce(0) { max($0, abs(Double($1.0) - Double($1.1))) }
        #expect(
            figure("randn, largest of \(expected.count) differences", largest, below: Double(tolerance)),
            sourceLocation: sourceLocation)
        for (a, e) in zip(actual, expected) { #expect(abs(a - e) <= tolerance, sourceLocation: sourceLocation) }
    }

    // torch.rand(5, generator=g(s)); torch.rand(10000, generator=g(s))[-1]; its .double().sum()
    @Test(arguments: [
        (
            UInt32(0), [0.49625659, 0.768221796, 0.0884774327, 0.132030487, 0.307422817] as [Float],
            0.980201721 as Float, 5002.74358171
        ),
        (42, [0.882269263, 0.915003955, 0.38286376, 0.959305644, 0.390448213], 0.41109395, 5007.27109689),
        (
            4_294_967_295, [0.993799388, 0.571306348, 0.570008039, 0.0495037436, 0.993037462],
            0.635361493, 4953.0964722
        ),
    ])
    func `uniform numbers are torch's exactly`(seed: UInt32, first: [Float], last: Float, sum: Double) {
        var generator = TorchRandom(seed: seed)
        let values = Self.uniforms(10_000, &generator)
        #expect(Array(values.prefix(5)) == first)
        #expect(values.last == last)
        #expect(abs(values.reduce(0) { $0 + Double($1) } - sum) < 1e-7)
    }

    // torch.randn(n, generator=g(s)) for n = 1, 15: single pairs in double
    @Test(
        arguments: [
            (
                0,
                [
                    1.54099607, -0.293428898, -2.17878938, 0.568431258, -1.08452237, -1.39859545, 0.403346837,
                    0.838026345, -0.719257593, -0.403343529, -0.596635342, 0.182036489, -0.856674612, 1.10060418,
                    -1.07118738,
                ]
            ),
            (
                42,
                [
                    0.336690366, 0.128809407, 0.234462366, 0.23033303, -1.12285638, -0.186328292, 2.20820141,
                    -0.637997031, 0.461657226, 0.267350882, 0.534904659, 0.809357226, 1.11029029, -1.68979895,
                    -0.988959908,
                ]
            ),
            (
                4_294_967_295,
                [
                    1.21976304, -0.392979473, 1.0230751, -0.373421133, -0.0755101964, -1.25822771, 0.334715724,
                    -0.676622629, -0.264496863, 0.191763669, -0.664642811, 0.709757686, 0.753840387, -0.180989012,
                    0.612868905,
                ]
            ),
        ] as [(UInt32, [Float])])
    func `fewer than sixteen normals are torch's`(seed: UInt32, values: [Float]) {
        Self.expect(Self.normals(1, seed: seed), Array(values.prefix(1)))
        Self.expect(Self.normals(15, seed: seed), values)
    }

    // torch.randn(16, generator=g(s)): one group
    @Test(
        arguments: [
            (
                0,
                [
                    -1.12583983, -1.1523602, -0.250578582, -0.433878809, 0.848710358, 0.692009151, -0.31601277,
                    -2.11521935, 0.322274923, -1.26333475, 0.349983186, 0.30813393, 0.119841509, 1.2376579, 1.11677718,
                    -0.247278154,
                ]
            ),
            (
                42,
                [
                    1.92691529, 1.48728406, 0.900717199, -2.10552096, 0.678418458, -1.23454487, -0.0430674776,
                    -1.60466695, -0.752135277, 1.64872301, -0.392478645, -1.40360713, -0.727881312, -0.559430182,
                    -0.768838882, 0.76244539,
                ]
            ),
            (
                4_294_967_295,
                [
                    -2.66429758, -1.0910486, 0.451447427, 0.228360698, 1.89861786, 1.56420887, -1.2553997, 0.793644249,
                    -1.75149465, -0.709674716, 1.21826625, 0.222246468, -2.51588416, 0.483752221, 0.841786563,
                    0.140909612,
                ]
            ),
        ] as [(UInt32, [Float])])
    func `sixteen normals are torch's`(seed: UInt32, values: [Float]) {
        Self.expect(Self.normals(16, seed: seed), values)
    }

    // torch.randn(17, generator=g(s)): the last sixteen are drawn anew over the first group
    @Test(
        arguments: [
            (
                0,
                [
                    -1.12583983, -1.6959312, 0.566650629, 0.793508351, 0.598839462, -1.55509508, -0.34136039,
                    1.85300612, 0.468096405, -0.585497558, -0.173396751, 0.183477938, 1.38936615, 1.58633423,
                    0.946298361, -0.843676746, 0.931826591,
                ]
            ),
            (
                42,
                [
                    1.92691529, -0.159597471, -0.497397542, 0.439589262, -0.758131146, 1.07831764, 0.800800562,
                    1.68062055, 0.355859905, 1.29642284, 0.61046648, 1.33473778, -0.23162432, 0.041759491,
                    -0.251575291, 0.859858513, -0.309726775,
                ]
            ),
            (
                4_294_967_295,
                [
                    -2.66429758, -0.876585186, -1.64603913, -0.538258553, 0.30621922, 0.424003005, 0.265636146,
                    -3.14929533, -2.84376431, -1.31286633, -0.340290517, -0.32600823, -0.0296445042, 0.383217037,
                    -0.160953194, 1.96789145, 1.62438321,
                ]
            ),
        ] as [(UInt32, [Float])])
    func `seventeen normals are torch's`(seed: UInt32, values: [Float]) {
        Self.expect(Self.normals(17, seed: seed), values)
    }

    // x = torch.randn(n, generator=g(s)).double(); x[:3], x[-3:], x.abs().sum(), (x * torch.arange(n).double()).sum()
    @Test(arguments: [
        (
            UInt32(0), 1000, [-1.12583983, -1.1523602, -0.250578582] as [Float],
            [1.46419537, 0.126418144, -0.586172104] as [Float], 808.696844, 2976.84524
        ),
        (
            0, 3 * 64 * 64, [-1.12583983, -1.1523602, -0.250578582], [1.22458875, -0.960329831, -0.673427641],
            9818.35258, -1195683.94
        ),
        (
            42, 1000, [1.92691529, 1.48728406, 0.900717199], [-0.0362699144, -0.379759401, -0.853454411],
            802.013314, -8644.27751
        ),
        (
            42, 3 * 64 * 64, [1.92691529, 1.48728406, 0.900717199], [-0.255801439, 0.786986709, 0.99243772],
            9850.21091, 1218676.09
        ),
        (
            4_294_967_295, 1000, [-2.66429758, -1.0910486, 0.451447427], [0.054031685, 0.109151669, 0.662536681],
            789.416236, 9976.43737
        ),
        (
            4_294_967_295, 3 * 64 * 64, [-2.66429758, -1.0910486, 0.451447427],
            [0.633862972, -1.02829766, -0.400516242], 9759.97217, 1086733.69
        ),
    ])
    func `many normals are torch's`(
        seed: UInt32, count: Int, first: [Float], last: [Float], magnitude: Double, moment: Double
    ) {
        let values = Self.normals(count, seed: seed)
        Self.expect(values.prefix(3), first)
        Self.expect(values.suffix(3), last)
        // Rounding differences of either sign, each below the tolerance: their sum stays far below its bound.
        #expect(abs(values.reduce(0) { $0 + abs(Double($1)) } - magnitude) < 1e-8 * Double(count) + 1e-5)
        let found = values.enumerated().reduce(0) { $0 + Double($1.offset) * Double($1.element) }
        #expect(abs(found - moment) < 1e-7 * Double(count * count) / 2)
    }

    // G = g(7); [torch.randn(n, generator=G) for n in (3, 16, 2, 33, 1)]; torch.rand(2, generator=G)
    @Test func `successive calls go on as torch's do`() {
        var generator = TorchRandom(seed: 7)
        Self.expect(Self.normals(3, &generator), [-0.146795094, 0.786141276, 0.94682163])
        Self.expect(
            Self.normals(16, &generator),
            [
                -0.176437929, 1.75017238, 1.93001688, 0.98611182, 0.609473467, -0.581133783, 0.0490438677,
                -0.320476919, -0.9370839, 0.864939451, -0.369180381, 0.792943656, -0.551940501, 0.35274902,
                -1.08420193, -0.887490094,
            ])
        // The first of these two was left over by the request for three.
        Self.expect(Self.normals(2, &generator), [-1.114344, 0.137324095])
        Self.expect(
            Self.normals(33, &generator),
            [
                -1.3032167, 0.0874783769, -1.38496137, 0.503563881, -0.0835282281, -0.0234779324, 0.174375355,
                2.2983427, 1.09558046, 0.482354164, 1.39891839, 1.40585291, -1.40125084, 1.29733586, 1.64093328,
                -1.05668414, 2.51160288, 0.299141854, -1.42044449, -0.163454875, 0.133239806, 0.182545409,
                -0.514632344, 0.800518811, -1.24318969, -1.23696864, -0.062567398, 0.449509412, -0.885797203,
                1.19701838, 0.467462063, -0.143939957, -0.812004566,
            ])
        Self.expect(Self.normals(1, &generator), [0.240546122])
        #expect(Self.uniforms(2, &generator) == [0.535230637, 0.668557465])
    }

    // G = g(123); torch.randn(3, 64, 64, generator=G); torch.randn(3, 64, 64, generator=G).flatten()[-3:]
    @Test func `a second image's worth of noise is torch's`() {
        var generator = TorchRandom(seed: 123)
        _ = Self.normals(3 * 64 * 64, &generator)
        Self.expect(Self.normals(3 * 64 * 64, &generator).suffix(3), [0.406418949, -0.466873586, 0.491222113])
    }

    @Test func `a copied generator is a generator of its own`() {
        var one = TorchRandom(seed: 5)
        _ = Self.normals(7, &one)
        var other = one
        #expect(Self.normals(20, &one) == Self.normals(20, &other))
    }
}
