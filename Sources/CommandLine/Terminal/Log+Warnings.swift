import Pipeline

extension Log {
    /// Says that a model's own scheduler would make other images of these settings, where it would.
    ///
    /// - Returns: whether there was something to say.
    @discardableResult
    func warn(of settings: SampleSettings, on directory: ModelDirectory) -> Bool {
        guard let departure = directory.departure(of: settings) else { return false }
        message("warning: \(departure)")
        return true
    }
}
