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
                files are skipped.
                """, valueName: "pattern"))
    var output: String?

    @Option(help: "The file format. Default: that of the file extension, else png.")
    var format: ImageFile.Format?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Put all images into one picture, with this many columns.", valueName: "columns"))
    var grid: Int?

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
        return format ?? byName ?? .png
    }

    /// Extensions of formats that omnicache does not write.
    private static let otherFormats: Set = ["jpg", "jpeg", "gif", "webp", "bmp", "tif", "tiff", "avif", "pgm"]

    /// The pattern of the paths.
    func pattern(format: ImageFile.Format, isGrid: Bool, isList: Bool) throws -> OutputPattern {
        let stem = isGrid ? "grid-{seed}" : isList ? "{index}" : "{class}-{seed}"
        return try OutputPattern(output ?? "\(stem).\(format.rawValue)")
    }
}

extension ImageFile.Format: ExpressibleByArgument {}
