import Compute

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
