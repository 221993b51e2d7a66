import Media

extension Batch {
    /// Where pictures and latents go, and what happens to files that are there.
    public struct Output: Sendable {
        /// The paths of the pictures.
        public var pattern: OutputPattern
        /// The format of the pictures.
        public var format: ImageFile.Format
        /// The columns of one grid of all images; nil for a file for each image.
        public var columns: Int?
        /// Whether other files at these paths are replaced.
        public var replaces = false
        /// Where the final latents of a single image go; nil for nowhere.
        public var latents: String?
        /// Whether `run.json` and the shard's manifest are written beside the images.
        public var keepsManifest = false
        /// Takes the picture in place of a file; the pattern is not used then.
        public var stream: (@Sendable ([UInt8]) throws -> Void)?
        /// The index of the first image, where the list is a part of a longer one.
        public var firstIndex = 0
        /// After every so many steps, a preview is written beside the picture; nil for never.
        public var previewInterval: Int?
        /// The frames a second that are asked for; nil for ``usualRate``.
        public var framesPerSecond: Int?
        /// The frames a second where none are asked for; nil for those of the model.
        public var usualRate: Int?

        /// Pictures at the paths of `pattern`.
        public init(pattern: OutputPattern, format: ImageFile.Format = .png) {
            self.pattern = pattern
            self.format = format
        }
    }
}

extension Batch.Output {
    /// What becomes of the frames that a model draws.
    enum Layout: Equatable {
        /// A picture of the only one.
        case still
        /// A clip of all.
        case clip(framesPerSecond: Int)
        /// A picture of a single clip's frames, side by side.
        case contactSheet
        /// A file for each.
        case numbered

        /// The rate of a clip; nil for pictures.
        var framesPerSecond: Int? {
            if case .clip(let framesPerSecond) = self { framesPerSecond } else { nil }
        }
    }

    /// How the frames are laid out in files.
    ///
    /// - Parameters:
    ///   - directory: the model.
    ///   - count: how many images or clips there are.
    /// - Returns: what becomes of the frames.
    /// - Throws: ``PipelineError/usage(_:)`` for files that cannot hold what the model draws.
    func layout(in directory: ModelDirectory, count: Int) throws(PipelineError) -> Layout {
        let frames = directory.latentShape.frames
        let (numbered, holdsClips) = (stream == nil && pattern.hasFrame, format == .apng || format == .y4m)
        func refuse(_ option: String, _ reason: String) -> PipelineError {
            .usage("--\(option): \(reason)")
        }
        let file = "output \(stream == nil ? pattern.text : "-")"
        if let framesPerSecond, !Clip.rates.contains(framesPerSecond) {
            throw refuse(
                "fps \(framesPerSecond)",
                "give the frames of a second, from \(Clip.rates.lowerBound) to \(Clip.rates.upperBound)")
        }
        func withoutRate(_ layout: Layout, _ reason: String) throws(PipelineError) -> Layout {
            if let framesPerSecond { throw refuse("fps \(framesPerSecond)", "\(reason); leave it out") }
            return layout
        }
        guard frames > 1 else {
            let images = "the model \(directory.name) draws images, not clips"
            if numbered { throw refuse(file, "{frame} is for the frames of a clip, and \(images); leave it out") }
            if holdsClips { throw refuse(file, "\(format.rawValue) is for clips, and \(images); write a .png or .ppm") }
            return try withoutRate(.still, images)
        }
        if columns != nil, count == 1 {
            guard !holdsClips, !numbered else {
                throw refuse(
                    file,
                    "--grid puts the frames of a single clip into one picture; write a .png or .ppm without {frame}")
            }
            return try withoutRate(.contactSheet, "--grid puts the frames of a single clip into one picture")
        }
        guard !numbered else {
            guard !holdsClips else {
                throw refuse(
                    file,
                    "{frame} makes a file of each frame, and \(format.rawValue) holds all of them; write .png or .ppm")
            }
            guard !keepsManifest else {
                throw refuse(
                    file, "a manifest lists one file for each clip; leave {frame} out, so that a PNG holds all")
            }
            return try withoutRate(.numbered, "files of single frames have no rate")
        }
        guard format != .ppm else {
            throw refuse(
                file,
                "a PPM holds one frame, and the model \(directory.name) draws clips of \(frames); add {frame} to the "
                    + "name, or write a .png or .y4m")
        }
        return .clip(framesPerSecond: framesPerSecond ?? usualRate ?? directory.framesPerSecond)
    }
}

extension ModelDirectory {
    /// The rate of the model's clips: its own, as far as a clip can have it, or else the usual one.
    package var framesPerSecond: Int {
        min(max(config.framesPerSecond ?? Clip.usualRate, Clip.rates.lowerBound), Clip.rates.upperBound)
    }
}
