import Foundation
import Testing

@testable import Models

/// One of the tokenizers that `Scripts/golden/unigram.py` made, with lines and their tokens.
struct GoldenTokenizer: CustomTestStringConvertible, Sendable {
    /// The folder.
    let path: String

    static let all = ["nfkc", "casefold", "bytes", "symbols", "rules", "json", "json-2021"].map {
        GoldenTokenizer(name: $0)
    }

    init(name: String) {
        self.init(path: (Bundle.module.resourceURL?.path ?? "") + "/Golden/tokenizers/\(name)")
    }

    init(path: String) {
        self.path = path
    }

    var testDescription: String { URL(filePath: path).lastPathComponent }

    func load() throws -> UnigramTokenizer { try UnigramTokenizer(directory: path) }

    /// What `expected.json` holds.
    struct Expected: Decodable {
        let lines: [String]
        let ids: [[Int32]]
    }

    func expected() throws -> Expected {
        try JSONDecoder().decode(Expected.self, from: Data(contentsOf: URL(filePath: "\(path)/expected.json")))
    }

    /// The file's name and its bytes.
    func file() throws -> (name: String, bytes: [UInt8]) {
        let name = FileManager.default.fileExists(atPath: "\(path)/spiece.model") ? "spiece.model" : "tokenizer.json"
        return (name, Array(try Data(contentsOf: URL(filePath: "\(path)/\(name)"))))
    }
}
