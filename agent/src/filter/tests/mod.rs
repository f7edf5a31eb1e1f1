mod laws;
mod official;
mod plans;
mod subject;
mod views;
