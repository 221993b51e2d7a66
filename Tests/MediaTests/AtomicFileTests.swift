import Glibc
import Testing

@testable import Media

@Suite struct AtomicFileTests {
    /// A directory of its own, removed at the end.
    final class Directory {
        let path: String

        init() throws {
            var template = Array("/tmp/omnicache-imaging-XXXXXX".utf8CString)
            path = try #require(mkdtemp(&template).map { String(cString: $0) })
        }

        deinit {
            chmod(path, 0o700)
            for name in names { remove("\(path)/\(name)") }
            rmdir(path)
        }

        /// All entries, hidden ones too, sorted.
        var names: [String] {
            guard let stream = opendir(path) else { return [] }
            defer { closedir(stream) }
            var names: [String] = []
            while let entry = readdir(stream) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if name != "." && name != ".." { names.append(name) }
            }
            return names.sorted()
        }

        func contents(of name: String) -> [UInt8] {
            let descriptor = open("\(path)/\(name)", O_RDONLY)
            defer { close(descriptor) }
            var buffer = [UInt8](repeating: 0, count: 1 << 20)
            let count = read(descriptor, &buffer, buffer.count)
            return Array(buffer.prefix(max(0, count)))
        }
    }

    @Test(arguments: [AtomicFile.Conflict.fail, .replace], [0, 1, 5000])
    func `the file holds the bytes and nothing else is left`(conflict: AtomicFile.Conflict, count: Int) throws {
        let directory = try Directory()
        let bytes = (0..<count).map { UInt8($0 & 255) }
        try AtomicFile.write(bytes, to: "\(directory.path)/a.png", onConflict: conflict)
        #expect(directory.names == ["a.png"])
        #expect(directory.contents(of: "a.png") == bytes)
    }

    @Test func `a file in the way is kept or replaced as asked`() throws {
        let directory = try Directory()
        let path = "\(directory.path)/a"
        try AtomicFile.write([1], to: path, onConflict: .fail)
        #expect(throws: FileError.exists(path: path)) { try AtomicFile.write([2], to: path, onConflict: .fail) }
        #expect(directory.contents(of: "a") == [1])
        try AtomicFile.write([3], to: path, onConflict: .replace)
        #expect(directory.contents(of: "a") == [3])
        #expect(directory.names == ["a"])
    }

    @Test func `a file that appears during the writing is kept`() throws {
        let directory = try Directory()
        let path = "\(directory.path)/a"
        #expect(throws: FileError.exists(path: path)) {
            try AtomicFile.write(to: path, onConflict: .fail) { descriptor throws(FileError) in
                try AtomicFile.write([2], to: descriptor, path: path)
                try AtomicFile.write([1], to: path, onConflict: .fail)
            }
        }
        #expect(directory.contents(of: "a") == [1])
        #expect(directory.names == ["a"])
    }

    @Test func `without hard links the name is claimed first`() throws {
        let directory = try Directory()
        let (source, path) = ("\(directory.path)/t", "\(directory.path)/a")
        try AtomicFile.write([1], to: source, onConflict: .fail)
        try AtomicFile.moveByClaiming(source, to: path)
        #expect(directory.names == ["a"])
        #expect(directory.contents(of: "a") == [1])
        try AtomicFile.write([2], to: source, onConflict: .fail)
        #expect(throws: FileError.exists(path: path)) { try AtomicFile.moveByClaiming(source, to: path) }
        #expect(directory.contents(of: "a") == [1])
        #expect(throws: FileError.self) {
            try AtomicFile.moveByClaiming("\(directory.path)/none", to: "\(directory.path)/b")
        }
        #expect(directory.names == ["a", "t"])
    }

    @Test func `a failure on the way leaves neither file nor temporary`() throws {
        let directory = try Directory()
        let path = "\(directory.path)/a"
        let failure = FileError.failed(path: path, operation: "write", code: ENOSPC)
        var during: [String] = []
        #expect(throws: failure) {
            try AtomicFile.write(to: path, onConflict: .replace) { descriptor throws(FileError) in
                try AtomicFile.write([1, 2, 3], to: descriptor, path: path)
                during = directory.names
                throw failure
            }
        }
        let temporary = try #require(during.first)
        #expect(temporary.hasPrefix(".a.\(getpid()).") && temporary.hasSuffix(".tmp"))
        #expect(directory.names.isEmpty)
    }

    @Test(arguments: [AtomicFile.Conflict.fail, .replace])
    func `a full device is an input-output error and stays a device`(conflict: AtomicFile.Conflict) {
        #expect(throws: FileError.failed(path: "/dev/full", operation: "write", code: ENOSPC)) {
            try AtomicFile.write([1], to: "/dev/full", onConflict: conflict)
        }
        var status = stat()
        #expect(stat("/dev/full", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
    }

    @Test func `a missing directory cannot be written to`() throws {
        let directory = try Directory()
        let path = "\(directory.path)/none/a"
        #expect(throws: FileError.cannotCreate(path: path, code: ENOENT)) {
            try AtomicFile.write([1], to: path, onConflict: .fail)
        }
        let below = "\(directory.path)/file/a"
        try AtomicFile.write([1], to: "\(directory.path)/file", onConflict: .fail)
        #expect(throws: FileError.cannotCreate(path: below, code: ENOTDIR)) {
            try AtomicFile.write([1], to: below, onConflict: .fail)
        }
    }

    @Test func `a directory closed to writing cannot be written to`() throws {
        // Root may write anywhere but in the kernel's own file system.
        if geteuid() == 0 {
            #expect {
                try AtomicFile.write([1], to: "/proc/a", onConflict: .fail)
            } throws: { error in
                guard case .cannotCreate("/proc/a", _) = error as? FileError else { return false }
                return true
            }
        } else {
            let directory = try Directory()
            chmod(directory.path, 0o500)
            let path = "\(directory.path)/a"
            #expect(throws: FileError.cannotCreate(path: path, code: EACCES)) {
                try AtomicFile.write([1], to: path, onConflict: .fail)
            }
        }
    }

    @Test func `a directory in the file's place is left alone`() throws {
        let directory = try Directory()
        let path = "\(directory.path)/d"
        mkdir(path, 0o700)
        #expect(throws: FileError.cannotCreate(path: path, code: EISDIR)) {
            try AtomicFile.write([1], to: path, onConflict: .replace)
        }
        #expect(throws: FileError.exists(path: path)) { try AtomicFile.write([1], to: path, onConflict: .fail) }
        #expect(directory.names == ["d"])
    }

    @Test func `the longest names of a file system work, longer ones do not`() throws {
        let directory = try Directory()
        let longest = String(repeating: "é", count: 127) + "x"
        try AtomicFile.write([1], to: "\(directory.path)/\(longest)", onConflict: .fail)
        #expect(directory.names == [longest])
        let path = "\(directory.path)/\(longest)y"
        #expect(throws: FileError.cannotCreate(path: path, code: ENAMETOOLONG)) {
            try AtomicFile.write([1], to: path, onConflict: .fail)
        }
        #expect(directory.names == [longest])
    }

    @Test func `the umask decides who may read the file`() throws {
        let directory = try Directory()
        try AtomicFile.write([1], to: "\(directory.path)/a", onConflict: .fail)
        close(open("\(directory.path)/b", O_CREAT | O_WRONLY, 0o666))
        var (ours, usual) = (stat(), stat())
        #expect(stat("\(directory.path)/a", &ours) == 0 && stat("\(directory.path)/b", &usual) == 0)
        #expect(ours.st_mode == usual.st_mode)
    }

    @Test(arguments: [
        FileError.exists(path: "a\nb"), .cannotCreate(path: "a\nb", code: ENOENT),
        .failed(path: "a\nb", operation: "write", code: ENOSPC),
    ])
    func `a message names the path on one line`(error: FileError) {
        #expect("\(error)".contains("'a\\nb'"))
        #expect(isOneLine("\(error)"))
    }
}
