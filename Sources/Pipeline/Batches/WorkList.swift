import Models
import Sampling

/// The images of a request: image i is a pure function of the request and of i.
public struct WorkList: Equatable, Sendable {
    /// The images in order.
    public let items: [SampleItem]

    /// The most images of one request: enough for any evaluation set, and the list stays small.
    public static let mostImages = 1_000_000

    /// `count` images: image i has seed `seed` + i and the condition that comes i-th when `conditions` are repeated.
    ///
    /// - Parameters:
    ///   - seed: the first image's seed.
    ///   - count: the number of images.
    ///   - conditions: conditions to cycle through; nil draws each image's class, or example prompt, by its seed.
    ///   - negative: what the pictures should not show; nil for nothing in particular.
    ///   - kind: the conditions that the model takes.
    /// - Throws: ``PipelineError/usage(_:)`` when there is no image or there are too many, or a seed reaches 2^32.
    public init(
        seed: UInt32, count: Int, conditions: [Condition]?, negative: String? = nil, of kind: ConditionKind
    ) throws(PipelineError) {
        guard count > 0 else { throw .usage("--count \(count): give at least 1") }
        guard count <= Self.mostImages else {
            throw .usage(
                "--count \(count): at most \(Self.mostImages) images in one run; make the rest with another --seed")
        }
        guard count - 1 <= Int(UInt32.max) - Int(seed) else {
            throw .usage("--seed \(seed) with --count \(count): the last image's seed would reach 2^32; lower one")
        }
        items = (0..<count).map { index in
            let own = seed + UInt32(index)
            return SampleItem(
                condition: conditions.map { $0[index % $0.count] } ?? Self.drawnCondition(own, of: kind), seed: own,
                negative: negative)
        }
    }

    /// Images given one by one.
    ///
    /// - Throws: ``PipelineError/badData(_:)`` when a condition, or a negative prompt, is not one that the model takes.
    public init(items: [SampleItem], of kind: ConditionKind) throws(PipelineError) {
        for item in items {
            if let negative = item.negative, case .classes = kind {
                throw .badData("\(Condition.prompt(negative)): the model draws classes, and takes no negative prompt")
            }
            switch (item.condition, kind) {
            case (.label(let label), .classes(let count)) where !(0..<count).contains(label):
                throw .badData("class \(label) is not one of the model's \(count) classes")
            case (.label(let label), .prompts):
                throw .badData("class \(label): the model draws prompts, not classes")
            case (.prompt, .classes(let count)):
                throw .badData("\(item.condition): the model draws \(count) classes, not prompts")
            default: break
            }
        }
        self.items = items
    }

    /// The condition of an image that is given none, a function of the seed alone: the class, or the example, at the first
    /// uniform number of its generator.
    public static func drawnCondition(_ seed: UInt32, of kind: ConditionKind) -> Condition {
        var random = TorchRandom(seed: seed)
        return withUnsafeTemporaryAllocation(of: Float.self, capacity: 1) { number in
            random.uniform(number)
            switch kind {
            case .classes(let count): return .label(min(Int(number[0] * Float(count)), count - 1))
            case .prompts: return kind.condition(at: Double(number[0]))
            }
        }
    }
}

/// The part of a work list that one process makes: the items k with k mod ``count`` = ``index``.
public struct Shard: Equatable, Sendable {
    /// The shard, from 0.
    public let index: Int
    /// How many shards there are.
    public let count: Int

    /// The only shard of a list that is not cut.
    public static let whole = Shard(unchecked: 0, of: 1)

    private init(unchecked index: Int, of count: Int) {
        self.index = index
        self.count = count
    }

    /// Parses `i/n`.
    ///
    /// - Throws: ``PipelineError/usage(_:)`` unless 0 <= i < n.
    public init(_ text: String) throws(PipelineError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { part in
            part.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Int(part) : nil
        }
        guard parts.count == 2, let index = parts[0], let count = parts[1] else {
            throw .usage("--shard \(text): give a shard and how many there are, such as 0/4")
        }
        guard count > 0, index < count else {
            throw .usage(
                "--shard \(text): shards are numbered from 0, and there must be one; give 0/\(max(count, 1)) or another"
            )
        }
        self.init(unchecked: index, of: count)
    }

    /// Whether item `index` belongs to the shard.
    public func contains(_ index: Int) -> Bool { index % count == self.index }
}
