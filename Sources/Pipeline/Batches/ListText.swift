/// The text of a list, and the line and column of each byte.
struct ListText {
    /// What is wrong with a list, and where.
    struct Problem: Error {
        let reason: String
        let place: BatchFile.Place
    }

    /// UTF-8 without a byte-order mark.
    let bytes: [UInt8]
    private var offset = 0
    private var line = 1
    private var column = 1

    /// Takes the bytes of a file.
    ///
    /// - Throws: ``Problem`` where they are no UTF-8 text.
    init(_ file: [UInt8]) throws(Problem) {
        // A byte-order mark of UTF-16, or a first letter of 16 bits.
        let start = file.prefix(2)
        if start == [0xFF, 0xFE] || start == [0xFE, 0xFF] || start.count == 2 && (start[0] == 0) != (start[1] == 0) {
            throw Problem(
                reason: "UTF-16 text; save it as UTF-8", place: BatchFile.Place(line: 1, column: 1))
        }
        bytes = file.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(file.dropFirst(3)) : file
        guard String(validating: bytes, as: UTF8.self) == nil else { return }
        throw Problem(reason: "not UTF-8 text; save it as UTF-8", place: place(of: Self.validPrefix(of: bytes)))
    }

    /// How many bytes from the first are UTF-8.
    private static func validPrefix(of bytes: [UInt8]) -> Int {
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        var count = 0
        while case .scalarValue(let scalar) = decoder.decode(&iterator) { count += UTF8.width(scalar) }
        return count
    }

    /// The line and the character of a byte. Asked for bytes in their order, all calls together read the text once.
    mutating func place(of offset: Int) -> BatchFile.Place {
        if offset < self.offset { (self.offset, line, column) = (0, 1, 1) }
        while self.offset < min(offset, bytes.count) {
            let byte = bytes[self.offset]
            self.offset += 1
            if Self.endsLine(byte, before: self.offset < bytes.count ? bytes[self.offset] : nil) {
                line += 1
                column = 1
            } else if self.offset == bytes.count || bytes[self.offset] & 0xC0 != 0x80 {
                column += 1
            }
        }
        return BatchFile.Place(line: line, column: column)
    }

    /// The lines that hold more than white space, as ranges of bytes.
    var lines: [Range<Int>] {
        var lines: [Range<Int>] = []
        var start = 0
        var isBlank = true
        for offset in 0...bytes.count {
            let byte = offset < bytes.count ? bytes[offset] : UInt8(ascii: "\n")
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                if !isBlank { lines.append(start..<offset) }
                start = offset + 1
                isBlank = true
            } else if byte != UInt8(ascii: " "), byte != UInt8(ascii: "\t") {
                isBlank = false
            }
        }
        return lines
    }

    /// Whether a line ends with a byte: a line feed, or a carriage return that none follows.
    private static func endsLine(_ byte: UInt8, before next: UInt8?) -> Bool {
        byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") && next != UInt8(ascii: "\n")
    }
}
