//! Offsets of structure members, from the kernel's own type information.
//!
//! rustc emits no CO-RE relocations, so the sensors get their offsets from here
//! when they are loaded. Reads the format of `Documentation/bpf/btf.rst`
//! (version 1) and nothing but what offsets need; it never relocates code.

use std::path::Path;

use super::KernelError;

/// Where the kernel shows its type information.
pub const KERNEL_BTF: &str = "/sys/kernel/btf/vmlinux";

const MAGIC: u16 = 0xeb9f;

/// Kinds that matter here, by their number in the format.
mod kind {
    pub(super) const POINTER: u32 = 2;
    pub(super) const ARRAY: u32 = 3;
    pub(super) const STRUCT: u32 = 4;
    pub(super) const UNION: u32 = 5;
    pub(super) const TYPEDEF: u32 = 8;
    pub(super) const VOLATILE: u32 = 9;
    pub(super) const CONST: u32 = 10;
    pub(super) const PROTOTYPE: u32 = 13;
    pub(super) const TYPE_TAG: u32 = 18;
}

/// The kernel's type information.
pub struct KernelBtf {
    data: Vec<u8>,
    strings: usize,
    /// Where each type stands in `data`, by type id; id 0 is `void`.
    types: Vec<u32>,
}

impl KernelBtf {
    /// Reads the running kernel's type information.
    ///
    /// # Errors
    ///
    /// When the file cannot be read (no `CONFIG_DEBUG_INFO_BTF`) or understood.
    pub fn load(path: &Path) -> Result<Self, KernelError> {
        let bad = |reason: String| KernelError::Btf { path: path.to_owned(), reason };
        let data = std::fs::read(path).map_err(|error| bad(error.to_string()))?;
        Self::parse(data).ok_or_else(|| bad("damaged or of an unknown version".to_owned()))
    }

    /// Indexes type information; `None` when it is cut short or not BTF.
    #[must_use]
    pub fn parse(data: Vec<u8>) -> Option<Self> {
        let magic = u16::from_ne_bytes(data.get(..2)?.try_into().ok()?);
        if magic != MAGIC {
            return None;
        }
        let header = usize::try_from(word(&data, 4)?).ok()?;
        let start = header.checked_add(usize::try_from(word(&data, 8)?).ok()?)?;
        let end = start.checked_add(usize::try_from(word(&data, 12)?).ok()?)?;
        let strings = header.checked_add(usize::try_from(word(&data, 16)?).ok()?)?;
        let mut types = vec![0];
        let mut at = start;
        while at < end {
            types.push(u32::try_from(at).ok()?);
            at = at.checked_add(12)?.checked_add(extra_bytes(word(&data, at + 4)?)?)?;
        }
        (at == end && end <= data.len()).then_some(Self { data, strings, types })
    }

    /// Byte offset of `path` (members joined by dots) in the structure `name`.
    /// Members of anonymous structures and unions are found through them.
    #[must_use]
    pub fn offset(&self, name: &str, path: &str) -> Option<u32> {
        let mut at = self.structure(name)?;
        let mut bits = 0;
        let mut rest = path;
        loop {
            let (member, tail) = rest.split_once('.').unwrap_or((rest, ""));
            let (offset, type_id) = self.member(at, member, 0)?;
            bits += offset;
            if tail.is_empty() {
                return Some(bits / 8);
            }
            at = self.resolve(type_id)?;
            rest = tail;
        }
    }

    /// Size of the member `path` of the structure `name` in bytes; `None` also when it
    /// is not a structure or an array of characters.
    #[must_use]
    pub fn member_size(&self, name: &str, path: &str) -> Option<u32> {
        let (_, type_id) = self.member(self.structure(name)?, path, 0)?;
        let at = self.resolve(type_id)?;
        match kind_of(word(&self.data, at + 4)?) {
            kind::STRUCT | kind::UNION => word(&self.data, at + 8),
            kind::ARRAY => {
                let element = self.resolve(word(&self.data, at + 12)?)?;
                let one = word(&self.data, element + 8)? == 1;
                one.then(|| word(&self.data, at + 20)).flatten()
            }
            _ => None,
        }
    }

    /// Size of the structure `name` in bytes.
    #[must_use]
    pub fn size(&self, name: &str) -> Option<u32> {
        word(&self.data, self.structure(name)? + 8)
    }

    /// Number of parameters of the function type that the name `handler` stands for
    /// a pointer to, as the kernel's `btf_trace_` names do.
    #[must_use]
    pub fn parameters(&self, handler: &str) -> Option<usize> {
        let at = self.types.iter().skip(1).map(|at| *at as usize).find(|at| {
            kind_of(word(&self.data, at + 4).unwrap_or(0)) == kind::TYPEDEF
                && self.text(word(&self.data, *at).unwrap_or(0)) == Some(handler.as_bytes())
        })?;
        let pointer = self.resolve(word(&self.data, at + 8)?)?;
        if kind_of(word(&self.data, pointer + 4)?) != kind::POINTER {
            return None;
        }
        let function = self.resolve(word(&self.data, pointer + 8)?)?;
        let info = word(&self.data, function + 4)?;
        (kind_of(info) == kind::PROTOTYPE).then_some((info & 0xffff) as usize)
    }

    fn structure(&self, name: &str) -> Option<usize> {
        self.types.iter().skip(1).map(|at| *at as usize).find(|at| {
            let info = word(&self.data, at + 4).unwrap_or(0);
            let members = info & 0xffff;
            matches!(kind_of(info), kind::STRUCT | kind::UNION)
                && members != 0
                && self.text(word(&self.data, *at).unwrap_or(0)) == Some(name.as_bytes())
        })
    }

    /// Bit offset and type of a member of the structure at `at`.
    fn member(&self, at: usize, name: &str, depth: u32) -> Option<(u32, u32)> {
        // The kernel nests anonymous members a few levels; a cycle is damage.
        if depth > 16 {
            return None;
        }
        let info = word(&self.data, at + 4)?;
        if !matches!(kind_of(info), kind::STRUCT | kind::UNION) {
            return None;
        }
        let bitfields = info >> 31 == 1;
        (0..(info & 0xffff) as usize).find_map(|index| {
            let entry = at + 12 + index * 12;
            let type_id = word(&self.data, entry + 4)?;
            let raw = word(&self.data, entry + 8)?;
            let offset = if bitfields { raw & 0x00ff_ffff } else { raw };
            match self.text(word(&self.data, entry)?)? {
                b"" => {
                    let inner = self.resolve(type_id)?;
                    let (nested, found) = self.member(inner, name, depth + 1)?;
                    Some((offset + nested, found))
                }
                text if text == name.as_bytes() => Some((offset, type_id)),
                _ => None,
            }
        })
    }

    /// Where the type stands once names and qualifiers are taken off.
    fn resolve(&self, type_id: u32) -> Option<usize> {
        let mut id = type_id;
        for _ in 0..16 {
            let at = *self.types.get(usize::try_from(id).ok()?)? as usize;
            match kind_of(word(&self.data, at + 4)?) {
                kind::TYPEDEF | kind::VOLATILE | kind::CONST | kind::TYPE_TAG => {
                    id = word(&self.data, at + 8)?;
                }
                _ => return Some(at),
            }
        }
        None
    }

    fn text(&self, offset: u32) -> Option<&[u8]> {
        let tail = self.data.get(self.strings.checked_add(offset as usize)?..)?;
        tail.split(|byte| *byte == 0).next()
    }
}

const fn kind_of(info: u32) -> u32 {
    info >> 24 & 0x1f
}

/// Bytes that follow a type's fixed part, by its kind.
fn extra_bytes(info: u32) -> Option<usize> {
    let entries = (info & 0xffff) as usize;
    Some(match kind_of(info) {
        // Integers, variables and declaration tags carry one word.
        1 | 14 | 17 => 4,
        kind::ARRAY => 12,
        kind::STRUCT | kind::UNION => entries * 12,
        // Enumerations.
        6 => entries * 8,
        // Function prototypes.
        13 => entries * 8,
        // Sections, and enumerations of 64 bits.
        15 | 19 => entries * 12,
        // Pointers, forwards, names, qualifiers, functions, floats.
        2 | 7..=12 | 16 | 18 => 0,
        _ => return None,
    })
}

fn word(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(data.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::KernelBtf;

    /// Writes types by hand: `struct task { int pid; struct { long inner; }; }`.
    fn sample() -> Vec<u8> {
        let strings = b"\0int\0task\0pid\0inner\0alias\0outer\0t\0handler\0";
        let name = |text: &str| {
            let at = strings.windows(text.len() + 2).position(|window| {
                window[0] == 0
                    && &window[1..=text.len()] == text.as_bytes()
                    && window[text.len() + 1] == 0
            });
            u32::try_from(at.map_or(0, |at| at + 1)).unwrap_or(0)
        };
        let types: Vec<u32> = [
            // 1: int
            vec![name("int"), 1 << 24, 4, 32],
            // 2: anonymous struct { int inner; }, at bit 64 of what holds it
            vec![0, 4 << 24 | 1, 8, name("inner"), 1, 32],
            // 3: struct task { int pid; <anonymous> }
            vec![name("task"), 4 << 24 | 2, 16, name("pid"), 1, 0, 0, 2, 64],
            // 4: typedef struct task alias
            vec![name("alias"), 8 << 24, 3],
            // 5: struct outer { alias t; } with the bit-field flag
            vec![name("outer"), 1 << 31 | 4 << 24 | 1, 24, name("t"), 4, 64],
            // 6: function (int, alias); 7: pointer to it; 8: typedef of the pointer
            vec![0, 13 << 24 | 2, 0, 0, 1, 0, 4],
            vec![0, 2 << 24, 6],
            vec![name("handler"), 8 << 24, 7],
        ]
        .concat();
        let mut data = Vec::new();
        data.extend_from_slice(&0xeb9f_u16.to_ne_bytes());
        data.extend_from_slice(&[1, 0]);
        let type_bytes = u32::try_from(types.len() * 4).unwrap_or(0);
        let string_bytes = u32::try_from(strings.len()).unwrap_or(0);
        for word in [24, 0, type_bytes, type_bytes, string_bytes] {
            data.extend_from_slice(&u32::to_ne_bytes(word));
        }
        data.extend(types.iter().flat_map(|word| word.to_ne_bytes()));
        data.extend_from_slice(strings);
        data
    }

    fn check(structure: &str, path: &str, expected: Option<u32>) {
        let btf = KernelBtf::parse(sample()).expect("a well-formed sample");
        assert_eq!(btf.offset(structure, path), expected, "{structure}.{path}");
    }

    #[test]
    fn offsets() {
        check("task", "pid", Some(0));
        check("task", "inner", Some(12));
        check("outer", "t.inner", Some(20));
        check("task", "absent", None);
        check("absent", "pid", None);
        check("task", "pid.deeper", None);
    }

    #[test]
    fn sizes() {
        let btf = KernelBtf::parse(sample()).expect("a well-formed sample");
        assert_eq!(btf.size("task"), Some(16));
        assert_eq!(btf.size("absent"), None);
    }

    #[test]
    fn parameters() {
        let btf = KernelBtf::parse(sample()).expect("a well-formed sample");
        assert_eq!(btf.parameters("handler"), Some(2));
        assert_eq!(btf.parameters("alias"), None);
        assert_eq!(btf.parameters("absent"), None);
    }

    proptest! {
        #[test]
        fn damage_is_refused_or_read_without_panic(at in 0_usize..200, byte: u8, cut in 0_usize..200) {
            let mut data = sample();
            let length = data.len();
            data[at % length] = byte;
            data.truncate(length - cut % length);
            if let Some(btf) = KernelBtf::parse(data) {
                std::hint::black_box((btf.offset("outer", "t.inner"), btf.size("task"), btf.parameters("handler")));
            }
        }
    }
}
