//! Tenants: their names, and the ordered rules that find them.
//!
//! The first rule whose whole `match` holds names the tenant. Rules are checked when
//! they are compiled, never when a cgroup or a namespace appears.

mod label;
mod name;
mod rules;
mod spec;

pub use label::{LabelAsk, LabelProblem, is_label_key};
pub use name::Tenant;
pub use rules::TenantRules;
pub use spec::{
    MatchSpec, RuleClass, RulePart, RuleProblem, RuleSpec, TenantRuleError, runtime_names,
};
