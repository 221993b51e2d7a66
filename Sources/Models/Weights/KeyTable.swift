/// What a checkpoint of another origin calls this package's parameters.
///
/// A row maps a module, or a tensor without one, to its name there; `{i}` is the number of a block. A module that
/// is stored in several, such as one for queries, one for keys and one for values, maps to all of them: their rows are
/// joined. What the table leaves out has the same name. All names may begin with a prefix that no key has.
struct KeyTable: Sendable {
    let prefix: String
    private let rows: [(key: String, names: [String])]

    init(_ rows: KeyValuePairs<String, [String]> = [:], prefix: String = "") {
        self.rows = rows.map { ($0.key, $0.value) }
        self.prefix = prefix
    }

    /// The names of the tensors that hold the parameter `key`.
    func names(of key: String) -> [String] {
        for leaf in [".weight", ".bias"] where key.hasSuffix(leaf) {
            return modules(of: String(key.dropLast(leaf.count))).map { prefix + $0 + leaf }
        }
        return modules(of: key).map { prefix + $0 }
    }

    /// The names of the modules that make up the module `key`.
    private func modules(of key: String) -> [String] {
        for row in rows {
            let ends = row.key.split(separator: "{i}", omittingEmptySubsequences: false)
            if ends.count == 1 {
                if row.key == key { return row.names }
            } else if key.hasPrefix(ends[0]), key.hasSuffix(ends[1]) {
                let number = String(key.dropFirst(ends[0].count).dropLast(ends[1].count))
                guard !number.isEmpty, number.allSatisfy(\.isWholeNumber) else { continue }
                return row.names.map { $0.replacing("{i}", with: number) }
            }
        }
        return [key]
    }

    /// Whether `archive` holds a parameter.
    func isStored(_ parameter: Parameter, in archive: WeightArchive) -> Bool {
        names(of: parameter.key).allSatisfy { archive.entry($0) != nil }
    }

    /// The shapes that each of a parameter's tensors may have in a file.
    func storedShapes(of parameter: Parameter) -> [[Int]] {
        let parts = names(of: parameter.key).count
        return parts == 1
            ? parameter.storedShapes : parameter.storedShapes.map { [$0[0] / parts] + $0.dropFirst() }
    }
}

extension WeightArchive {
    /// Checks that all of `parameters` are there, and nothing else that would be part of the network.
    ///
    /// - Throws: ``ModelError`` that names some of what is missing or foreign.
    func checkNames(
        of parameters: [Parameter], keys: KeyTable, network: String, isPart: (String) -> Bool
    ) throws(ModelError) {
        let missing = parameters.filter { !$0.isOptional }.flatMap { keys.names(of: $0.key) }
            .filter { entry($0) == nil }
        if let first = missing.first, let example = WrappedNames.first(standingFor: first, in: names) {
            throw .wrappedNames(directory: directory, example: example)
        }
        guard missing.isEmpty else {
            throw .missingTensors(directory: directory, names: Array(missing.prefix(3)), count: missing.count)
        }
        let used = Set(parameters.flatMap { keys.names(of: $0.key) })
        let foreign = names.filter {
            !used.contains($0) && isPart($0) && entry($0)?.elementType?.isLoadable == true
        }
        guard foreign.isEmpty else {
            throw .foreignTensors(
                directory: directory, network: network, names: Array(foreign.prefix(3)), count: foreign.count)
        }
    }

    /// Checks that `parameters`, where they are there, have their shapes.
    ///
    /// - Throws: ``ModelError`` that names the first of another shape.
    func checkShapes(of parameters: [Parameter], keys: KeyTable, sizes: String) throws(ModelError) {
        for parameter in parameters {
            let shapes = keys.storedShapes(of: parameter)
            for name in keys.names(of: parameter.key) {
                guard let found = entry(name)?.shape, !shapes.contains(found) else { continue }
                throw .shapeContradictsConfig(
                    path: path(of: name), tensor: name, expected: shapes[0], found: found, config: sizes)
            }
        }
    }

    /// The memory that parameters of 16 bits take once they are widened.
    func widenedBytes(_ parameters: [Parameter], keys: KeyTable, precision: WeightPrecision) -> Int {
        guard precision == .float32 else { return 0 }
        let narrow = parameters.filter { parameter in
            keys.names(of: parameter.key).allSatisfy { name in entry(name).map { $0.elementType != .f32 } ?? false }
        }
        return narrow.reduce(0) { $0 + $1.count } * MemoryLayout<Float>.stride
    }
}

/// Names of tensors with the prefixes of wrappers that the module was saved in; Scripts/convert.py removes them.
enum WrappedNames {
    /// The words that PyTorch's and DeepSpeed's wrappers put into names, at any place.
    private static let words: Set<Substring> = [
        "module", "_orig_mod", "_fsdp_wrapped_module", "_forward_module", "_checkpoint_wrapped_module",
    ]

    /// The first of `names` that bears a wrapper's word.
    static func first(in names: [String]) -> String? {
        names.first { $0.split(separator: ".").contains(where: words.contains) }
    }

    /// The first of `names` that is the tensor `name`, but for a wrapper's words or something before it.
    static func first(standingFor name: String, in names: [String]) -> String? {
        names.first { found in
            guard found != name else { return false }
            let bare = found.split(separator: ".").filter { !words.contains($0) }.joined(separator: ".")
            return bare == name || bare.hasSuffix("." + name)
        }
    }
}
