import Media
import Pipeline

/// Finds the files of a request's images.
struct TargetPlan {
    let directory: ModelDirectory
    let output: OutputOptions
    let format: ImageFile.Format
    let pattern: OutputPattern
    let decoder: DecoderSource?
    let subjects: SampleSubjects
    let shard: Shard
    /// Makes the record of a target: its images, their variant, and the columns of a grid.
    let record: ([SampleItem], Int, Int?) -> ImageRecord

    /// The targets of the shard.
    ///
    /// - Parameter columns: those of a grid of all images; nil for a file each.
    /// - Returns: one for each of its images, or one for the grid.
    /// - Throws: `PipelineError.usage` when two images of the whole list would be one file.
    func targets(columns: Int?) throws -> [SampleTarget] {
        let items = subjects.items
        if let columns {
            guard (1...10_000).contains(columns) else {
                throw PipelineError.usage("--grid \(columns): give a number of columns from 1 to 10000")
            }
            try decoder?.check(
                directory.latentShape, count: items.count, columns: columns,
                padding: SampleRequest.gridPadding)
            return [target(items, 0, columns: columns)]
        }
        guard !output.usesStandardOutput || items.count == 1 else {
            throw PipelineError.usage("--output - writes one image, not \(items.count); give --count 1 or --grid")
        }
        try checkPaths()
        return items.indices.filter(shard.contains).map { target([items[$0]], $0) }
    }

    /// Every image of the list with its file, seen from the pattern's directory.
    ///
    /// - Throws: `PipelineError.usage` when a manifest could not name a file.
    func files() throws(PipelineError) -> [RunFile.Image] {
        var files: [RunFile.Image] = []
        files.reserveCapacity(subjects.items.count)
        for (index, item) in subjects.items.enumerated() {
            let name = pattern.nameInFolder(path(of: item, index))
            guard UntrustedFolder.isPlain(name) else {
                throw .usage(
                    "--output \(pattern.text): the books of a batch list plain names, without '..', backslashes and "
                        + "control characters after the first placeholder's directory; choose another name")
            }
            files.append((name, item, subjects.variant(of: index)))
        }
        return files
    }

    /// Other shards' images count, too: all of them go to one place.
    private func checkPaths() throws(PipelineError) {
        guard subjects.items.count > 1 else { return }
        var owner: [String: Int] = [:]
        owner.reserveCapacity(subjects.items.count)
        for (index, item) in subjects.items.enumerated() {
            let path = path(of: item, index)
            guard let other = owner.updateValue(index, forKey: path) else { continue }
            throw .usage(
                "--output \(pattern.text): images \(other) and \(index) would both be \(path); add {seed} or {index}")
        }
    }

    private func target(_ items: [SampleItem], _ index: Int, columns: Int? = nil) -> SampleTarget {
        let picture: SampleTarget.Picture
        if decoder == nil {
            picture = .none
        } else if output.usesStandardOutput {
            picture = .standardOutput
        } else {
            picture = .file(ImageFile(path: path(of: items[0], index), format: format, replaces: output.force))
        }
        let variant = subjects.variant(of: index)
        return SampleTarget(
            index: index, variant: variant, record: record(items, variant, columns), picture: picture,
            latents: output.saveLatents.map { LatentFile(path: $0, replaces: output.force) })
    }

    private func path(of item: SampleItem, _ index: Int) -> String {
        pattern.path(for: item, index: index, classNames: directory.classes)
    }
}
