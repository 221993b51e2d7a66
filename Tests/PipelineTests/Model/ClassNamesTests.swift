import Foundation
import Testing

@testable import Pipeline

/// Names as ImageNet has them: synonyms between commas, some of which several classes share.
@Suite struct ClassNamesTests {
    private let names = ClassNames([
        "tench, Tinca tinca", "crane", "crane", "maillot", "maillot, tank suit", "missile", "projectile, missile",
        "golden retriever", "hen", "panda, lesser panda, red panda", "giant panda, panda", "tabby, tabby cat",
    ])

    @Test(arguments: [
        ("tench", [0]), ("TINCA-TINCA", [0]), ("tench, Tinca tinca", [0]), ("golden-retriever", [7]),
        ("golden retriever, 8, tabby", [7, 8, 11]), ("tank suit", [4]), ("maillot, tank suit", [4]),
        ("hen, tench, Tinca tinca, 9", [8, 0, 9]), ("tabby,tabby cat,tabby", [11, 11]), ("crane-2", [2]),
        ("Red Panda", [9]),
    ])
    func `every synonym names its class, in lists too`(selection: String, expected: [Int]) throws {
        #expect(try names.resolve(selection) == expected)
    }

    @Test(arguments: [("maillot", 3), ("missile", 5)])
    func `a whole label wins over another class's synonym`(selection: String, expected: Int) throws {
        #expect(try names.resolve(selection) == [expected])
    }

    @Test(arguments: [
        ("crane", ["1 (crane)", "2 (crane)"]),
        ("panda", ["9 (panda, lesser panda, red panda)", "10 (giant panda, panda)"]),
    ])
    func `a name that several classes share lists their numbers`(selection: String, says: [String]) throws {
        let error = try #require(throws: PipelineError.self) { try names.resolve("hen, " + selection) }
        guard case .usage(let text) = error else {
            Issue.record("\(error)")
            return
        }
        for candidate in says { #expect(text.contains(candidate), "\(text)") }
    }

    @Test func `a misspelt synonym is suggested`() throws {
        let error = try #require(throws: PipelineError.self) { try names.resolve("Tinka tinca") }
        #expect("\(error)".contains("did you mean 'Tinca tinca'?"), "\(error)")
    }

    @Test(arguments: [
        ("retriever", "but it has 'golden retriever'; "), ("cat", "but it has 'tabby, tabby cat'; "),
        ("giant", "but it has 'giant panda, panda'; "), ("suits", "'maillot, tank suit'; "),
        ("dragon", "but it shows such things as 'hen' (dragon face), 'tench, Tinca tinca' (red dragon); "),
        ("swords", "'missile' (crossed swords); "), ("sword", "'missile' (crossed swords); "),
        ("dargon", "'hen' (dragon face)"), ("tensh", "; did you mean 'tench'? "), ("hne", "; did you mean 'hen'? "),
    ])
    func `a name that no class has is looked for in their names, then in what they show`(
        selection: String, says: String
    ) throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "omnicache-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(
            #"""
            {"contents": {"hen": ["dragon face", "dragon"], "tench, Tinca tinca": ["red dragon"],
                          "missile": ["crossed swords"], "nobody": ["dragon"]}}
            """#.utf8
        ).write(to: file)
        let swapped = ClassNames(names.names.swapped("tench, Tinca tinca", "hen"), contentsPath: file.path)
        let error = try #require(throws: PipelineError.self) { try swapped.resolve(selection) }
        #expect("\(error)".contains(says) && "\(error)".hasSuffix("'omnicache info' lists them"), "\(error)")
    }

    @Test func `the embedded model's classes are found by the emoji in them`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let classes = try ModelDirectory(path: root.appending(path: "Models/emoji-dit-s8").path).classes
        for (word, name) in [
            ("dragon", "'animal-reptile'"), ("pizza", "'food-prepared'"), ("guitar", "'musical-instrument'"),
            ("rocket", "'transport-air'"), ("unicorn", "'animal-mammal'"), ("japan", "'country-flag'"),
        ] {
            let error = try #require(throws: PipelineError.self) { try classes.resolve(word) }
            #expect("\(error)".contains(name), "\(error)")
        }
    }

    @Test func `a file of contents that is damaged is as good as none`() throws {
        for text in ["{", "[]", #"{"contents": 3}"#, #"{"contents": {"hen": "x", "crane": [7]}}"#] {
            let file = FileManager.default.temporaryDirectory.appending(path: "omnicache-\(UUID().uuidString).json")
            defer { try? FileManager.default.removeItem(at: file) }
            try Data(text.utf8).write(to: file)
            let classes = ClassNames(["hen", "crane"], contentsPath: file.path)
            let error = try #require(throws: PipelineError.self) { try classes.resolve("hem") }
            #expect("\(error)".contains("did you mean 'hen'?"), "\(error)")
        }
    }

    @Test(arguments: [("", "", 0), ("a", "", 1), ("abc", "abc", 0), ("sampel", "sample", 1), ("kitten", "sitting", 3)])
    func `edits are counted, a swap of neighbours as one`(first: String, second: String, edits: Int) {
        #expect(first.edits(to: second) == edits && second.edits(to: first) == edits)
    }

    @Test func `a model without names says so, and how to add some`() throws {
        let unnamed = ClassNames((0..<3).map(ClassNames.placeholder))
        #expect(try unnamed.resolve("2, class 1") == [2, 1])
        let error = try #require(throws: PipelineError.self) { try unnamed.resolve("tench") }
        for text in ["no names", "0 to 2", "class_names"] { #expect("\(error)".contains(text), "\(error)") }
    }

    @Test func `a class's slug names that class`() throws {
        #expect(names.slug(0) == "tench")
        #expect(names.slug(1) == "crane-1")
        #expect(names.slug(6) == "projectile")
        for index in 0..<names.count { #expect(try names.resolve(names.slug(index)) == [index]) }
    }
}

extension [String] {
    /// The same with two elements in each other's place.
    fileprivate func swapped(_ first: String, _ second: String) -> [String] {
        map { $0 == first ? second : $0 == second ? first : $0 }
    }
}
