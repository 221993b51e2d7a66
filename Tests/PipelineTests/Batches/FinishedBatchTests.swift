import Foundation
import Testing

@testable import Pipeline

/// Batches that were made earlier.
@Suite struct FinishedBatchTests {
    private let folder: BatchFolder

    init() throws {
        folder = try BatchFolder()
    }

    private func refusal(_ paths: [String]) -> PipelineError? {
        do throws(PipelineError) {
            let batches = try FinishedBatch.read(paths)
            for batch in batches { for line in batch.lines { _ = try batch.picture(of: line) } }
            return nil
        } catch {
            return error
        }
    }

    private func isBadData(_ error: PipelineError?, _ text: String) -> Bool {
        guard case .badData(let message) = error else { return false }
        return message.contains(text)
    }

    private func isMissing(_ error: PipelineError?, _ text: String) -> Bool {
        guard case .missingInput(let message) = error else { return false }
        return message.contains(text)
    }

    @Test func `a directory has the images of all its manifests, in the list's order`() throws {
        try folder.make(count: 5, shards: 3)
        for path in [folder.path, String(folder.path.dropLast())] {
            let batch = try FinishedBatch.read([path])[0]
            #expect(batch.lines.map(\.index) == [0, 1, 2, 3, 4] && batch.missing.isEmpty)
            for line in batch.lines { #expect(try batch.picture(of: line) == BatchFolder.picture(line.index)) }
        }
    }

    @Test func `manifests of one directory are one batch, those of two are two`() throws {
        try folder.make(count: 5, shards: 3)
        let other = try BatchFolder()
        try other.make(count: 2)
        let paths = ["manifest-2-of-3.jsonl", "manifest-0-of-3.jsonl"].map { folder.path + $0 }
        let batches = try FinishedBatch.read([paths[0], other.path, paths[1], paths[0]])
        #expect(batches.map { $0.lines.map(\.index) } == [[0, 2, 3], [0, 1]])
        #expect(batches[0].missing == [1, 4])
    }

    @Test func `an image that two manifests list alike is one image, with the seconds of whoever made it`() throws {
        try folder.make(count: 2)
        let second = try Manifest(shard: Shard("0/2"), folder: folder.path)
        let bytes = try folder.bytes("0.png")
        try second.append(BatchFolder.line(0).of(bytes, seconds: nil))
        #expect(try folder.read().lines.map(\.seconds) == [0.5, 1.5])
        try second.append(BatchFolder.line(1).of(bytes, seconds: nil))
        #expect(isBadData(refusal([folder.path]), "image 1 is listed twice"))
    }

    @Test func `an empty shard's manifest is no fault, a batch without any image is one`() throws {
        try folder.make(count: 2)
        try folder.write([], to: "manifest-1-of-2.jsonl")
        #expect(try folder.read().lines.count == 2)
        #expect(isBadData(refusal([folder.path + "manifest-1-of-2.jsonl"]), "no image"))
    }

    @Test func `what is not there is told from what is damaged`() throws {
        #expect(isMissing(refusal([folder.path + "none"]), "none: no such file"))
        #expect(isMissing(refusal([folder.path]), "no manifest"))
        try folder.make(count: 3)
        try folder.remove("1.png")
        #expect(isMissing(refusal([folder.path]), "1.png"))
        try folder.remove("run.json")
        #expect(isMissing(refusal([folder.path]), "run.json"))
    }

    @Test func `a file that has changed since is not taken for the one that is listed`() throws {
        try folder.make(count: 3)
        try folder.write(folder.bytes("0.png"), to: "2.png")
        #expect(isBadData(refusal([folder.path]), "2.png: not the file that its manifest lists"))
    }

    @Test func `a damaged image is refused even where the manifest lists it`() throws {
        try folder.make(count: 1)
        let bytes = try folder.bytes("0.png").dropLast(20)
        try folder.write(Array(bytes), to: "0.png")
        try folder.write(BatchFolder.line(0).of(Array(bytes), seconds: 1).bytes, to: "manifest-0-of-1.jsonl")
        #expect(isBadData(refusal([folder.path]), "0.png: damaged PNG"))
    }

    @Test(arguments: ["nonsense\n", "{\"torn", "{}\n"])
    func `a manifest with a line that is none is refused with the line's number`(text: String) throws {
        try folder.make(count: 2)
        try folder.write(folder.bytes("manifest-0-of-1.jsonl") + Array(text.utf8), to: "manifest-0-of-1.jsonl")
        #expect(isBadData(refusal([folder.path]), "line 3"))
    }

    @Test(arguments: ["-1", "0", "1000001", "\(Int.max)", "\(Int.max)0"])
    func `a run.json of no image, or of more than a batch can have, is refused`(count: String) throws {
        try folder.make(count: 2)
        let text = String(decoding: try folder.bytes("run.json"), as: UTF8.self)
        let damaged = text.replacing("\"count\" : 2", with: "\"count\" : \(count)")
        #expect(damaged != text)
        try folder.write(Array(damaged.utf8), to: "run.json")
        #expect(isBadData(refusal([folder.path]), "run.json"))
        try folder.write(Array(text.utf8), to: "run.json")
        #expect(refusal([folder.path]) == nil)
    }

    @Test(arguments: [-1, 1_000_000_001, .max])
    func `evaluations that no image takes are refused with the line's number`(evaluations: Int) throws {
        try folder.make(count: 2, line: { BatchFolder.line($0, evaluations: $0 == 1 ? evaluations : 4) })
        #expect(isBadData(refusal([folder.path]), "manifest-0-of-1.jsonl: line 2"))
    }

    @Test func `an image beyond the list is refused`() throws {
        try folder.make(count: 2)
        try Manifest(shard: .whole, folder: folder.path).append(BatchFolder.line(2).of([], seconds: 1))
        #expect(isBadData(refusal([folder.path]), "image 2 of a batch of 2"))
    }
}
