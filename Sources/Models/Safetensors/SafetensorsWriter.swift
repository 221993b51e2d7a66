import Compute

/// Writes single-precision tensors in the safetensors format.
public enum SafetensorsWriter {
    /// Encodes a file that holds `tensors` in the given order as F32, and `metadata` in its header.
    ///
    /// The header is padded with spaces so that the data begins at a multiple of 8 bytes. The same arguments give the
    /// same bytes.
    ///
    /// - Parameters:
    ///   - tensors: names, all different and none `__metadata__`, with their tensors.
    ///   - metadata: free texts by name.
    /// - Returns: the bytes of the whole file.
    public static func bytes(
        _ tensors: [(name: String, tensor: Tensor)], metadata: [String: String] = [:]
    ) -> [UInt8] {
        precondition(Set(tensors.map(\.name)).count == tensors.count, "tensor names must differ")
        precondition(!tensors.contains { $0.name == "__metadata__" }, "__metadata__ is no tensor's name")
        var members: [String] = []
        if !metadata.isEmpty {
            let texts = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
            members.append("\"__metadata__\":{\(texts.joined(separator: ","))}")
        }
        var end = 0
        for (name, tensor) in tensors {
            let start = end
            end += tensor.count * MemoryLayout<Float>.size
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            members.append(
                "\(quoted(name)):{\"dtype\":\"F32\",\"shape\":[\(shape)],\"data_offsets\":[\(start),\(end)]}")
        }
        var header = Array("{\(members.joined(separator: ","))}".utf8)
        while !header.count.isMultiple(of: 8) { header.append(UInt8(ascii: " ")) }

        var bytes: [UInt8] = []
        bytes.reserveCapacity(8 + header.count + end)
        withUnsafeBytes(of: UInt64(header.count).littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: header)
        for (_, tensor) in tensors { bytes.append(contentsOf: UnsafeRawBufferPointer(tensor.values)) }
        return bytes
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\u{0}"..<"\u{20}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
