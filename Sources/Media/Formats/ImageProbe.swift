import Glibc

/// Looks at image files without reading their pixels: what they say, and whether they are whole.
///
/// A file is whole if its parts are all there: damage inside the compressed pixels shows only when they are decoded.
public enum ImageProbe {
    /// What is read of a file at first; more only where the texts are longer.
    private static let firstRead = 1 << 16

    /// The texts of a PNG before its pixels; nil for a file that is no PNG, or incomplete.
    public static func pngTexts(path: String) -> [PNGText]? {
        withFile(path) { descriptor, size in
            guard let (head, pixels) = head(of: descriptor, size: size), isWhole(descriptor, from: pixels, size: size)
            else { return nil }
            // An empty file's end after the texts makes of them a file that the reader takes.
            var file = head
            PNGChunk.append(.end, [], to: &file)
            return try? PNGReader.text(in: file)
        }
    }

    /// The comments of a PPM or PGM; nil for a file that is none, or not whole.
    public static func ppmComments(path: String) -> [String]? {
        withFile(path) { descriptor, size in
            guard let head = read(descriptor, at: 0, count: min(size, firstRead)),
                let (comments, expected) = PPM.outline(of: head)
            else { return nil }
            return size == expected ? comments : nil
        }
    }

    /// The note of a Y4M of ``Y4M/encode(_:note:)``; nil for any other file, or one that is not whole.
    public static func y4mNote(path: String) -> String? {
        withFile(path) { descriptor, size in
            guard let head = read(descriptor, at: 0, count: min(size, Y4M.mostHeaderBytes)),
                let (note, expected) = Y4M.outline(of: head)
            else { return nil }
            return size == expected ? note : nil
        }
    }

    private static func withFile<Result>(_ path: String, _ body: (Int32, Int) -> Result?) -> Result? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return body(descriptor, Int(status.st_size))
    }

    /// The bytes before the first chunk of pixels, and that chunk's place.
    private static func head(of descriptor: Int32, size: Int) -> (bytes: [UInt8], pixels: Int)? {
        var bytes: [UInt8] = []
        var position = PNGChunk.signature.count
        while true {
            if bytes.count < position + 8 {
                let wanted = min(size, max(position + 8, firstRead, 2 * bytes.count))
                guard wanted >= position + 8, let more = read(descriptor, at: 0, count: wanted) else { return nil }
                bytes = more
            }
            let length = Int(UInt32(bigEndian: bytes[position..<position + 4]))
            let kind = PNGChunk.Kind(name: String(latin1: bytes[position + 4..<position + 8]))
            if kind == .data { return (Array(bytes.prefix(position)), position) }
            guard length <= size - position - 12 else { return nil }
            position += length + 12
        }
    }

    /// Whether chunk follows on chunk until the file ends with the last.
    private static func isWhole(_ descriptor: Int32, from first: Int, size: Int) -> Bool {
        var position = first
        while let start = read(descriptor, at: position, count: 8) {
            let length = Int(UInt32(bigEndian: start[0..<4]))
            guard length <= size - position - 12 else { return false }
            position += length + 12
            if PNGChunk.Kind(name: String(latin1: start[4..<8])) == .end { return position == size && length == 0 }
        }
        return false
    }

    private static func read(_ descriptor: Int32, at position: Int, count: Int) -> [UInt8]? {
        var done = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while done < count {
                let got = pread(descriptor, buffer.baseAddress.map { $0 + done }, count - done, off_t(position + done))
                if got < 0, errno == EINTR { continue }
                guard got > 0 else { break }
                done += got
            }
            filled = done
        }
        return done == count ? bytes : nil
    }
}
