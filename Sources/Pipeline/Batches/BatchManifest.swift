/// The files that describe a batch beside its images: `run.json` for all shards, and a manifest for this one.
struct BatchManifest: Sendable {
    private let pattern: OutputPattern
    private let replaces: Bool
    private let run: RunFile
    private let manifest: Manifest

    /// - Parameters:
    ///   - pattern: the paths of the images.
    ///   - shard: the part that is made.
    ///   - replaces: whether the files of another batch are replaced.
    ///   - run: the whole batch.
    init(pattern: OutputPattern, shard: Shard, replaces: Bool, run: RunFile) {
        self.pattern = pattern
        self.replaces = replaces
        self.run = run
        manifest = Manifest(shard: shard, folder: pattern.folder)
    }

    /// The names of the files.
    var names: Set<String> { [RunFile.name, manifest.name] }

    /// Throws if the directory holds another batch.
    func check() throws(PipelineError) {
        if !replaces { try run.check(in: pattern.folder) }
    }

    /// Writes `run.json`, and puts in order the manifest that an earlier run has left.
    ///
    /// - Parameter done: the lines of the images that are there.
    /// - Throws: ``PipelineError`` when they cannot be written, or are another batch's.
    func open(done: [ManifestLine]) throws(PipelineError) {
        try run.keep(in: pattern.folder, replaces: replaces)
        try manifest.settle(done)
    }

    /// The line of a target's image, without what is known only once the file is written.
    func line(of target: SampleTarget, evaluations: Int, classes: ClassNames) -> ManifestLine {
        let item = target.record.items[0]
        return ManifestLine(
            index: target.index, file: pattern.nameInFolder(target.path ?? ""),
            class: classes.name(of: item.condition), item: item, evaluations: evaluations)
    }

    /// Adds an image that has been written.
    func append(_ line: ManifestLine) throws(PipelineError) { try manifest.append(line) }

    /// Puts the manifest in the list's order once all images are there.
    func close(done: [ManifestLine]) throws(PipelineError) { try manifest.settle(done) }
}
