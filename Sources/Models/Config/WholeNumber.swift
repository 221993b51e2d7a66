/// A whole number in JSON; an error about one that is not whole, or too large, names its key.
struct WholeNumber: Decodable {
    let value: Int

    init(from decoder: any Decoder) throws {
        let number = try decoder.singleValueContainer().decode(Double.self)
        guard let value = Int(exactly: number) else {
            throw ConfigProblem(
                "\(decoder.codingPath.last?.stringValue ?? "a number") is \(number), not a whole number")
        }
        self.value = value
    }
}
