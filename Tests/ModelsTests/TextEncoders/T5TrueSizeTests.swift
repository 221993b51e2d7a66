import Compute
import Foundation
import TestSupport
import Testing

@testable import Models

/// An encoder of true size, which `make verify` writes; it names the folder.
@Suite struct T5TrueSizeTests {
    private static let folder = ProcessInfo.processInfo.environment["OMNICACHE_TEXT_ENCODER"]

    @Test(.enabled(if: folder != nil))
    func `states are those of transformers, and one block's weights are in memory at a time`() throws {
        let golden = GoldenTextEncoder(path: try #require(Self.folder))
        let encoder = try golden.load()
        let ids = try #require(try golden.tokens().ids.first)
        var states = Tensor([0])
        let clock = ContinuousClock()
        for _ in 0..<3 {
            let start = clock.now
            states = try encoder.encode(ids: ids, workers: Workers())
            print("figure: encoding \(ids.count) tokens: \((clock.now - start) / .seconds(1)) s")
        }
        let error = largestRelativeDifference(states.elements, against: try golden.states(count: ids.count).elements)
        #expect(figure("states, largest difference", error, below: 1e-5))
        let entries = encoder.files.flatMap(\.entries)
        let weights = entries.reduce(0) { $0 + $1.range.count } >> 20
        let block = entries.filter { $0.name.hasPrefix("encoder.block.0.") }.reduce(0) { $0 + $1.range.count } >> 20
        print("figure: weights: \(weights) MiB, a block's: \(block) MiB")
        let bound = Double(Self.memoryBesidesWeights + block)
        #expect(figure("peak resident memory in MiB", try #require(Self.peakMemory), below: bound))
    }

    /// What the tests, their libraries and the states take at most, in MiB.
    private static let memoryBesidesWeights = 128

    /// The most memory that this process has had resident, in MiB.
    private static var peakMemory: Double? {
        let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line?.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }.first.map { $0 / 1024 }
    }
}
