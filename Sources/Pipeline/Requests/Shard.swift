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
