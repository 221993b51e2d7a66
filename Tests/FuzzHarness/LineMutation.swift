import TestSupport

/// Damage to a text of lines: some gone, doubled, swapped or joined, and within them what another mutation does.
public struct LineMutation {
    private let inner: Subject.Mutation

    /// Damage to lines, and by `inner` to what stands in them.
    public init(within inner: @escaping Subject.Mutation) {
        self.inner = inner
    }

    /// Changes the order of lines one time in three, their contents otherwise.
    public func mutated(_ text: [UInt8], using generator: inout SplitMix64) -> [UInt8] {
        guard Int.random(in: 0..<3, using: &generator) == 0 else { return inner(text, &generator) }
        var lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map(Array.init)
        let place = Int.random(in: lines.indices, using: &generator)
        let other = Int.random(in: lines.indices, using: &generator)
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: lines.remove(at: place)
        case 1: lines.insert(lines[other], at: place)
        case 2: lines.swapAt(place, other)
        case 3: lines[place] += lines[other]
        case 4: lines.insert([], at: place)
        default: lines[place] = inner(lines[place], &generator)
        }
        let ends: [[UInt8]] = [[0x0A], [0x0A], [0x0A], [0x0D, 0x0A], [0x0D], [0x0A, 0x0A], [0xE2, 0x80, 0xA8]]
        return Array(lines.joined(separator: ends.randomElement(using: &generator) ?? [0x0A]))
    }
}
