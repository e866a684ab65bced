//! Nothing lives here: `tests/it` is what the three services that move stock and money do under faults.
