//! A new migration is a new binary.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations/product");
}
