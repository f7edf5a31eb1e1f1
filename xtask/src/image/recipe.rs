//! Reads what a Containerfile says of the finished image.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};

/// How containers of the image are started, and what it says of itself.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Recipe {
    pub(super) labels: BTreeMap<String, String>,
    /// As `NAME=value`.
    pub(super) environment: Vec<String>,
    pub(super) user: String,
    pub(super) entry_point: Vec<String>,
    pub(super) command: Vec<String>,
}

impl Recipe {
    /// Reads the lines; what only an engine does while it builds is passed over, and
    /// what is not known is an error.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut recipe = Self::default();
        let lines = text.lines().map(str::trim);
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "FROM" if rest == "scratch" => {}
                "ARG" | "COPY" => {}
                "LABEL" => {
                    let (name, value) = rest.split_once('=').context("LABEL without a value")?;
                    recipe.labels.insert(name.to_owned(), value.trim_matches('"').to_owned());
                }
                "ENV" => recipe.environment.push(rest.to_owned()),
                "USER" => rest.clone_into(&mut recipe.user),
                "ENTRYPOINT" => {
                    recipe.entry_point =
                        serde_json::from_str(rest).context("not a list in JSON")?;
                }
                "CMD" => {
                    recipe.command = serde_json::from_str(rest).context("not a list in JSON")?;
                }
                _ => bail!("`{line}` is not understood"),
            }
        }
        Ok(recipe)
    }
}

#[cfg(test)]
mod tests {
    use super::Recipe;

    #[test]
    fn what_the_image_says_of_itself() {
        let text = "# c\nFROM scratch\nARG A\nCOPY x /\nLABEL a.b=\"c d\"\nENV P=/x\nUSER 0:0\n\
                    ENTRYPOINT [\"/x\"]\nCMD [\"run\"]\n";
        let recipe = Recipe::parse(text).unwrap();
        assert_eq!(recipe.labels["a.b"], "c d");
        assert_eq!(recipe.environment, ["P=/x"]);
        assert_eq!((recipe.user.as_str(), recipe.entry_point.len()), ("0:0", 1));
        assert_eq!(recipe.command, ["run"]);
    }

    #[test]
    fn what_is_not_known_is_refused() {
        let check = |text: &str, expected: &str| {
            assert_eq!(format!("{:#}", Recipe::parse(text).unwrap_err()), expected);
        };
        check("RUN apt-get install x", "`RUN apt-get install x` is not understood");
        check("FROM debian", "`FROM debian` is not understood");
        check("LABEL x", "LABEL without a value");
    }
}
