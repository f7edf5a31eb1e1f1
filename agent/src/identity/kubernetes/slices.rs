//! EndpointSlices, as far as they tell of what is behind a Service and is no pod.
//!
//! The controllers of Kubernetes make slices of all pods of Services that select some;
//! those are not asked for, as pods tell their own addresses sooner. What remains is
//! written by hand, by operators, by what joins clusters, or is the mirror of
//! `Endpoints` that somebody wrote.

use std::borrow::Cow;
use std::net::IpAddr;

use k8s_openapi::api::discovery::v1 as api;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::Deserialize;

use super::narrow::metadata;
use crate::identity::cluster::object::EndpointSlice;

/// Selects what the controller has not made of pods. Mirrors have another name there
/// (`endpointslicemirroring-controller.k8s.io`), what is written by hand often none.
pub(super) const NOT_OF_PODS: &str =
    "endpointslice.kubernetes.io/managed-by!=endpointslice-controller.k8s.io";

/// Names the Service that a slice is of.
const SERVICE: &str = "kubernetes.io/service-name";

/// What is read of a slice.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SliceAddresses {
    #[serde(deserialize_with = "metadata")]
    metadata: ObjectMeta,
    #[serde(default)]
    address_type: Option<Box<str>>,
    #[serde(default)]
    endpoints: Option<Vec<Endpoint>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Endpoint {
    addresses: Option<Vec<Box<str>>>,
    target_ref: Option<Target>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Target {
    kind: Option<Box<str>>,
}

impl Endpoint {
    /// Some operators write slices of pods themselves: those tell their own addresses.
    fn is_pod(&self) -> bool {
        let kind = self.target_ref.as_ref().and_then(|target| target.kind.as_deref());
        kind == Some("Pod")
    }
}

impl Resource for SliceAddresses {
    type DynamicType = ();
    type Scope = <api::EndpointSlice as Resource>::Scope;

    fn kind((): &()) -> Cow<'_, str> {
        api::EndpointSlice::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        api::EndpointSlice::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        api::EndpointSlice::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        api::EndpointSlice::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

/// A slice.
pub(super) fn slice(slice: SliceAddresses) -> Option<EndpointSlice> {
    let mut ips: Vec<IpAddr> = Vec::new();
    // The third type is names.
    if matches!(slice.address_type.as_deref(), Some("IPv4" | "IPv6")) {
        let of = slice.endpoints.into_iter().flatten().filter(|endpoint| !endpoint.is_pod());
        let texts = of.flat_map(|endpoint| endpoint.addresses.unwrap_or_default());
        ips.extend(texts.filter_map(|text| text.parse().ok()).filter(is_of_one_host));
        ips.sort_unstable();
        ips.dedup();
    }
    let mut labels = slice.metadata.labels.unwrap_or_default();
    Some(EndpointSlice {
        namespace: slice.metadata.namespace?.into(),
        name: slice.metadata.name?.into(),
        service: labels.remove(SERVICE).filter(|name| !name.is_empty()).map(Into::into),
        ips,
    })
}

/// Whether it is the same host's for all who ask. The API server lets no others into
/// slices; of `Endpoints` that are mirrored it let more.
fn is_of_one_host(address: &IpAddr) -> bool {
    let address = address.to_canonical();
    let is_near = match address {
        IpAddr::V4(address) => address.is_link_local() || address.is_broadcast(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    !is_near && !address.is_loopback() && !address.is_unspecified() && !address.is_multicast()
}

#[cfg(test)]
#[path = "slices_tests.rs"]
mod tests;
