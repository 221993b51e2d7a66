import Compute
import Models
import Sampling
import TestSupport
import Testing

@testable import Evaluation

/// How the change of a block's output is measured.
@Suite struct BlockChangeTests {
    private func observe(
        _ recorder: BlockChangeRecorder, _ site: Site.ID, call: Int, entry: Int = 0, _ output: [Float],
        input: [Float]? = nil
    ) {
        let input = input ?? Array(repeating: 100, count: output.count)
        input.withUnsafeBufferPointer { input in
            output.withUnsafeBufferPointer {
                recorder.observe(site, call: call, entry: entry, input: input, output: $0)
            }
        }
    }

    @Test func `a change is told in three measures, relative to the output before`() throws {
        let recorder = BlockChangeRecorder(calls: 3)
        let site = Site.ID.layer(.mlp, block: 1)
        for (call, output) in [[3, 4], [-4, 3], [-8, 6]].enumerated() {
            observe(recorder, site, call: call, output.map(Float.init))
        }
        let changes = try #require(recorder.changes(of: .init(site: site, entry: 0)))
        #expect(changes[0].relativeL1.spread == nil && changes[0].cosine.spread == nil)
        #expect(changes[1].relativeL1.spread?.mean == 8.0 / 7)
        #expect(changes[1].relativeL2.spread?.mean == 2.0.squareRoot())
        #expect(changes[1].cosine.spread?.mean == 0)
        #expect(changes[2].relativeL1.spread?.mean == 1)
        #expect(changes[2].relativeL2.spread?.mean == 1)
        #expect(changes[2].cosine.spread?.mean == 1)
        #expect(recorder.changes(of: .init(site: site, entry: 1)) == nil)
    }

    @Test func `of the stack, what it adds to its input is compared`() throws {
        let recorder = BlockChangeRecorder(calls: 2)
        observe(recorder, .stack, call: 0, [13, 24], input: [10, 20])
        observe(recorder, .stack, call: 1, [106, 208], input: [100, 200])
        let changes = try #require(recorder.changes(of: .init(site: .stack, entry: 0)))
        #expect(changes[1].relativeL1.spread?.mean == 1 && changes[1].cosine.spread?.mean == 1)
    }

    @Test func `branches are kept apart, and a run is not compared with the one before`() throws {
        let recorder = BlockChangeRecorder(calls: 2)
        for run in 0..<2 {
            for call in 0..<2 {
                observe(recorder, .layer(.attention, block: 0), call: call, entry: 0, [Float(1 + call + 10 * run)])
                observe(recorder, .layer(.attention, block: 0), call: call, entry: 1, [5])
            }
        }
        let first = try #require(recorder.changes(of: .init(site: .layer(.attention, block: 0), entry: 0)))
        #expect(first[0].relativeL1.count == 0 && first[1].relativeL1.count == 2)
        #expect(first[1].relativeL1.spread?.mean == (1 + 1.0 / 11) / 2)
        let second = try #require(recorder.changes(of: .init(site: .layer(.attention, block: 0), entry: 1)))
        #expect(second[1].relativeL2.spread?.mean == 0 && second[1].cosine.spread?.mean == 1)
    }

    @Test func `an output that was zero has no relative change`() throws {
        let recorder = BlockChangeRecorder(calls: 3)
        for (call, output) in [[0, 0], [1, 1], [0, 0]].enumerated() {
            observe(recorder, .layer(.mlp, block: 0), call: call, output.map(Float.init))
        }
        let changes = try #require(recorder.changes(of: .init(site: .layer(.mlp, block: 0), entry: 0)))
        #expect(changes[1].relativeL1.count == 0)
        #expect(changes[2].relativeL1.spread?.mean == 1 && changes[2].cosine.count == 0)
    }
}
