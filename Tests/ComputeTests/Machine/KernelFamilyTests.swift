import Glibc
import Testing

@testable import Compute

/// Which of OpenBLAS's kernels a processor can run.
@Suite struct KernelFamilyTests {
    private static let nehalem: ProcessorFeatures = [.sse3, .ssse3, .sse41, .sse42]
    private static let sandybridge = nehalem.union(.avx)
    private static let haswell = sandybridge.union([.avx2, .fma])
    private static let skylake = haswell.union(.avx512)
    private static let cooperlake = skylake.union(.avx512BF16)
    private static let piledriver = sandybridge.union([.fma, .fma4])

    @Test(
        arguments: [
            ("Haswell", sandybridge, "AVX2"), ("ZEN", sandybridge, "FMA3 and AVX2"), ("SkylakeX", haswell, "AVX-512"),
            ("skylakex", piledriver, "AVX-512"), ("Cooperlake", skylake, "AVX-512 BF16"),
            ("Bulldozer", cooperlake, "FMA4"),
            ("Excavator", haswell, "FMA4"), ("Sandybridge", nehalem, "AVX"), ("Nehalem", [], "SSE4.2"),
            ("SapphireRapids", haswell, "AVX-512 and AVX-512 BF16"),
        ] as [(String, ProcessorFeatures, String)])
    func `kernels whose instructions a processor lacks are refused, in any case`(
        name: String, features: ProcessorFeatures, lacks: String
    ) throws {
        let text = "\(try #require(BLAS.lacking(for: name, on: features)))"
        #expect(text.contains("OPENBLAS_CORETYPE=\(name)") && text.contains(lacks) && !text.contains("\n"))
    }

    @Test(
        arguments: [
            ("Haswell", haswell), ("Zen", haswell), ("Haswell", cooperlake), ("Piledriver", piledriver),
            ("Cooperlake", cooperlake), ("Prescott", nehalem), ("nonsense", []), ("", []), ("Katmai", []),
        ] as [(String, ProcessorFeatures)])
    func `kernels that a processor can run, and names that OpenBLAS does not know, are let through`(
        name: String, features: ProcessorFeatures
    ) {
        #expect(BLAS.lacking(for: name, on: features) == nil)
    }

    @Test(arguments: [
        (nehalem, "Nehalem"), (sandybridge, "Sandybridge"), (haswell, "Haswell"), (skylake, "SkylakeX"),
        (cooperlake, "Cooperlake"),
    ])
    func `the fastest kernels are those that need most`(features: ProcessorFeatures, name: String) {
        #expect(KernelFamily.best(for: features)?.name == name)
        #expect(KernelChoice(running: name, asked: nil, features: features).faster == nil)
    }

    @Test func `slower kernels than the processor's are told of, with the way out`() {
        let asked = KernelChoice(running: "Haswell", asked: "haswell", features: Self.cooperlake)
        #expect(asked.faster == "Cooperlake" && asked.description.contains("unset OPENBLAS_CORETYPE"))
        let old = KernelChoice(running: "Haswell", asked: nil, features: Self.cooperlake)
        #expect(old.faster == "Cooperlake" && old.description.contains("newer OpenBLAS"))
        #expect(KernelChoice(running: "Prescott", asked: nil, features: Self.haswell).faster == "Haswell")
    }

    @Test func `kernels as fast as the processor's, or of another kind, are not`() {
        #expect(KernelChoice(running: "Zen", asked: nil, features: Self.haswell).faster == nil)
        #expect(KernelChoice(running: "SapphireRapids", asked: nil, features: Self.cooperlake).faster == nil)
        #expect(KernelChoice(running: "NEOVERSEN1", asked: nil, features: []).faster == nil)
    }

    @Test(arguments: [(haswell, "Haswell"), (skylake, "SkylakeX"), (cooperlake, "Cooperlake")])
    func `an Intel processor gets the kernels of its features, even if OpenBLAS does not know it`(
        features: ProcessorFeatures, name: String
    ) {
        #expect(KernelFamily.toAskFor(on: features, isIntel: true)?.name == name)
        #expect(KernelFamily.toAskFor(on: features, isIntel: false) == nil)
    }

    @Test(arguments: [[], nehalem, sandybridge])
    func `OpenBLAS chooses itself for processors without AVX2`(features: ProcessorFeatures) {
        #expect(KernelFamily.toAskFor(on: features, isIntel: true) == nil)
    }

    @Test(.enabled(if: getenv("OPENBLAS_CORETYPE") == nil, "OPENBLAS_CORETYPE is set"))
    func `no faster kernels than those that run could run on this processor`() {
        #expect(BLAS.kernels.faster == nil)
        #expect(getenv("OPENBLAS_CORETYPE") == nil)
    }

    @Test func `this processor can run what OpenBLAS has chosen`() {
        #expect(BLAS.lacking(for: BLAS.coreName, on: .present) == nil)
        #expect(BLAS.kernels.running == BLAS.coreName)
    }
}
