import CCrypto

/// SHA-256 (FIPS 180-4) by the system's libcrypto, fed piece by piece.
///
/// It names weights, settings and files; nothing secret depends on it.
struct SHA256: ~Copyable {
    private let context: OpaquePointer

    /// The hash of an empty message.
    init() {
        // It fails only without memory or without SHA-256, which no build of libcrypto lacks.
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            preconditionFailure("libcrypto has no SHA-256")
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    /// The hash of `bytes` in 64 hexadecimal digits.
    static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        let hash = SHA256()
        Array(bytes).withUnsafeBytes { hash.update($0) }
        return hash.finish()
    }

    /// Appends `bytes` to the message.
    func update(_ bytes: UnsafeRawBufferPointer) {
        let status = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
        precondition(status == 1, "the hash has been finished")
    }

    /// Ends the message and returns its hash in 64 hexadecimal digits.
    consuming func finish() -> String {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        let status = EVP_DigestFinal_ex(context, &digest, &length)
        precondition(status == 1, "the hash has been finished")
        let digits = Array("0123456789abcdef".utf8)
        let text = digest.prefix(Int(length)).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }
}
