//! `landlord docs`: reference pages, made from what the program itself goes by.

use std::io::Write;

use anyhow::Result;
use clap::{Args, CommandFactory as _, Subcommand};

/// Print a page of the reference, or another file that follows from the program
#[derive(Args, Debug)]
#[command(hide = true)]
pub(super) struct Docs {
    #[command(subcommand)]
    page: Page,
}

#[derive(Debug, Subcommand)]
enum Page {
    /// The command line, docs/cli.md
    Cli,
    /// The configuration, docs/configuration.md
    Config,
    /// The metrics, docs/metrics.md
    Metrics,
    /// The fields of rules, docs/fields.md
    Fields,
    /// The definition of the resource Tenant, charts/landlord/crds/tenants.landlord.dev.yaml
    Crd,
}

pub(super) fn run(flags: &Docs, out: &mut impl Write) -> Result<()> {
    let page = match flags.page {
        Page::Cli => cli(),
        Page::Config => crate::config::markdown(),
        Page::Metrics => crate::usage::catalogue::markdown(),
        Page::Fields => crate::rules::field::reference::markdown(),
        Page::Crd => crate::identity::kubernetes::tenant_crd::definition()?,
    };
    out.write_all(page.as_bytes())?;
    Ok(())
}

const INTRODUCTION: &str = "\
# Command line

<!-- Made by `landlord docs cli`; a test fails when it is not current. -->
";

/// The command line, one section a command.
fn cli() -> String {
    let mut page = INTRODUCTION.to_owned();
    let mut root = super::Cli::command().term_width(90);
    root.build();
    section(&mut page, root, "landlord");
    page
}

fn section(page: &mut String, mut command: clap::Command, name: &str) {
    let help = command.render_long_help().to_string();
    *page += &format!("\n## {name}\n\n```text\n{}\n```\n", without_trailing_space(&help));
    for child in command.get_subcommands().filter(|child| !child.is_hide_set()) {
        // Global options are told once, at the top.
        let child = child.clone().mut_args(|arg| {
            let told = arg.is_global_set();
            arg.hide(told)
        });
        let name = format!("{name} {}", child.get_name());
        section(page, child, &name);
    }
}

fn without_trailing_space(text: &str) -> String {
    text.trim_end().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::cli;

    #[test]
    fn committed_page_is_current() {
        let committed = include_str!("../../../docs/cli.md");
        assert!(cli() == committed, "make it anew: cargo run -- docs cli > docs/cli.md");
    }
}
