//! Which orders stand on a page. Each filter has an index that gives its orders newest first, and none of them is on a column of `orders`
//! that changes: what is open stands in `open_orders`, how an order ended in its history, and what it is of in `order_skus`.
//!
//! A statement for each, so that no plan has to serve two. Where there are two filters, one leads and the other is looked up for each order
//! that it gives, in an index: a customer leads before a sku, and a sku before a status. So a page of one filter costs what is on it, and
//! one of two at the worst the orders of that customer or sku: a millisecond for some two hundred.

use ecommerce_types::{Limit, OrderId, Sku, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::{Filter, Status};

/// The stretch of ids that a page is taken from, newest first.
struct Stretch {
    first: Uuid,
    end: Uuid,
    limit: i64,
}

/// The orders of a page, newest first, and one more where another page follows: those that the filter admits, but for some at the very
/// ends of its times and those that move on meanwhile.
pub(crate) async fn list(
    connection: &mut PgConnection,
    filter: &Filter,
    sku: Option<&Sku>,
    after: Option<OrderId>,
    limit: Limit,
) -> Result<Vec<OrderId>, sqlx::Error> {
    let (first, end) = filter.ids();
    let end = after.map_or(end, |after| after.min(end));
    let stretch = Stretch { first: first.0, end: end.0, limit: limit.and_one_more() };
    let sku = sku.map(Sku::as_str);
    let ids = match (filter.customer, sku, filter.status) {
        (Some(customer), sku, status) => of_customer(connection, customer, sku, status, &stretch).await,
        (None, Some(sku), None) => of_sku(connection, sku, &stretch).await,
        (None, Some(sku), Some(status)) => of_sku_and_status(connection, sku, status, &stretch).await,
        (None, None, Some(status)) => of_status(connection, status, &stretch).await,
        (None, None, None) => of_everybody(connection, &stretch).await,
    };
    Ok(ids?.into_iter().map(OrderId).collect())
}

async fn of_everybody(connection: &mut PgConnection, stretch: &Stretch) -> Result<Vec<Uuid>, sqlx::Error> {
    let Stretch { first, end, limit } = *stretch;
    let ids = sqlx::query_scalar!(
        "select id from orders where id >= $1 and id < $2 order by id desc limit $3",
        first,
        end,
        limit
    );
    ids.fetch_all(connection).await
}

async fn of_customer(
    connection: &mut PgConnection,
    customer: UserId,
    sku: Option<&str>,
    status: Option<Status>,
    stretch: &Stretch,
) -> Result<Vec<Uuid>, sqlx::Error> {
    let Stretch { first, end, limit } = *stretch;
    let ids = sqlx::query_scalar!(
        "select id from orders
         where customer_id = $4 and id >= $1 and id < $2 and ($5::text is null or status = $5)
           and ($6::text is null or exists (select from order_skus where sku = $6 and order_id = id))
         order by id desc limit $3",
        first,
        end,
        limit,
        customer.0,
        status.map(Status::as_str),
        sku
    );
    ids.fetch_all(connection).await
}

async fn of_sku(connection: &mut PgConnection, sku: &str, stretch: &Stretch) -> Result<Vec<Uuid>, sqlx::Error> {
    let Stretch { first, end, limit } = *stretch;
    let ids = sqlx::query_scalar!(
        "select order_id from order_skus
         where sku = $4 and order_id >= $1 and order_id < $2 order by order_id desc limit $3",
        first,
        end,
        limit,
        sku
    );
    ids.fetch_all(connection).await
}

async fn of_status(connection: &mut PgConnection, status: Status, stretch: &Stretch) -> Result<Vec<Uuid>, sqlx::Error> {
    let Stretch { first, end, limit } = *stretch;
    match status {
        Status::Paid => {
            let ids = sqlx::query_scalar!(
                "select order_id from open_orders
                 where pay_by is null and order_id >= $1 and order_id < $2 order by order_id desc limit $3",
                first,
                end,
                limit
            );
            ids.fetch_all(connection).await
        }
        Status::Pending | Status::AwaitingPayment => unpaid(connection, None, status, stretch).await,
        // An end is told in the history once more with each refund after it. The list of ends is there twice so that every plan finds the
        // index, which has the ends alone.
        Status::Fulfilled | Status::Rejected | Status::Cancelled | Status::Expired | Status::PaymentFailed => {
            let ids = sqlx::query_scalar!(
                "select distinct order_id from order_history
                 where status = $4 and status in ('fulfilled', 'rejected', 'cancelled', 'expired', 'payment_failed')
                   and order_id >= $1 and order_id < $2
                 order by order_id desc limit $3",
                first,
                end,
                limit,
                status.as_str()
            );
            ids.fetch_all(connection).await
        }
    }
}

async fn of_sku_and_status(
    connection: &mut PgConnection,
    sku: &str,
    status: Status,
    stretch: &Stretch,
) -> Result<Vec<Uuid>, sqlx::Error> {
    let Stretch { first, end, limit } = *stretch;
    match status {
        Status::Paid => {
            let ids = sqlx::query_scalar!(
                "select order_id from order_skus
                 where sku = $4 and order_id >= $1 and order_id < $2
                   and exists (select from open_orders as paid where paid.order_id = order_skus.order_id and paid.pay_by is null)
                 order by order_id desc limit $3",
                first,
                end,
                limit,
                sku
            );
            ids.fetch_all(connection).await
        }
        Status::Pending | Status::AwaitingPayment => unpaid(connection, Some(sku), status, stretch).await,
        Status::Fulfilled | Status::Rejected | Status::Cancelled | Status::Expired | Status::PaymentFailed => {
            let ids = sqlx::query_scalar!(
                "select order_id from order_skus
                 where sku = $4 and order_id >= $1 and order_id < $2
                   and exists (select from order_history as ended
                               where ended.order_id = order_skus.order_id and ended.status = $5
                                 and ended.status in ('fulfilled', 'rejected', 'cancelled', 'expired', 'payment_failed'))
                 order by order_id desc limit $3",
                first,
                end,
                limit,
                sku,
                status.as_str()
            );
            ids.fetch_all(connection).await
        }
    }
}

/// No more than are placed in the time that is given to pay; found by their deadlines and not by their ids, among which those that
/// are paid and wait to be sent may be many. `offset 0` keeps the two apart.
async fn unpaid(
    connection: &mut PgConnection,
    sku: Option<&str>,
    status: Status,
    stretch: &Stretch,
) -> Result<Vec<Uuid>, sqlx::Error> {
    let Stretch { first, end, limit } = *stretch;
    let ids = sqlx::query_scalar!(
        "select order_id from
           (select order_id from open_orders where pay_by is not null order by order_id desc offset 0) as unpaid
           join orders on id = order_id
         where order_id >= $1 and order_id < $2 and status = $4
           and ($5::text is null or exists (select from order_skus where sku = $5 and order_skus.order_id = id))
         order by order_id desc limit $3",
        first,
        end,
        limit,
        status.as_str(),
        sku
    );
    ids.fetch_all(connection).await
}
