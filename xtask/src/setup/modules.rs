//! Picks kernel modules and what they depend on, in the order of loading.
//!
//! Each module names its dependencies itself, so no `depmod` is needed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::kernels::decompress;
use crate::files;
use crate::vm::kernel::{MODULES, Presence};

/// Copies the modules that the tests need out of a kernel's tree.
pub(super) fn collect(tree: &Path, into: &Path) -> Result<()> {
    let list = tree.join("modules.builtin");
    let list = files::read_text(&list)?;
    let mut picker =
        Picker { files: BTreeMap::new(), built_in: built_in(&list), picked: Vec::new() };
    index(&tree.join("kernel"), &mut picker.files)?;
    for (name, presence) in MODULES {
        picker.pick(name, presence)?;
    }
    files::make_folder(into)?;
    for (position, (name, module)) in picker.picked.iter().enumerate() {
        let file = into.join(format!("{position:02}-{name}.ko"));
        files::write(&file, module)?;
    }
    Ok(())
}

struct Picker {
    files: BTreeMap<String, PathBuf>,
    built_in: Vec<String>,
    picked: Vec<(String, Vec<u8>)>,
}

impl Picker {
    fn pick(&mut self, name: &str, presence: Presence) -> Result<()> {
        if self.built_in.iter().any(|other| other == name)
            || self.picked.iter().any(|(other, _)| other == name)
        {
            return Ok(());
        }
        let Some(file) = self.files.get(name) else {
            if presence == Presence::Optional {
                return Ok(());
            }
            bail!("the kernel has no module {name}");
        };
        let module = decompress(file)?;
        for dependency in dependencies(&module) {
            self.pick(&dependency, Presence::Required)
                .with_context(|| format!("{name} depends on {dependency}"))?;
        }
        self.picked.push((name.to_owned(), module));
        Ok(())
    }
}

/// A module's name: its file without folder and endings, in the kernel's
/// spelling.
fn name_of(file: &str) -> String {
    let file = file.rsplit('/').next().unwrap_or(file);
    let end = file.find(".ko").unwrap_or(file.len());
    file.get(..end).unwrap_or(file).replace('-', "_")
}

fn built_in(list: &str) -> Vec<String> {
    list.lines().map(name_of).collect()
}

fn index(folder: &Path, found: &mut BTreeMap<String, PathBuf>) -> Result<()> {
    for path in files::list(folder)? {
        if path.is_dir() {
            index(&path, found)?;
        } else {
            found.insert(name_of(&path.to_string_lossy()), path);
        }
    }
    Ok(())
}

/// The modules that have to be loaded before this one: the value of `depends=`
/// among the NUL-terminated strings of its section `.modinfo`.
fn dependencies(module: &[u8]) -> Vec<String> {
    let names = module.split(|byte| *byte == 0).find_map(|text| text.strip_prefix(b"depends="));
    String::from_utf8_lossy(names.unwrap_or_default())
        .split(',')
        .filter(|name| !name.is_empty())
        .map(name_of)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{dependencies, name_of};

    #[test]
    fn names_are_spelt_as_the_kernel_does() {
        let check = |file, expected: &str| assert_eq!(name_of(file), expected);
        check("veth.ko.xz", "veth");
        check("kernel/net/netfilter/nf-tables.ko", "nf_tables");
        check("libcrc32c", "libcrc32c");
    }

    #[test]
    fn a_module_names_what_it_needs() {
        let check = |module: &[u8], expected: &[&str]| assert_eq!(dependencies(module), expected);
        check(b"ELF\0license=GPL\0depends=stp,llc\0retpoline=Y\0", &["stp", "llc"]);
        check(b"\0depends=virtio-ring\0", &["virtio_ring"]);
        check(b"\0depends=\0name=x\0", &[]);
        check(b"no modinfo", &[]);
    }
}
