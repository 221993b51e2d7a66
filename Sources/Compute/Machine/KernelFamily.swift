import COpenBLASLoader

/// The kernels that OpenBLAS has for a family of x86-64 processors, and what a processor must have to run them.
///
/// Source: the list of cores and their compiler options in https://github.com/OpenMathLib/OpenBLAS
/// (driver/others/dynamic.c, Makefile.x86_64).
public struct KernelFamily: Equatable, Sendable {
    /// OpenBLAS's name for it, as `OPENBLAS_CORETYPE` takes it.
    public let name: String
    /// What the kernels need.
    let needs: ProcessorFeatures
    /// How fast they are at products of `Float`: families of one rank are about equal.
    let rank: Int

    /// The families whose needs go beyond the first x86-64, the slowest first.
    static let all: [KernelFamily] = [
        (["Prescott", "Opteron_SSE3", "Barcelona"], ProcessorFeatures.sse3, 1),
        (["Core2", "Atom", "Nano", "Bobcat"], [.sse3, .ssse3], 1),
        (["Penryn", "Dunnington"], [.sse3, .ssse3, .sse41], 1),
        (["Nehalem"], [.sse3, .ssse3, .sse41, .sse42], 1),
        (["Bulldozer"], [.avx, .fma4], 2),
        (["Sandybridge"], .avx, 2),
        (["Piledriver", "Steamroller", "Excavator"], [.avx, .fma4, .fma], 3),
        (["Zen", "Haswell"], [.avx2, .fma], 4),
        (["SkylakeX"], .avx512, 5),
        (["SapphireRapids", "Cooperlake"], [.avx512, .avx512BF16], 6),
    ].flatMap { names, needs, rank in names.map { KernelFamily(name: $0, needs: needs, rank: rank) } }

    /// The family that OpenBLAS finds under a name, in whichever case; nil for a name that it does not know, under which
    /// it chooses by the processor.
    static func named(_ name: some StringProtocol) -> KernelFamily? {
        all.first { $0.name.lowercased() == name.lowercased() }
    }

    /// The fastest that a processor can run; nil where it can run none of these.
    static func best(for features: ProcessorFeatures) -> KernelFamily? {
        all.last { features.isSuperset(of: $0.needs) }
    }

    /// The family to ask OpenBLAS for where the user has not; nil where OpenBLAS's own choice is as good.
    ///
    /// OpenBLAS knows Intel's processors by their model numbers, and takes one that is newer than itself for a Prescott
    /// of 2004: 0.3.21 is 4.5 times as slow as it could be on an Emerald Rapids. Processors that it knows get the same
    /// kernels either way.
    static func toAskFor(on features: ProcessorFeatures, isIntel: Bool) -> KernelFamily? {
        guard isIntel, features.isSuperset(of: [.avx2, .fma]) else { return nil }
        return best(for: features)
    }
}

/// What a processor, and the system on it, can do beyond the first x86-64.
struct ProcessorFeatures: OptionSet, Sendable {
    let rawValue: UInt32

    static let sse3 = ProcessorFeatures(rawValue: UInt32(OPENBLAS_SSE3))
    static let ssse3 = ProcessorFeatures(rawValue: UInt32(OPENBLAS_SSSE3))
    static let sse41 = ProcessorFeatures(rawValue: UInt32(OPENBLAS_SSE4_1))
    static let sse42 = ProcessorFeatures(rawValue: UInt32(OPENBLAS_SSE4_2))
    static let avx = ProcessorFeatures(rawValue: UInt32(OPENBLAS_AVX))
    static let fma4 = ProcessorFeatures(rawValue: UInt32(OPENBLAS_FMA4))
    static let fma = ProcessorFeatures(rawValue: UInt32(OPENBLAS_FMA))
    static let avx2 = ProcessorFeatures(rawValue: UInt32(OPENBLAS_AVX2))
    static let avx512 = ProcessorFeatures(rawValue: UInt32(OPENBLAS_AVX512))
    static let avx512BF16 = ProcessorFeatures(rawValue: UInt32(OPENBLAS_AVX512_BF16))

    private static let names: [(ProcessorFeatures, String)] = [
        (.sse3, "SSE3"), (.ssse3, "SSSE3"), (.sse41, "SSE4.1"), (.sse42, "SSE4.2"), (.avx, "AVX"), (.fma4, "FMA4"),
        (.fma, "FMA3"), (.avx2, "AVX2"), (.avx512, "AVX-512"), (.avx512BF16, "AVX-512 BF16"),
    ]

    static let present = ProcessorFeatures(rawValue: openblas_processor_features())

    var text: String {
        Self.names.filter { contains($0.0) }.map(\.1).joined(separator: " and ")
    }
}

/// Which kernels OpenBLAS runs, and which faster ones this processor could run.
public struct KernelChoice: Codable, Equatable, Sendable {
    /// The name of the family that runs.
    public let running: String
    /// The name of a faster family that the processor could run; nil where there is none.
    public let faster: String?
    /// What `OPENBLAS_CORETYPE` asks for; nil where it is not set.
    public let asked: String?

    init(running: String, asked: String?, features: ProcessorFeatures) {
        self.running = running
        self.asked = asked
        let best = KernelFamily.best(for: features)
        let rank = KernelFamily.named(running)?.rank ?? .max
        faster = best.flatMap { $0.rank > rank ? $0.name : nil }
    }
}

extension KernelChoice: CustomStringConvertible {
    /// A sentence for people.
    public var description: String {
        guard let faster else { return "OpenBLAS runs its \(running) kernels" }
        return "OpenBLAS runs its \(running) kernels; this processor could run \(faster)'s: "
            + (asked == nil ? "a newer OpenBLAS may choose them" : "unset OPENBLAS_CORETYPE")
    }
}
