//! Writes archives: a layer, and the image around it in the layout of the Open
//! Container Initiative, which containerd, CRI-O, Podman and Docker import.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::recipe::Recipe;

/// Bytes that are named by what they are.
pub(super) struct Blob {
    bytes: Vec<u8>,
    /// SHA-256 in hexadecimal.
    digest: String,
}

impl Blob {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        let digest = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { bytes, digest }
    }

    fn of(value: &Value) -> Self {
        Self::new(value.to_string().into_bytes())
    }

    fn named(&self) -> String {
        format!("sha256:{}", self.digest)
    }

    fn described(&self, kind: &str) -> Value {
        let kind = format!("application/vnd.oci.image.{kind}");
        json!({ "mediaType": kind, "digest": self.named(), "size": self.bytes.len() })
    }
}

/// A tar archive whose content is all that differs: everything belongs to root and is
/// as old as the epoch.
pub(super) struct Tar(tar::Builder<Vec<u8>>);

impl Default for Tar {
    fn default() -> Self {
        Self(tar::Builder::new(Vec::new()))
    }
}

impl Tar {
    pub(super) fn folder(&mut self, path: &str) -> Result<()> {
        let mut header = header(tar::EntryType::Directory, 0o755);
        self.0.append_data(&mut header, format!("{path}/"), &[][..]).context("a folder")
    }

    pub(super) fn file(&mut self, path: &str, bytes: &[u8], executable: bool) -> Result<()> {
        let mode = if executable { 0o755 } else { 0o644 };
        let mut header = header(tar::EntryType::Regular, mode);
        header.set_size(bytes.len() as u64);
        self.0.append_data(&mut header, path, bytes).context("a file")
    }

    pub(super) fn link(&mut self, path: &str, to: &str) -> Result<()> {
        self.0.append_link(&mut header(tar::EntryType::Symlink, 0o777), path, to).context("a link")
    }

    pub(super) fn end(self) -> Result<Vec<u8>> {
        self.0.into_inner().context("the end of an archive")
    }
}

fn header(kind: tar::EntryType, mode: u32) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(0);
    header
}

/// The archive of an image with one layer.
pub(super) fn oci(
    layer: &Blob,
    recipe: &Recipe,
    architecture: &str,
    name: &str,
) -> Result<Vec<u8>> {
    let config = Blob::of(&json!({
        "architecture": architecture,
        "os": "linux",
        "config": {
            "User": recipe.user,
            "Env": recipe.environment,
            "Entrypoint": recipe.entry_point,
            "Cmd": recipe.command,
            "Labels": recipe.labels,
        },
        "rootfs": { "type": "layers", "diff_ids": [layer.named()] },
    }));
    let manifest = Blob::of(&json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config.described("config.v1+json"),
        "layers": [layer.described("layer.v1.tar")],
    }));
    let mut described = manifest.described("manifest.v1+json");
    described["platform"] = json!({ "architecture": architecture, "os": "linux" });
    let tag = name.rsplit_once(':').map_or(name, |(_, tag)| tag);
    // containerd reads the whole name, others the tag.
    described["annotations"] =
        json!({ "io.containerd.image.name": name, "org.opencontainers.image.ref.name": tag });
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [described],
    });
    let mut tar = Tar::default();
    tar.folder("blobs")?;
    tar.folder("blobs/sha256")?;
    for blob in [&config, &manifest, layer] {
        tar.file(&format!("blobs/sha256/{}", blob.digest), &blob.bytes, false)?;
    }
    tar.file("index.json", index.to_string().as_bytes(), false)?;
    tar.file("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#, false)?;
    tar.end()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Read as _;

    use serde_json::Value;

    use super::super::recipe::Recipe;
    use super::{Blob, Tar, oci};

    fn layer() -> Blob {
        let mut tar = Tar::default();
        tar.folder("usr").unwrap();
        tar.file("usr/x", b"content", true).unwrap();
        tar.link("usr/y", "x").unwrap();
        Blob::new(tar.end().unwrap())
    }

    fn content(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
        let mut found = BTreeMap::new();
        for entry in tar::Archive::new(archive).entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().display().to_string();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            found.insert(path, bytes);
        }
        found
    }

    #[test]
    fn digests_are_those_of_sha256() {
        let check = |bytes: &[u8], expected: &str| {
            assert_eq!(Blob::new(bytes.to_vec()).digest[..16], *expected);
        };
        check(b"", "e3b0c44298fc1c14");
        check(b"abc", "ba7816bf8f01cfea");
    }

    #[test]
    fn every_name_leads_to_its_bytes() {
        let archive = oci(&layer(), &Recipe::default(), "amd64", "a/b:1").unwrap();
        let files = content(&archive);
        let follow = |described: &Value| {
            let digest = described["digest"].as_str().unwrap().replace("sha256:", "blobs/sha256/");
            let bytes = files[&digest].clone();
            assert_eq!(described["size"], bytes.len());
            assert_eq!(Blob::new(bytes.clone()).named(), described["digest"].as_str().unwrap());
            bytes
        };
        let index: Value = serde_json::from_slice(&files["index.json"]).unwrap();
        let manifest: Value = serde_json::from_slice(&follow(&index["manifests"][0])).unwrap();
        let config: Value = serde_json::from_slice(&follow(&manifest["config"])).unwrap();
        let layer = follow(&manifest["layers"][0]);
        assert_eq!(config["rootfs"]["diff_ids"][0], manifest["layers"][0]["digest"]);
        assert_eq!(content(&layer)["usr/x"], b"content");
        let name = &index["manifests"][0]["annotations"]["io.containerd.image.name"];
        assert_eq!(name, "a/b:1");
    }

    #[test]
    fn the_same_content_is_the_same_image() {
        let make = || oci(&layer(), &Recipe::default(), "amd64", "a:1").unwrap();
        assert!(make() == make());
    }
}
