/// What a guidance branch is told about the picture.
public enum Condition: Hashable, Sendable {
    /// A class, by its number.
    case label(Int)
    /// A text.
    case prompt(String)
    /// Nothing: the unconditional branch.
    case null
}

extension Condition: CustomStringConvertible {
    /// As messages tell it.
    public var description: String {
        switch self {
        case .label(let label): "class \(label)"
        case .prompt(let text): "prompt '\(text)'"
        case .null: "no condition"
        }
    }
}

/// What a network can be told.
public enum ConditionKind: Sendable {
    /// One of so many classes.
    case classes(Int)
    /// Any text; a few are what a model is calibrated on where nothing else is asked for.
    case prompts(examples: [String])

    /// The number of classes; 0 for networks that are told something else.
    public var classCount: Int {
        if case .classes(let count) = self { count } else { 0 }
    }

    /// The condition at a share of all, 0 to below 1: of the classes in order, or of the example prompts.
    public func condition(at share: Double) -> Condition {
        switch self {
        case .classes(let count): .label(Int(share * Double(count)))
        case .prompts(let examples):
            examples.isEmpty ? .prompt("") : .prompt(examples[Int(share * Double(examples.count))])
        }
    }
}
