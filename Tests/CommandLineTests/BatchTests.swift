import Foundation
import Reports
import Testing

/// Lists of images, their shards, and their manifests.
@Suite struct BatchTests {
    private let place: Workplace

    init() throws {
        place = try Workplace()
        for name in ["a", "b"] {
            try FileManager.default.createDirectory(atPath: "\(place.path)/\(name)", withIntermediateDirectories: false)
        }
    }

    private static let csv = "class,seed,steps,sampler\nowl,5,,\n\"hermit crab\",6,3,heun\n0,,,\n"
    private static let json = """
        {"class": "owl", "seed": 5}
        {"class": "hermit crab", "seed": 6, "steps": 3, "sampler": "heun"}
        {"class": 0}

        """

    private func pictures(in folder: String) throws -> [String: Data] {
        var result: [String: Data] = [:]
        for name in place.files where name.hasPrefix("\(folder)/") && !name.contains("manifest") {
            result[String(name.dropFirst(folder.count))] = try place.bytes(name)
        }
        return result
    }

    private func lines(_ name: String) throws -> [[String: Any]] {
        try String(decoding: place.bytes(name), as: UTF8.self).split(separator: "\n").map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
    }

    @Test func `CSV and JSON lines of one list make one set, each image as if alone`() throws {
        try place.write(Self.csv.utf8, to: "list.csv")
        try place.write(Self.json.utf8, to: "list.jsonl")
        try place.sample("--batch", "list.csv", "--seed", "40", "-o", "a/{index}.png").expectSuccess()
        try place.sample("--batch", "list.jsonl", "--seed", "40", "-o", "b/{index}.png").expectSuccess()
        #expect(try pictures(in: "a").count == 4)
        #expect(try pictures(in: "a") == pictures(in: "b"))
        try place.sample("--class", "2", "--seed", "6", "--steps", "3", "--sampler", "heun", "-o", "1.png")
            .expectSuccess()
        try place.sample("--class", "0", "--seed", "42", "-o", "2.png").expectSuccess()
        #expect(try place.bytes("1.png") == place.bytes("a/000001.png"))
        #expect(try place.bytes("2.png") == place.bytes("a/000002.png"))
    }

    @Test(arguments: [
        ("class,seed\nowl,1\nunicorn,2\n", "list:3:1: "), ("class,seed\nowl\n", "list:2:4: "),
        ("seed,colour\n1,red\n", "list:1:6: "), ("seed,steps\n1,0\n", "list:2:3: "),
        ("seed\n4294967296\n", "list:2:1: "),
        ("{\"seed\": 1}\n{\"seed\": [2]}\n", "list:2:10: "), ("{\"seed\": 1, \"help\": 1}\n", "list:1:13: "),
        ("{\"seed\": 1}\n\nnonsense\n", "list:3:1: "), ("", "list: "), ("seed\n", "list:1:1: "),
        ("seed,budget\n1,7\n", "list:2:"), ("seed,seed\n1,2\n", "list:1:6: "),
        ("seed,class\n5.5,1\n", "list:2:1: seed '5.5'"),
        ("seed;class\n\"1,000\";1\n", "list:2:1: seed '1,000'"),
        ("class,seed\n1,4.3E+09\n", "list:2:3: seed '4.3E+09'"),
        ("{\"seed\": 5.5}", "list:1:10: seed '5.5'"), ("{\"seed\": -1}", "list:1:10: seed '-1'"),
        ("[{\"seed\": \"1 000\"}]", "list:1:11: "),
        ("seed,steps\n1,5.5\n", "list:2:3: "), ("seed,class\n1,1.5\n", "list:2:3: "),
        ("class\n1\n", "list:2:1: no seed"),
        ("class,seed\n1,2\n1,\n", "list:3:1: no seed"), ("seed,cfg-scale\n1,\"1,5\"\n", "list:2:3: "),
    ])
    func `a list that makes no sense is refused with line and column`(text: String, place name: String) throws {
        try place.write(text.utf8, to: "list")
        try place.sample("--batch", "list").expectFailure(65, name)
        #expect(place.files == ["a", "b", "list"])
    }

    @Test(arguments: [
        "class;seed;steps\r\n2;5;\r\n1;1000;3\r\n", "Class\tSeed\tSteps\n2.0\t5.0\t\n1\t1e3\t3.0\n",
        "{\"class\": 2.0, \"seed\": 5.0}\n{\"class\": \"1\", \"seed\": 1e3, \"steps\": 3.0}",
        "[\n  {\"class\": 2, \"seed\": 5},\n  {\"class\": 1, \"seed\": 1000, \"steps\": \"3\"}\n]\n",
    ])
    func `lists of one content make one set, however they are written`(text: String) throws {
        try place.write("class,seed,steps\n2,5,\n1,1000,3\n".utf8, to: "plain")
        try place.write(text.utf8, to: "list")
        try place.sample("--batch", "plain", "-o", "a/{index}.png").expectSuccess()
        try place.sample("--batch", "list", "-o", "b/{index}.png").expectSuccess()
        #expect(try pictures(in: "a") == pictures(in: "b"))
    }

    @Test func `a batch whose manifest could not name its files is refused before it begins`() throws {
        for pattern in ["a/{index}/../x{index}.png", "a/x\\{index}.png", "a/{index}\n.png", "a/{index}//x.png"] {
            try place.sample("--seed", "1", "--manifest", "-o", pattern).expectFailure(64, "--output")
        }
        try place.sample("--seed", "1", "--manifest", "-o", "a/../b/{index}.png").expectSuccess()
    }

    @Test func `shards make together what one run makes, and need a seed`() throws {
        let options = ["--class", "all", "--seed", "1", "--count", "8"]
        try place.start(place.sampling(options + ["--manifest", "-o", "a/{index}.png"])).wait().expectSuccess()
        for shard in ["2/3", "0/3", "1/3"] {
            try place.start(place.sampling(options + ["--shard", shard, "-o", "b/{index}.png"])).wait().expectSuccess()
        }
        #expect(try pictures(in: "a") == pictures(in: "b"))
        #expect(try lines("b/manifest-1-of-3.jsonl").compactMap { $0["index"] as? Int } == [1, 4, 7])
        try place.sample("--count", "8", "--shard", "0/3").expectFailure(64, "--seed")
        for shard in ["3/3", "0/0", "-1/3", "1", "a/b", "1/2/3"] {
            try place.sample("--seed", "1", "--shard", shard).expectFailure(64, "--shard \(shard)")
        }
    }

    @Test(arguments: ["1", "2", "5"])
    func `images in flight change no byte and no order`(count: String) throws {
        let options = ["--class", "all", "--seed", "1", "--count", "9", "--threads", "2"]
        let one = try place.start(place.sampling(options + ["--in-flight", "1", "-o", "a/{index}.png"])).wait()
        let many = try place.start(place.sampling(options + ["--in-flight", count, "-o", "b/{index}.png"])).wait()
        one.expectSuccess()
        #expect(one.outputText.replacing("a/", with: "b/") == many.outputText)
        #expect(try pictures(in: "a") == pictures(in: "b"))
    }

    @Test func `a manifest says of each image what it is, and is mended`() throws {
        let run = place.sampling(["--seed", "3", "--count", "3", "--manifest", "-o", "a/{index}.png"])
        try place.start(run).wait().expectSuccess()
        let whole = try place.bytes("a/manifest-0-of-1.jsonl")
        let first = try #require(try lines("a/manifest-0-of-1.jsonl").first)
        #expect(first["file"] as? String == "000000.png" && first["seed"] as? Int == 3)
        #expect(first["evaluations"] as? Int == 4 && first["seconds"] is Double)
        #expect(
            try place.shell("sha256sum < a/000000.png").outputText.prefix(64) == (first["sha256"] as? String ?? "")[...]
        )
        try place.write(whole.dropLast(30) + Data("\n{\"torn".utf8), to: "a/manifest-0-of-1.jsonl")
        try place.start(run).wait().expectSuccess()
        let mended = try lines("a/manifest-0-of-1.jsonl")
        #expect(mended.compactMap { $0["index"] as? Int } == [0, 1, 2])
        #expect(mended[2]["seconds"] == nil && (mended[2]["sha256"] as? String)?.count == 64)
    }

    @Test func `another batch in the directory is refused, with what differs`() throws {
        let run = place.sampling(["--seed", "3", "--count", "4", "--shard", "0/2", "-o", "a/{index}.png"])
        try place.start(run).wait().expectSuccess()
        let made = place.files
        try place.sample("--seed", "3", "--count", "4", "--shard", "1/2", "-o", "a/{index}.png", "--steps", "3")
            .expectFailure(73, "run.json", "2 steps, not 3")
        try place.sample("--seed", "3", "--count", "5", "--shard", "1/2", "-o", "a/{index}.png")
            .expectFailure(73, "4 images, not 5")
        #expect(place.files == made)
    }

    @Test func `a file that is cut short is no image, and orphaned temporaries go`() throws {
        let run = place.sampling(["--seed", "3", "--count", "2", "-o", "a/{index}.png"])
        try place.start(run).wait().expectSuccess()
        try place.write("half".utf8, to: "a/.000000.png.4711.abc.tmp")
        try place.write("mine".utf8, to: "a/.other.png.4711.abc.tmp")
        try place.start(run).wait().expectSuccess()
        #expect(place.files == ["a", "a/.other.png.4711.abc.tmp", "a/000000.png", "a/000001.png", "b"])
        try place.write(place.bytes("a/000001.png").dropLast(), to: "a/000001.png")
        try place.start(run).wait().expectFailure(73, "a/000001.png")
    }
}
