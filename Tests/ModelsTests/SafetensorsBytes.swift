import Compute

@testable import Models

/// The bytes of a file with the given header text and data, whether or not they make sense.
func safetensors(_ header: String, data: [UInt8] = [], declaredLength: UInt64? = nil) -> [UInt8] {
    let text = Array(header.utf8)
    let length = declaredLength ?? UInt64(text.count)
    return withUnsafeBytes(of: length.littleEndian) { Array($0) } + text + data
}

/// The header that is read from a file of these bytes.
func header(of bytes: [UInt8]) throws(SafetensorsError) -> SafetensorsHeader {
    let result = bytes.withUnsafeBytes { buffer in
        Result { () throws(SafetensorsError) in try SafetensorsHeader(fileBytes: buffer, path: "file") }
    }
    return try result.get()
}

/// Little-endian bytes of a list of numbers.
func littleEndian(_ numbers: [some FixedWidthInteger]) -> [UInt8] {
    numbers.flatMap { number in withUnsafeBytes(of: number.littleEndian) { Array($0) } }
}
