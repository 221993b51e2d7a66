import Foundation
import Models
import Testing

/// A command as a shell reads it.
@Suite struct ShellCommandTests {
    @Test func `a shell reads every word back as it is`() throws {
        let place = try Workplace()
        let words = NastyNamesTests.names.flatMap(\.self) + ["", "a=b", "'", "''\u{301}'", "\\'", "$'a'", "a\nb\n"]
        for word in words {
            let result = try place.shell("printf %s \(word.quotedForShell)")
            #expect(result.output == Data(word.utf8), "\(word.debugDescription)")
        }
    }
}
