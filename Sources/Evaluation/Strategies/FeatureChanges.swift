import Compute

/// The sums that relative L1 changes are made of, in one pass over two buffers.
struct AbsoluteSums {
    /// The sum of |a − b|.
    private(set) var difference = 0.0
    /// The sum of |b|.
    private(set) var reference = 0.0

    /// No elements yet.
    init() {}

    /// The sums over `a` and `b`, of one length.
    init(_ a: UnsafeBufferPointer<Float>, _ b: UnsafeBufferPointer<Float>) {
        add(a, b)
    }

    /// |a − b|₁ / |b|₁; 0 where both are zero.
    var relative: Double { difference == 0 ? 0 : difference / reference }

    /// Adds the elements of `a` and `b`, of one length.
    mutating func add(_ a: UnsafeBufferPointer<Float>, _ b: UnsafeBufferPointer<Float>) {
        precondition(a.count == b.count, "\(a.count) elements against \(b.count)")
        let whole = a.count - a.count % Lanes.scalarCount
        // Lanes are emptied into Doubles after few enough additions that single precision does not show.
        for start in stride(from: 0, to: whole, by: Self.block) {
            var (differences, references) = (Lanes.zero, Lanes.zero)
            for i in stride(from: start, to: min(whole, start + Self.block), by: Lanes.scalarCount) {
                let (x, y) = (Self.lanes(a, at: i), Self.lanes(b, at: i))
                differences += Self.magnitudes(x - y)
                references += Self.magnitudes(y)
            }
            difference += Double(differences.sum())
            reference += Double(references.sum())
        }
        for i in whole..<a.count {
            difference += Double(abs(a[i] - b[i]))
            reference += Double(abs(b[i]))
        }
    }

    private typealias Lanes = SIMD16<Float>
    private static let block = 64 * Lanes.scalarCount

    @inline(__always)
    private static func lanes(_ values: UnsafeBufferPointer<Float>, at index: Int) -> Lanes {
        UnsafeRawBufferPointer(values).loadUnaligned(fromByteOffset: index * MemoryLayout<Float>.stride, as: Lanes.self)
    }

    @inline(__always)
    private static func magnitudes(_ lanes: Lanes) -> Lanes {
        lanes.replacing(with: -lanes, where: lanes .< 0)
    }
}

/// A feature (T, D) at the last few calls.
struct RecentFeatures {
    private let slots: [Tensor]

    /// Room for `count` calls.
    init(_ count: Int, shape: [Int]) {
        slots = (0..<count).map { _ in Tensor(shape) }
    }

    /// Where the feature of `call` is kept, in the place of one `count` calls ago.
    func slot(of call: Int) -> Tensor { slots[call % slots.count] }

    /// The feature of `call`, one of the last.
    func values(of call: Int) -> UnsafeBufferPointer<Float> { UnsafeBufferPointer(slots[call % slots.count].values) }
}
