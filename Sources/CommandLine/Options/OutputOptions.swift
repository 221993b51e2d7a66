import ArgumentParser
import Pipeline

/// Where the images go.
struct OutputOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The path of each image. {class}, {prompt}, {seed} and {index} are filled in, {{ and }} stand for braces; '-' is "
                + "standard output.",
            discussion: """
                Default: {class}-{seed}.png, or grid-{seed}.png with --grid, or {index}.png with --batch. Identical \
                files are skipped. A clip is one animated PNG; {frame} makes a file of each frame, .y4m a video for \
                other programs.
                """, valueName: "pattern"))
    var output: String?

    @Option(help: "The file format. Default: that of the file extension, else png.")
    var format: ImageFile.Format?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Put all images into one picture, with this many columns.",
            discussion:
                "Clips play side by side in one clip. Of a single clip, the frames stand side by side in a still.",
            valueName: "columns"))
    var grid: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The frames of a clip that are shown in a second. Default: the model's, or 8.", valueName: "n"))
    var fps: Int?

    @Flag(help: "Overwrite existing files.")
    var force = false

    @Option(
        help: ArgumentHelp("Start from the noise in this safetensors file instead of the seed's.", valueName: "file"))
    var initNoise: String?

    @Option(
        help: ArgumentHelp("Write the final latents of a single image to this safetensors file.", valueName: "file"))
    var saveLatents: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Every n steps, write a preview beside the image, as .preview.png.",
            discussion: "The model's tiny decoder draws it, if there is one. It is removed when the image is done.",
            valueName: "n"))
    var previewEvery: Int?

    /// Whether the picture goes to standard output.
    var usesStandardOutput: Bool { output == "-" }

    /// The format that was asked for, or that of the file extension.
    func resolvedFormat() throws -> ImageFile.Format {
        let ending = output.flatMap { path in
            path.lastIndex(of: ".").map { path[path.index(after: $0)...].lowercased() }
        }
        let byName = ending.flatMap(ImageFile.Format.init)
        if let format, let byName, format != byName {
            throw PipelineError.usage(
                "--format \(format.rawValue) contradicts the extension of --output \(output ?? ""); change one of them")
        }
        if let ending, format == nil, byName == nil, Self.otherFormats.contains(ending) {
            throw PipelineError.usage("--output \(output ?? ""): cannot write \(ending); name a .png or .ppm file")
        }
        if let ending, format == nil, byName == nil, Self.videoFormats.contains(ending) {
            throw PipelineError.usage(
                "--output \(output ?? ""): cannot write \(ending); name a .png or .y4m file, or pipe --format y4m -o - to "
                    + "ffmpeg")
        }
        return format ?? byName ?? .png
    }

    /// Extensions of formats that omnicache does not write.
    private static let otherFormats: Set = ["jpg", "jpeg", "gif", "webp", "bmp", "tif", "tiff", "avif", "pgm"]
    private static let videoFormats: Set = ["mp4", "m4v", "mkv", "webm", "mov", "avi", "ogv", "mpg"]

    /// The pattern of the paths.
    func pattern(format: ImageFile.Format, isGrid: Bool, isList: Bool) throws -> OutputPattern {
        let stem = isGrid ? "grid-{seed}" : isList ? "{index}" : "{class}-{seed}"
        return try OutputPattern(output ?? "\(stem).\(format.rawValue)")
    }
}

extension ImageFile.Format: ExpressibleByArgument {}
