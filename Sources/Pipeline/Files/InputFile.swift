import Glibc

/// A file that a person names; it may be a pipe.
public enum InputFile {
    /// The bytes of a file.
    ///
    /// - Throws: ``PipelineError/inputOutput(_:)`` that says that it cannot be read.
    public static func read(_ path: String) throws(PipelineError) -> [UInt8] {
        guard let bytes = bytes(of: path, most: .max) else {
            throw .inputOutput("\(path): cannot be read; check its permissions")
        }
        return bytes
    }

    /// The bytes of a file, or more than `most` of them if it has more; nil where it cannot be read.
    static func bytes(of path: String, most: Int) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count <= most {
            let got = block.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { return nil }
            guard got > 0 else { break }
            bytes += block[..<got]
        }
        return bytes
    }
}
