import ArgumentParser
import Foundation
import FuzzHarness

/// Tries every reader with damaged files, and says which input crashes, hangs, or is refused in an undocumented way.
@main
struct FuzzReaders: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fuzz-readers",
        abstract: "Tries every reader of files with damaged ones.",
        discussion: """
            An input is a function of reader, seed and number. Exit codes: 0 without a fault, 1 with one, 64 wrong usage.

            fuzz-readers --seconds 60
            fuzz-readers --only plan --seed 1 --input 4711
            """)

    @Option(help: "From which all inputs are made.")
    var seed: UInt64 = 1

    @Option(help: "When to end. Default: 20, or when all inputs have been tried.")
    var seconds: Double?

    @Option(help: "How many inputs to try, of all readers together.")
    var inputs: Int?

    @Option(help: ArgumentHelp("Only these readers, separated by commas.", valueName: "names"))
    var only: String?

    @Option(help: ArgumentHelp("Only this input of each reader.", valueName: "number"))
    var input: Int?

    @Option(help: "How many processes work at a time.")
    var workers = max(1, ProcessInfo.processInfo.activeProcessorCount)

    @Option(help: "The seconds that one input may take.")
    var hang = 5.0

    @Option(help: "After how many faults to end.")
    var mostFaults = 20

    @Option(help: "Of how many inputs one is given to omnicache, too.")
    var commandInterval = 500

    @Option(help: "The path of that omnicache, '' for none. Default: the one beside this program.")
    var binary: String?

    @Option(help: "The folder for inputs that show faults.")
    var output = "fuzz-faults"

    @Flag(help: "Do not limit the address space, as sanitizers need it.")
    var unlimited = false

    @Flag(help: "List the readers.")
    var list = false

    @Option(help: .hidden)
    var assignment: String?

    func run() throws {
        if let assignment {
            var worker = try Worker(assignment, readers: readers + rehearsals, isDocumented: isDocumented)
            worker.run()
        }
        let chosen = try chosenReaders()
        if list {
            for reader in chosen { print(reader.name) }
            return
        }
        let (report, faults) = try Fuzzer(chosen, settings).run { fault, path, smaller in
            let place = "\(fault.reader), seed \(seed), input \(fault.number)"
            print("FAULT \(fault.kind.rawValue) in \(place): \(fault.detail)")
            print("  again: fuzz-readers --only \(fault.reader) --seed \(seed) --input \(fault.number)")
            print("  file: \(path)\(smaller.map { ", smaller: \($0)" } ?? "")")
            fflush(nil)
        }
        print(report)
        print(faults == 0 ? "no fault" : "\(faults) \(faults == 1 ? "fault" : "faults")")
        guard faults == 0 else { throw ExitCode.failure }
    }

    private func chosenReaders() throws -> [Reader] {
        guard let only else { return readers }
        return try only.split(separator: ",").map { name in
            guard let reader = (readers + rehearsals).first(where: { $0.name == name }) else {
                throw ValidationError(
                    "there is no reader '\(name)'; there are \(readers.map(\.name).joined(separator: ", "))")
            }
            return reader
        }
    }

    private var settings: Fuzzer.Settings {
        var settings = Fuzzer.Settings()
        settings.seed = seed
        settings.seconds = seconds ?? (inputs == nil && input == nil ? 20 : nil)
        settings.inputs = inputs
        settings.number = input
        settings.workers = workers
        settings.mostFaults = mostFaults
        settings.limits.seconds = hang
        settings.limits.addressSpace = unlimited ? nil : settings.limits.addressSpace
        settings.binary = binary.map { $0.isEmpty ? nil : $0 } ?? BuiltProgram.path("omnicache")
        settings.commandInterval = max(1, commandInterval)
        settings.faults = output
        settings.workerArguments = ["--assignment"]
        return settings
    }
}
