import ArgumentParser
import Models
import Pipeline

/// What images show.
struct ConditionOptions: ParsableArguments {
    @Option(
        name: .customLong("class"),
        help: ArgumentHelp(
            "Classes by name or number, separated by commas, or 'all'. The images go through them in turn.",
            discussion: "For models of classes.", valueName: "list"))
    var classes: String?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "What an image should show. Several of these options give several prompts, which the images go through in turn.",
            discussion: "For models of prompts. Without --model, takes the embedded text-to-image model.",
            valueName: "text"))
    var prompt: [String] = []

    @Option(help: ArgumentHelp("A file with a prompt on each line.", valueName: "file"))
    var promptFile: String?

    @Option(
        help: ArgumentHelp(
            "What the images should not show: the prompt of the unconditional branch.", valueName: "text"))
    var negativePrompt: String?

    /// The name of the first of the options that is for models of prompts; nil if none was given.
    private var givenForPrompts: String? {
        let options = [
            ("prompt", !prompt.isEmpty), ("prompt-file", promptFile != nil), ("negative-prompt", negativePrompt != nil),
        ]
        return options.first { $0.1 }?.0
    }

    /// The name of the first of these options that was given; nil if none was.
    var given: String? { classes == nil ? givenForPrompts : "class" }

    /// Whether the images are described in words.
    var givesPrompts: Bool { !prompt.isEmpty || promptFile != nil }

    /// The conditions that were asked for; nil if none were.
    ///
    /// - Throws: `PipelineError` when they are not of the kind that the model takes.
    func conditions(of directory: ModelDirectory) throws -> [Condition]? {
        let takesPrompts = directory.conditions.promptRules != nil
        if takesPrompts, classes != nil {
            throw PipelineError.usage("--class: the model \(directory.name) draws prompts, not classes; give --prompt")
        }
        if !takesPrompts, let given = givenForPrompts {
            throw PipelineError.usage(
                "--\(given): the model \(directory.name) draws classes, not prompts; give --class, or a text-to-image "
                    + "model with --model")
        }
        if let classes { return try directory.classes.resolve(classes).map(Condition.label) }
        guard givesPrompts else { return nil }
        guard prompt.isEmpty || promptFile == nil else {
            throw PipelineError.usage("--prompt and --prompt-file both say what to draw; drop one of them")
        }
        let list = try promptFile.map { try PromptList(path: $0) } ?? PromptList(prompt, option: "--prompt")
        return list.prompts.map(Condition.prompt)
    }

    /// The negative prompt, checked.
    func negative() throws(PipelineError) -> String? {
        guard let negativePrompt else { return nil }
        return try PromptList([negativePrompt], option: "--negative-prompt").prompts[0]
    }
}

/// Which images are sampled. Every option is optional, so that those of an image given by `--like` can be kept.
struct SubjectOptions: ParsableArguments {
    @OptionGroup var shown: ConditionOptions

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How many images to sample. Default: 1, or one of each given class or prompt.", valueName: "n"))
    var count: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The seed of the first image, below 2^32; image i has seed + i. Default: random, printed and stored.",
            valueName: "n"))
    var seed: UInt32?
}

/// Which images are compared: the same options with defaults that make comparisons repeatable.
struct ComparedSubjectOptions: ParsableArguments {
    @OptionGroup var shown: ConditionOptions

    @Option(
        parsing: .unconditional, help: ArgumentHelp("How many images to compare. Default: 32.", valueName: "n"))
    var count: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The seed of the first image, below 2^32; image i has seed + i. Default: 1000.", valueName: "n"))
    var seed: UInt32?
}
