import Foundation
import Models
import Testing

/// Directories whose names mean something to a shell, to GNU parallel, to Slurm or to a pattern, through every script.
@Suite struct NastyNamesTests {
    private let place: Workplace

    /// Programs in the place of others, and the scripts and the binary under names of that kind, too.
    init() throws {
        place = try Workplace()
        let result = try place.shell(
            #"""
            mkdir programs "./$HOME_NAME" && cp -R "$SCRIPTS" "./$HOME_NAME/Scripts" \
                && ln -s "$OMNICACHE" "./$HOME_NAME/$BINARY_NAME"
            """#, environment: environment)
        try #require(result.status == 0, "\(result.errorText)")
        try place.write(Self.sbatch.utf8, to: "programs/sbatch")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(place.path)/programs/sbatch")
    }

    /// Does with a job array what Slurm does, after it has looked at what Slurm would read otherwise.
    private static let sbatch = #"""
        #!/bin/sh
        set -eu
        for word in "$@"; do
            case $word in
                --array=0-*) last=${word#--array=0-} ;;
                --output=/dev/null) ;;
                --output=*) case ${word%slurm-%A_%a.log} in *[%\\]*) exit 9 ;; esac ;;
            esac
            wrap=$word
        done
        printf '#!/bin/sh\n# This script was created by sbatch --wrap.\n\n%s\n' "$wrap" >programs/job
        if grep -q "$(printf '\r')\$" programs/job; then exit 9; fi
        for task in $(seq 0 "$last"); do
            SLURM_ARRAY_JOB_ID=7 SLURM_ARRAY_TASK_ID=$task sh programs/job
        done
        """#

    private var environment: [String: String] {
        [
            "SCRIPTS": "\(Installation.repository)/Scripts",
            "HOME_NAME": "-it's {= system(q(touch pwned)) =} $(touch pwned)\n",
            "BINARY_NAME": "omni {} {#} '\"`touch pwned`\n",
        ]
    }

    /// Names, each of them a folder in the one before it.
    static let names: [[String]] = [
        ["-dash", "--force", "-n", "a b", " lead", "trail ", "it's", "''", "\"q\"", "back\\slash", "\\"],
        [
            "$(touch pwned)", "`touch pwned`", "a;touch pwned", "&touch pwned", "|touch pwned", "${HOME}", "$1", "<in>",
            "#", "!x",
        ],
        ["{index}", "{class}", "{seed}", "{}", "{.}", "{/}", "{#}", "{%}", "{1}", "{+}", "}{", "{{", "}}", "{", "}"],
        [
            "{= system(q(touch pwned)) =}", "{=1 $_=qx(touch pwned) =}", "¯<system(q(touch pwned))¯>", "{= =", ":::",
            "::::", "\u{AF}<",
        ],
        [
            "%j", "%a", "%A_%a", "%%", "%", "%5j", "\\%j", "%u%N%x", "#SBATCH --array=0-9999",
            "\n#SBATCH --array=0-9999\n",
        ],
        ["new\nline", "\n", "tab\t", "return\r", "dos\r\nline", "\u{1}", "\u{1B}[31m", "\u{7F}", "last\n"],
        ["*", "?", "[a-z]", "~", "~root", "e\u{301}é", "\u{301}mark", "'\u{301}", "😀", "a=b", "...", "nul", "..."],
    ]

    /// Runs a script on `folder`, with a list of a name of that kind, and expects three images and no other trace.
    private func expectSet(
        _ script: String, _ options: String, in folder: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let list = "-\(folder.split(separator: "/").last ?? "") list.csv"
        try place.write("class,seed\nowl,5\n2,6\n0,7\n".utf8, to: list)
        let result = try place.shell(
            #"""
            PATH="$PWD/programs:$PATH" OMNICACHE="$PWD/$HOME_NAME/$BINARY_NAME" exec "./$HOME_NAME/Scripts/$SCRIPT" \#(options) \
                -d "$FOLDER" -- --model "$TINY" --steps 2 --batch="$LIST" --quiet
            """#, environment: environment.merging(["SCRIPT": script, "FOLDER": folder, "LIST": list]) { $1 })
        #expect(result.status == 0, "\(result.errorText)\(logs)", sourceLocation: sourceLocation)
        let expected = (0..<3).map { "\(folder)/00000\($0).png" }
        #expect(pictures == expected, "\(logs)", sourceLocation: sourceLocation)
        #expect(!isPwned, sourceLocation: sourceLocation)
    }

    private var pictures: [String] { place.files.filter { $0.hasSuffix(".png") } }

    /// Whether a command in a name was run.
    private var isPwned: Bool { place.files.contains { URL(filePath: $0).lastPathComponent == "pwned" } }

    /// What tasks of the array have said.
    private var logs: String {
        place.files.filter { $0.hasSuffix(".log") }.compactMap { try? String(decoding: place.bytes($0), as: UTF8.self) }
            .joined()
    }

    @Test(arguments: names)
    func `batch.sh makes its images in the directory of any name`(names: [String]) throws {
        try expectSet("batch.sh", "-p 2", in: names.joined(separator: "/"))
    }

    @Test(arguments: names)
    func `slurm.sh submits an array for the directory of any name`(names: [String]) throws {
        try expectSet("slurm.sh", "-n 2", in: names.joined(separator: "/"))
        #expect(place.files.contains("\(names.joined(separator: "/"))/slurm-7_1.log"))
    }

    @Test(.enabled(if: has("parallel"), parallelIsMissing), arguments: names)
    func `parallel.sh makes its images in the directory of any name, and runs nothing in it`(names: [String]) throws {
        try expectSet("parallel.sh", "-n 2 -j 1", in: names.joined(separator: "/"))
    }

    @Test(.enabled(if: has("python3"), "Python is not installed"), arguments: names)
    func `collect.sh and compare find a set in the directory of any name`(names: [String]) throws {
        let folder = names.joined(separator: "/")
        try FileManager.default.createDirectory(atPath: "\(place.path)/\(folder)", withIntermediateDirectories: true)
        try expectSet("batch.sh", "-p 1", in: folder)
        let extra = environment.merging(["FOLDER": folder]) { $1 }
        let check = try place.shell(#"exec "$SCRIPTS/collect.sh" -- "$FOLDER""#, environment: extra)
        check.expectSuccess()
        #expect(check.outputText == "3 images, all as their manifests say\n")
        let analysis = try place.shell(#"exec "$OMNICACHE" analyze --quiet -- "$FOLDER""#, environment: extra)
        #expect(analysis.status == 0, "\(analysis.errorText)")
    }

    @Test(arguments: ["batch.sh", "slurm.sh"])
    func `a dry run prints one line that does the same when a shell reads it`(script: String) throws {
        try expectDryRun(of: script)
    }

    @Test(.enabled(if: has("parallel"), parallelIsMissing))
    func `a dry run of parallel.sh prints one line that does the same when a shell reads it`() throws {
        try expectDryRun(of: "parallel.sh")
    }

    private func expectDryRun(of script: String) throws {
        let folder = "-it's {index} {= system(q(touch pwned)) =} $(touch pwned) %j \\ \"\r\n*"
        let dry = try place.shell(
            #"exec "$SCRIPTS/$SCRIPT" --dry-run -d "$FOLDER" -- --model "$TINY" --steps 2 --seed 1 --count 2 --quiet"#,
            environment: environment.merging(["SCRIPT": script, "FOLDER": folder]) { $1 })
        dry.expectSuccess()
        try place.write(dry.output, to: "commands")
        let run = try place.shell(
            #"mkdir "./$FOLDER" && PATH="$PWD/programs:$PATH" exec sh commands"#, environment: ["FOLDER": folder])
        #expect(run.status == 0, "\(run.errorText)")
        #expect(pictures == (0..<2).map { "\(folder)/00000\($0).png" })
        #expect(!isPwned)
    }

    @Test func `a directory without a name is refused`() throws {
        for script in ["batch.sh", "slurm.sh", "parallel.sh"] {
            let result = try place.shell(
                #"exec "$SCRIPTS/$SCRIPT" -d '' -- --seed 1"#,
                environment: environment.merging(["SCRIPT": script]) { $1 })
            #expect(result.status == 64 && result.errorText.contains("give a directory"))
        }
    }

    @Test func `a shell reads every word back as it is`() throws {
        let words = Self.names.flatMap(\.self) + ["", "a=b", "'", "''\u{301}'", "\\'", "$'a'", "a\nb\n"]
        for word in words {
            let result = try place.shell("printf %s \(word.quotedForShell)")
            #expect(result.output == Data(word.utf8), "\(word.debugDescription)")
        }
    }

    private static let parallelIsMissing: Comment = "GNU parallel is not installed; 'make scripts-tools' does that"

    /// Whether a program is installed.
    private static func has(_ program: String) -> Bool {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
            FileManager.default.isExecutableFile(atPath: "\($0)/\(program)")
        }
    }
}
