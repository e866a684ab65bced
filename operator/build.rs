//! Cargo forgets the profile's `strip` for a package that has an `opt-level` of its own, so the linker is told here.

fn main() {
    if std::env::var("PROFILE").as_deref() == Ok("release") {
        println!("cargo:rustc-link-arg-bins=-s");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
