//! What the agent says of its tenants.

use anyhow::{Context as _, Result};
use serde_json::Value;

/// An answer of `/v1/usage`.
#[derive(Clone, Debug, PartialEq)]
pub struct Usage(pub Value);

impl Usage {
    /// A figure of a tenant by its path in the answer, such as `cpu_seconds_total`
    /// or `network_bytes_total/transmit/ipv4`; zero when the tenant is known and
    /// has no such figure yet.
    ///
    /// # Errors
    ///
    /// The answer has no such tenant.
    pub fn figure(&self, tenant: &str, path: &str) -> Result<f64> {
        Ok(self.value(tenant, path)?.and_then(Value::as_f64).unwrap_or(0.0))
    }

    /// As [`Usage::figure`], for figures that are whole numbers.
    ///
    /// # Errors
    ///
    /// The answer has no such tenant.
    pub fn count(&self, tenant: &str, path: &str) -> Result<u64> {
        Ok(self.value(tenant, path)?.and_then(Value::as_u64).unwrap_or(0))
    }

    /// The tenant's part of the answer.
    ///
    /// # Errors
    ///
    /// The answer has no such tenant; the message names those it has.
    pub fn tenant(&self, tenant: &str) -> Result<&Value> {
        let tenants = self.0["tenants"].as_array().context("/v1/usage has no tenants")?;
        tenants.iter().find(|entry| entry["tenant"] == tenant).with_context(|| {
            let names: Vec<&str> =
                tenants.iter().filter_map(|entry| entry["tenant"].as_str()).collect();
            format!("no tenant `{tenant}` among {}", names.join(", "))
        })
    }

    fn value(&self, tenant: &str, path: &str) -> Result<Option<&Value>> {
        Ok(self.tenant(tenant)?.pointer(&format!("/{path}")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Usage;

    fn usage() -> Usage {
        Usage(json!({"tenants": [
            {"tenant": "a", "cpu_seconds_total": 1.5,
             "network_bytes_total": {"transmit": {"ipv4": 7}}},
            {"tenant": "b"},
        ]}))
    }

    #[test]
    fn figures_are_found_by_their_path() {
        let usage = usage();
        assert_eq!(usage.figure("a", "cpu_seconds_total").unwrap(), 1.5);
        assert_eq!(usage.count("a", "network_bytes_total/transmit/ipv4").unwrap(), 7);
        assert_eq!(usage.count("b", "network_bytes_total/transmit/ipv4").unwrap(), 0);
    }

    #[test]
    fn a_missing_tenant_is_an_error_that_names_the_others() {
        let error = usage().count("c", "x").expect_err("there is none").to_string();
        assert_eq!(error, "no tenant `c` among a, b");
    }
}
