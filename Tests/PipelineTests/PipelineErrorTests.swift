import Pipeline
import Testing

@Suite struct PipelineErrorTests {
    @Test(arguments: ["two\nlines", "a\u{0}b", "a\u{1B}[31mred", "a\u{85}b", "a\u{2028}b", "a\u{202E}b", "a\rb"])
    func `a description is one plain line, whatever name from a file is in it`(name: String) {
        let errors: [PipelineError] = [
            .usage(name), .badData("\(name): damaged"), .missingInput(name), .cannotCreate(name), .inputOutput(name),
        ]
        for error in errors {
            let isPlain = "\(error)".unicodeScalars.allSatisfy { scalar in
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator: false
                default: true
                }
            }
            #expect(isPlain, "\(error)")
        }
        #expect("\(PipelineError.usage("plain: é, 'a b'"))" == "plain: é, 'a b'")
    }
}
