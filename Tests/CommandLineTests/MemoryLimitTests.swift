import Foundation
import Testing

/// Limits of memory, as shells, batch systems and machines without overcommitment set them.
@Suite(.serialized) struct MemoryLimitTests {
    private let place: Workplace

    init() throws {
        place = try Workplace()
    }

    /// Runs `omnicache` under a limit of `megabytes` of address space, or of data.
    private func run(_ arguments: String, megabytes: Int, option: String = "v") throws -> Command.Result {
        try place.shell("ulimit -\(option) \(megabytes * 1000); exec \"$OMNICACHE\" \(arguments)")
    }

    /// Expects success, or one line and a documented code.
    private func expectEnd(
        _ result: Command.Result, _ what: String, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        guard result.status != 0 else { return }
        // The loader speaks where not even the program's libraries fit.
        let hasStarted = !result.errorText.contains("error while loading shared libraries")
        #expect(!hasStarted || [71, 74].contains(result.status), "\(what): \(result)", sourceLocation: sourceLocation)
        #expect(result.errorLines.count == 2, "\(what): \(result.errorText)", sourceLocation: sourceLocation)
        if result.status == 71 {
            #expect(result.errorText.contains("not enough memory"), "\(what)", sourceLocation: sourceLocation)
        }
    }

    private static let commands = [
        "--version", "--help", "info", "sample --steps 2 --class 3 --seed 5 --force -q -o a.png",
        "sample --steps 2 --class 3 --seed 5 --force -q -o a.png --threads 1",
        "sample --steps 2 --class 3 --seed 5 --count 4 --in-flight 4 --force -q -o '{seed}.png'",
        "plan --budget 0.5 --force -o plan.json",
        "sample --steps 6 --budget 0.6 --planner uniform --class 3 --seed 5 --force -q -o a.png",
    ]

    @Test(arguments: commands)
    func `under every limit of address space a command ends, with its result or one line`(command: String) throws {
        for megabytes in Array(stride(from: 30, through: 330, by: 20)) + [400, 500, 700] {
            expectEnd(try run(command, megabytes: megabytes), "\(megabytes) MB, \(command)")
        }
    }

    @Test(arguments: ["sample --steps 2 --class 3 --seed 5 --count 2 --force -q -o '{seed}.png'", "info"])
    func `under every limit of data a command ends, with its result or one line`(command: String) throws {
        for megabytes in stride(from: 2, through: 302, by: 30) {
            expectEnd(try run(command, megabytes: megabytes, option: "d"), "\(megabytes) MB, \(command)")
        }
    }

    @Test func `300 MB of address space are enough for an image of the embedded model, and no bit depends on it`()
        throws
    {
        try run("sample --steps 2 --class 3 --seed 5 -q -o a.png", megabytes: 300).expectSuccess()
        try place.shell("exec \"$OMNICACHE\" sample --steps 2 --class 3 --seed 5 -q -o b.png").expectSuccess()
        #expect(try place.bytes("a.png") == place.bytes("b.png"))
    }

    @Test func `too little memory is told with what is needed, what is there, and what to do`() throws {
        try run("sample --steps 2 --class 3 --seed 5 -o a.png", megabytes: 150)
            .expectFailure(71, "emoji-dit-s8 takes", "there is room for", "ulimit -v 150000", "raise the limit")
        #expect(place.files.isEmpty)
    }

    @Test func `what computes nothing needs no room for products`() throws {
        for arguments in ["--version", "info", "info \"$TINY\"", "sample --seed 1 --dry-run"] {
            #expect(try run(arguments, megabytes: 120).status == 0, "\(arguments)")
        }
    }

    @Test func `a run that is short of memory can be told to end`() throws {
        let command = try Command(
            "/bin/sh",
            ["-c", "ulimit -v 300000; exec \"$0\" \"$@\"", Installation.binary]
                + place.sampling(["--seed", "0", "--count", "40", "--class", "0", "--steps", "1000"]),
            in: place.path, environment: [:])
        try wait { place.files.contains("red-fox-0.png") }
        command.send(SIGTERM)
        #expect(try command.wait(seconds: 10).status == 75)
    }
}
