/// The fields of a protocol buffer message, read one after another without a schema.
///
/// Source: https://protobuf.dev/programming-guides/encoding
struct ProtobufFields {
    /// What a field holds, by its wire type.
    enum Value {
        /// An integer of variable length: a number, a flag or the number of a name.
        case integer(UInt64)
        /// A text, a block of bytes or a message.
        case bytes(ArraySlice<UInt8>)
        /// A number of 32 bits.
        case float(Float)
        /// A number of 64 bits, which no field that is read here has.
        case other
    }

    /// Where and why bytes are no message.
    struct Problem: Error {
        let reason: String
    }

    private let bytes: ArraySlice<UInt8>
    private var position: Int

    /// The fields of the message that `bytes` hold.
    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    /// The next field; nil at the end.
    ///
    /// - Throws: ``Problem`` when the bytes are no message.
    mutating func next() throws(Problem) -> (number: Int, value: Value)? {
        guard position < bytes.endIndex else { return nil }
        let key = try integer()
        guard let number = Int(exactly: key >> 3), number > 0 else { throw problem("a field has no number") }
        switch key & 7 {
        case 0: return (number, .integer(try integer()))
        case 1:
            _ = try take(8)
            return (number, .other)
        case 2:
            guard let count = Int(exactly: try integer()) else { throw problem("a field is too long") }
            return (number, .bytes(try take(count)))
        case 5:
            let bits = try take(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            return (number, .float(Float(bitPattern: bits)))
        default: throw problem("field \(number) is of an unknown kind")
        }
    }

    /// Calls `body` with each field.
    static func forEach(
        _ bytes: ArraySlice<UInt8>, _ body: (Int, Value) throws(Problem) -> Void
    ) throws(Problem) {
        var fields = ProtobufFields(bytes)
        while let field = try fields.next() { try body(field.number, field.value) }
    }

    private func problem(_ reason: String) -> Problem { Problem(reason: "\(reason) at byte \(position)") }

    private mutating func take(_ count: Int) throws(Problem) -> ArraySlice<UInt8> {
        guard count <= bytes.endIndex - position else { throw problem("the file ends inside a field") }
        defer { position += count }
        return bytes[position..<position + count]
    }

    /// An integer in groups of seven bits, the lowest first.
    private mutating func integer() throws(Problem) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: 0, to: 70, by: 7) {
            guard position < bytes.endIndex else { throw problem("the file ends inside a number") }
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7F) << UInt64(shift)
            if byte < 0x80 { return value }
        }
        throw problem("a number is too long")
    }
}
