import TestSupport

/// Damage to a safetensors file: mostly to the JSON of its header, with the length before it made right again so that
/// the damage is reached; else to the length itself, or to any byte.
public struct SafetensorsMutation {
    private let header: JSONMutation
    private let bytes = ByteMutation()

    /// Damage that knows the format's own words.
    public init() {
        header = JSONMutation(words: [
            "\"dtype\"", "\"shape\"", "\"data_offsets\"", "\"__metadata__\"", "\"F32\"", "\"F16\"", "\"BF16\"",
            "\"I64\"",
            "\"F4\"", "\"F8_E4M3\"", "\"BOOL\"", "[0, 0]", "[4, 0]", "[4294967296, 4294967296]",
            "[9223372036854775807, 2]",
        ])
    }

    /// Changes a file.
    public func mutated(_ file: [UInt8], using generator: inout SplitMix64) -> [UInt8] {
        guard file.count >= 8, Int.random(in: 0..<8, using: &generator) != 0 else {
            return bytes.mutated(file, using: &generator)
        }
        let length = min(Self.number(file), file.count - 8)
        let data = file[(8 + length)...]
        let damaged = header.mutated(Array(file[8..<8 + length]), using: &generator)
        let declared =
            Int.random(in: 0..<8, using: &generator) == 0
            ? [0, 1, damaged.count - 1, damaged.count + 1, 100_000_001, .max, -1].randomElement(using: &generator) ?? 0
            : damaged.count
        let prefix = (0..<8).map { UInt8(truncatingIfNeeded: declared >> (8 * $0)) }
        return prefix + damaged + data
    }

    private static func number(_ file: [UInt8]) -> Int {
        let number = (0..<8).reduce(UInt64(0)) { $0 | UInt64(file[$1]) << UInt64(8 * $1) }
        return Int(clamping: number)
    }
}
