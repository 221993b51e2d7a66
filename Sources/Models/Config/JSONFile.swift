/// A small JSON file of a model directory, parsed strictly: an object, no key twice.
package struct JSONFile: Sendable {
    /// The file's path.
    package let path: String
    /// The object's members in order.
    package let members: [JSONValue.Member]

    /// Reads the file at `path`.
    ///
    /// `Infinity`, `-Infinity` and `NaN` count as numbers, since Python writes and reads them; ``ConfigKind/number`` accepts
    /// finite ones only.
    ///
    /// - Throws: ``ModelError`` when there is none, when it is another kind of file (a Git LFS pointer, say), or when it
    ///   is not a JSON object.
    package init(path: String) throws(ModelError) {
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
        try self.init(bytes: Array(file.bytes), path: path)
    }

    /// The same file with the members of another object, a JSON text, where it has none of their keys.
    ///
    /// - Throws: ``ModelError`` when the text is not a JSON object.
    package func filled(from text: String) throws(ModelError) -> JSONFile {
        let others = try JSONFile(bytes: Array(text.utf8), path: path).members
        return JSONFile(
            path: path, members: members + others.filter { other in !members.contains { $0.key == other.key } })
    }

    private init(path: String, members: [JSONValue.Member]) {
        self.path = path
        self.members = members
    }

    /// Parses the text of the file at `path`.
    ///
    /// - Throws: ``ModelError`` when it is not a JSON object.
    package init(bytes: [UInt8], path: String) throws(ModelError) {
        self.path = path
        let value: JSONValue
        do throws(JSONProblem) {
            value = try StrictJSON.parse(bytes, allowsNonFinite: true)
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

    /// What `make` reads from the file's keys; a problem is reported with the file's path.
    package func read<Value>(
        _ make: (ConfigFields) throws(ConfigProblem) -> Value
    ) throws(ModelError) -> Value {
        do throws(ConfigProblem) {
            return try make(ConfigFields(self))
        } catch {
            throw problem(error.description)
        }
    }

    /// The error that the file cannot be used because of `reason`.
    package func problem(_ reason: String) -> ModelError {
        .invalidConfig(path: path, reason: reason)
    }
}
