import Glibc
import Testing

@testable import Media

/// The temporary files that killed writers leave.
@Suite struct TemporariesTests {
    private let directory: AtomicFileTests.Directory

    init() throws {
        directory = try AtomicFileTests.Directory()
    }

    private func make(_ names: String...) throws {
        for name in names { try AtomicFile.write([1], to: "\(directory.path)/\(name)", onConflict: .fail) }
    }

    @Test func `a name is hidden, lies in the file's directory, and is another one each time`() {
        let names = (0..<100).map { _ in Temporaries.name(beside: "folder/a.png") }
        #expect(names.allSatisfy { $0.hasPrefix("folder/.a.png.\(getpid()).") && $0.hasSuffix(".tmp") })
        #expect(Set(names).count == 100)
        #expect(Temporaries.name(beside: "a.png").hasPrefix(".a.png."))
    }

    @Test func `what nobody writes goes, and only where it was to become one of the names`() throws {
        let orphan = Temporaries.name(beside: "a.png")
        let other = Temporaries.name(beside: "b.png")
        try make(orphan, other, "a.png", ".a.png.12.tmp", ".a.png.x.abc.tmp", "a.png.12.abc.tmp", ".a.png.12.abc")
        #expect(Temporaries.removeOrphans(in: directory.path, of: ["a.png"]) == 1)
        #expect(
            directory.names
                == [other, "a.png", ".a.png.12.tmp", ".a.png.x.abc.tmp", "a.png.12.abc.tmp", ".a.png.12.abc"].sorted())
    }

    @Test func `what is being written stays`() throws {
        let name = Temporaries.name(beside: "a.png")
        let descriptor = open("\(directory.path)/\(name)", O_WRONLY | O_CREAT | O_EXCL, 0o600)
        #expect(flock(descriptor, LOCK_EX) == 0)
        #expect(Temporaries.removeOrphans(in: directory.path, of: ["a.png"]) == 0)
        close(descriptor)
        #expect(Temporaries.removeOrphans(in: directory.path, of: ["a.png"]) == 1)
        #expect(directory.names.isEmpty)
    }

    @Test func `a name as long as a file system takes has a temporary, which is found again`() throws {
        let name = String(repeating: "x", count: 251) + ".png"
        let orphan = Temporaries.name(beside: name)
        #expect(orphan.utf8.count <= 255)
        try make(orphan)
        #expect(Temporaries.removeOrphans(in: directory.path, of: [name]) == 1)
    }

    @Test func `a link is not followed, and a directory that is not there has no orphans`() throws {
        try make("kept")
        let link = "\(directory.path)/.a.png.\(getpid()).abc.tmp"
        #expect(symlink("\(directory.path)/kept", link) == 0)
        #expect(Temporaries.removeOrphans(in: directory.path, of: ["a.png"]) == 0)
        #expect(Temporaries.removeOrphans(in: "\(directory.path)/none", of: ["a.png"]) == 0)
    }
}
