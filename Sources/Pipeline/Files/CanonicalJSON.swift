import FoundationEssentials

/// JSON with sorted keys: the same bytes for the same value, as hashes need them.
package enum CanonicalJSON {
    /// A value on one line. The records and reports of omnicache always can be encoded.
    package static func data(_ value: some Encodable) -> Data {
        data(value, formatting: [])
    }

    /// The bytes of a file that holds one value, with a line feed at its end.
    ///
    /// - Parameters:
    ///   - value: the value.
    ///   - isIndented: whether the text is laid out for people.
    /// - Returns: the bytes.
    package static func file(_ value: some Encodable, isIndented: Bool = false) -> [UInt8] {
        [UInt8](data(value, formatting: isIndented ? .prettyPrinted : [])) + [UInt8(ascii: "\n")]
    }

    private static func data(_ value: some Encodable, formatting: JSONEncoder.OutputFormatting) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = formatting.union([.sortedKeys, .withoutEscapingSlashes])
        return (try? encoder.encode(value)) ?? Data()
    }

    /// Checks which format a file says it has, before the rest is read.
    ///
    /// - Parameters:
    ///   - data: the file's bytes.
    ///   - path: the file, for the message.
    ///   - schema: the format that can be read.
    ///   - kind: what the file should hold, such as "plan".
    ///   - remedy: what to do about another file.
    /// - Throws: ``PipelineError/badData(_:)`` for another format, or none.
    static func checkSchema(
        of data: Data, path: String, is schema: String, kind: String, remedy: String
    ) throws(PipelineError) {
        struct Header: Decodable { let schema: String }
        guard let header = try? JSONDecoder().decode(Header.self, from: data) else {
            throw .badData("\(path): no \(kind), or one that was cut short; \(remedy)")
        }
        guard header.schema == schema else {
            throw .badData("\(path): schema '\(header.schema)', and only \(schema) can be read; \(remedy)")
        }
    }
}
