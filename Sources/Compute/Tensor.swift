import Glibc
import Synchronization

/// An owned, 64-byte aligned block of single-precision numbers with a shape, in row-major order.
///
/// A tensor is a plain buffer with reference semantics: kernels read and write it through ``values``. Threads may share
/// one if no two of them write the same element.
///
/// The letters of shapes, used throughout: B batch, T tokens, D width, H heads, K = D/H head dimension, M MLP width,
/// C channels, P patch.
public final class Tensor: @unchecked Sendable {
    /// The extent of each dimension, outermost first.
    public let shape: [Int]

    /// All elements in row-major order; they live as long as the tensor does.
    public let values: UnsafeMutableBufferPointer<Float>

    /// How many tensors this process has allocated so far; tests use it to show that a step allocates none.
    public static var allocationCount: Int { allocations.load(ordering: .relaxed) }

    private static let allocations = Atomic<Int>(0)
    private static let alignment = 64
    private static let hugePageBytes = 2 << 20

    public var count: Int { values.count }

    /// Allocates a tensor of zeros.
    public convenience init(_ shape: [Int]) {
        self.init(uninitialized: shape)
        values.initialize(repeating: 0)
    }

    /// Allocates a tensor with arbitrary contents: for scratch memory, whose pages are then first touched by the threads
    /// that use them.
    package init(uninitialized shape: [Int]) {
        precondition(shape.allSatisfy { $0 >= 0 }, "a tensor's extents cannot be negative: \(shape)")
        let count = shape.reduce(1, *)
        let bytes = Self.allocate(byteCount: max(count, 1) * MemoryLayout<Float>.stride)
        let start = bytes.bindMemory(to: Float.self, capacity: max(count, 1))
        self.shape = shape
        self.values = UnsafeMutableBufferPointer(start: start, count: count)
        Self.allocations.add(1, ordering: .relaxed)
    }

    /// Memory for a tensor. What fills huge pages lies in such, if the system gives them: small ones come with a fault each,
    /// in which a decoding in 16 bits spends a quarter of its time, and a large model's loading more.
    private static func allocate(byteCount: Int) -> UnsafeMutableRawPointer {
        let isLarge = byteCount >= 2 * hugePageBytes
        let bytes = UnsafeMutableRawPointer.allocate(
            byteCount: byteCount, alignment: isLarge ? hugePageBytes : alignment)
        // Of whole pages alone, so that no memory is used that is not asked for. It is a wish, and may be refused.
        if isLarge { madvise(bytes, byteCount / hugePageBytes * hugePageBytes, MADV_HUGEPAGE) }
        return bytes
    }

    /// Copies `elements` into a new tensor.
    public convenience init(_ elements: some Collection<Float>, shape: [Int]) {
        precondition(elements.count == shape.reduce(1, *), "\(elements.count) elements do not fill \(shape)")
        self.init(shape)
        _ = values.update(fromContentsOf: elements)
    }

    deinit {
        UnsafeMutableRawPointer(values.baseAddress)?.deallocate()
    }

    /// The first element's address.
    public var pointer: UnsafeMutablePointer<Float> {
        // `init` always allocates at least one element, so the address exists.
        values.baseAddress.unsafelyUnwrapped
    }

    public var elements: [Float] {
        withExtendedLifetime(self) { Array(values) }
    }

    /// A copy with the same elements in another shape.
    public func reshaped(_ shape: [Int]) -> Tensor {
        let copy = Tensor(shape)
        copy.copy(from: self)
        return copy
    }

    /// Replaces every element by that of `other`, which has as many.
    public func copy(from other: Tensor) {
        precondition(count == other.count, "cannot copy \(other.shape) into \(shape)")
        withExtendedLifetime(other) { pointer.update(from: other.pointer, count: count) }
    }

    /// The sum of the squared elements.
    public var squaredNorm: Double {
        withExtendedLifetime(self) { values.reduce(0) { $0 + Double($1) * Double($1) } }
    }

    /// The sum of the squared differences to the elements of `other`, which has as many.
    public func squaredDistance(to other: Tensor) -> Double {
        precondition(count == other.count, "cannot compare \(other.shape) with \(shape)")
        return withExtendedLifetime((self, other)) {
            zip(values, other.values).reduce(0) { sum, pair in
                let difference = Double(pair.0 - pair.1)
                return sum + difference * difference
            }
        }
    }
}

/// Reproducible numbers in (-1, 1), none of them zero, for where their values do not matter: benchmarks, tests, and
/// weights without a checkpoint.
package struct ArbitraryNumbers {
    private var state: UInt64

    /// The same seed gives the same numbers.
    package init(seed: UInt64) {
        state = seed
    }

    /// A tensor of the next numbers, times `width`.
    package mutating func tensor(_ shape: [Int], width: Float = 1) -> Tensor {
        let tensor = Tensor(uninitialized: shape)
        for index in tensor.values.indices {
            // Knuth's MMIX generator; the odd half step keeps zero out.
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            tensor.values[index] = ((Float(state >> 41) + 0.5) / 4_194_304 - 1) * width
        }
        return tensor
    }

    /// A tensor of the first numbers of `seed`.
    package static func tensor(_ shape: [Int], seed: UInt64) -> Tensor {
        var numbers = ArbitraryNumbers(seed: seed)
        return numbers.tensor(shape)
    }
}
