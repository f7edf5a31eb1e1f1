//! The rules that come with Landlord, inside of the program.

use crate::rules::load::SourceFile;

macro_rules! own {
    ($($name:literal)+) => {
        /// Names and texts, in the order of the names.
        const OWN: &[(&str, &str)] = &[$((
            concat!("landlord/rules/", $name),
            include_str!(concat!("../../../rules/", $name)),
        )),+];
    };
}

own! {
    "00-vocabulary.yaml"
    "container-escape.yaml"
    "credentials.yaml"
    "cross-tenant.yaml"
    "crypto-mining.yaml"
    "discovery.yaml"
    "drift.yaml"
    "evasion.yaml"
    "impact.yaml"
    "kernel.yaml"
    "network.yaml"
    "persistence.yaml"
    "privileges.yaml"
    "shells.yaml"
}

/// The files, as if they had been read.
#[must_use]
pub fn own_rules() -> Vec<SourceFile> {
    OWN.iter().map(|(name, text)| SourceFile::new(name, *text)).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::OWN;

    #[test]
    fn every_rule_file_is_inside() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| Path::new(name).extension().is_some_and(|it| it == "yaml"))
            .map(|name| format!("landlord/rules/{name}"))
            .collect();
        files.sort_unstable();
        let inside: Vec<&str> = OWN.iter().map(|(name, _)| *name).collect();
        assert_eq!(inside, files);
    }
}
