/// Settings hashes of many images that differ in class and seed only, at a fraction of the cost of one record each.
public struct SettingsHasher: Sendable {
    private static let noItems = "\"items\":[]"

    private let head: [UInt8]
    private let tail: [UInt8]

    /// A hasher for single images made as `record` says, whatever its items.
    public init(_ record: ImageRecord) {
        let template = ImageRecord(
            model: record.model, settings: record.settings, items: [], columns: record.columns,
            initialNoise: record.initialNoise, reuse: record.reuse, decoder: record.decoder)
        let text = String(decoding: ImageRecord.canonical(template.hashed), as: UTF8.self)
        // Quotes within texts are escaped, so this can only be the record's own key.
        let parts = text.split(separator: Self.noItems, maxSplits: 1, omittingEmptySubsequences: false)
        precondition(parts.count == 2, "a record without items")
        head = Array("\(parts[0])\"items\":[".utf8)
        tail = Array("]\(parts[1])".utf8)
    }

    /// The ``ImageRecord/settingsHash`` of the record with this item alone.
    public func hash(of item: SampleItem) -> String {
        SHA256.hexadecimal(head + ImageRecord.canonical(item) + tail)
    }
}
