import Foundation
import Media
import PipelineSupport
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
            for line in batch.lines { #expect(try batch.picture(of: line) == Clip(BatchFolder.picture(line.index))) }
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

    /// Makes a batch of two whose second image is listed under another name.
    private func makeListing(_ name: String) throws {
        try folder.make(count: 2)
        let text = String(decoding: try folder.bytes("manifest-0-of-1.jsonl"), as: UTF8.self)
        let escaped = name.replacing("\\", with: "\\\\").replacing("\n", with: "\\n").replacing(
            "\u{1B}", with: "\\u001b")
        try folder.write(Array(text.replacing("\"1.png\"", with: "\"\(escaped)\"").utf8), to: "manifest-0-of-1.jsonl")
    }

    @Test(arguments: [
        "/dev/zero", "/etc/passwd", "../1.png", "a/../1.png", "..", ".", "", "./1.png", "a//1.png", "1.png/",
        "..\\1.png", "a\n.png",
        "\u{1B}[31m.png",
    ])
    func `a name that leads out of the directory, or is no plain one, is refused without being opened`(name: String)
        throws
    {
        try makeListing(name)
        #expect(isBadData(refusal([folder.path]), "manifest-0-of-1.jsonl: line 2"))
    }

    @Test(arguments: ["pipe", "link", "loop", "folder", "linked/1.png", "socket"])
    func `what is no regular file in the directory is refused, and nothing waits for it`(name: String) throws {
        try makeListing(name)
        let elsewhere = try BatchFolder()
        try elsewhere.write(folder.bytes("1.png"), to: "1.png")
        try folder.remove("1.png")
        mkfifo(folder.path + "pipe", 0o600)
        mkdir(folder.path + "folder", 0o700)
        symlink(elsewhere.path + "1.png", folder.path + "link")
        symlink("loop", folder.path + "loop")
        symlink(elsewhere.path, folder.path + "linked")
        mknod(folder.path + "socket", S_IFSOCK | 0o600, 0)
        let refusal = refusal([folder.path])
        #expect(isBadData(refusal, name), "\(String(describing: refusal))")
    }

    @Test func `a file in a folder below is one of the directory's`() throws {
        try makeListing("deep/er/1.png")
        mkdir(folder.path + "deep", 0o700)
        mkdir(folder.path + "deep/er", 0o700)
        try folder.write(folder.bytes("1.png"), to: "deep/er/1.png")
        #expect(refusal([folder.path]) == nil)
    }

    @Test(arguments: ["run.json", "manifest-0-of-1.jsonl"])
    func `a manifest or run.json that is a pipe or a link is refused`(name: String) throws {
        try folder.make(count: 1)
        let elsewhere = try BatchFolder()
        try elsewhere.write(folder.bytes(name), to: name)
        try folder.remove(name)
        mkfifo(folder.path + name, 0o600)
        #expect(isBadData(refusal([folder.path]), "\(name): is no regular file"))
        try folder.remove(name)
        symlink(elsewhere.path + name, folder.path + name)
        #expect(isBadData(refusal([folder.path]), "\(name): is a symbolic link"))
    }

    @Test(arguments: [
        ("\"seed\":101", "\"seed\":-1"), ("\"seed\":101", "\"seed\":4294967296"),
        ("\"seconds\":1.5", "\"seconds\":NaN"),
        ("\"seconds\":1.5", "\"seconds\":-1"), ("\"seconds\":1.5", "\"seconds\":1e999"),
        ("\"seconds\":1.5", "\"seconds\":1e300"),
        ("\"index\":1,", "\"index\":-1,"), ("\"index\":1,", "\"index\":1e300,"), ("\"classID\":1", "\"classID\":-1"),
        ("\"class\":\"class 1\"", "\"class\":\"a\\u001b[31m\""), ("\"sha256\":\"", "\"sha256\":\"zz"),
        ("\"class\":\"class 1\"", "\"class\":\"" + String(repeating: "a", count: 70_000) + "\""),
    ])
    func `numbers and texts that no manifest has are refused with the line's number`(old: String, new: String) throws {
        try folder.make(count: 2)
        let text = String(decoding: try folder.bytes("manifest-0-of-1.jsonl"), as: UTF8.self)
        #expect(text.contains(old))
        let lines = text.split(separator: "\n")
        let damaged = lines[0] + "\n" + lines[1].replacing(old, with: new) + "\n"
        try folder.write(Array(damaged.utf8), to: "manifest-0-of-1.jsonl")
        #expect(isBadData(refusal([folder.path]), "manifest-0-of-1.jsonl: line 2"))
    }

    @Test func `two images of one file are refused`() throws {
        try makeListing("0.png")
        #expect(isBadData(refusal([folder.path]), "one file for the images 0 and 1"))
    }

    @Test func `a picture that declares more than memory holds is refused before it is decoded`() throws {
        #expect(throws: Never.self) {
            try DecodedMemory((64, 64, 3, 1)).check(path: "a", peers: 1000, free: 0)
            try DecodedMemory((16384, 16384, 3, 1)).check(path: "a", peers: 2, free: 1 << 40)
        }
        for (size, peers) in [
            ((16384, 16384, 3, 1), 1), ((4096, 4096, 1, 1), 8), ((2, 1 << 26, 4, 1), 1), ((64, 64, 3, 1 << 31), 1),
        ] {
            #expect(throws: PipelineError.self) {
                try DecodedMemory(size).check(path: "a", peers: peers, free: 1 << 30)
            }
        }
    }

    @Test(arguments: [(60_000, 60_000), (0x7FFF_FFFF, 0x7FFF_FFFF), (3000, 3000)])
    func `a small file of a huge picture is refused`(width: Int, height: Int) throws {
        try folder.make(count: 1)
        var file = try folder.bytes("0.png")
        for (place, value) in [(16, width), (20, height)] {
            for byte in 0..<4 { file[place + byte] = UInt8(value >> (24 - 8 * byte) & 255) }
        }
        let crc = crc32(file[12..<29])
        for byte in 0..<4 { file[29 + byte] = UInt8(crc >> (24 - 8 * UInt32(byte)) & 255) }
        try folder.write(file, to: "0.png")
        try folder.write(BatchFolder.line(0).of(file, seconds: 1).bytes, to: "manifest-0-of-1.jsonl")
        #expect(isBadData(refusal([folder.path]), "0.png: "))
    }

    /// The checksum of PNG chunks (PNG, annex D).
    private func crc32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        ~bytes.reduce(~0 as UInt32) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
    }
}
