/// How many times as fast a run is that leaves evaluations out.
public enum SpeedUp {
    /// A measured ratio of times, but no more than the evaluations can give: what is beyond is other work on the machine.
    ///
    /// - Parameters:
    ///   - measured: The slower run's seconds over the faster one's.
    ///   - full: The slower run's evaluations.
    ///   - spent: The faster run's evaluations.
    /// - Returns: The smaller of `measured` and `full` over `spent`.
    public static func possible(_ measured: Double, from full: Double, to spent: Double) -> Double {
        min(measured, spent > 0 ? full / spent : .infinity)
    }
}
