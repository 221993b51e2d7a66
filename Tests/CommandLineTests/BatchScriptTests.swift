import Foundation
import Testing

/// The scripts that make a batch's shards: here, on this machine.
@Suite struct BatchScriptTests {
    private let place: Workplace

    init() throws {
        place = try Workplace()
    }

    private func script(_ name: String, _ arguments: String) throws -> Command.Result {
        try place.shell("exec '\(Installation.repository)/Scripts/\(name)' \(arguments)")
    }

    private let options = "--model \"$TINY\" --steps 2 --class all --seed 1 --count 7"
    private let images = (0..<7).map { "images/00000\($0).png" }

    @Test func `two processes make the set, and a second run does nothing`() throws {
        let first = try script("batch.sh", "-d images -p 2 -- \(options) --log json")
        #expect(first.status == 0, "\(first.errorText)")
        #expect(place.files.filter { $0.hasSuffix(".png") } == images)
        #expect(!first.outputText.contains("skipped"))
        let second = try script("batch.sh", "-d images -p 2 -- \(options) --log json")
        #expect(second.status == 0)
        #expect(second.outputLines.count == 7 && second.outputLines.allSatisfy { $0.contains(#""skipped":true"#) })
    }

    @Test func `a dry run prints commands that a shell can run`() throws {
        let dry = try script("batch.sh", "--dry-run -d 'my images' -p 3 -- \(options)")
        dry.expectSuccess()
        #expect(place.files.isEmpty && dry.outputLines.count == 3)
        try place.write(dry.output, to: "commands.sh")
        #expect(try place.shell("mkdir 'my images' && sh commands.sh").status == 0)
        #expect(place.files.filter { $0.hasSuffix(".png") } == images.map { "my " + $0 })
    }

    @Test(arguments: ["batch.sh", "slurm.sh", "parallel.sh"])
    func `a call that makes no sense is refused with 64`(name: String) throws {
        for arguments in ["", "--", "--bogus -- --seed 1", "-d", "owl 1"] {
            let result = try script(name, arguments)
            #expect(result.status == 64 && result.output.isEmpty)
            #expect(result.errorText.hasPrefix("\(name): ") && result.errorLines.count == 2)
        }
        #expect(place.files.isEmpty)
    }

    @Test(arguments: ["batch.sh", "slurm.sh", "parallel.sh", "collect.sh"])
    func `help is the comment at the top`(name: String) throws {
        let result = try script(name, "--help")
        result.expectSuccess()
        #expect(result.outputText.contains("usage: Scripts/\(name)") && !result.outputText.contains("set -eu"))
    }

    @Test(arguments: [("slurm.sh", "--array=0-4"), ("parallel.sh", "seq 0 4")])
    func `a dry run of a scheduler's script shows the shards and does nothing`(name: String, shards: String) throws {
        let result = try script(name, "--dry-run -n 5 -d images -- \(options)")
        result.expectSuccess()
        #expect(result.outputText.contains(shards) && place.files.isEmpty)
    }

    @Test func `an error of a process is the batch's`() throws {
        #expect(try script("batch.sh", "-d . -p 2 -- --model nowhere --seed 1").status == 66)
    }

    @Test func `Ctrl-C ends the batch with 75`() throws {
        let command = try Command(
            "\(Installation.repository)/Scripts/batch.sh",
            ["-d", ".", "--", "--model", place.modelPath, "--steps", "1000", "--count", "60", "--seed", "1"],
            in: place.path, environment: ["OMNICACHE": Installation.binary])
        try wait { place.files.contains("000000.png") }
        try command.sendToGroup(SIGINT)
        let result = try command.wait()
        #expect(result.status == 75, "\(result.errorText)")
        #expect(place.files.count < 60 && place.files.allSatisfy { !$0.hasPrefix(".") })
    }
}
