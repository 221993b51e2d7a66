extension [String] {
    /// What is wrong with names from a file that holds them under `key`; nil where they can be shown.
    ///
    /// A name is printed, stored in images and made into file names: one that steers terminals or ends texts early is
    /// refused as it is read, not when an image has been sampled.
    package func unprintable(in key: String) -> ConfigProblem? {
        for (index, name) in enumerated() {
            guard let scalar = name.unprintable else { continue }
            let digits = String(scalar.value, radix: 16, uppercase: true)
            let code = "U+" + String(repeating: "0", count: Swift.max(0, 4 - digits.count)) + digits
            return ConfigProblem(
                "\(key)[\(index)] holds the control character \(code); give a name that can be printed")
        }
        return nil
    }
}
