import Foundation
import TestSupport

/// A reader of files that people bring, to be tried with damaged ones.
public struct Reader: Sendable {
    /// What it is called in reports and by `--only`.
    public let name: String
    /// Makes a folder ready for it: what else the reader needs, and the sound files that the damage starts from.
    private let prepare: @Sendable (_ folder: String) throws -> Subject

    /// Joins a name and what makes the surroundings.
    public init(_ name: String, prepare: @escaping @Sendable (_ folder: String) throws -> Subject) {
        self.name = name
        self.prepare = prepare
    }

    /// Makes `folder`, and in it all that the reader needs.
    func prepared(in folder: String) throws -> Subject {
        let manager = FileManager.default
        try manager.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let subject = try prepare(folder)
        try manager.createDirectory(
            at: URL(filePath: subject.path).deletingLastPathComponent(), withIntermediateDirectories: true)
        return subject
    }
}

/// A reader that is ready to be tried.
public struct Subject {
    /// Changes a sound file.
    public typealias Mutation = (_ bytes: [UInt8], _ generator: inout SplitMix64) -> [UInt8]

    /// Sound files, which the reader must accept as they are.
    let seeds: [[UInt8]]
    /// Where each input is written before it is read.
    let path: String
    /// How a sound file becomes an input.
    let mutate: Mutation
    /// The arguments of `omnicache` that have the binary read the same file; nil where no command does.
    let command: [String]?
    /// Reads the file at ``path``, and uses what was read as the commands do; throws what they would.
    let read: () throws -> Void

    /// Joins the parts.
    public init(
        seeds: [[UInt8]], at path: String, mutate: @escaping Mutation, command: [String]? = nil,
        read: @escaping () throws -> Void
    ) {
        precondition(!seeds.isEmpty, "damage starts from a sound file")
        self.seeds = seeds
        self.path = path
        self.mutate = mutate
        self.command = command
        self.read = read
    }

    /// Input `number` of a run: the sound files first, then damaged ones, each a function of these arguments alone.
    func input(_ number: Int, reader: String, seed: UInt64) -> [UInt8] {
        if number < seeds.count { return seeds[number] }
        // FNV-1a of the name: the same in every process, which Swift's own hashes are not.
        let name = reader.utf8.reduce(UInt64(0xCBF2_9CE4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        var mixer = SplitMix64(seed: seed ^ name)
        var generator = SplitMix64(seed: mixer.next() &+ UInt64(number) &* 0x2545_F491_4F6C_DD1D)
        return mutate(seeds[number % seeds.count], &generator)
    }
}

/// A law that a reader has broken: what it accepted cannot be, say.
public struct Breach: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}
