import Testing

@testable import Pipeline

/// Parts of a work list.
@Suite struct ShardTests {
    @Test(arguments: [1, 2, 3, 7, 100])
    func `every image is in exactly one shard, and shards differ by one image at most`(count: Int) throws {
        let shards = try (0..<count).map { try Shard("\($0)/\(count)") }
        let images = 0..<50
        for index in images { #expect(shards.filter { $0.contains(index) }.count == 1) }
        let sizes = shards.map { shard in images.count(where: shard.contains) }
        #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1 && sizes.reduce(0, +) == 50)
    }

    @Test func `the whole list is shard 0 of 1`() throws {
        #expect(try Shard("0/1") == .whole)
        #expect((0..<20).allSatisfy(Shard.whole.contains))
    }

    @Test(arguments: [
        "", "/", "1", "1/", "/2", "2/2", "3/2", "0/0", "-1/2", "+0/2", "0/-2", "a/2", "0/2/4", " 0/2", "0/2 ", "0x0/2",
        "0.0/2",
        "99999999999999999999/2",
    ])
    func `what is no shard is refused with its text`(text: String) {
        #expect {
            try Shard(text)
        } throws: { error in
            guard case PipelineError.usage(let message) = error else { return false }
            return message.hasPrefix("--shard \(text): ")
        }
    }
}
