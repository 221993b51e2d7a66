import Foundation
import Media
import Sampling
import Testing

@testable import Pipeline

@Suite struct RequestTests {
    private let names = ClassNames(["face-smiling", "arts & crafts", "cock, rooster", "food-fruit"])

    @Test(arguments: [
        ("face-smiling", [0]), ("FACE smiling", [0]), ("arts-crafts,0", [1, 0]), ("arts & crafts", [1]),
        ("cock, rooster", [2]), ("3, 1", [3, 1]), ("all", [0, 1, 2, 3]), ("0,0", [0, 0]),
    ])
    func `classes are found by name, number and list`(selection: String, expected: [Int]) throws {
        #expect(try names.resolve(selection) == expected)
    }

    @Test(arguments: [
        ("food-friut", "food-fruit"), ("smiling", "face-smiling"), ("4", "0 to 3"), ("-1", "0 to 3"), ("0,,1", "empty"),
        ("", "empty"),
    ])
    func `what is no class is refused with a suggestion`(selection: String, hint: String) {
        #expect {
            try names.resolve(selection)
        } throws: { error in
            "\(error)".contains(hint) && !"\(error)".contains("\n")
        }
    }

    @Test func `image i has seed S + i and class i modulo the list, whatever the count`() throws {
        let long = try WorkList(seed: 10, count: 7, conditions: [.label(2), .label(0)], of: .classes(4))
        let short = try WorkList(seed: 10, count: 3, conditions: [.label(2), .label(0)], of: .classes(4))
        #expect(long.items.map(\.seed) == Array(10...16))
        #expect(long.items.map(\.classID) == [2, 0, 2, 0, 2, 0, 2])
        #expect(Array(long.items.prefix(3)) == short.items)
    }

    @Test func `a class that was not given is drawn by the image's own seed`() throws {
        let list = try WorkList(seed: 100, count: 200, conditions: nil, of: .classes(4))
        let alone = try WorkList(seed: 150, count: 1, conditions: nil, of: .classes(4))
        #expect(list.items[50] == alone.items[0])
        #expect(Set(list.items.map(\.classID)) == [0, 1, 2, 3])
    }

    @Test func `seeds end below two to the thirty-second`() throws {
        #expect(
            try WorkList(seed: .max - 1, count: 2, conditions: [.label(0)], of: .classes(4)).items.last?.seed == .max)
        #expect(throws: PipelineError.self) {
            try WorkList(seed: .max - 1, count: 3, conditions: [.label(0)], of: .classes(4))
        }
        #expect(throws: PipelineError.self) {
            try WorkList(seed: 0, count: 0, conditions: [.label(0)], of: .classes(4))
        }
    }

    @Test(arguments: [
        ("{class}-{seed}.png", "arts-crafts-7.png"), ("out/{index}.ppm", "out/000012.ppm"), ("plain.png", "plain.png"),
        ("{seed}{seed}/{class}", "77/arts-crafts"), ("a {{class}} b/{index}.png", "a {class} b/000012.png"),
        ("{{{seed}}}.png", "{7}.png"), ("{{{{/{seed}", "{{/7"), ("}{seed}} }x.png", "}7} }x.png"),
        ("{{/\u{301}{seed}", "{/\u{301}7"),
    ])
    func `placeholders are filled in`(pattern: String, path: String) throws {
        let item = SampleItem(classID: 1, seed: 7)
        #expect(try OutputPattern(pattern).path(for: item, index: 12, classNames: names) == path)
    }

    @Test(arguments: [
        ("Two owls, at NIGHT!", "two-owls-at-night"), ("../../etc/passwd", "etc-passwd"), ("  3 cats\n", "3-cats"),
        ("Füchse im Wald", "füchse-im-wald"), ("狐 2", "狐-2"), ("%.{seed}\u{0}", "seed"), ("…", ""),
        (String(repeating: "ab ", count: 40), String(repeating: "ab-", count: 19) + "ab"),
        (String(repeating: "a", count: 59) + " b", String(repeating: "a", count: 59)),
        ("e" + String(repeating: "\u{301}", count: 1000) + "f", "e-f"),
    ])
    func `a prompt in a file name is letters, digits and hyphens, and at most 60 of them`(prompt: String, slug: String)
        throws
    {
        let item = SampleItem(condition: .prompt(prompt), seed: 7)
        for placeholder in ["{prompt}", "{class}"] {
            let path = try OutputPattern("\(placeholder)-{seed}.png").path(for: item, index: 0, classNames: names)
            #expect(path == "\(slug)-7.png")
        }
        #expect(slug.unicodeScalars.count <= 60)
    }

    @Test(arguments: ["", "folder/", "{Prompt}.png", "{class.png", "{}.png", "{{{x}}}", "a{"])
    func `a pattern that names no file is refused`(pattern: String) {
        #expect(throws: PipelineError.self) { try OutputPattern(pattern) }
    }

    @Test(arguments: [
        ("a/b/{index}.png", "a/b/", "000012.png"), ("{index}.png", "", "000012.png"),
        ("a/x{seed}/{index}", "a/", "x7/000012"),
        ("{{a}}/{index}.png", "{a}/", "000012.png"), ("a/\u{301}{seed}.png", "a/", "\u{301}7.png"),
        ("/{seed}", "/", "7"),
    ])
    func `the folder of a pattern is what all of its paths are in`(pattern: String, folder: String, name: String) throws
    {
        let output = try OutputPattern(pattern)
        let path = output.path(for: SampleItem(classID: 1, seed: 7), index: 12, classNames: names)
        #expect(output.folder == folder)
        #expect(Array(output.nameInFolder(path).utf8) == Array(name.utf8))
    }

    @Test(arguments: [
        SampleItem(condition: .label(1), seed: 7, negative: "red"), SampleItem(classID: 3, seed: 7),
        SampleItem(condition: .prompt("a fox"), seed: 7),
    ])
    func `what a model of classes cannot draw is not listed`(item: SampleItem) throws {
        #expect(throws: PipelineError.self) { try WorkList(items: [item], of: .classes(3)) }
        #expect(try WorkList(items: [SampleItem(classID: 2, seed: 7)], of: .classes(3)).items.count == 1)
    }

    // MARK: - Records

    /// The settings hash of a file of these bytes.
    private func hash(of bytes: [UInt8]) throws -> String? {
        let file = FileManager.default.temporaryDirectory.appending(path: "omnicache-\(UUID().uuidString)")
        try Data(bytes).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return ImageMetadata.settingsHash(path: file.path)
    }

    private let record = ImageRecord(
        model: .init(name: "tiny", hash: String(repeating: "ab", count: 32), configuration: "12"),
        settings: SampleSettings(steps: 50, sampler: SamplerOptions(), guidanceScale: 2),
        items: [SampleItem(classID: 1, seed: 7)])

    @Test func `a record survives the way through a PNG`() throws {
        let image = Image(width: 2, height: 1, channels: 3, pixels: [1, 2, 3, 4, 5, 6])
        let bytes = try ImageFile.Format.png.encode(Clip(image), record: record, classNames: names)
        let read = try ImageMetadata(png: bytes, path: "x.png")
        #expect(read.record == record)
        #expect(read.settingsHash == record.settingsHash)
        #expect(read.versions == .current)
        #expect(try hash(of: bytes) == record.settingsHash)
        let viewers = try #require(try PNGReader.text(in: bytes).first { $0.keyword == "parameters" }?.text)
        #expect(viewers.hasPrefix("arts & crafts\nSteps: 50, Sampler: DDIM, "))
        for pair in ["CFG scale: 2,", "Seed: 7,", "Size: 2x1,", "Model: tiny,"] { #expect(viewers.contains(pair)) }
    }

    @Test func `a PPM carries the settings hash`() throws {
        let image = Image(width: 1, height: 1, channels: 3, pixels: [1, 2, 3])
        let bytes = try ImageFile.Format.ppm.encode(Clip(image), record: record, classNames: names)
        #expect(try hash(of: bytes) == record.settingsHash)
        #expect(throws: PipelineError.self) { try ImageMetadata(png: bytes, path: "x.ppm") }
    }

    @Test(arguments: ImageFile.Format.allCases)
    func `a file that was cut short has no settings hash`(format: ImageFile.Format) throws {
        let image = Image(width: 4, height: 4, channels: 3, pixels: Array(repeating: 9, count: 48))
        let bytes = try format.encode(Clip(image), record: record, classNames: names)
        #expect(try hash(of: bytes) != nil)
        #expect(try hash(of: Array(bytes.dropLast())) == nil)
    }

    @Test func `the settings hash tells all settings apart, but not the model's name`() {
        func hash(_ change: (inout SampleSettings) -> Void) -> String {
            var settings = record.settings
            change(&settings)
            return ImageRecord(model: record.model, settings: settings, items: record.items).settingsHash
        }
        let others = [
            hash { $0.steps = 49 }, hash { $0.guidanceScale = 2.5 }, hash { $0.sampler.eta = 0.1 },
            hash { $0.sampler.kind = .heun }, hash { $0.sampler.spacing = .trailing },
            ImageRecord(
                model: record.model, settings: record.settings, items: [SampleItem(classID: 1, seed: 8)]
            ).settingsHash,
            ImageRecord(
                model: record.model, settings: record.settings, items: [SampleItem(classID: 0, seed: 7)]
            ).settingsHash,
            ImageRecord(model: record.model, settings: record.settings, items: record.items, columns: 1).settingsHash,
            ImageRecord(
                model: record.model, settings: record.settings, items: record.items, initialNoise: "00"
            ).settingsHash,
            ImageRecord(
                model: .init(name: "tiny", hash: "cd", configuration: "12"), settings: record.settings,
                items: record.items
            ).settingsHash,
            ImageRecord(
                model: .init(name: "tiny", hash: record.model.hash, configuration: "34"), settings: record.settings,
                items: record.items
            ).settingsHash,
        ]
        #expect(Set(others + [record.settingsHash]).count == others.count + 1)
        let renamed = ImageRecord(
            model: .init(name: "other", hash: record.model.hash, configuration: "12"), settings: record.settings,
            items: record.items)
        #expect(renamed.settingsHash == record.settingsHash)
    }

    // MARK: - Hashing

    /// Examples of FIPS 180-4 and its test vectors, and lengths around the block boundary from
    /// `python3 -c "import hashlib; print(hashlib.sha256(b'a'*n).hexdigest())"`.
    @Test(arguments: [
        ("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        ("a", 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
        ("a", 55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"),
        ("a", 64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"),
    ])
    func `SHA-256 agrees with the published examples`(text: String, repeats: Int, expected: String) {
        #expect(SHA256.hexadecimal(String(repeating: text, count: repeats).utf8) == expected)
    }

    @Test func `SHA-256 does not depend on how the message is cut`() {
        let message = (0..<300).map { UInt8(truncatingIfNeeded: $0 * 7) }
        for cut in [1, 13, 63, 64, 65, 128, 299] {
            let hash = SHA256()
            message[..<cut].withUnsafeBytes { hash.update($0) }
            message[cut...].withUnsafeBytes { hash.update($0) }
            #expect(hash.finish() == SHA256.hexadecimal(message))
        }
    }

    // MARK: - Finding models

    @Test func `the models folder is looked for beside the binary, above it, and in the share folder`() {
        let locator = ModelLocator(environment: [:], executable: "/a/b/.build/x/release/omnicache")
        #expect(locator.folders.contains("/a/b/Models"))
        #expect(locator.folders.contains("/a/b/.build/x/release/Models"))
        #expect(
            ModelLocator(environment: [:], executable: "/p/bin/omnicache").folders.contains("/p/share/omnicache/models")
        )
        #expect(ModelLocator(environment: ["OMNICACHE_MODELS": "/m"], executable: "/p/bin/o").folders == ["/m"])
        #expect(throws: PipelineError.self) {
            try ModelLocator(environment: ["OMNICACHE_MODELS": "/nowhere"], executable: "/x").locate(nil)
        }
    }
}
