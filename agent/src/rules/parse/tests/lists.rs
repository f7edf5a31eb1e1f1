//! What the names of lists become.

use crate::rules::parse::lists::{MAX_GROWTH, Substituted, substitute};

fn items_of(name: &str) -> Option<&'static [String]> {
    static LISTS: std::sync::LazyLock<Vec<(&str, Vec<String>)>> = std::sync::LazyLock::new(|| {
        let list = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect();
        vec![
            ("two", list(&["a", "b"])),
            ("one", list(&["x"])),
            ("none", list(&[])),
            ("empty", list(&[""])),
            ("blanks", list(&["a b", "'c d'", "\"e f\"", "g"])),
            ("large", vec!["0123456789".repeat(10); 100]),
        ]
    });
    LISTS.iter().find(|(one, _)| *one == name).map(|(_, items)| items.as_slice())
}

fn substituted(text: &str) -> Substituted {
    substitute(text, &items_of).unwrap()
}

#[test]
fn names_become_items_wherever_they_stand() {
    let check = |text: &str, expected: &str| assert_eq!(substituted(text).text, expected, "{text}");
    check("p.n in (two)", "p.n in ( a, b )");
    check("p.n in (two, one)", "p.n in ( a, b , x )");
    check("p.n in (c,two)", "p.n in (c, a, b )");
    check("p.n in ( two )", "p.n in ( a, b )");
    check("p.n in two", "p.n in a, b ");
    check("two", "a, b ");
    check("p.n=one", "p.n= x ");
    check("p.n = 'the two of them'", "p.n = 'the a, b of them'");
    check("p.n = 'the  two   of them'", "p.n = 'the a, b of them'");
    check("p.n in (blanks)", "p.n in ( \"a b\", 'c d', \"e f\", g )");
    // Only whole words between borders count.
    check(
        "p.n in (two.one, /two, twofold, two-one, 'two', [two])",
        "p.n in (two.one, /two, twofold, two-one, 'two', [two])",
    );
    check("p.n in (unknown)", "p.n in (unknown)");
    check("", "");
    check(" two ", "a, b ");
    check("größe in (one)", "größe in ( x )");
}

#[test]
fn an_empty_list_takes_a_comma_with_it() {
    let check = |text: &str, expected: &str| assert_eq!(substituted(text).text, expected, "{text}");
    check("p.n in (none)", "p.n in (  )");
    check("p.n in (none, b)", "p.n in (   b)");
    check("p.n in (a, none)", "p.n in (a  )");
    check("p.n in (a, none, b)", "p.n in (a  , b)");
    check("p.n in (a, empty)", "p.n in (a  )");
    check("p.n in (none, none)", "p.n in (  )");
    check("p.n in (a , none , b)", "p.n in (a   , b)");
    check("none", " ");
}

#[test]
fn used_lists_are_told() {
    let used = substituted("p.n in (two, one, two) and p.n != nine").used;
    assert_eq!(used.into_iter().collect::<Vec<_>>(), ["one", "two"]);
}

#[test]
fn places_are_found_again_in_the_original() {
    let text = "größe in (two) and p.n = one or q";
    let now = substituted(text);
    let check = |found: &str, expected: &str| {
        let start = now.text.find(found).unwrap();
        let span = now.origin_span(&(start..start + found.len()));
        assert_eq!(&text[span.clone()], expected, "{found} in {}", now.text);
        assert_eq!(now.origin(start), span.start, "{found}");
    };
    check("größe", "größe");
    check("a, b", "two");
    check("b", "two");
    check("b ) and p", "two) and p");
    check(") and", ") and");
    check("p.n = x", "p.n = one");
    check("or q", "or q");
    let end = now.text.len();
    assert_eq!(now.origin(end), text.len());
    assert_eq!(now.origin_span(&(end..end)), text.len()..text.len());
    assert_eq!(now.origin(usize::MAX), text.len());
}

#[test]
fn lists_cannot_fill_the_memory() {
    let problem = substitute(&"large,".repeat(MAX_GROWTH / 1000), &items_of).unwrap_err();
    assert_eq!(problem.message, "with `large` the lists of the condition get too long");
}

#[test]
fn ten_megabytes_take_no_time() {
    let text = "one,".repeat(2_500_000);
    assert_eq!(substituted(&text).text.len(), 2_500_000 * 4 - 1);
    let text = " ".repeat(10_000_000);
    assert_eq!(substituted(&text).text, text);
    let text = "none,".repeat(2_000_000);
    assert!(substituted(&text).text.len() < text.len());
}
