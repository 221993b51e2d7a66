import Compute
import Foundation
import PipelineSupport
import Synchronization
import Testing

@testable import Pipeline

/// The list of the images that a shard has made.
@Suite struct ManifestTests {
    private let folder: BatchFolder
    private let manifest: Manifest
    private var name: String { manifest.name }

    init() throws {
        folder = try BatchFolder()
        manifest = try Manifest(shard: Shard("2/5"), folder: folder.path)
    }

    private func made(_ index: Int, seconds: Double? = 1) throws -> ManifestLine {
        let bytes: [UInt8] = [1, 2, UInt8(index)]
        let line = BatchFolder.line(index)
        try folder.write(bytes, to: line.file)
        return line.of(bytes, seconds: seconds)
    }

    @Test func `its name says which shard of how many`() throws {
        #expect(name == "manifest-2-of-5.jsonl" && Manifest.isName(name))
        for other in [
            "manifest-5-of-5.jsonl", "manifest-a-of-5.jsonl", "manifest-1-of-5.json", "run.json", "manifest.jsonl",
        ] {
            #expect(!Manifest.isName(other))
        }
    }

    @Test func `what is appended is read again, line by line`() throws {
        let lines = try [made(3), made(1, seconds: nil), made(2)]
        for line in lines { try manifest.append(line) }
        #expect(try folder.lines(name) == lines)
        #expect(lines[0].sha256 == SHA256.hexadecimal([1, 2, 3] as [UInt8]))
    }

    @Test func `a torn line is ended by the next one, and none is lost`() throws {
        try manifest.append(made(1))
        try folder.write(folder.bytes(name) + Array("{\"half".utf8), to: name)
        try manifest.append(made(2))
        let texts = try folder.bytes(name).split(separator: UInt8(ascii: "\n"))
        #expect(texts.map { ManifestLine($0)?.index } == [1, nil, 2])
        #expect(throws: PipelineError.self) { try folder.lines(name) }
    }

    @Test func `settling leaves one line an image in the list's order, and no other`() throws {
        let lines = try (0..<4).map { try made($0) }
        for index in [3, 1, 1, 0] { try manifest.append(lines[index]) }
        try folder.write(folder.bytes(name) + Array("{\"half".utf8), to: name)
        // Image 3 is of another list by now; nobody has entered image 2.
        try manifest.settle([0, 1, 2].map { BatchFolder.line($0) })
        let settled = try folder.lines(name)
        #expect(settled.map(\.index) == [0, 1, 2])
        #expect(settled.map(\.seconds) == [1, 1, nil])
        #expect(settled.map(\.sha256) == lines.prefix(3).map(\.sha256))
    }

    @Test func `settling what is in order writes nothing`() throws {
        try manifest.append(made(0))
        let before = try FileManager.default.attributesOfItem(atPath: manifest.path)[.systemFileNumber] as? Int
        try manifest.settle([BatchFolder.line(0)])
        let after = try FileManager.default.attributesOfItem(atPath: manifest.path)[.systemFileNumber] as? Int
        #expect(before == after && before != nil)
    }

    @Test func `a line about other evaluations is made again from the file`() throws {
        try manifest.append(made(0))
        try manifest.settle([BatchFolder.line(0, evaluations: 3)])
        #expect(try folder.lines(name).map(\.evaluations) == [3])
        #expect(try folder.lines(name)[0].seconds == nil)
    }

    @Test func `threads that append at once lose no line and tear none`() throws {
        let lines = try (0..<64).map { try made($0) }
        let failures = Atomic<Int>(0)
        Workers(count: 4).run(tasks: lines.count) { [manifest] _, task in
            do { try manifest.append(lines[task]) } catch { failures.add(1, ordering: .relaxed) }
        }
        #expect(failures.load(ordering: .relaxed) == 0)
        #expect(try folder.lines(name).sorted { $0.index < $1.index } == lines)
    }

    @Test func `an image that is gone while its line is made is an error`() throws {
        #expect {
            try manifest.settle([BatchFolder.line(7)])
        } throws: { error in
            guard case PipelineError.inputOutput(let message) = error else { return false }
            return message.contains("7.png")
        }
    }

    @Test func `a directory that is gone is an error that names the file`() throws {
        let elsewhere = Manifest(shard: .whole, folder: folder.path + "gone/")
        #expect {
            try elsewhere.append(made(0))
        } throws: { error in
            guard case PipelineError.cannotCreate(let message) = error else { return false }
            return message.contains("gone/manifest-0-of-1.jsonl")
        }
        #expect {
            try Manifest.lines(of: elsewhere.name, in: UntrustedFolder(path: folder.path + "gone/"))
        } throws: { error in
            guard case PipelineError.missingInput(let message) = error else { return false }
            return message.hasPrefix("\(elsewhere.path): no such file")
        }
    }
}
