import Synchronization

/// An owned, 64-byte aligned block of single-precision numbers with a shape, in row-major order.
///
/// A tensor is a plain buffer with reference semantics: kernels read and write it through ``values``. Whoever shares
/// one between threads sees to it that no two of them write the same element.
///
/// The letters of shapes, used throughout: B batch, T tokens, D width, H heads, K = D/H head width, M MLP width,
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

    /// The number of elements.
    public var count: Int { values.count }

    /// Allocates a tensor of zeros.
    public convenience init(_ shape: [Int]) {
        self.init(uninitialized: shape)
        values.initialize(repeating: 0)
    }

    /// Allocates a tensor that holds anything until it is written: for scratch memory, the pages of which are then
    /// first touched by the threads that use them.
    package init(uninitialized shape: [Int]) {
        precondition(shape.allSatisfy { $0 >= 0 }, "a tensor's extents cannot be negative: \(shape)")
        let count = shape.reduce(1, *)
        let bytes = UnsafeMutableRawPointer.allocate(
            byteCount: max(count, 1) * MemoryLayout<Float>.stride, alignment: Self.alignment)
        let start = bytes.bindMemory(to: Float.self, capacity: max(count, 1))
        self.shape = shape
        self.values = UnsafeMutableBufferPointer(start: start, count: count)
        Self.allocations.add(1, ordering: .relaxed)
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

    /// A copy of all elements.
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
}
