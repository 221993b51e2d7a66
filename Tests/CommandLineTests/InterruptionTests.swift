import Foundation
import Media
import Reports
import Testing

/// Signals in the middle of a run.
@Suite(.serialized) struct InterruptionTests {
    @Test(arguments: [SIGINT, SIGTERM])
    func `a signal ends a run with 75, and the same command goes on`(signal: Int32) throws {
        let place = try Workplace()
        let arguments = place.sampling(["--seed", "0", "--count", "40", "--class", "0", "--steps", "1000"])
        let command = try place.start(arguments)
        try wait { place.files.contains("red-fox-0.png") }
        command.send(signal)
        let stopped = try command.wait()
        #expect(stopped.status == 75)
        let made = place.files
        #expect(made.count < 40, "the run was over before the signal came")
        #expect(stopped.outputLines.sorted() == made)
        #expect(
            stopped.errorText
                == "omnicache: interrupted: \(made.count) of 40 images are done; run the same command again to go on\n")
        let again = try place.start(arguments + ["--log", "json"]).wait()
        #expect(again.status == 0)
        #expect(again.outputLines.filter { $0.contains(#""skipped":true"#) }.count == made.count)
        #expect(place.files.count == 40 && place.files.allSatisfy { !$0.hasPrefix(".") })
    }

    @Test func `a signal in the middle of a grid leaves nothing`() throws {
        let place = try Workplace()
        let command = try place.start(
            place.sampling(["--seed", "0", "--count", "1000", "--steps", "1000", "--grid", "9", "-v"]))
        try wait { command.errorText.contains("step 5 of 1000") }
        command.send(SIGINT)
        let stopped = try command.wait()
        #expect(stopped.status == 75 && stopped.output.isEmpty)
        let lines = stopped.errorLines.filter { !$0.hasPrefix("step ") && !$0.hasPrefix("OpenBLAS ") && !$0.isEmpty }
        #expect(lines.count == 1 && lines[0].hasPrefix("omnicache: interrupted: 0 of 1000"))
        #expect(place.files.isEmpty)
    }

    @Test func `a second signal ends the process at once`() throws {
        let place = try Workplace()
        // Opening a pipe that nobody reads takes for ever.
        #expect(mkfifo("\(place.path)/pipe", 0o600) == 0)
        let command = try place.start(place.sampling(["--seed", "0", "-o", "pipe", "-v"]))
        try wait { command.errorText.contains("step 1 of 2") }
        usleep(200_000)
        command.send(SIGINT)
        usleep(200_000)
        #expect(command.isRunning)
        command.send(SIGINT)
        #expect(try command.wait().status == 128 + SIGINT)
        #expect(place.files == ["pipe"])
    }

    @Test func `a pipe as the output gets the image`() throws {
        let place = try Workplace()
        let result = try place.shell(
            "mkfifo pipe; cat pipe & \"$OMNICACHE\" --model \"$TINY\" --steps 2 --seed 0 -o pipe >&2; wait")
        #expect(result.status == 0)
        #expect(result.errorText == "pipe\n")
        #expect(try PNGReader.decode([UInt8](result.output)).width == 4)
    }
}
