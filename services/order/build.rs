//! A new migration is a new binary.

fn main() {
    #[expect(clippy::print_stdout, reason = "the way to speak to cargo")]
    {
        println!("cargo::rerun-if-changed=../../migrations/order");
    }
}
