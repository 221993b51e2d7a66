import Pipeline

/// What a batch writes beside its images: `run.json` for all shards, and a manifest for its own.
struct BatchBooks: Sendable {
    private let pattern: OutputPattern
    private let replaces: Bool
    private let run: RunFile
    private let manifest: Manifest

    /// - Parameters:
    ///   - pattern: the paths of the images.
    ///   - shard: the part that is made.
    ///   - replaces: whether the books of another batch are replaced.
    ///   - run: the whole batch.
    init(pattern: OutputPattern, shard: Shard, replaces: Bool, run: RunFile) {
        self.pattern = pattern
        self.replaces = replaces
        self.run = run
        manifest = Manifest(shard: shard, folder: pattern.folder)
    }

    /// Finds out whether another batch is in the way.
    func check() throws(PipelineError) {
        if !replaces { try run.check(in: pattern.folder) }
    }

    /// Opens the books: writes what the batch is, and puts in order what an earlier run has left.
    ///
    /// - Parameter done: the lines of the images that are there.
    /// - Throws: `PipelineError` when they cannot be written, or are another batch's.
    func open(done: [ManifestLine]) throws(PipelineError) {
        try run.keep(in: pattern.folder, replaces: replaces)
        try manifest.settle(done)
    }

    /// The names of the files.
    var names: Set<String> { [RunFile.name, manifest.name] }

    /// The line of a target's image, but for what is known when it is there.
    func line(of target: SampleTarget, evaluations: Int, classes: ClassNames) -> ManifestLine {
        let item = target.record.items[0]
        return ManifestLine(
            index: target.index, file: pattern.nameInFolder(target.path ?? ""),
            class: classes.name(of: item.condition), item: item, evaluations: evaluations)
    }

    /// Enters an image.
    func enter(_ line: ManifestLine) throws(PipelineError) {
        try manifest.append(line)
    }

    /// Closes the books when all images are there.
    func close(done: [ManifestLine]) throws(PipelineError) {
        try manifest.settle(done)
    }
}
