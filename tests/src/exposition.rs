//! A page of metrics in OpenMetrics text, read strictly: what it says beside its samples
//! must be said in the right place, and nothing twice.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail, ensure};

/// Labels by their names.
pub type Labels = BTreeMap<String, String>;
/// The name of a sample, and its labels.
pub type Series = (String, Labels);

/// A page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// Metrics in the order of the page.
    pub families: Vec<Family>,
}

/// A metric.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Family {
    /// Its name, without what samples have at the end of theirs.
    pub name: String,
    /// `counter`, `gauge`, `info`.
    pub kind: String,
    /// Its unit; empty without one.
    pub unit: String,
    /// What it means.
    pub help: String,
    /// Its samples.
    pub samples: Vec<Sample>,
}

/// A sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Its name and labels.
    pub series: Series,
    /// Its value.
    pub value: f64,
    /// An example of what it counts, if there is one: its labels.
    pub exemplar: Option<Labels>,
}

impl Page {
    /// Reads a page.
    ///
    /// # Errors
    ///
    /// What is no OpenMetrics; the message has the line.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.strip_suffix("# EOF\n").context("the page does not end with `# EOF`")?;
        let mut page = Self::default();
        let (mut names, mut all) = (BTreeSet::new(), BTreeSet::new());
        for line in text.lines() {
            page.line(line, &mut names).with_context(|| format!("line `{line}`"))?;
            let sample = page.families.last().and_then(|family| family.samples.last());
            let is_sample = !line.starts_with('#');
            if let Some(sample) = sample.filter(|_| is_sample) {
                ensure!(all.insert(sample.series.clone()), "twice: `{line}`");
            }
        }
        Ok(page)
    }

    fn line(&mut self, line: &str, names: &mut BTreeSet<String>) -> Result<()> {
        let Some(words) = line.strip_prefix("# ") else {
            let sample = sample(line)?;
            let family = self.families.last_mut().context("a sample before any metric")?;
            let end = match family.kind.as_str() {
                "counter" => "_total",
                "info" => "_info",
                _ => "",
            };
            let expected = format!("{}{end}", family.name);
            ensure!(sample.series.0 == expected, "a sample of `{expected}` is expected");
            family.samples.push(sample);
            return Ok(());
        };
        let mut words = words.splitn(3, ' ');
        let (what, name) = (words.next(), words.next().context("no name")?);
        let said = words.next().context("nothing is said")?.to_owned();
        if self.families.last().is_none_or(|family| family.name != name) {
            ensure!(names.insert(name.to_owned()), "`{name}` comes again");
            self.families.push(Family { name: name.to_owned(), ..Family::default() });
        }
        let family = self.families.last_mut().context("just added")?;
        ensure!(family.samples.is_empty(), "said after the first sample");
        let place = match what {
            Some("TYPE") => &mut family.kind,
            Some("UNIT") => &mut family.unit,
            Some("HELP") => &mut family.help,
            _ => bail!("neither TYPE nor UNIT nor HELP"),
        };
        ensure!(place.is_empty(), "said twice");
        *place = said;
        Ok(())
    }

    /// All samples.
    pub fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.families.iter().flat_map(|family| &family.samples)
    }

    /// The values of all series.
    #[must_use]
    pub fn values(&self) -> BTreeMap<Series, f64> {
        self.samples().map(|sample| (sample.series.clone(), sample.value)).collect()
    }
}

/// `name{labels} value`, with `# {labels} value time` behind it of one with an exemplar.
fn sample(line: &str) -> Result<Sample> {
    let end = line.find(['{', ' ']).context("no value")?;
    let (name, rest) = line.split_at(end);
    let (labels, rest) = labels(rest)?;
    let rest = rest.strip_prefix(' ').context("no blank before the value")?;
    let (value, exemplar) = match rest.split_once(" # ") {
        None => (rest, None),
        Some((value, exemplar)) => {
            let (labels, rest) = self::labels(exemplar)?;
            let numbers: Vec<f64> =
                rest.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
            ensure!((1..=2).contains(&numbers.len()), "an exemplar has a value, and a time");
            (value, Some(labels))
        }
    };
    let value = value.parse().with_context(|| format!("`{value}` is no number"))?;
    Ok(Sample { series: (name.to_owned(), labels), value, exemplar })
}

/// `{a="b",c="d"}`, with `\` before what means something else, and what is behind it.
fn labels(text: &str) -> Result<(Labels, &str)> {
    let mut labels = Labels::new();
    let Some(mut rest) = text.strip_prefix('{') else { return Ok((labels, text)) };
    loop {
        if let Some(rest) = rest.strip_prefix('}') {
            return Ok((labels, rest));
        }
        let (name, behind) = rest.split_once("=\"").context("labels that do not end")?;
        let mut value = String::new();
        let mut letters = behind.char_indices();
        let end = loop {
            match letters.next().context("a label that does not end")? {
                (_, '\\') => match letters.next().context("nothing behind `\\`")?.1 {
                    'n' => value.push('\n'),
                    letter => value.push(letter),
                },
                (at, '"') => break at + 1,
                (_, letter) => value.push(letter),
            }
        };
        ensure!(labels.insert(name.to_owned(), value).is_none(), "`{name}` twice");
        rest = &behind[end..];
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::Page;

    const HEAD: &str = "# HELP a_seconds A.\n# TYPE a_seconds counter\n# UNIT a_seconds seconds\n";

    #[track_caller]
    fn check(samples: &str, expected: Result<&str, &str>) {
        let page = Page::parse(&format!("{HEAD}{samples}\n# EOF\n"));
        let shown = |page: Page| {
            let shown = page.samples().map(|it| {
                let exemplar =
                    it.exemplar.as_ref().map_or_else(String::new, |it| format!(" {it:?}"));
                format!("{:?} {}{exemplar}", it.series.1, it.value)
            });
            shown.collect::<Vec<_>>().join("; ")
        };
        let found = page.map(shown).map_err(|error| error.root_cause().to_string());
        assert_eq!(found, expected.map(str::to_owned).map_err(str::to_owned));
    }

    #[test]
    fn samples() {
        check("a_seconds_total 1.5", Ok("{} 1.5"));
        check(
            r#"a_seconds_total{x="1",y="a\"b\\c\nd, {}"} 1e-9"#,
            Ok(r#"{"x": "1", "y": "a\"b\\c\nd, {}"} 0.000000001"#),
        );
        check(r#"a_seconds_total 2 # {trace_id="0af7"} 1 1.7"#, Ok(r#"{} 2 {"trace_id": "0af7"}"#));
        check("a_seconds 1", Err("a sample of `a_seconds_total` is expected"));
        check("a_seconds_total 1\na_seconds_total 1", Err("twice: `a_seconds_total 1`"));
        check("a_seconds_total x", Err("invalid float literal"));
        check(r#"a_seconds_total{x="1} 1"#, Err("a label that does not end"));
        check("# TYPE a_seconds gauge", Err("said twice"));
    }

    #[test]
    fn a_page_is_whole() {
        assert!(Page::parse(HEAD).is_err());
        let page = Page::parse(&format!("{HEAD}# EOF\n")).unwrap();
        assert_eq!(page.families[0].unit, "seconds");
        assert_eq!(page.families[0].help, "A.");
    }
}
