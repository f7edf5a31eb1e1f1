//! What pods keep on this node's disks and in their volumes, as its kubelet measures it.

/// One pod of this node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodStorage {
    /// Its UID as its cgroup's path has it: of a static pod the hash of its manifest.
    pub uid: Box<str>,
    /// Its namespace.
    pub namespace: Box<str>,
    /// Its name.
    pub name: Box<str>,
    /// Bytes of its writable layers, logs and local volumes; `None`: not measured yet.
    pub ephemeral_bytes: Option<u64>,
    /// Inodes of the same.
    pub ephemeral_inodes: Option<u64>,
    /// Volumes that it has by a claim.
    pub claims: Vec<ClaimStorage>,
}

/// A volume that is had by a claim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimStorage {
    /// Namespace of the claim.
    pub namespace: Box<str>,
    /// Name of the claim; several pods may have the same.
    pub claim: Box<str>,
    /// Bytes in use; 0 of a volume without a file system, `None`: not measured yet.
    pub used_bytes: Option<u64>,
    /// Bytes there are; `None`: not measured yet.
    pub capacity_bytes: Option<u64>,
}
