import Foundation
import Testing

@testable import FuzzHarness

/// The program itself, on readers with a fault on purpose.
@Suite struct FuzzHarnessTests {
    /// A folder that is removed with this object.
    private final class Folder {
        let path = FileManager.default.temporaryDirectory.appending(path: "omnicache-fuzz-test-\(UUID().uuidString)")
            .path

        init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    /// Runs fuzz-readers, and returns how it ended and what it printed.
    private func fuzz(_ reader: String, _ arguments: [String], in folder: Folder) throws -> (
        ChildProcess.Ending, String
    ) {
        let program = try #require(BuiltProgram.path("fuzz-readers"))
        // Whatever does not hang may be slow on a busy machine.
        let hang = reader == "rehearsal-hang" ? "0.5" : "20"
        let process = try ChildProcess(
            program,
            ["--only", reader, "--seed", "3", "--hang", hang, "--binary", "", "--output", "\(folder.path)/faults"]
                + arguments, environment: ProcessInfo.processInfo.environment.map { "\($0)=\($1)" },
            output: "\(folder.path)/output", error: "\(folder.path)/errors")
        let ending = process.wait(seconds: 120)
        let output = try String(contentsOf: URL(filePath: "\(folder.path)/output"), encoding: .utf8)
        return (ending, output)
    }

    @Test(arguments: [
        ("crash", "crash", "rehearsed"), ("exit", "crash", "exit code 1"), ("hang", "hang", "still at it"),
        ("memory", "memory", "MB for one input"), ("error", "outcome", "CancellationError"),
        ("lines", "outcome", "two"),
    ])
    func `a reader's fault is found, told with its input, made smaller and found again`(
        rehearsal: String, kind: String, detail: String
    ) throws {
        let folder = try Folder()
        let reader = "rehearsal-\(rehearsal)"
        let (ending, output) = try fuzz(reader, ["--inputs", "2000", "--most-faults", "1"], in: folder)
        #expect(ending == .exited(1))
        let line = try #require(output.split(separator: "\n").first)
        let start = "FAULT \(kind) in \(reader), seed 3, input "
        try #require(line.hasPrefix(start) && line.contains(detail), "\(output)")
        let number = try #require(Int(line.dropFirst(start.count).prefix { $0.isNumber }))

        let whole = try Data(contentsOf: URL(filePath: "\(folder.path)/faults/\(reader)-3-\(number)"))
        let smaller = try Data(contentsOf: URL(filePath: "\(folder.path)/faults/\(reader)-3-\(number).small"))
        #expect(whole.contains(0xFF) && smaller.contains(0xFF) && smaller.count < whole.count)
        // A hang takes its time, again and again; the others leave nothing but the byte at fault.
        if kind != "hang" { #expect(smaller == Data([0xFF])) }

        #expect(try fuzz(reader, ["--input", "\(number)"], in: folder).0 == .exited(1))
        #expect(try fuzz(reader, ["--input", "0"], in: folder).0 == .exited(0))
    }

    @Test func `inputs after a fault are tried as well, and each once`() throws {
        let folder = try Folder()
        let (ending, output) = try fuzz(
            "rehearsal-error,rehearsal-none", ["--inputs", "600", "--most-faults", "1000", "--workers", "3"], in: folder
        )
        #expect(ending == .exited(1))
        let faults = output.split(separator: "\n").filter { $0.hasPrefix("FAULT") }
        #expect(faults.count > 10 && Set(faults).count == faults.count)
        func tried(_ reader: String) -> Int? {
            output.split(separator: "\n").last { $0.hasPrefix(reader) }.flatMap { Int($0.split(separator: " ")[1]) }
        }
        #expect(tried("rehearsal-none") == 300)
        #expect(tried("rehearsal-error") == 300 - faults.count)
    }

    @Test func `readers without a fault pass`() throws {
        let (ending, output) = try fuzz("rehearsal-none", ["--inputs", "500"], in: Folder())
        #expect(ending == .exited(0))
        #expect(output.hasSuffix("no fault\n"))
    }
}
