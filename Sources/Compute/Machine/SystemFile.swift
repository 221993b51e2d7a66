import Glibc

/// The kernel's small text files, such as those of `/proc`.
enum SystemFile {
    /// The text of the file at `path`; nil if it cannot be read.
    static func text(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 14)
        while true {
            let count = read(descriptor, &piece, piece.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { return nil }
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += piece[..<count]
        }
    }

    /// The numbers of a file with a key and a number in each line, of which the first word is the key.
    static func numbers(_ text: String?) -> [Substring: Int] {
        let pairs = (text ?? "").split(separator: "\n").compactMap { line -> (Substring, Int)? in
            let words = line.split(separator: " ")
            guard words.count >= 2, let number = Int(words[1]) else { return nil }
            return (words[0], number)
        }
        return Dictionary(pairs) { first, _ in first }
    }
}
