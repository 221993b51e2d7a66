/// What a tokenizer is made of, as one of its files says.
struct TokenizerParts {
    let vocabulary: UnigramVocabulary
    let preparation: any TextPreparation
    /// Texts that have an id of their own wherever they stand; none of a `spiece.model`.
    var added: [AddedToken] = []
    /// The token after the last one.
    let end: Int32
}

/// Why a file is no tokenizer that can be used, with what to do about it.
struct TokenizerProblem: Error {
    let reason: String
}
