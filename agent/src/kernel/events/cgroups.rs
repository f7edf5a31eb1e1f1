//! Cgroup id → path and slot, for those who ask while the meters go on.
//!
//! It reads the meters' own tables through descriptors of its own, and the cgroup
//! mount where they do not know a cgroup. It remembers nothing.

use std::{mem::offset_of, os::fd::AsFd as _};

use aya::{
    Ebpf,
    maps::{HashMap as BpfHashMap, Map, MapData},
};
use landlord_ebpf::abi::{SlotInfo, place};

use crate::{
    identity::CgroupId,
    kernel::{
        KernelError, cgroup_namespace::CgroupNamespace, cgroupfs::Hierarchies, shared::Shared,
        slots::path_of,
    },
};

/// Finds cgroups by their ids.
pub struct CgroupPaths {
    namespace: CgroupNamespace,
    hierarchies: Hierarchies,
    info: Shared,
    slot_of: BpfHashMap<MapData, u64, u32>,
    /// What is known of each slot's cgroup.
    places: Shared,
}

/// Where a cgroup is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Not known (any more).
    Unknown,
    /// Outside of all containers.
    Host,
    /// In a container.
    Container,
}

/// Copies of the meters' maps, made while they are still in the object.
pub(in crate::kernel) struct Copies {
    info: Map,
    slot_of: Map,
}

impl Copies {
    pub(in crate::kernel) fn of(ebpf: &Ebpf) -> Result<Self, KernelError> {
        Ok(Self { info: copy(ebpf, "SLOTS")?, slot_of: copy(ebpf, "SLOT_OF")? })
    }
}

fn copy(ebpf: &Ebpf, name: &'static str) -> Result<Map, KernelError> {
    let duplicate = |data: &MapData| {
        let fd = data.fd().as_fd().try_clone_to_owned();
        let fd = fd.map_err(|error| KernelError::io("duplicating a map's descriptor", error))?;
        MapData::from_fd(fd).map_err(KernelError::map(name))
    };
    match ebpf.map(name) {
        Some(Map::Array(data)) => duplicate(data).map(Map::Array),
        Some(Map::HashMap(data)) => duplicate(data).map(Map::HashMap),
        _ => Err(KernelError::Incomplete(name)),
    }
}

impl CgroupPaths {
    pub(super) fn new(
        hierarchies: Hierarchies,
        copies: Copies,
        places: Shared,
    ) -> Result<Self, KernelError> {
        let Copies { info, slot_of } = copies;
        let info = Shared::new("SLOTS", info, size_of::<SlotInfo>(), places.records())?;
        let slot_of = BpfHashMap::try_from(slot_of).map_err(KernelError::map("SLOT_OF"))?;
        let namespace = CgroupNamespace::here(&hierarchies);
        Ok(Self { namespace, hierarchies, info, slot_of, places })
    }

    /// Path of a cgroup below the v2 mount. One that the meters have no slot for is
    /// looked for in the whole hierarchy, which takes milliseconds; `None` when it
    /// is gone.
    #[must_use]
    pub fn path(&self, id: CgroupId) -> Option<String> {
        let known = self.slot(id).and_then(|slot| {
            let path = path_of(&self.info, slot)?;
            // It may have become another's while it was read.
            (self.cgroup(slot) == id).then_some(path)
        });
        known.or_else(|| {
            self.hierarchies
                .walk()
                .into_iter()
                .find_map(|(found, path)| (found == id).then_some(path))
        })
    }

    /// Id of the cgroup at a path as `/proc/PID/cgroup` shows it; `None` when there is
    /// none.
    #[must_use]
    pub fn id_of(&self, path: &str) -> Option<u64> {
        self.hierarchies.id(&self.namespace.whole(path)?).map(|id| id.0)
    }

    /// The slot of a cgroup.
    #[must_use]
    pub fn slot(&self, id: CgroupId) -> Option<u32> {
        self.slot_of.get(&id.0, 0).ok().filter(|slot| self.cgroup(*slot) == id)
    }

    /// Tells the sensors where a cgroup is. False when it has no slot.
    pub fn set_place(&self, id: CgroupId, place: Place) -> bool {
        let Some(slot) = self.slot(id) else { return false };
        self.places.set_word(slot, 0, u64::from(place.word()));
        if self.cgroup(slot) == id {
            return true;
        }
        // Given to another cgroup meanwhile.
        self.places.set_word(slot, 0, u64::from(place::UNKNOWN));
        false
    }

    /// Nothing is known of the next cgroup that gets a slot.
    pub(in crate::kernel) fn forget_place(&self, slot: u32) {
        self.places.set_word(slot, 0, u64::from(place::UNKNOWN));
    }

    fn cgroup(&self, slot: u32) -> CgroupId {
        CgroupId(self.info.word(slot, offset_of!(SlotInfo, cgroup) / 8))
    }
}

impl Place {
    const fn word(self) -> u32 {
        match self {
            Self::Unknown => place::UNKNOWN,
            Self::Host => place::HOST,
            Self::Container => place::CONTAINER,
        }
    }
}
