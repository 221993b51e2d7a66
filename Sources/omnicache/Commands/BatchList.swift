import ArgumentParser
import Pipeline

/// The images of a batch's file, with the options that each of them has of its own.
struct BatchList {
    /// The images, in order.
    let items: [SampleItem]
    /// For every image, which of ``options`` it takes.
    let variants: [Int]
    /// Options that differ from one another, each with the first line that has them.
    let options: [(line: Int, options: BatchItemOptions)]

    private let path: String

    /// Reads a file; what it leaves out, the command line says.
    ///
    /// - Throws: `PipelineError` that names the line of what cannot be understood.
    init(path: String, subject: SubjectOptions, directory: ModelDirectory) throws {
        guard subject.count == nil else {
            throw PipelineError.usage("--batch \(path) says how many images there are; drop --count")
        }
        let classes = try subject.classes.map(directory.classes.resolve)
        let file = try BatchFile(path: path)
        self.path = path
        var items: [SampleItem] = []
        var variants: [Int] = []
        var options: [(line: Int, options: BatchItemOptions)] = []
        var known: [[String]: Int] = [:]
        items.reserveCapacity(file.entries.count)
        for (index, entry) in file.entries.enumerated() {
            func bad(_ what: String) -> PipelineError { .badData("\(path):\(entry.line): \(what)") }
            let seed = try entry.fields["seed"].map { text in
                guard let seed = UInt32(text) else { throw bad("seed '\(text)': give a number below 2^32") }
                return seed
            }
            guard let seed = try seed ?? Self.seed(subject.seed, plus: index) else {
                throw PipelineError.usage(
                    "\(path):\(entry.line): no seed; give one there, or --seed for those that have none")
            }
            let classID = try entry.fields["class"].map { name in
                do throws(PipelineError) {
                    let found = try directory.classes.resolve(name)
                    guard found.count == 1 else { throw bad("class '\(name)' is not one class") }
                    return found[0]
                } catch { throw bad("\(error)") }
            }
            items.append(
                SampleItem(
                    classID: classID ?? classes.map { $0[index % $0.count] }
                        ?? WorkList.drawnClass(seed, of: directory.classes.count),
                    seed: seed))
            let arguments = entry.fields.filter { $0.key != "class" && $0.key != "seed" }
                .map { "--\($0.key)=\($0.value)" }.sorted()
            if let variant = known[arguments] {
                variants.append(variant)
            } else {
                known[arguments] = options.count
                variants.append(options.count)
                options.append((entry.line, try Self.parse(arguments, bad)))
            }
        }
        self.items = items
        self.variants = variants
        self.options = options
    }

    /// Does what concerns variant `index`; what is wrong with its options is told with its line.
    func blaming<Result>(_ index: Int, _ body: (BatchItemOptions) throws -> Result) throws -> Result {
        do {
            return try body(options[index].options)
        } catch  where ExitStatus(error) == .usage {
            throw PipelineError.badData("\(path):\(options[index].line): \(error)")
        }
    }

    private static func seed(_ first: UInt32?, plus index: Int) throws(PipelineError) -> UInt32? {
        guard let first else { return nil }
        let (seed, overflows) = first.addingReportingOverflow(UInt32(clamping: index))
        guard !overflows else {
            throw .usage("--seed \(first): the seed of image \(index) would reach 2^32; lower it")
        }
        return seed
    }

    private static func parse(_ arguments: [String], _ bad: (String) -> PipelineError) throws -> BatchItemOptions {
        do {
            return try BatchItemOptions.parse(arguments)
        } catch {
            // ArgumentParser takes fields by these names for its own.
            guard BatchItemOptions.exitCode(for: error) == .validationFailure else {
                throw bad("unknown option \(arguments.first ?? "")")
            }
            throw bad(BatchItemOptions.message(for: error).split(separator: "\n").joined(separator: " "))
        }
    }
}
