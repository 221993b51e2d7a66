import Foundation
import Media
import Reports
import Testing

/// OpenBLAS chooses its kernels by the processor, or by an environment variable where it was built for all of them.
@Suite struct KernelChoiceTests {
    /// Families of x86-64 whose kernels split, order and round differently.
    private static let families = ["Sandybridge", "Haswell", "SkylakeX", "Cooperlake"]

    /// Those that this processor can run, and OpenBLAS' own choice.
    private static let choices: [String?] =
        {
            let flags = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
            let needs = ["Sandybridge": "avx ", "Haswell": "avx2", "SkylakeX": "avx512vl", "Cooperlake": "avx512_bf16"]
            return [nil] + families.filter { name in needs[name].map(flags.contains) ?? false }
        }()

    @Test(arguments: choices)
    func `the number of threads changes no bit of an image, whichever kernels OpenBLAS takes`(family: String?) throws {
        let place = try Workplace()
        let environment = family.map { ["OPENBLAS_CORETYPE": $0] } ?? [:]
        for threads in 1...3 {
            try place.shell(
                """
                "$OMNICACHE" sample --class 3 --seed 7 --steps 3 --threads \(threads) -o \(threads).png \
                --save-latents \(threads).safetensors
                """, environment: environment
            ).expectSuccess()
        }
        try requireKernels(family, of: "1.png", in: place)
        #expect(try place.bytes("2.safetensors") == place.bytes("1.safetensors"))
        #expect(try place.bytes("3.safetensors") == place.bytes("1.safetensors"))
    }

    @Test(.enabled(if: choices.count > 2, "this processor runs one family of kernels"))
    func `the kernels that OpenBLAS takes change an image by no more than rounding does`() throws {
        let place = try Workplace()
        for (index, family) in Self.choices.enumerated() {
            try place.shell(
                "\"$OMNICACHE\" sample --class 3 --seed 7 --steps 3 -o \(index).png",
                environment: family.map { ["OPENBLAS_CORETYPE": $0] } ?? [:]
            ).expectSuccess()
            try requireKernels(family, of: "\(index).png", in: place)
        }
        let images = try Self.choices.indices.map { try PNGReader.decode([UInt8](place.bytes("\($0).png"))) }
        for image in images.dropFirst() {
            let differences = zip(image.pixels, images[0].pixels).map { abs(Int($0) - Int($1)) }
            #expect(differences.allSatisfy { $0 <= 1 })
        }
    }

    /// Families that need FMA4, which only some of AMD's processors had, or AVX-512.
    private static let impossible: [String] = {
        let flags = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        return (flags.contains(" fma4") ? [] : ["Bulldozer", "piledriver", "Steamroller", "Excavator"])
            + (flags.contains(" avx512vl") ? [] : ["SkylakeX"])
    }()

    @Test(.enabled(if: !impossible.isEmpty, "this processor runs all kernels"), arguments: impossible)
    func `kernels that the processor cannot run are refused in one line`(family: String) throws {
        let place = try Workplace()
        for arguments in [#"sample --model "$TINY" --steps 1 --seed 1"#, #"bench --model "$TINY" --forwards"#] {
            try place.shell("exec \"$OMNICACHE\" \(arguments)", environment: ["OPENBLAS_CORETYPE": family])
                .expectFailure(64, "OPENBLAS_CORETYPE=\(family)", "unset it")
        }
        #expect(place.files.isEmpty)
        let info = try place.shell("exec \"$OMNICACHE\" info", environment: ["OPENBLAS_CORETYPE": family])
        #expect(info.status == 0 && info.outputText.contains("OPENBLAS_CORETYPE=\(family)"))
    }

    @Test func `-v and bench say which kernels run, and which the processor could run`() throws {
        let place = try Workplace()
        let environment = ["OPENBLAS_CORETYPE": "Prescott"]
        let run = "exec \"$OMNICACHE\" sample --model \"$TINY\" --steps 1 --seed 1 -v"
        #expect(try place.shell(run, environment: environment).errorText.contains("OpenBLAS runs its Prescott kernels"))
        let bench = "exec \"$OMNICACHE\" bench --model \"$TINY\" --forwards --repeats 1"
        let text = try place.shell(bench, environment: environment).outputText
        #expect(text.contains("OpenBLAS runs its Prescott kernels"))
        let json = try place.shell(bench + " --log json", environment: environment).outputText
        #expect(json.contains(#""running":"Prescott""#))
        if Self.choices.count > 1 { #expect(text.contains("unset OPENBLAS_CORETYPE")) }
    }

    /// An image tells which kernels made it.
    private func requireKernels(_ family: String?, of image: String, in place: Workplace) throws {
        guard let family else { return }
        let info = try place.run("info", image, "--log", "json")
        try #require(info.outputText.contains("\"core\" : \"\(family)\""), "OpenBLAS was built for one processor")
    }
}
