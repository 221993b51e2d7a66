import Foundation
import Glibc

/// Tries one reader with one input, in the process that asks for it.
struct Trial {
    /// What a reader made of an input.
    enum Verdict {
        case accepted
        case refused
        case fault(Fault.Kind, String)
    }

    /// How a reader may refuse: by these errors and no others.
    let isDocumented: @Sendable (any Error) -> Bool
    let limits: FuzzLimits

    /// The exit codes of the command line, but for that of an internal error.
    private static let documentedCodes: Set<Int32> = [0, 64, 65, 66, 73, 74, 75]

    /// Reads the input, which lies in its place.
    ///
    /// - Parameters:
    ///   - subject: the reader.
    ///   - isSound: whether the input is undamaged, so that it must be accepted.
    /// - Returns: what came of it.
    func read(_ subject: Subject, isSound: Bool) -> Verdict {
        let before = Self.peakMemory
        var verdict = Verdict.accepted
        do {
            try subject.read()
        } catch {
            verdict = Self.check(error, isDocumented: isDocumented(error))
            if case .refused = verdict, isSound { verdict = .fault(.outcome, "refuses a sound file: \(error)") }
        }
        let growth = Self.peakMemory - before
        guard growth <= limits.memory else {
            return .fault(.memory, "\(growth >> 20) MB for one input")
        }
        return verdict
    }

    private static func check(_ error: any Error, isDocumented: Bool) -> Verdict {
        let text = "\(error)"
        guard isDocumented else { return .fault(.outcome, "undocumented error \(type(of: error)): \(text)") }
        guard !text.isEmpty, text.unicodeScalars.allSatisfy(Fault.isPlain) else {
            return .fault(.outcome, "the description of \(type(of: error)) is not one plain line: \(text)")
        }
        return .refused
    }

    /// Has the binary read the input, and looks at its exit code and at what it prints.
    func command(_ subject: Subject, binary: String, folder: String, environment: [String]) throws -> Verdict {
        guard let arguments = subject.command else { return .accepted }
        let (output, errors) = ("\(folder)/output", "\(folder)/errors")
        let process = try ChildProcess(
            binary, arguments, environment: environment, output: output, error: errors)
        let ending = process.wait(seconds: limits.seconds)
        let text = String(decoding: FileManager.default.contents(atPath: errors) ?? Data(), as: UTF8.self)
        func fault(_ reason: String) -> Verdict {
            .fault(.command, "omnicache \(arguments.joined(separator: " ")): \(reason); it says: \(text)")
        }
        guard case .exited(let code) = ending else {
            return fault(ending == .timedOut ? "runs for more than \(limits.seconds) s" : "ends by \(ending)")
        }
        guard process.peakMemory <= limits.commandMemory else { return fault("takes \(process.peakMemory >> 20) MB") }
        guard Self.documentedCodes.contains(code) else { return fault("exit code \(code)") }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard code == 0 || lines.count == 2 && text.hasPrefix("omnicache: ") && text.hasSuffix("\n") else {
            return fault("exit code \(code) without one line of explanation")
        }
        let printed = String(decoding: FileManager.default.contents(atPath: output) ?? Data(), as: UTF8.self)
        guard (text + printed).unicodeScalars.allSatisfy({ $0 == "\n" || Fault.isPlain($0) }) else {
            return fault("prints control characters: \(printed)")
        }
        return code == 0 ? .accepted : .refused
    }

    /// The most memory that this process has had at once, in bytes.
    private static var peakMemory: Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss * 1024
    }
}

/// What one input may take.
public struct FuzzLimits: Codable, Sendable {
    /// The time, in seconds, of a reader and of a command.
    public var seconds = 5.0
    /// How much the memory of a reader may grow, in bytes.
    public var memory = 256 << 20
    /// How much memory a command may have, in bytes.
    public var commandMemory = 1 << 30
    /// The address space of a worker, in bytes, so that the machine survives what it looks for; nil for no limit.
    public var addressSpace: Int? = 1 << 33

    public init() {}
}
