import Compute

/// The memory that looking at a picture takes, known before it is decoded: a small file may declare a huge one.
struct DecodedMemory {
    /// Of a sample of 8 bits: it once filtered and once as it is, and as two planes of floats while it is measured.
    private static let bytesPerSample = 16
    /// What is so small that nobody has to ask.
    private static let unasked = 64 << 20

    private let size: (width: Int, height: Int, channels: Int)
    private var bytes: Int { size.width * size.height * size.channels * Self.bytesPerSample }

    /// - Parameter size: what the file's header declares, already within the limits of the format's reader.
    init(_ size: (width: Int, height: Int, channels: Int)) {
        self.size = size
    }

    /// Finds out whether the picture fits the free memory beside its peers.
    ///
    /// - Parameters:
    ///   - path: the file, for the message.
    ///   - peers: how many pictures are looked at side by side.
    ///   - free: the memory that is free, in bytes.
    /// - Throws: ``PipelineError/badData(_:)`` when it does not.
    func check(path: String, peers: Int, free: @autoclosure () -> Int = SystemMemory.now.free) throws(PipelineError) {
        guard bytes > Self.unasked else { return }
        let share = free() / max(1, peers)
        guard bytes > share else { return }
        throw .badData(
            "\(path): a picture of \(size.width)x\(size.height) takes \(bytes >> 20) MB to look at, and \(share >> 20) MB are free "
                + "for each of \(peers) at a time; "
                + (peers > 1 ? "give --threads 1, or make it smaller" : "make it smaller"))
    }
}
