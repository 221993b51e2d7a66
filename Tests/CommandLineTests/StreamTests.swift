import Foundation
import Testing

/// Streams that are closed, and names that are no texts.
@Suite struct StreamTests {
    private let place: Workplace

    init() throws {
        place = try Workplace()
    }

    /// Runs a command whose reader has closed its end before it begins; returns what it says, and its exit code.
    private func piped(_ arguments: String) throws -> String {
        try place.shell("{ sleep 0.3; \"$OMNICACHE\" \(arguments); echo $? >&2; } | true").errorText
    }

    @Test(arguments: [
        "--help", "--version", "info", "info \"$TINY\" --log json", "sample --help",
        "sample --model \"$TINY\" --steps 1 --seed 1 -o -", "sample --model \"$TINY\" --steps 1 --seed 1 --dry-run",
        "plan --budget 0.5 -o -", "bench --model \"$TINY\" --forwards --repeats 1 --log json",
        "--generate-completion-script bash",
    ])
    func `a command whose reader has gone away ends as others do, without a word`(arguments: String) throws {
        #expect(try piped(arguments) == "\(128 + SIGPIPE)\n")
    }

    @Test func `images are made even if nobody reads their paths, or sees how far they are`() throws {
        #expect(try piped("sample --model \"$TINY\" --steps 1 --seed 1 --count 3 -o '{seed}.png'") == "0\n")
        #expect(place.files == ["1.png", "2.png", "3.png"])
        try place.shell(
            "{ sleep 0.3; \"$OMNICACHE\" --model \"$TINY\" --steps 1 --seed 4 -v -o 4.png 2>&1 >/dev/null; "
                + "echo $? >code; } | true"
        ).expectSuccess()
        #expect(try place.bytes("code") == Data("0\n".utf8))
    }

    @Test func `what is told never ends in a file that takes the place of a closed stream`() throws {
        let run = "\"$OMNICACHE\" sample --model \"$TINY\" --steps 1 -v"
        try place.shell("\(run) --seed 1 -o whole.png 2>/dev/null").expectSuccess()
        let whole = try place.bytes("whole.png")
        for (name, closed) in [("out", ">&-"), ("error", "2>&-"), ("both", ">&- 2>&-"), ("in", "<&- 2>/dev/null")] {
            let result = try place.shell("\(run) --seed 1 -o \(name).png \(closed)")
            #expect(result.status == (closed.hasPrefix(">") ? 74 : 0), "\(name)")
            #expect(try place.bytes("\(name).png") == whole)
        }
    }

    @Test(arguments: [
        #"sample --model "$TINY" --steps 1 --seed 1 -o "$(printf 'a\377.png')""#, #"info "$(printf 'm\376')""#,
        #"sample --model "$(printf '\300\257')" --seed 1"#, #"plan --budget 0.5 -o "$(printf '\355\240\200.json')""#,
    ])
    func `a name that is not UTF-8 is refused, and no file gets another name`(arguments: String) throws {
        try place.shell("exec \"$OMNICACHE\" \(arguments)").expectFailure(64, "is not UTF-8", "\\x")
        #expect(place.files.isEmpty)
    }

    @Test func `a working directory that is not UTF-8 is refused`() throws {
        let script = #"mkdir "$(printf 'd\377')" && cd "$(printf 'd\377')" && exec "$OMNICACHE" "#
        try place.shell(script + #"sample --model "$TINY" --steps 1 --seed 1 -o a.png"#)
            .expectFailure(64, "working directory", "d\\xff")
        #expect(try place.shell("cd d* && exec \"$OMNICACHE\" --version").status == 0)
    }

    @Test func `beside names that are not UTF-8 a model is read, and weights of such a name are refused`() throws {
        try place.shell(
            #": > "$TINY/$(printf 'x\377.txt')"; exec "$OMNICACHE" info "$TINY" >/dev/null"#
        ).expectSuccess()
        try place.shell(
            #"mv "$TINY/model.safetensors" "$TINY/$(printf 'm\377.safetensors')"; exec "$OMNICACHE" info "$TINY""#
        ).expectFailure(65, ".safetensors", "not UTF-8")
    }
}
