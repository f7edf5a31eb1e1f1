//! Whether the API server tells what is wanted of it, asked once.

use k8s_openapi::api::core::v1 as api;
use kube::Api;
use kube::api::ListParams;

use super::client::Access;
use super::slices::{self, SliceAddresses};
use super::tenant_crd::TenantResource;
use super::trouble;
use crate::identity::cluster::Source;
use crate::identity::cluster::change::Trouble;

/// Asks for one object of each source that is of use here. `None`: it is told.
pub async fn ask(
    access: &Access,
    node: &str,
    sources: &[Source],
) -> Vec<(Source, Option<Trouble>)> {
    let client = access.client();
    let one = ListParams::default().limit(1);
    let mut answers = Vec::with_capacity(sources.len());
    for source in sources {
        let answer = match source {
            Source::Pods => {
                let here = one.clone().fields(&format!("spec.nodeName={node}"));
                Api::<api::Pod>::all(client.clone()).list_metadata(&here).await.map(drop)
            }
            Source::Namespaces => {
                Api::<api::Namespace>::all(client.clone()).list_metadata(&one).await.map(drop)
            }
            Source::Quotas => {
                Api::<api::ResourceQuota>::all(client.clone()).list_metadata(&one).await.map(drop)
            }
            Source::Tenants => {
                Api::<TenantResource>::all(client.clone()).list_metadata(&one).await.map(drop)
            }
            Source::RemotePods => {
                Api::<api::Pod>::all(client.clone()).list_metadata(&one).await.map(drop)
            }
            Source::Nodes => {
                Api::<api::Node>::all(client.clone()).list_metadata(&one).await.map(drop)
            }
            Source::Services => {
                Api::<api::Service>::all(client.clone()).list_metadata(&one).await.map(drop)
            }
            Source::EndpointSlices => {
                let one = one.clone().labels(slices::NOT_OF_PODS);
                Api::<SliceAddresses>::all(client.clone()).list_metadata(&one).await.map(drop)
            }
            Source::Kubelet => continue,
        };
        let trouble = answer.err().map(|error| {
            trouble::of_request(&error).unwrap_or_else(|| Trouble::Other(error.to_string()))
        });
        answers.push((*source, trouble));
    }
    answers
}
