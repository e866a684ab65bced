//! The committed definition is the one that the types give.

#[test]
fn the_committed_definition_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../charts/ecommerce-stack-operator/crd/ecommercestacks.yaml");
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(committed == operator::crd::yaml().unwrap(), "the definition is stale: run 'make generate' and commit it");
}
