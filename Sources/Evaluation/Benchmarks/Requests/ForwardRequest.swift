import FoundationEssentials
import Pipeline

/// One forward that is asked for, as a line of JSON: `{"branches": 2, "call": 10}`. What a line leaves out stays as the
/// line before had it.
public struct ForwardRequest: Decodable, Equatable, Sendable {
    /// 2 for a guided forward, 1 for that of the conditional branch.
    public var branches: Int?
    /// The model call of a run of ``ForwardService/steps`` steps.
    public var call: Int?
    /// The class of the image.
    public var label: Int?
    /// A safetensors file with the latents.
    public var latents: String?
    /// The safetensors file that the outputs are written to, whatever is there; nil for none. Holds for this line alone.
    public var output: String?

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case branches
        case call
        case label = "class"
        case latents
        case output
    }

    /// Reads a line.
    ///
    /// - Parameters:
    ///   - line: a JSON object.
    ///   - number: the line's number, from 1.
    /// - Throws: ``PipelineError/badData(_:)`` for a line that is not a request, or says something that no request says.
    public init(line: String, number: Int) throws(PipelineError) {
        let keys = CodingKeys.allCases.map(\.rawValue)
        let data = Data(line.utf8)
        guard let names = try? JSONDecoder().decode([String: Anything].self, from: data).keys,
            let request = try? JSONDecoder().decode(Self.self, from: data)
        else {
            throw .badData("standard input, line \(number): not a request; write {\"branches\": 2, \"call\": 10}")
        }
        if let unknown = names.sorted().first(where: { !keys.contains($0) }) {
            throw .badData(
                "standard input, line \(number): no request has '\(unknown)'; write \(keys.joined(separator: ", "))")
        }
        self = request
    }

    /// A request that says nothing.
    static let empty = ForwardRequest()

    private init() {}

    /// What holds once `next` has been asked for after this one.
    func followed(by next: ForwardRequest) -> ForwardRequest {
        var request = next
        request.branches = next.branches ?? branches
        request.call = next.call ?? call
        request.label = next.label ?? label
        return request
    }

    /// A value of which only its key matters.
    private struct Anything: Decodable {
        init(from decoder: any Decoder) {}
    }
}
