//! Did you mean …? Finds the name that a misspelt one was meant to be.
//!
//! It only compares words; what may stand where is for the caller to know.

/// The candidate most like `word`, if one is so like it that it was probably meant:
/// the same but for case, about one slip in four letters away, or begun and not ended.
pub fn similar<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Names are short; a long word is a text that somebody forgot to quote, and
    // comparing it would cost time for nothing.
    const LONGEST: usize = 64;
    if word.is_empty() || word.len() > LONGEST {
        return None;
    }
    let lower = word.to_ascii_lowercase();
    let slips = (lower.chars().count() / 4).clamp(1, 3);
    let distance = |one: &str| {
        let one = one.to_ascii_lowercase();
        // Whoever stops typing in the middle of a name means that name.
        let begun = lower.len() > 3 && one.starts_with(&lower);
        if begun { 1 } else { strsim::osa_distance(&lower, &one) }
    };
    candidates
        .into_iter()
        .map(|one| (distance(one), one))
        .filter(|(distance, one)| *distance <= slips && *distance < one.chars().count())
        // Of two that are as near the shorter one, in whatever order they come.
        .min_by_key(|(distance, one)| (*distance, one.len(), *one))
        .map(|(_, one)| one)
}

#[cfg(test)]
mod tests {
    use super::similar;

    #[test]
    fn slips_are_forgiven_and_strangers_are_not() {
        let names = ["proc.name", "proc.pname", "fd.name", "and", "or", "contains"];
        let check = |word: &str, expected| assert_eq!(similar(word, names), expected, "{word}");
        check("adn", Some("and"));
        check("AND", Some("and"));
        check("contans", Some("contains"));
        check("proc.nmae", Some("proc.name"));
        check("procname", Some("proc.name"));
        check("fd.nam", Some("fd.name"));
        check("cont", Some("contains"));
        check("thread.tid", None);
        check("x", None);
        check("", None);
        check(&"a".repeat(10_000_000), None);
    }

    #[test]
    fn the_order_does_not_matter() {
        assert_eq!(similar("shel", ["shell by hand", "shell"]), Some("shell"));
        assert_eq!(similar("shel", ["shell", "shell by hand"]), Some("shell"));
        assert_eq!(similar("fd.nam", ["fd.namf", "fd.name"]), Some("fd.name"));
    }
}
