//! Makes the table of values in the chart's README; the words around it are its own.

use anyhow::{Context as _, Result};

use super::values::Entry;

const BEGIN: &str = "<!-- values, made from values.yaml: edit there -->\n";
const END: &str = "<!-- end of values -->";

/// Longer defaults are looked up where they can be read.
const LONGEST_DEFAULT: usize = 60;

/// The README with the table of these values.
pub(super) fn with_table(readme: &str, entries: &[Entry]) -> Result<String> {
    let (before, rest) = readme.split_once(BEGIN).context("README.md has no place for values")?;
    let (_, after) = rest.split_once(END).context("README.md's values do not end")?;
    Ok(format!("{before}{BEGIN}\n{}\n{END}{after}", table(entries)))
}

fn table(entries: &[Entry]) -> String {
    let mut table = "| value | meaning | default |\n|---|---|---|\n".to_owned();
    for entry in entries.iter().filter(|entry| !entry.about.is_empty()) {
        let about = entry.about.replace('|', "\\|");
        let default = match &entry.default {
            None => String::new(),
            Some(default) => match default.to_string() {
                long if long.len() > LONGEST_DEFAULT => "see `values.yaml`".to_owned(),
                short => format!("`{short}`"),
            },
        };
        table.push_str(&format!("| `{}` | {about} | {default} |\n", entry.name()));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::values::parse;
    use super::{BEGIN, END, with_table};

    #[test]
    fn the_table_replaces_the_one_before() {
        let entries = parse("g:\n  # A | b.\n  a: 1\n# Long.\nl: [aaaaaaaaaaaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb]\n").unwrap();
        let readme = format!("Top\n{BEGIN}\nold\n{END}\nBottom\n");
        let expected = format!(
            "Top\n{BEGIN}\n| value | meaning | default |\n|---|---|---|\n\
             | `g.a` | A \\| b. | `1` |\n| `l` | Long. | see `values.yaml` |\n\n{END}\nBottom\n"
        );
        assert_eq!(with_table(&readme, &entries).unwrap(), expected);
        assert!(with_table("no place", &entries).is_err());
    }
}
