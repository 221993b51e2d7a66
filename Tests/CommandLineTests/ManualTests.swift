import Foundation
import Testing

/// The manual page that `make install` installs.
@Suite struct ManualTests {
    private struct Dump: Decodable {
        struct Command: Decodable {
            struct Argument: Decodable {
                struct Name: Decodable {
                    let kind: String
                    let name: String
                }
                let names: [Name]?
                let shouldDisplay: Bool
            }
            let commandName: String
            let arguments: [Argument]?
            let subcommands: [Command]?
        }
        let command: Command
    }

    private let place: Workplace

    init() throws {
        place = try Workplace()
    }

    private func page() throws -> String {
        let result = try place.shell("exec '\(Installation.repository)/Scripts/manual.sh' \"$OMNICACHE\"")
        result.expectSuccess()
        return result.outputText
    }

    @Test func `it has every subcommand, and every option under its subcommand`() throws {
        let page = try page()
        #expect(page.hasPrefix(".TH OMNICACHE 1 "))
        #expect(page.contains("\n.SH NAME\nomnicache \\- Samples images"))
        let sections = page.components(separatedBy: "\n.SS ")
        let dump = try JSONDecoder().decode(Dump.self, from: place.run("--experimental-dump-help").output)
        let commands = (dump.command.subcommands ?? []).filter { $0.commandName != "help" }
        #expect(commands.count == 7 && sections.count == commands.count + 1)
        var options = 0
        for command in commands {
            let section = try #require(sections.first { $0.hasPrefix("omnicache \(command.commandName)\n") })
            let labels = section.split(separator: "\n").filter { $0.hasPrefix(".B ") }
                .flatMap { $0.split { " ,/".contains($0) } }
            for argument in command.arguments ?? [] where argument.shouldDisplay {
                for name in argument.names ?? [] where name.kind == "long" {
                    let label = "\\-\\-" + name.name.replacing("-", with: "\\-")
                    #expect(labels.contains { $0 == label }, "\(command.commandName) --\(name.name)")
                    options += 1
                }
            }
        }
        #expect(options > 100)
    }

    @Test func `roff has nothing to complain of`() throws {
        try place.write(page().utf8, to: "omnicache.1")
        let result = try place.shell("command -v groff >/dev/null || exit 0; groff -man -ww -z omnicache.1")
        #expect(result.status == 0 && result.errorText == "")
    }

    @Test func `a call without a binary is refused`() throws {
        #expect(try place.shell("'\(Installation.repository)/Scripts/manual.sh' nowhere").status != 0)
    }
}
