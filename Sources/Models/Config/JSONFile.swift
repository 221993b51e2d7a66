/// A small JSON file of a model directory, parsed strictly: an object, no key twice.
package struct JSONFile: Sendable {
    /// Where it lies.
    package let path: String
    /// The whole text.
    package let bytes: [UInt8]
    /// The object's members in order.
    package let members: [JSONValue.Member]

    /// Reads the file at `path`.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - allowsInfinity: whether `Infinity` counts as a number; diffusers' scheduler files hold it.
    /// - Throws: ``ModelError`` when there is none, when it is another kind of file (a Git LFS pointer, say), or when it
    ///   is not a JSON object.
    package init(path: String, allowsInfinity: Bool = false) throws(ModelError) {
        let file: MappedFile
        do throws(SafetensorsError) {
            file = try MappedFile(path: path)
        } catch .unreadable(_, let reason) {
            throw .unreadable(path: path, reason: reason)
        } catch {
            throw .missingConfig(path: path)
        }
        if let format = ForeignFormat(startOf: file.bytes), !file.bytes.starts(with: [UInt8(ascii: "{")]) {
            throw .invalidConfig(path: path, reason: "not JSON but \(format.name); \(format.advice)")
        }
        try self.init(bytes: Array(file.bytes), path: path, allowsInfinity: allowsInfinity)
    }

    /// Parses the text of the file at `path`.
    ///
    /// - Throws: ``ModelError`` when it is not a JSON object.
    package init(bytes: [UInt8], path: String, allowsInfinity: Bool = false) throws(ModelError) {
        self.path = path
        self.bytes = bytes
        let value: JSONValue
        do throws(JSONProblem) {
            value = try StrictJSON.parse(bytes, allowsInfinity: allowsInfinity)
        } catch {
            throw .invalidConfig(path: path, reason: "not valid JSON: \(error.reason) at byte \(error.offset)")
        }
        guard case .object(let members) = value else {
            throw .invalidConfig(path: path, reason: "it is not a JSON object")
        }
        self.members = members
    }

    /// The value of a key; nil where it is absent or null.
    package subscript(key: String) -> JSONValue? {
        guard let value = members.first(where: { $0.key == key })?.value, value != .null else { return nil }
        return value
    }

    /// The text at a key; nil where it is absent, null or of another type.
    package func text(_ key: String) -> String? {
        if case .string(let text)? = self[key] { text } else { nil }
    }

    /// The error that the file says `reason`.
    package func problem(_ reason: String) -> ModelError {
        .invalidConfig(path: path, reason: reason)
    }
}
