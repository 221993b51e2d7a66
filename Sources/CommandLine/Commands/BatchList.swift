import ArgumentParser
import Models
import Pipeline

/// The images of a `--batch` file, with the options of each image.
struct BatchList {
    /// The images, in order.
    let items: [SampleItem]
    /// For every image, the index of its ``options``.
    let variants: [Int]
    /// All different options, each with the first entry that has them.
    let options: [(entry: BatchFile.Entry, options: BatchItemOptions)]

    private let file: BatchFile

    /// The names that a value may have.
    static let names = BatchItemOptions.names.union(ownNames)

    /// Reads a list. The command line sets what it leaves out.
    ///
    /// - Parameters:
    ///   - file: the list.
    ///   - subject: the options of the command line.
    ///   - firstSeed: the seed of the first image, unless it has one of its own; nil where each must have one.
    ///   - directory: the model.
    /// - Throws: `PipelineError` with the line and column of what is wrong.
    init(file: BatchFile, subject: SubjectOptions, firstSeed: UInt32?, directory: ModelDirectory) throws {
        guard subject.count == nil else {
            throw PipelineError.usage("--batch lists the images; drop --count")
        }
        let conditions = try subject.shown.conditions(of: directory)
        let negative = try subject.shown.negative()
        self.file = file
        var items: [SampleItem] = []
        var variants: [Int] = []
        var options: [(entry: BatchFile.Entry, options: BatchItemOptions)] = []
        var known: [[String]: Int] = [:]
        items.reserveCapacity(file.entries.count)
        for (index, entry) in file.entries.enumerated() {
            let ownSeed = try entry.fields["seed"].map { field in
                guard let seed = UInt32(field.plainNumber) else {
                    throw file.error(
                        at: field.place, "seed '\(field.text)': give a whole number from 0 to \(UInt32.max)")
                }
                return seed
            }
            guard let seed = try ownSeed ?? Self.seed(firstSeed, plus: index) else {
                throw file.error(at: entry.place, "no seed; give the image a seed, or give --seed")
            }
            let own = try Self.condition(of: entry, of: directory, in: file) ?? conditions.map { $0[index % $0.count] }
            guard own != nil || directory.conditions.promptRules == nil else {
                throw file.error(at: entry.place, "no prompt; give the image a prompt, or give --prompt")
            }
            items.append(
                SampleItem(
                    condition: own ?? WorkList.drawnCondition(seed, of: directory.conditions), seed: seed,
                    negative: try entry.fields["negative-prompt"].map { try Self.prompt($0, in: file) } ?? negative))
            let arguments = entry.fields.filter { !Self.ownNames.contains($0.key) }
                .map { Self.argument($0, $1) }.sorted()
            if let variant = known[arguments] {
                variants.append(variant)
            } else {
                known[arguments] = options.count
                variants.append(options.count)
                options.append((entry, try Self.parse(arguments, of: entry, in: file)))
            }
        }
        self.items = items
        self.variants = variants
        self.options = options
    }

    /// Runs `body` with the options of variant `index`; usage errors get their line and column.
    func blaming<Result>(_ index: Int, _ body: (BatchItemOptions) throws -> Result) throws -> Result {
        let entry = options[index].entry
        do {
            return try body(options[index].options)
        } catch  where ExitStatus(error) == .usage {
            let reason = "\(error)"
            let named = entry.fields.first { name, _ in
                reason.hasPrefix("--\(name) ") || reason.hasPrefix("\(name) ")
            }
            throw file.error(at: named?.value.place ?? entry.place, reason)
        }
    }

    /// What a list says of an image beside options.
    private static let ownNames: Set<String> = ["class", "prompt", "negative-prompt", "seed"]

    /// The condition of an image that has one of its own.
    private static func condition(
        of entry: BatchFile.Entry, of directory: ModelDirectory, in file: BatchFile
    ) throws(PipelineError) -> Condition? {
        let takesPrompts = directory.conditions.promptRules != nil
        let foreign = takesPrompts ? ["class"] : ["prompt", "negative-prompt"]
        if let field = foreign.lazy.compactMap({ entry.fields[$0] }).first {
            throw file.error(
                at: field.place,
                takesPrompts ? "a class, but the model draws prompts" : "a prompt, but the model draws classes")
        }
        if let field = entry.fields["prompt"] { return .prompt(try prompt(field, in: file)) }
        return try entry.fields["class"].map { field throws(PipelineError) in
            .label(try classID(field, of: directory, in: file))
        }
    }

    private static func prompt(_ field: BatchFile.Field, in file: BatchFile) throws(PipelineError) -> String {
        do throws(PipelineError) {
            return try PromptList([field.text], option: "prompt").prompts[0]
        } catch {
            throw file.error(at: field.place, "\(error)")
        }
    }

    private static func classID(
        _ field: BatchFile.Field, of directory: ModelDirectory, in file: BatchFile
    ) throws(PipelineError) -> Int {
        // A name may look like a number.
        let name = (try? directory.classes.resolve(field.text)) == nil ? field.plainNumber : field.text
        let found: [Int]
        do throws(PipelineError) {
            found = try directory.classes.resolve(name)
        } catch {
            throw file.error(at: field.place, "\(error)")
        }
        guard found.count == 1 else {
            throw file.error(at: field.place, "class '\(field.text)' names several classes; give one class per image")
        }
        return found[0]
    }

    private static func seed(_ first: UInt32?, plus index: Int) throws(PipelineError) -> UInt32? {
        guard let first else { return nil }
        let (seed, overflows) = first.addingReportingOverflow(UInt32(clamping: index))
        guard !overflows else {
            throw .usage("--seed \(first): the seed of image \(index) would reach 2^32; lower it")
        }
        return seed
    }

    /// A value as a command-line argument.
    private static func argument(_ name: String, _ field: BatchFile.Field) -> String {
        "--\(name)=\(field.plainNumber)"
    }

    private static func parse(
        _ arguments: [String], of entry: BatchFile.Entry, in file: BatchFile
    ) throws -> BatchItemOptions {
        do {
            return try BatchItemOptions.parse(arguments)
        } catch {
            // An option that is wrong by itself is reported with its own line and column.
            let wrong = entry.fields.first { name, field in
                !ownNames.contains(name) && (try? BatchItemOptions.parse([argument(name, field)])) == nil
            }
            throw file.error(
                at: wrong?.value.place ?? entry.place,
                BatchItemOptions.message(for: error).split(separator: "\n").joined(separator: " "))
        }
    }
}
