/// How wide the numbers of the large weight matrices are in memory; results do not depend on it.
public enum WeightPrecision: String, CaseIterable, Sendable {
    /// 32 bits: fastest. Files of 32 bits are used as they lie, and so shared between processes.
    case float32
    /// As wide as in the file: those of 16 bits are used as they lie and widened panel by panel while computing.
    case stored
}
