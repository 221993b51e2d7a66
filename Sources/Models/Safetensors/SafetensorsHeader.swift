/// One tensor of a safetensors file as its header describes it.
public struct SafetensorsEntry: Equatable, Sendable {
    public let name: String
    /// The name of the type of its elements.
    public let dtype: String
    /// The type of its elements; nil if it is none that is known, as later versions of the format may have.
    public var elementType: ElementType? { ElementType(rawValue: dtype) }
    /// Its extents, outermost first; empty for a single number.
    public let shape: [Int]
    /// The range of its bytes, counted from the end of the header.
    public let range: Range<Int>

    /// The number of elements; the header's check has shown that it does not overflow.
    public var count: Int { shape.reduce(1, *) }
}

/// The checked header of a safetensors file: the position of each tensor, and free text about the file.
///
/// A file is a little-endian 64-bit header length N, N bytes of JSON, and the tensors' bytes, which must fill the rest
/// of the file without hole or overlap. Source: https://github.com/huggingface/safetensors#format
///
/// What the reference implementation (version 0.8.0) takes is taken, but for a tensor's name that occurs twice, of which
/// it silently takes the last. What it refuses is refused, but for types that are not known: such tensors are listed.
struct SafetensorsHeader: Equatable {
    /// The longest header that is read, in bytes; the reference implementation has the same bound.
    static let largestSize = 100_000_000

    /// The tensors, in the order of their bytes.
    let entries: [SafetensorsEntry]
    /// The member `__metadata__`: names and texts.
    let metadata: [String: String]
    /// The number of bytes before the first tensor's.
    let dataStart: Int

    /// Reads and checks the header at the start of `bytes`, which are a whole file.
    ///
    /// - Throws: ``SafetensorsError`` that names `path` and, where one is at fault, the tensor.
    init(fileBytes bytes: UnsafeRawBufferPointer, path: String) throws(SafetensorsError) {
        if let other = ForeignFormat(startOf: bytes) {
            throw .anotherFormat(path: path, found: other.name, advice: other.advice)
        }
        guard bytes.count >= 8 else {
            throw .malformed(path: path, reason: "it has \(bytes.count) bytes, too few for a header length")
        }
        let declared = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard declared <= UInt64(Self.largestSize) else {
            throw .malformed(path: path, reason: "the header length \(declared) is above \(Self.largestSize)")
        }
        let size = Int(declared)
        guard size <= bytes.count - 8 else {
            throw .malformed(
                path: path, reason: "the header length \(size) goes beyond the file, which has \(bytes.count) bytes")
        }
        dataStart = 8 + size
        let members = try Self.members(Array(bytes[8..<dataStart]), path: path)
        var entries: [SafetensorsEntry] = []
        var metadata: [String: String] = [:]
        for member in members {
            if member.key == "__metadata__" {
                metadata = try Self.texts(member.value, path: path)
            } else {
                entries.append(try Self.entry(member, path: path))
            }
        }
        entries.sort { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) }
        try Self.checkCoverage(entries, dataSize: bytes.count - dataStart, path: path)
        self.entries = entries
        self.metadata = metadata
    }

    private static func members(_ text: [UInt8], path: String) throws(SafetensorsError) -> [JSONValue.Member] {
        let value: JSONValue
        do {
            value = try StrictJSON.parse(text, allowsRepeatedKeys: true)
        } catch {
            throw .malformed(path: path, reason: "header: \(error.reason) at byte \(error.offset)")
        }
        guard case .object(let members) = value else {
            throw .malformed(path: path, reason: "the header is not a JSON object")
        }
        var names: Set<String> = []
        for member in members where !names.insert(member.key).inserted {
            throw .malformed(path: path, reason: "header: the key \(member.key.debugDescription) occurs twice")
        }
        return members
    }

    private static func texts(_ value: JSONValue, path: String) throws(SafetensorsError) -> [String: String] {
        if value == .null { return [:] }
        guard case .object(let members) = value else {
            throw .malformed(path: path, reason: "__metadata__ is not an object of texts")
        }
        var texts: [String: String] = [:]
        for member in members {
            guard case .string(let text) = member.value else {
                throw .malformed(path: path, reason: "__metadata__ holds something else than texts at \(member.key)")
            }
            texts[member.key] = text
        }
        return texts
    }

    private static func entry(_ member: JSONValue.Member, path: String) throws(SafetensorsError) -> SafetensorsEntry {
        func fault(_ reason: String) -> SafetensorsError {
            .malformedTensor(path: path, tensor: member.key.debugDescription, reason: reason)
        }
        let fields: [String: JSONValue]
        switch member.value {
        case .object(let members):
            let known = members.filter { fieldNames.contains($0.key) }
            fields = Dictionary(known.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
            guard fields.count == known.count else { throw fault("one of \(fieldNames) occurs twice") }
        case .array(let values) where values.count == fieldNames.count:
            fields = Dictionary(uniqueKeysWithValues: zip(fieldNames, values))
        default:
            throw fault("its entry is not an object")
        }
        guard case .string(let dtype)? = fields["dtype"] else { throw fault("its dtype is missing or not a text") }
        guard let shape = wholeNumbers(fields["shape"]) else {
            throw fault("its shape is not a list of whole numbers from 0")
        }
        guard let offsets = wholeNumbers(fields["data_offsets"]), offsets.count == 2, offsets[0] <= offsets[1] else {
            throw fault("its data_offsets are not two whole numbers from 0 in rising order")
        }
        let elementType = ElementType(rawValue: dtype)
        // Of a type that is not known, the elements must at least be countable.
        guard let needed = byteCount(shape, bits: elementType?.bits ?? 8) else {
            throw fault("its shape \(shape) has more elements than can be addressed")
        }
        guard elementType == nil || offsets[1] - offsets[0] == needed else {
            throw fault(
                "its shape \(shape) of \(dtype) takes \(needed) bytes, but its data_offsets span "
                    + "\(offsets[1] - offsets[0])")
        }
        return SafetensorsEntry(name: member.key, dtype: dtype, shape: shape, range: offsets[0]..<offsets[1])
    }

    /// What an entry says, in the order in which the reference implementation takes it from a list, too.
    private static let fieldNames = ["dtype", "shape", "data_offsets"]

    private static func wholeNumbers(_ value: JSONValue?) -> [Int]? {
        guard case .array(let elements)? = value else { return nil }
        var numbers: [Int] = []
        for element in elements {
            guard case .integer(let number) = element, number >= 0 else { return nil }
            numbers.append(number)
        }
        return numbers
    }

    /// The bytes that a tensor takes; nil when its number of bits overflows or is no multiple of eight.
    private static func byteCount(_ shape: [Int], bits: Int) -> Int? {
        var bits = bits
        for extent in shape {
            let (product, overflow) = bits.multipliedReportingOverflow(by: extent)
            guard !overflow else { return nil }
            bits = product
        }
        return bits.isMultiple(of: 8) ? bits / 8 : nil
    }

    private static func checkCoverage(
        _ entries: [SafetensorsEntry], dataSize: Int, path: String
    ) throws(SafetensorsError) {
        var end = 0
        var previous = "the header"
        for entry in entries {
            let start = entry.range.lowerBound
            guard entry.range.upperBound <= dataSize else {
                throw .malformedTensor(
                    path: path, tensor: entry.name.debugDescription,
                    reason: "its bytes end at \(entry.range.upperBound), beyond the file's \(dataSize) bytes of data")
            }
            guard start >= end else {
                throw .malformedTensor(
                    path: path, tensor: entry.name.debugDescription, reason: "it overlaps \(previous)")
            }
            guard start == end else {
                throw .malformedTensor(
                    path: path, tensor: entry.name.debugDescription,
                    reason: "\(start - end) bytes between \(previous) and it belong to no tensor")
            }
            end = entry.range.upperBound
            previous = entry.name.debugDescription
        }
        guard end == dataSize else {
            throw .malformed(path: path, reason: "\(dataSize - end) bytes after the last tensor belong to no tensor")
        }
    }
}

/// The element types that a safetensors header may name, by the names that it uses.
///
/// Source: https://github.com/huggingface/safetensors, enum Dtype.
public enum ElementType: String, Sendable, CaseIterable {
    case f32 = "F32"
    case f16 = "F16"
    case bf16 = "BF16"
    case f64 = "F64"
    case f8E5M2 = "F8_E5M2"
    case f8E4M3 = "F8_E4M3"
    case f8E8M0 = "F8_E8M0"
    case f8E5M2FNUZ = "F8_E5M2FNUZ"
    case f8E4M3FNUZ = "F8_E4M3FNUZ"
    case f6E2M3 = "F6_E2M3"
    case f6E3M2 = "F6_E3M2"
    case f4 = "F4"
    case c64 = "C64"
    case i64 = "I64"
    case i32 = "I32"
    case i16 = "I16"
    case i8 = "I8"
    case u64 = "U64"
    case u32 = "U32"
    case u16 = "U16"
    case u8 = "U8"
    case bool = "BOOL"

    /// The width of one element, in bits.
    public var bits: Int {
        switch self {
        case .f64, .c64, .i64, .u64: 64
        case .f32, .i32, .u32: 32
        case .f16, .bf16, .i16, .u16: 16
        case .f8E5M2, .f8E4M3, .f8E8M0, .f8E5M2FNUZ, .f8E4M3FNUZ, .i8, .u8, .bool: 8
        case .f6E2M3, .f6E3M2: 6
        case .f4: 4
        }
    }

    /// Whether tensors of this type can be loaded; the others are only listed.
    public var isLoadable: Bool { matrixElement != nil }
}
