//! Parts of an image's name.
//!
//! A name is `[registry[:port]/]path[:tag][@digest]`. It never asks a registry
//! and fills in no defaults: what is not written is `None`.

use super::ContainerFacts;

/// An image's name, taken apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ImageName<'a> {
    pub(super) repository: Option<&'a str>,
    pub(super) tag: Option<&'a str>,
    pub(super) digest: Option<&'a str>,
}

impl<'a> ImageName<'a> {
    /// Takes a name apart. A bare digest or id names no repository.
    pub(super) fn parse(name: &'a str) -> Self {
        if is_digest(name) {
            return Self { digest: Some(name), ..Self::default() };
        }
        let (name, digest) = match name.split_once('@') {
            Some((name, digest)) => (name, some(digest)),
            None => (name, None),
        };
        // The port of a registry has a slash after it, a tag has not.
        let (repository, tag) = match name.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, some(tag)),
            _ => (name, None),
        };
        Self { repository: some(repository), tag, digest }
    }
}

impl ContainerFacts {
    /// Image without tag and digest: `registry.example:5000/team/web`.
    #[must_use]
    pub fn image_repository(&self) -> Option<&str> {
        ImageName::parse(self.image.as_deref()?).repository
    }

    /// Tag of the image, when the image was asked for by one.
    #[must_use]
    pub fn image_tag(&self) -> Option<&str> {
        ImageName::parse(self.image.as_deref()?).tag
    }

    /// Digest of the image in its registry, `sha256:…`: the runtime's word, or else
    /// the digest that the image was asked for by.
    #[must_use]
    pub fn image_digest(&self) -> Option<&str> {
        self.image_digest.as_deref().or_else(|| {
            let name = ImageName::parse(self.image.as_deref()?);
            // Without a repository it is the id of a local image, not a registry's digest.
            name.repository.and(name.digest)
        })
    }
}

/// `sha256:` and at least 32 hex digits; some runtimes name images so.
pub(super) fn is_digest(text: &str) -> bool {
    text.split_once(':').is_some_and(|(algorithm, hex)| {
        matches!(algorithm, "sha256" | "sha384" | "sha512")
            && hex.len() >= 32
            && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEX: &str = "sha256:d977378f890d445c15e51795296e4e5062f109ce6da83e0a355fc4ad8699d270";

    #[test]
    fn names_are_taken_apart() {
        let check = |name: &str, expected: (Option<&str>, Option<&str>, Option<&str>)| {
            let facts =
                ContainerFacts { image: Some(name.to_owned()), ..ContainerFacts::default() };
            let found = (facts.image_repository(), facts.image_tag(), facts.image_digest());
            assert_eq!(found, expected, "{name}");
        };
        check("nginx", (Some("nginx"), None, None));
        check("nginx:1.25", (Some("nginx"), Some("1.25"), None));
        check(
            "docker.io/library/nginx:1.25",
            (Some("docker.io/library/nginx"), Some("1.25"), None),
        );
        check("localhost:5000/web", (Some("localhost:5000/web"), None, None));
        check("localhost:5000/a/web:v2", (Some("localhost:5000/a/web"), Some("v2"), None));
        check("[::1]:5000/web:v2", (Some("[::1]:5000/web"), Some("v2"), None));
        check(&format!("quay.io/a/b@{HEX}"), (Some("quay.io/a/b"), None, Some(HEX)));
        check(&format!("r:80/b:t@{HEX}"), (Some("r:80/b"), Some("t"), Some(HEX)));
        // An id is not a name.
        check(HEX, (None, None, None));
        check("", (None, None, None));
        check(":", (None, None, None));
        check("@", (None, None, None));
        check("a:", (Some("a"), None, None));
        check("a@", (Some("a"), None, None));
    }

    #[test]
    fn digest_of_the_runtime_comes_first() {
        let facts = ContainerFacts {
            image: Some("web@sha256:00".to_owned()),
            image_digest: Some(HEX.to_owned()),
            ..ContainerFacts::default()
        };
        assert_eq!(facts.image_digest(), Some(HEX));
    }

    proptest! {
        #[test]
        fn parts_put_together_give_the_name(
            repository in "[a-z.]{1,8}(:[0-9]{2})?/[a-z/]{0,8}[a-z]",
            tag in proptest::option::of("[A-Za-z0-9_.-]{1,8}"),
            digest in proptest::option::of("sha256:[0-9a-f]{64}"),
        ) {
            let mut name = repository.clone();
            if let Some(tag) = &tag { name = format!("{name}:{tag}"); }
            if let Some(digest) = &digest { name = format!("{name}@{digest}"); }
            let parts = ImageName::parse(&name);
            prop_assert_eq!(parts.repository, Some(repository.as_str()));
            prop_assert_eq!(parts.tag, tag.as_deref());
            prop_assert_eq!(parts.digest, digest.as_deref());
        }

        #[test]
        fn any_text_is_taken(name in ".{0,40}") {
            let parts = ImageName::parse(&name);
            prop_assert!(parts.repository != Some("") && parts.tag != Some(""));
        }
    }
}
