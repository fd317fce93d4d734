//! Benchmark programs: the gate beside the limit of the machine and beside HAProxy.

fn main() {}
