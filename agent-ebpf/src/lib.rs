//! The ABI between Landlord's kernel sensors and its agent, and nothing else:
//! integers and byte arrays whose sizes are asserted at compile time.
#![no_std]

pub mod abi;
