import Foundation
import Testing

/// Scripts/batch.sh.
@Suite struct BatchScriptTests {
    private let place: Workplace
    private let script = "\(Installation.repository)/Scripts/batch.sh"

    init() throws {
        place = try Workplace()
    }

    private func batch(_ arguments: String) throws -> Command.Result {
        try place.shell("exec '\(script)' \(arguments)")
    }

    @Test func `every class is sampled with every seed, and a second run does nothing`() throws {
        let images = [
            "images", "images/hermit-crab-4.png", "images/hermit-crab-5.png", "images/owl-4.png", "images/owl-5.png",
        ]
        let command = "-d images -n 2 'hermit crab,1' 4-5 -- --model \"$TINY\" --log json"
        let first = try batch(command)
        #expect(first.status == 0)
        #expect(place.files == images)
        #expect(!first.outputText.contains("skipped"))
        let second = try batch(command)
        #expect(second.status == 0)
        #expect(place.files == images)
        #expect(second.outputLines.count == 4 && second.outputLines.allSatisfy { $0.contains(#""skipped":true"#) })
    }

    @Test func `an image is the one that omnicache makes alone`() throws {
        #expect(try batch("-d . -n 3 owl 7 -- --model \"$TINY\" --eta 1").status == 0)
        try place.sample("--steps", "3", "--class", "owl", "--seed", "7", "--eta", "1", "-o", "alone.png")
            .expectSuccess()
        #expect(try place.bytes("owl-7.png") == place.bytes("alone.png"))
    }

    @Test func `the first error stops the batch with its exit code`() throws {
        let result = try batch("-d . -n 2 owl,unicorn,0 1-2 -- --model \"$TINY\"")
        #expect(result.status == 64)
        #expect(result.errorLines.count == 2 && result.errorText.contains("unicorn"))
        #expect(place.files == ["owl-1.png", "owl-2.png"])
        #expect(try batch("-d . -n 2 0 1 -- --model nowhere").status == 66)
    }

    @Test func `a dry run prints commands that a shell can run`() throws {
        let dry = try batch("--dry-run -d 'my images' -n 2 'red fox,owl' 3,8-9 -- --model \"$TINY\"")
        dry.expectSuccess()
        #expect(place.files.isEmpty && dry.outputLines.count == 6)
        try place.write(dry.output, to: "commands.sh")
        #expect(try place.shell("mkdir 'my images' && sh commands.sh").status == 0)
        let names = ["owl-3", "owl-8", "owl-9", "red-fox-3", "red-fox-8", "red-fox-9"]
        #expect(place.files == ["commands.sh", "my images"] + names.map { "my images/\($0).png" })
    }

    @Test(arguments: ["", "owl", "owl 5-3", "owl x", "owl 007", "owl 1 extra", "--bogus owl 1", "-n"])
    func `a call that makes no sense is refused with 64`(arguments: String) throws {
        let result = try batch(arguments)
        #expect(result.status == 64 && result.output.isEmpty)
        #expect(result.errorText.hasPrefix("batch.sh: ") && result.errorLines.count == 2)
        #expect(place.files.isEmpty)
    }

    @Test func `its help is the comment at its top`() throws {
        let result = try batch("--help")
        result.expectSuccess()
        #expect(result.outputText.contains("usage: Scripts/batch.sh") && !result.outputText.contains("set -eu"))
    }

    @Test func `Ctrl-C ends the batch with 75`() throws {
        let command = try Command(
            script, ["-d", ".", "-n", "1000", "0,1,2", "0-9", "--", "--model", place.modelPath, "-t", "1"],
            in: place.path, environment: ["OMNICACHE": Installation.binary])
        try wait { place.files.contains("red-fox-0.png") }
        try command.sendToGroup(SIGINT)
        let result = try command.wait()
        #expect(result.status == 75, "\(result.errorText)")
        #expect(place.files.count < 30 && place.files.allSatisfy { !$0.hasPrefix(".") })
    }
}
