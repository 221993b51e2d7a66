/// Names of tensors that bear the words of what a module was wrapped in when it was saved; Scripts/convert.py takes them
/// off.
enum WrappedNames {
    /// The words that PyTorch's and DeepSpeed's wrappers put into names, at any place.
    private static let words: Set<Substring> = [
        "module", "_orig_mod", "_fsdp_wrapped_module", "_forward_module", "_checkpoint_wrapped_module",
    ]

    /// The first of `names` that bears a wrapper's word.
    static func first(in names: [String]) -> String? {
        names.first { $0.split(separator: ".").contains(where: words.contains) }
    }

    /// The first of `names` that is the tensor `name`, but for a wrapper's words or something before it.
    static func first(standingFor name: String, in names: [String]) -> String? {
        names.first { found in
            guard found != name else { return false }
            let bare = found.split(separator: ".").filter { !words.contains($0) }.joined(separator: ".")
            return bare == name || bare.hasSuffix("." + name)
        }
    }
}
