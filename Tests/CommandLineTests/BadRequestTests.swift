import Foundation
import Testing

/// What a person can ask for wrongly: one line, the right exit code, and nothing left behind.
@Suite struct BadRequestTests {
    @Test(arguments: [
        (["--bogus"], ["--bogus", "--help"]),
        (["extra"], ["extra"]),
        (["--class", "hermitcrab"], ["'hermitcrab'", "did you mean 'hermit crab'?"]),
        (["--class", "0,oul"], ["'oul'", "did you mean 'owl'?"]),
        (["--class", "3"], ["--class 3", "0 to 2"]),
        (["--class=-1"], ["-1"]),
        (["--class", "1 2"], ["'1 2'"]),
        (["--class", "99999999999999999999"], ["99999999999999999999"]),
        (["--class", "a\nb"], ["a\\u{a}b"]),
        (["--class", ""], ["--class"]),
        (["--steps", "0"], ["steps is 0", "1 to 1000"]),
        (["--steps", "-5"], ["steps is -5", "1 to 1000"]),
        (["--steps", "1001"], ["steps is 1001", "1 to 1000"]),
        (["--steps", "many"], ["--steps", "many"]),
        (["--cfg-scale", "nan"], ["guidance scale", "nan"]),
        (["--guidance-scale", "inf"], ["guidance scale", "inf"]),
        (["--eta", "1.5"], ["eta is 1.5", "0 to 1"]),
        (["--eta", "-0.5"], ["eta is -0.5", "0 to 1"]),
        (["--sampler", "euler", "--eta", "1"], ["euler", "eta"]),
        (["--sampler", "magic"], ["magic", "ddim"]),
        (["--clip", "0"], ["clip", "positive"]),
        (["--count", "0"], ["--count 0"]),
        (["--count", "-1"], ["--count -1"]),
        (["--count", "4294967296"], ["--count 4294967296"]),
        (["--count", "9223372036854775807"], ["--count"]),
        (["--seed", "4294967295", "--count", "2"], ["--seed 4294967295", "2^32"]),
        (["--seed", "4294967296"], ["--seed", "4294967296"]),
        (["--seed", "-1"], ["--seed", "-1"]),
        (["--threads", "0"], ["--threads 0"]),
        (["--grid", "0"], ["--grid 0"]),
        (["--count", "2", "--save-latents", "l.safetensors"], ["--save-latents", "--count 1"]),
        (["--save-latents", "a.png", "-o", "a.png"], ["--save-latents a.png", "same path"]),
        (["--save-latents", "-"], ["--save-latents -", "a file"]),
        (["--class", "0", "--negative-prompt", "red"], ["--negative-prompt", "draws classes"]),
        (["--class", "0", "--prompt", "a fox"], ["--prompt", "draws classes"]),
        (["--class", "all,1"], ["'all'", "alone"]),
        (["--last-step-size", "0.1"], ["ddim has no last step size"]),
        (["--steps", "1", "--budget", "0.5"], ["nothing to reuse"]),
    ])
    func `a request that makes no sense is refused with 64`(options: [String], texts: [String]) throws {
        let place = try Workplace()
        let result = try place.start(place.sampling(options)).wait()
        result.expectFailure(64)
        for text in texts { #expect(result.errorText.contains(text), "'\(text)' in: \(result.errorText)") }
        #expect(place.files.isEmpty)
    }

    @Test func `the last seed of all is below 2^32`() throws {
        let place = try Workplace()
        try place.sample("--seed", "4294967294", "--count", "2", "--class", "0").expectSuccess()
        #expect(place.files == ["red-fox-4294967294.png", "red-fox-4294967295.png"])
    }

    @Test(arguments: ["missing/image.png", "file/image.png", "/proc/image.png", "/proc/nothing/image.png"])
    func `a place where no file can be made is refused with 73`(path: String) throws {
        let place = try Workplace()
        try place.write([], to: "file")
        try place.sample("--seed", "1", "-o", path).expectFailure(73, path)
        try place.sample("--seed", "1", "-o", "a.png", "--save-latents", path).expectFailure(73, path)
        #expect(place.files == ["file"])
    }

    @Test func `a directory in the output's place is refused with 73, even with --force`() throws {
        let place = try Workplace()
        try FileManager.default.createDirectory(atPath: "\(place.path)/a.png", withIntermediateDirectories: false)
        try place.sample("--seed", "1", "-o", "a.png", "--force").expectFailure(73, "a.png")
        #expect(place.files == ["a.png"])
    }

    @Test func `a full device is an input/output error`() throws {
        let place = try Workplace()
        try place.sample("--seed", "1", "-o", "/dev/full").expectFailure(74, "/dev/full", "No space left")
        try place.sample("--seed", "1", "-o", "-", outputPath: "/dev/full").expectFailure(74, "No space left")
        try place.run("info", outputPath: "/dev/full").expectFailure(74, "No space left")
        try place.run("--help", outputPath: "/dev/full").expectFailure(74, "No space left")
        #expect(place.files.isEmpty)
    }

    @Test func `a file beyond the size limit leaves nothing behind`() throws {
        let place = try Workplace()
        let run = "\"$OMNICACHE\" --steps 1 --seed 1 --class 0 -t 1 -o big.ppm"
        try place.shell("ulimit -f 1; exec \(run)").expectFailure(74, "big.ppm")
        #expect(place.files.isEmpty)
        try place.shell("exec \(run)").expectSuccess()
        #expect(place.files == ["big.ppm"])
    }
}
