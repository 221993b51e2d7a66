/// Which entries of a batch take part in a forward: a set of small indices that needs no heap memory.
///
/// The entries of a guided forward are its guidance branches. The result of one does not depend on which others are
/// evaluated with it.
public struct BatchSubset: Equatable, Sendable, Sequence {
    /// The most entries that a batch may have.
    public static let capacity = 8

    private var bits: UInt8

    /// The first `count` entries.
    public init(first count: Int) {
        precondition((0...Self.capacity).contains(count), "a batch has at most \(Self.capacity) entries, not \(count)")
        bits = count == Self.capacity ? .max : (1 << count) - 1
    }

    /// The given entries.
    public init(_ entries: some Sequence<Int>) {
        bits = 0
        for entry in entries {
            precondition((0..<Self.capacity).contains(entry), "a batch has at most \(Self.capacity) entries")
            bits |= 1 << entry
        }
    }

    /// How many entries take part.
    public var count: Int { bits.nonzeroBitCount }

    /// Whether no entry takes part.
    public var isEmpty: Bool { bits == 0 }

    /// The entry that comes `position`-th, in ascending order.
    public subscript(position: Int) -> Int {
        var rest = bits
        for _ in 0..<position { rest &= rest - 1 }
        return rest.trailingZeroBitCount
    }

    /// The first run of entries without a gap; empty if no entry takes part.
    public var firstRun: Range<Int> {
        guard !isEmpty else { return 0..<0 }
        let first = bits.trailingZeroBitCount
        return first..<first + (~(bits >> UInt8(first))).trailingZeroBitCount
    }

    /// Leaves `entry` out.
    public mutating func remove(_ entry: Int) {
        bits &= ~(1 << UInt8(entry))
    }

    /// The entries of this and of `other`.
    public func union(_ other: BatchSubset) -> BatchSubset {
        var both = self
        both.bits |= other.bits
        return both
    }

    /// Visits the entries in ascending order.
    public func makeIterator() -> Iterator {
        Iterator(rest: bits)
    }

    /// The entries that are still to come.
    public struct Iterator: IteratorProtocol {
        fileprivate var rest: UInt8

        public mutating func next() -> Int? {
            guard rest != 0 else { return nil }
            defer { rest &= rest - 1 }
            return rest.trailingZeroBitCount
        }
    }
}
