import Reports

extension HTMLTable.Cell {
    /// A mean, and the interval around it, if there is one.
    static func mean(_ mean: Double, _ interval: MeanInterval?, digits: Int, suffix: String = "") -> Self {
        .number(mean, digits: digits, margin: interval?.half ?? 0, suffix: suffix)
    }
}

extension MeanInterval {
    /// What ± says in a table.
    static let legend = "±: the interval of 95 % around a mean, over the images (Student's t; of a difference, paired)."
}
