//! Lists of what is for sale: found by words, kept by filters, in five sequences, a page at a time.
//!
//! What is asked for decides the statement, so it is put together here and planned each time with the values at hand: how many products
//! have a word differs by a factor of a million.

use ecommerce_types::{Limit, Page};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

use super::products::{COLUMNS, Row};
use crate::domain::search::{Count, Listed, Position, Sort, Typed, Wanted, Word};
use crate::domain::{Category, Product};

/// The most words of what was typed that count.
const MOST_WORDS: i64 = 8;
/// The most words of the catalogue that one stands for.
const MOST_MEANT: i64 = 10;
/// The most values of a facet.
const MOST_VALUES: i64 = 100;

/// The words of what was typed. One that begins no word of the catalogue is taken for those that differ from it by one letter, and by two
/// from six letters on.
pub(crate) async fn words(connection: &mut PgConnection, typed: &Typed) -> Result<Vec<Word>, sqlx::Error> {
    sqlx::query_as!(
        Word,
        r#"with typed as materialized (
             select lexeme as word, char_length(lexeme) as letters,
               array(
                 select word from product_words where char_length(lexeme) > 1 and word ^@ lexeme
                 order by letters, word limit $3
               ) as begun
             from unnest(to_tsvector('simple', plain($1))) where char_length(lexeme) <= 40
             order by positions[1] limit $2
           ), allowed as materialized (
             select *, case when letters < 3 or begun <> '{}' then 0 when letters < 6 then 1 else 2 end as mistakes from typed
           )
           select allowed.word as "typed!", begun as "begun!",
             array(
               select known.word from product_words known
               where mistakes > 0 and known.letters between allowed.letters - mistakes and allowed.letters + mistakes
                 and levenshtein_less_equal(known.word, allowed.word, mistakes) <= mistakes
               order by levenshtein_less_equal(known.word, allowed.word, mistakes), known.word limit $3
             ) as "meant!"
           from allowed"#,
        typed.as_str(),
        MOST_WORDS,
        MOST_MEANT
    )
    .fetch_all(connection)
    .await
}

#[derive(FromRow)]
struct ListedRow {
    #[sqlx(flatten)]
    row: Row,
    rank: i64,
    small_name: String,
}

/// A page of those that are wanted and fit `tsquery`, behind this position.
pub(crate) async fn page(
    connection: &mut PgConnection,
    wanted: &Wanted,
    tsquery: Option<&str>,
    sort: Sort,
    after: Option<&Position>,
    limit: Limit,
) -> Result<Page<Product>, sqlx::Error> {
    let sequence = match sort {
        Sort::Relevance => "rank desc, id desc",
        Sort::Newest => "id desc",
        Sort::Price => "price_amount, id",
        Sort::PriceDescending => "price_amount desc, id desc",
        Sort::Name => "lower(name), id",
    };
    // Ids are sorted and cut, and only then are the rows read with all that is in them.
    let mut query = QueryBuilder::<Postgres>::new("with found as materialized (select id as found_id, ");
    push_rank(&mut query, tsquery);
    query.push(" as rank from products where archived_at is null");
    push_wanted(&mut query, wanted, tsquery);
    push_category(&mut query, wanted.category.as_ref());
    if let Some(after) = after {
        push_after(&mut query, tsquery, after);
    }
    query.push(format_args!(" order by {sequence} limit ")).push_bind(limit.and_one_more());
    query.push(format_args!(
        ") select {COLUMNS}, rank, lower(name) as small_name
           from found join products on id = found_id join stock on product_id = id order by {sequence}"
    ));
    let rows: Vec<ListedRow> = query.build_query_as().persistent(false).fetch_all(connection).await?;
    let listed =
        |row: ListedRow| Ok(Listed { product: row.row.try_into()?, rank: row.rank, small_name: row.small_name });
    let listed = rows.into_iter().map(listed).collect::<Result<Vec<_>, sqlx::Error>>()?;
    Ok(Page::of(listed, limit, |listed| listed.position(sort)).map(|listed| listed.product))
}

/// How many of those that are wanted each category has, whichever is asked for.
pub(crate) async fn categories(
    connection: &mut PgConnection,
    wanted: &Wanted,
    tsquery: Option<&str>,
) -> Result<Vec<Count>, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new(
        "select category, count(*) from products where archived_at is null and category is not null",
    );
    push_wanted(&mut query, wanted, tsquery);
    query.push(" group by category order by count(*) desc, category limit ").push_bind(MOST_VALUES);
    let counts: Vec<(String, i64)> = query.build_query_as().persistent(false).fetch_all(connection).await?;
    Ok(counts.into_iter().map(|(value, count)| Count { value, count }).collect())
}

/// A whole number, so that a cursor holds it as it is.
fn push_rank(query: &mut QueryBuilder<Postgres>, tsquery: Option<&str>) {
    match tsquery {
        Some(tsquery) => {
            query.push("(ts_rank(search, ").push_bind(tsquery.to_owned()).push("::tsquery) * 1000000)::bigint");
        }
        None => {
            query.push("0::bigint");
        }
    }
}

fn push_wanted(query: &mut QueryBuilder<Postgres>, wanted: &Wanted, tsquery: Option<&str>) {
    let Wanted { typed: _, sku, category: _, min_price, max_price } = wanted;
    if let Some(tsquery) = tsquery {
        query.push(" and search @@ ").push_bind(tsquery.to_owned()).push("::tsquery");
    }
    if let Some(sku) = sku {
        query.push(" and sku = ").push_bind(sku.as_str().to_owned());
    }
    if let Some(least) = min_price {
        query.push(" and price_amount >= ").push_bind(i64::from(*least));
    }
    if let Some(most) = max_price {
        query.push(" and price_amount <= ").push_bind(i64::from(*most));
    }
}

fn push_category(query: &mut QueryBuilder<Postgres>, category: Option<&Category>) {
    if let Some(category) = category {
        query.push(" and category = ").push_bind(category.as_str().to_owned());
    }
}

fn push_after(query: &mut QueryBuilder<Postgres>, tsquery: Option<&str>, after: &Position) {
    match after {
        Position::Relevance(rank, id) => {
            query.push(" and (");
            push_rank(query, tsquery);
            query.push(", id) < (").push_bind(*rank).push(", ").push_bind(id.0).push(")");
        }
        Position::Newest(id) => {
            query.push(" and id < ").push_bind(id.0);
        }
        Position::Price(amount, id) => {
            query.push(" and (price_amount, id) > (").push_bind(*amount).push(", ").push_bind(id.0).push(")");
        }
        Position::PriceDescending(amount, id) => {
            query.push(" and (price_amount, id) < (").push_bind(*amount).push(", ").push_bind(id.0).push(")");
        }
        Position::Name(name, id) => {
            query.push(" and (lower(name), id) > (").push_bind(name.clone()).push(", ").push_bind(id.0).push(")");
        }
    }
}
