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
