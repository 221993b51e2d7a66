import Foundation
import Testing

@testable import Models

/// Files that others write to while they are mapped.
@Suite struct MappedFileTests {
    private let directory: TemporaryDirectory
    private let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = try directory.write(text: "some weights", to: "file")
    }

    /// The file, mapped, and so that every write to it shows.
    private func mapped() throws -> MappedFile {
        let file = try MappedFile(path: path)
        file.awaitRest()
        return file
    }

    /// Writes `text` into the file as it is.
    private func overwrite(_ text: String, at offset: UInt64 = 0) throws {
        let handle = try FileHandle(forWritingTo: URL(filePath: path))
        try handle.seek(toOffset: offset)
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
    }

    private func times() throws -> [timespec] {
        var status = stat()
        try #require(stat(path, &status) == 0)
        return [status.st_atim, status.st_mtim]
    }

    private func expectChange(in file: MappedFile, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(throws: SafetensorsError.changed(path: path), sourceLocation: sourceLocation) {
            try file.checkUnchanged()
        }
    }

    @Test func `a file that is left alone is unchanged, however often it is read`() throws {
        let file = try MappedFile(path: path)
        #expect(String(decoding: file.bytes, as: UTF8.self) == "some weights")
        _ = try Data(contentsOf: URL(filePath: path))
        #expect(throws: Never.self) { try file.checkUnchanged() }
    }

    @Test func `a byte that is written in the moment after another is noticed`() throws {
        for _ in 0..<20 {
            let file = try mapped()
            try overwrite("x")
            expectChange(in: file)
        }
    }

    @Test func `the same bytes written again are a change: what was read between is not known`() throws {
        let file = try mapped()
        try overwrite("some weights")
        expectChange(in: file)
    }

    @Test func `a write whose time was set back is noticed`() throws {
        let before = try times()
        let file = try mapped()
        try overwrite("same sizes!!")
        #expect(utimensat(AT_FDCWD, path, before, 0) == 0)
        #expect(try times()[1].tv_nsec == before[1].tv_nsec)
        expectChange(in: file)
    }

    @Test func `a file that was cut short or went on is noticed`() throws {
        var file = try mapped()
        try overwrite("!", at: 12)
        expectChange(in: file)
        file = try mapped()
        #expect(truncate(path, 3) == 0)
        expectChange(in: file)
    }

    @Test func `a file that takes this one's place does no harm`() throws {
        let file = try mapped()
        let other = try directory.write(text: "other weights", to: "other")
        #expect(rename(other, path) == 0)
        #expect(throws: Never.self) { try file.checkUnchanged() }
        #expect(String(decoding: file.bytes, as: UTF8.self) == "some weights")
    }

    @Test func `a file that is moved, deleted, linked or closed to others does no harm`() throws {
        let file = try mapped()
        #expect(link(path, "\(directory.path)/link") == 0)
        #expect(throws: Never.self) { try file.checkUnchanged() }
        #expect(chmod(path, 0o400) == 0)
        #expect(throws: Never.self) { try file.checkUnchanged() }
        #expect(rename(path, "\(directory.path)/moved") == 0)
        #expect(throws: Never.self) { try file.checkUnchanged() }
        #expect(unlink("\(directory.path)/moved") == 0)
        #expect(throws: Never.self) { try file.checkUnchanged() }
    }

    @Test func `what cannot be mapped says why and leaves no descriptor open`() throws {
        let before = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        for _ in 0..<50 {
            #expect(throws: SafetensorsError.self) { try MappedFile(path: directory.path) }
            #expect(throws: SafetensorsError.missingFile(path: "\(directory.path)/none")) {
                try MappedFile(path: "\(directory.path)/none")
            }
            _ = try MappedFile(path: path)
        }
        // Other tests open files at the same time.
        #expect(try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count < before + 40)
    }
}
