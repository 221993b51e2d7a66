/// Whose output is looked at: that of one guidance branch, or the guided sum that moves the state.
public enum GuidanceOutput: String, CaseIterable, Codable, Sendable {
    /// u + g (c − u).
    case guided
    /// c, of the branch that is told the class.
    case conditional
    /// u, of the branch with the null class.
    case unconditional
}
