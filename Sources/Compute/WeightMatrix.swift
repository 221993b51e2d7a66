import Glibc

/// A weight matrix (out, in), read in place: from memory of its own or from a mapped file, at 32 or 16 bits a number.
///
/// Widening is exact, so a product does not depend on how wide the numbers are stored.
public struct WeightMatrix: @unchecked Sendable {
    /// How a number is stored; little-endian.
    public enum Element: Sendable {
        case float32
        case float16
        case bfloat16

        /// The size of a number, in bytes.
        public var size: Int { self == .float32 ? 4 : 2 }
    }

    /// The number of outputs, then of inputs.
    public let shape: [Int]
    public let element: Element

    private let address: UnsafeRawPointer
    /// Whether the numbers can be read again from a file at any time.
    private let isMapped: Bool
    /// The object that keeps the memory alive.
    private let owner: AnyObject
    /// What the matrix is a copy of, where it is one of mapped parts.
    private let joined: JoinedParts?

    /// A copy of mapped rows, which can be dropped since they can be read again.
    private final class JoinedParts {
        let parts: [WeightMatrix]
        var memory: Tensor?

        init(_ parts: [WeightMatrix], _ memory: Tensor) {
            (self.parts, self.memory) = (parts, memory)
        }
    }

    public var count: Int { shape[0] * shape[1] }

    /// The matrix that `tensor` (out, in) holds.
    public init(_ tensor: Tensor) {
        self.init(shape: tensor.shape, element: .float32, address: UnsafeRawPointer(tensor.pointer), owner: tensor)
    }

    /// The matrix that begins at `address`, which stays valid and unchanged for as long as `owner` lives.
    ///
    /// Numbers of 32 bits must be aligned to 4 bytes; those of 16 bits need no alignment. `isMapped` says whether they are
    /// part of a mapping of a file that nothing has written to.
    public init(
        shape: [Int], element: Element, address: UnsafeRawPointer, owner: AnyObject, isMapped: Bool = false
    ) {
        self.init(shape: shape, element: element, address: address, owner: owner, isMapped: isMapped, joined: nil)
    }

    private init(
        shape: [Int], element: Element, address: UnsafeRawPointer, owner: AnyObject, isMapped: Bool,
        joined: JoinedParts?
    ) {
        self.isMapped = isMapped
        self.joined = joined
        precondition(shape.count == 2, "a weight matrix of shape \(shape)")
        precondition(element != .float32 || UInt(bitPattern: address).isMultiple(of: 4), "unaligned weights")
        self.shape = shape
        self.element = element
        self.address = address
        self.owner = owner
    }

    /// Gives the memory of mapped numbers, and of copies of them, back to the system, which reads them again where they are
    /// needed. Nothing else may use the matrix meanwhile.
    func release() {
        if let joined {
            joined.memory = nil
            for part in joined.parts { part.release() }
        }
        guard isMapped else { return }
        let page = sysconf(Int32(_SC_PAGESIZE))
        let first = (Int(bitPattern: address) + page - 1) / page * page
        let end = (Int(bitPattern: address) + count * element.size) / page * page
        guard end > first, let start = UnsafeMutableRawPointer(bitPattern: first) else { return }
        madvise(start, end - first, Int32(MADV_DONTNEED))
    }

    /// The rows of all `parts`, one after another: the only part itself, or a copy of several.
    ///
    /// - Returns: nil if there is none, or if they are not of one width and one form.
    public init?(joining parts: [WeightMatrix]) {
        guard let first = parts.first,
            parts.allSatisfy({ $0.shape[1] == first.shape[1] && $0.element == first.element })
        else { return nil }
        guard parts.count > 1 else {
            self = first
            return
        }
        let rows = parts.reduce(0) { $0 + $1.shape[0] }
        let bytes = rows * first.shape[1] * first.element.size
        let memory = Tensor(uninitialized: [(bytes + 3) / 4])
        var end = UnsafeMutableRawPointer(memory.pointer)
        for part in parts {
            end.copyMemory(from: part.address, byteCount: part.count * part.element.size)
            end += part.count * part.element.size
        }
        let joined = parts.allSatisfy(\.isMapped) ? JoinedParts(parts, memory) : nil
        if joined != nil { parts.forEach { $0.release() } }
        self.init(
            shape: [rows, first.shape[1]], element: first.element, address: UnsafeRawPointer(memory.pointer),
            owner: joined ?? memory, isMapped: false, joined: joined)
    }

    /// Whether a copy of mapped parts has been dropped, so that ``address`` holds nothing.
    private var isDropped: Bool { joined.map { $0.memory == nil } ?? false }

    /// All numbers, row by row, where they are stored at 32 bits; valid until the matrix is released or ends.
    package var float32: UnsafePointer<Float>? {
        element == .float32 && !isDropped ? address.assumingMemoryBound(to: Float.self) : nil
    }

    /// All numbers, row by row, where they are stored as bfloat16 at even addresses; valid as long as ``float32``.
    var bfloat16: UnsafeRawPointer? {
        element == .bfloat16 && !isDropped && UInt(bitPattern: address).isMultiple(of: 2) ? address : nil
    }

    /// Widens the block of `rows` and `columns` into `target` (rows, columns), without gaps.
    func widen(rows: Range<Int>, columns: Range<Int>, into target: UnsafeMutablePointer<Float>) {
        if let joined, isDropped {
            var first = 0
            for part in joined.parts {
                let own = rows.clamped(to: first..<first + part.shape[0])
                part.widen(
                    rows: own.lowerBound - first..<own.upperBound - first, columns: columns,
                    into: target + (own.lowerBound - rows.lowerBound) * columns.count)
                first += part.shape[0]
            }
            return
        }
        for row in rows {
            let source = address + (row * shape[1] + columns.lowerBound) * element.size
            let line = target + (row - rows.lowerBound) * columns.count
            element.widen(source, into: line, count: columns.count)
        }
    }

    public var elements: [Float] {
        [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            if let start = buffer.baseAddress { widen(rows: 0..<shape[0], columns: 0..<shape[1], into: start) }
            initialized = count
        }
    }

    /// Whether `other` has the same shape and holds the same numbers in the same form.
    public func isIdentical(to other: WeightMatrix) -> Bool {
        guard shape == other.shape, element == other.element else { return false }
        guard !isDropped, !other.isDropped else { return elements == other.elements }
        return memcmp(address, other.address, count * element.size) == 0
    }
}
