import Foundation
import Testing

@testable import CommandLine

/// What people type, and mean.
@Suite struct TypedTests {
    @Test(arguments: [
        ("sampel", "'sample'"), ("Sample", "'sample'"), ("samples", "'sample'"), ("calib", "'calibrate'"),
        ("bnech", "'bench'"), ("comparison", "'compare'"), ("infos", "'info'"),
    ])
    func `a misspelt subcommand is suggested`(typed: String, meant: String) throws {
        let place = try Workplace()
        let result = try place.start([typed]).wait()
        result.expectFailure(64)
        #expect(
            result.errorText.contains("'\(typed)' is not a subcommand; did you mean \(meant)?"), "\(result.errorText)")
    }

    @Test func `a word that is like no subcommand gets their list, and an option is left to sample`() throws {
        let place = try Workplace()
        let result = try place.start(["teapot", "--steps", "5"]).wait()
        result.expectFailure(64)
        #expect(result.errorText.contains("there are sample, calibrate, plan"), "\(result.errorText)")
        let other = try place.start(["--stepz", "5"]).wait()
        other.expectFailure(64, "omnicache sample --help")
        try place.start(["plan", "--stepz", "5"]).wait().expectFailure(64, "omnicache plan --help")
        #expect(other.errorText.contains("stepz") && !other.errorText.contains("subcommand"), "\(other.errorText)")
    }

    @Test(arguments: [
        ("50%", 0.5), ("0.5", 0.5), ("29%", 0.29), ("33.3%", 0.333), ("100%", 1), ("5e1%", 0.5), ("12.5 %", 0.125),
        ("0%", 0), ("150%", 1.5), ("-5%", -0.05),
    ])
    func `a share may be in per cent`(text: String, value: Double) {
        #expect(Share(argument: text)?.value == value)
    }

    @Test(arguments: ["%", "50%%", "a%", "50 percent", "", "%50"])
    func `what is no share is refused`(text: String) {
        #expect(Share(argument: text) == nil)
    }

    @Test func `a budget in per cent makes the same image, and lists and windows take it`() throws {
        let place = try Workplace()
        let base = ["--class", "owl", "--seed", "1", "--steps", "8", "--planner", "uniform"]
        try place.start(place.sampling(base + ["-q", "--budget", "0.5", "-o", "a.png"])).wait().expectSuccess()
        try place.start(place.sampling(base + ["-q", "--budget", "50%", "-o", "b.png"])).wait().expectSuccess()
        #expect(try place.bytes("a.png") == place.bytes("b.png"))
        try place.start(place.sampling(base + ["-q", "--budget", "75%", "--reuse-window", "10%:90%", "-o", "c.png"]))
            .wait().expectSuccess()
        for refused in ["0%", "150%", "1.5", "0"] {
            let result = try place.start(place.sampling(base + ["--budget", refused])).wait()
            result.expectFailure(64)
            #expect(result.errorText.contains("budget"), "\(result.errorText)")
        }
    }
}
