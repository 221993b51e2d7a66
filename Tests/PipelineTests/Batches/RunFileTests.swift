import Foundation
import Media
import PipelineSupport
import Sampling
import Testing

@testable import Pipeline

/// What a whole batch is.
@Suite struct RunFileTests {
    private let folder: BatchFolder

    init() throws {
        folder = try BatchFolder()
    }

    @Test func `the first shard writes it, the others find it`() throws {
        let run = BatchFolder.run(count: 3)
        try run.check(in: folder.path)
        try run.keep(in: folder.path, replaces: false)
        let bytes = try folder.bytes(RunFile.name)
        try run.keep(in: folder.path, replaces: false)
        try run.check(in: folder.path)
        #expect(try folder.bytes(RunFile.name) == bytes)
        #expect(try RunFile(folder: folder.path) == run)
        #expect(folder.names == [RunFile.name])
    }

    @Test func `a renamed model is the same batch`() throws {
        let run = BatchFolder.run(count: 3)
        let renamed = RunFile(
            model: ImageRecord.Model(name: "other", hash: "hash", configuration: "configuration"), decoder: nil,
            initialNoise: nil, variants: run.variants,
            images: (0..<3).map { ("\($0).png", SampleItem(classID: $0 % 3, seed: 100 + UInt32($0)), 0) })
        #expect(renamed.difference(from: run) == nil)
    }

    @Test(arguments: [
        (BatchFolder.run(count: 4), "4 images, not 3"), (BatchFolder.run(count: 3, steps: 5), "5 steps, not 2"),
        (BatchFolder.run(count: 3, modelHash: "elsewhere"), "model tiny (elsewhere"),
        (BatchFolder.run(count: 3, seed: 200), "another list"),
    ])
    func `another batch is refused with what differs, unless it is replaced`(other: RunFile, difference: String) throws
    {
        let mine = BatchFolder.run(count: 3)
        try other.keep(in: folder.path, replaces: false)
        for attempt in [{ try mine.check(in: folder.path) }, { try mine.keep(in: folder.path, replaces: false) }] {
            #expect {
                try attempt()
            } throws: { error in
                guard case PipelineError.cannotCreate(let message) = error else { return false }
                return message.contains(difference)
            }
        }
        #expect(try RunFile(folder: folder.path) == other)
        try mine.keep(in: folder.path, replaces: true)
        #expect(try RunFile(folder: folder.path) == mine)
    }

    @Test func `the list's hash depends on file, condition, negative prompt, seed, variant and order`() {
        typealias Image = RunFile.Image
        let images: [Image] = [("a", SampleItem(classID: 1, seed: 2), 0), ("b", SampleItem(classID: 3, seed: 4), 0)]
        func prompted(_ prompt: String, without negative: String?) -> [Image] {
            [("a", SampleItem(condition: .prompt(prompt), seed: 2, negative: negative), 0), images[1]]
        }
        let others: [[Image]] = [
            prompted("cat", without: nil), prompted("cat", without: "dog"), prompted("dog", without: "cat"),
            prompted("cat", without: ""),
            [("c", images[0].item, 0), images[1]], [("a", SampleItem(classID: 2, seed: 2), 0), images[1]],
            [("a", SampleItem(classID: 1, seed: 3), 0), images[1]], [("a", images[0].item, 1), images[1]],
            [images[1], images[0]],
        ]
        func list(_ images: [Image]) -> String {
            let run = BatchFolder.run(count: 1)
            return RunFile(
                model: run.model, decoder: nil, initialNoise: nil, variants: run.variants, images: images
            ).list
        }
        #expect(Set(([images] + others).map(list)).count == 10)
    }

    @Test func `clips at another rate are another batch; a batch that does not say its rate is the same`() {
        let pictures = BatchFolder.run(count: 2)
        func clips(_ rate: Int?) -> RunFile {
            RunFile(
                model: pictures.model, decoder: nil, initialNoise: nil, framesPerSecond: rate,
                variants: pictures.variants, images: [("a.png", SampleItem(classID: 1, seed: 2), 0)])
        }
        #expect(clips(8).difference(from: clips(12)) == "12 frames a second, not 8")
        #expect(clips(8).difference(from: clips(8)) == nil)
        #expect(clips(8).difference(from: clips(nil)) == nil)
    }

    @Test func `a file that is missing and one that is another are told apart`() throws {
        #expect {
            try RunFile(folder: folder.path)
        } throws: { error in
            guard case PipelineError.missingInput = error else { return false }
            return true
        }
        try folder.write(Array("{\"schema\": \"omnicache.run/99\"}".utf8), to: RunFile.name)
        #expect {
            try RunFile(folder: folder.path)
        } throws: { error in
            guard case PipelineError.badData = error else { return false }
            return true
        }
    }
}
