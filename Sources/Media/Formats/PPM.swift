/// Reads and writes binary PPM and PGM of 8 bits (`P6` and `P5`, https://netpbm.sourceforge.net/doc/ppm.html).
public enum PPM {
    /// Encodes an image as `P6`, a gray one as `P5`; each line of `comment` becomes a `# ` line of the header.
    public static func encode(_ image: Image, comment: String? = nil) -> [UInt8] {
        var header = image.channels == 1 ? "P5\n" : "P6\n"
        for line in comment?.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) ?? [] {
            header += "# \(line)\n"
        }
        header += "\(image.width) \(image.height)\n255\n"
        return Array(header.utf8) + image.pixels
    }

    /// Decodes an image.
    ///
    /// - Throws: ``ImageError/malformed(_:offset:reason:)``, ``ImageError/unsupported(_:feature:)`` or
    ///   ``ImageError/tooLarge(what:limit:)``.
    public static func decode(_ file: [UInt8]) throws(ImageError) -> Image {
        let (width, height, channels, start) = try parseHeader(of: file).fields
        let expected = width * height * channels
        guard file.count - start == expected else {
            let reason = "\(file.count - start) bytes of pixels instead of \(expected)"
            throw .malformed(.ppm, offset: start, reason: reason)
        }
        return Image(width: width, height: height, channels: channels, pixels: Array(file[start...]))
    }

    /// The size that the header declares, which ``decode(_:)`` holds the pixels to.
    ///
    /// - Throws: ``ImageError`` as ``decode(_:)`` does for a header.
    public static func size(of file: [UInt8]) throws(ImageError) -> (width: Int, height: Int, channels: Int) {
        let (width, height, channels, _) = try parseHeader(of: file).fields
        return (width, height, channels)
    }

    /// Reads the header's comments, one string per line, without the `#` and the space after it.
    public static func comments(in file: [UInt8]) throws(ImageError) -> [String] {
        try parseHeader(of: file).comments
    }

    /// The comments, and the bytes of the whole file, of which `head` is the beginning; nil for any other.
    static func outline(of head: [UInt8]) -> (comments: [String], size: Int)? {
        guard let (fields, comments) = try? parseHeader(of: head) else { return nil }
        return (comments, fields.start + fields.width * fields.height * fields.channels)
    }

    private static func parseHeader(
        of file: [UInt8]
    ) throws(ImageError) -> (fields: (width: Int, height: Int, channels: Int, start: Int), comments: [String]) {
        let channels: Int
        switch file.prefix(2) {
        case [0x50, 0x35]: channels = 1
        case [0x50, 0x36]: channels = 3
        default: throw .malformed(.ppm, offset: 0, reason: "it begins with neither P5 nor P6")
        }
        var scanner = PPMHeaderScanner(file: file, position: 2)
        let width = try scanner.number("width")
        let height = try scanner.number("height")
        let largest = try scanner.number("largest sample")
        try scanner.skipOneSpace()
        guard width > 0, height > 0 else {
            throw .malformed(.ppm, offset: 2, reason: "\(width)x\(height) is no image size")
        }
        guard ImageLimits.allow(width: width, height: height) else {
            throw ImageLimits.tooLarge(width: width, height: height)
        }
        guard largest == 255 else { throw .unsupported(.ppm, feature: "its largest sample is \(largest), not 255") }
        return ((width, height, channels, scanner.position), scanner.comments)
    }
}

/// Reads the numbers and comments of a netpbm header.
private struct PPMHeaderScanner {
    let file: [UInt8]
    var position: Int
    var comments: [String] = []

    /// The next number, after at least one space or comment.
    mutating func number(_ name: String) throws(ImageError) -> Int {
        let start = position
        skipSpacesAndComments()
        let digits = file[position...].prefix { (0x30...0x39).contains($0) }
        guard position > start, !digits.isEmpty else { throw malformed("the \(name) is missing") }
        guard let value = Int(String(latin1: digits)) else { throw malformed("the \(name) is too large") }
        position = digits.endIndex
        return value
    }

    /// Steps over the single space between the header and the pixels.
    mutating func skipOneSpace() throws(ImageError) {
        guard position < file.count, isSpace(file[position]) else { throw malformed("the header does not end") }
        position += 1
    }

    private mutating func skipSpacesAndComments() {
        while position < file.count {
            if isSpace(file[position]) {
                position += 1
            } else if file[position] == UInt8(ascii: "#") {
                let line = file[(position + 1)...].prefix { $0 != UInt8(ascii: "\n") }
                comments.append(String(decoding: line.first == 0x20 ? line.dropFirst() : line, as: UTF8.self))
                position = line.endIndex
            } else {
                return
            }
        }
    }

    private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private func malformed(_ reason: String) -> ImageError { .malformed(.ppm, offset: position, reason: reason) }
}
