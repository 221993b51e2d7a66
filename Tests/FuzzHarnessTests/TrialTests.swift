import Foundation
import Testing

@testable import FuzzHarness

@Suite struct TrialTests {
    private struct Documented: Error, CustomStringConvertible { let description: String }

    private static let trial: Trial = {
        var limits = FuzzLimits()
        limits.seconds = 1
        return Trial(isDocumented: { $0 is Documented }, limits: limits)
    }()

    private func subject(command: [String]? = nil, read: @escaping () throws -> Void = {}) -> Subject {
        Subject(seeds: [[0]], at: "file", mutate: { bytes, _ in bytes }, command: command, read: read)
    }

    private func name(_ verdict: Trial.Verdict) -> String {
        switch verdict {
        case .accepted: "accepted"
        case .refused: "refused"
        case .fault(let kind, _): kind.rawValue
        }
    }

    @Test func `a reader may refuse damaged files by documented errors of one plain line`() {
        func verdict(isSound: Bool = false, _ read: @escaping () throws -> Void) -> String {
            name(Self.trial.read(subject(read: read), isSound: isSound))
        }
        #expect(verdict {} == "accepted")
        #expect(verdict { throw Documented(description: "file: damaged") } == "refused")
        #expect(verdict(isSound: true) { throw Documented(description: "file: damaged") } == "outcome")
        #expect(verdict { throw Breach("file: damaged") } == "outcome")
        for text in ["", "two\nlines", "a\u{1B}[31m", "a\u{0}", "a\u{202E}b", "a\u{2028}b", "a\u{85}"] {
            #expect(verdict { throw Documented(description: text) } == "outcome", "\(text.debugDescription)")
        }
    }

    @Test(arguments: [
        ("exit 0", "accepted"), ("echo done; echo note >&2", "accepted"),
        ("echo 'omnicache: x' >&2; exit 65", "refused"), ("exit 65", "command"), ("echo x >&2; exit 65", "command"),
        ("printf 'omnicache: x\\ny\\n' >&2; exit 65", "command"), ("printf 'omnicache: x' >&2; exit 65", "command"),
        ("echo 'omnicache: x' >&2; exit 70", "command"), ("echo 'omnicache: x' >&2; exit 1", "command"),
        ("printf 'omnicache: \\033[31m\\n' >&2; exit 65", "command"), ("printf '\\033[2J'", "command"),
        ("kill -SEGV $$", "command"), ("sleep 60", "command"),
    ])
    func `a command ends in time, with a documented code and one plain line`(script: String, expected: String) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "omnicache-trial-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let verdict = try Self.trial.command(
            subject(command: ["-c", script]), binary: "/bin/sh", folder: folder.path,
            environment: ["PATH=/usr/bin:/bin"])
        #expect(name(verdict) == expected, "\(verdict)")
    }
}
