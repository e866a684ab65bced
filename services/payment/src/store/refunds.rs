//! Refunds that begin, as columns.

use uuid::Uuid;

use crate::domain::Attempt;

/// What the statements that begin refunds write of them.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub(super) keys: Vec<Uuid>,
    pub(super) payments: Vec<Uuid>,
    pub(super) customers: Vec<Uuid>,
    pub(super) amounts: Vec<i64>,
    pub(super) currencies: Vec<String>,
    pub(super) charges: Vec<Uuid>,
    pub(super) causes: Vec<Option<String>>,
}

impl Columns {
    pub(super) fn of(refunds: &[Attempt]) -> Self {
        let mut columns = Self::default();
        for refund in refunds {
            columns.keys.push(refund.key.0);
            columns.payments.push(refund.payment_id.0);
            columns.customers.push(refund.customer_id.0);
            columns.amounts.push(refund.amount.amount());
            columns.currencies.push(refund.amount.currency().to_string());
            columns.charges.push(refund.charge().0);
            columns.causes.push(refund.request_id.clone());
        }
        columns
    }
}
