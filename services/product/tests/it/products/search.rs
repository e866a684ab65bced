use std::collections::BTreeSet;

use ecommerce_testing::{Answer, scale};
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use url::Url;

use crate::shop::{Shop, euro};

/// A shop with a shelf of kitchen things and one of books.
async fn shelves() -> Shop {
    let shop = Shop::open().await;
    for (sku, name, category, amount, description) in [
        ("MUG-BLUE", "Blue mug", "kitchen", 1450, "Holds a third of a litre."),
        ("MUG-RED", "red Mug", "kitchen", 1250, "Holds a third of a litre, in red."),
        ("KETTLE", "Kettle", "kitchen", 4900, "Boils water for four mugs."),
        ("BOOK-1", "Keyboard sonatas", "books", 1450, "Scarlatti, volume one."),
        ("BOOK-2", "Äpfel und Birnen", "books", 990, "Obst."),
    ] {
        let body = json!({
            "sku": sku, "name": name, "category": category, "price": euro(amount), "description": description,
            "attributes": { "maker": "Müller-Lüdenscheidt" },
        });
        assert_eq!(shop.staff.post("/api/v1/products", body).await.status, 201);
    }
    shop
}

async fn list(shop: &Shop, parameters: &[(&str, &str)]) -> Answer {
    let url = Url::parse_with_params("http://shop/api/v1/products", parameters).unwrap();
    shop.anonymous.get(&format!("{}?{}", url.path(), url.query().unwrap())).await
}

/// The skus of a page, in its sequence.
async fn skus(shop: &Shop, parameters: &[(&str, &str)]) -> Vec<String> {
    let answer = list(shop, parameters).await;
    assert_eq!(answer.status, 200, "{parameters:?}: {}", answer.body);
    skus_of(&answer)
}

fn skus_of(answer: &Answer) -> Vec<String> {
    let items = answer.body["items"].as_array().unwrap();
    items.iter().map(|item| item["sku"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_product_is_found_by_its_words_wherever_they_stand() {
    let shop = shelves().await;
    for (q, found) in [
        ("blue mug", &["MUG-BLUE"][..]),
        ("MUG", &["MUG-RED", "MUG-BLUE"]),
        ("mug blu", &["MUG-BLUE"]),
        ("scarl vol", &["BOOK-1"]),
        ("mug-blue", &["MUG-BLUE"]),
        ("mugs", &["MUG-RED", "MUG-BLUE", "KETTLE"]),
        ("scarlatti", &["BOOK-1"]),
        ("äpfel", &["BOOK-2"]),
        ("ÄPFEL", &["BOOK-2"]),
        ("books", &["BOOK-2", "BOOK-1"]),
        ("lüdenscheidt obst", &["BOOK-2"]),
        ("blue kettle", &[]),
        ("?!", &[]),
    ] {
        assert_eq!(skus(&shop, &[("q", q)]).await, found, "{q}");
    }
    assert_eq!(skus(&shop, &[("q", " ")]).await.len(), 5, "nothing was typed");
}

#[tokio::test]
async fn two_mistakes_in_eight_letters_are_forgiven_and_one_in_four() {
    let shop = shelves().await;
    for typed in ["keyboard", "keybaord", "kexboerd", "keyoard", "keyboarrd", "zeyboart", "kyboad"] {
        assert_eq!(skus(&shop, &[("q", typed)]).await, ["BOOK-1"], "{typed}");
    }
    assert_eq!(skus(&shop, &[("q", "bluu mug")]).await, ["MUG-BLUE"]);
    assert_eq!(skus(&shop, &[("q", "bulö mug")]).await, [""; 0], "two in four are another word");
    assert_eq!(skus(&shop, &[("q", "apfel")]).await, ["BOOK-2"]);
}

#[tokio::test]
async fn filters_narrow_the_list_and_categories_are_counted() {
    let shop = shelves().await;
    assert_eq!(skus(&shop, &[("sku", "KETTLE")]).await, ["KETTLE"]);
    assert_eq!(
        skus(&shop, &[("min_price", "1250"), ("max_price", "1450"), ("sort", "price")]).await,
        ["MUG-RED", "MUG-BLUE", "BOOK-1"]
    );
    assert_eq!(skus(&shop, &[("category", "books"), ("max_price", "1000")]).await, ["BOOK-2"]);

    let counted = list(&shop, &[("facets", "category"), ("category", "books"), ("limit", "1")]).await.body;
    assert_eq!(
        counted["facets"],
        json!({ "category": [{ "value": "kitchen", "count": 3 }, { "value": "books", "count": 2 }] })
    );
    let counted = list(&shop, &[("facets", "category"), ("q", "mug")]).await.body;
    assert_eq!(counted["facets"], json!({ "category": [{ "value": "kitchen", "count": 2 }] }));
    assert_eq!(list(&shop, &[("q", "mug")]).await.body["facets"], Value::Null);
}

#[tokio::test]
async fn each_sequence_is_its_own() {
    let shop = shelves().await;
    for (sort, sequence) in [
        ("newest", ["BOOK-2", "BOOK-1", "KETTLE", "MUG-RED", "MUG-BLUE"]),
        ("relevance", ["BOOK-2", "BOOK-1", "KETTLE", "MUG-RED", "MUG-BLUE"]),
        ("price", ["BOOK-2", "MUG-RED", "MUG-BLUE", "BOOK-1", "KETTLE"]),
        ("-price", ["KETTLE", "BOOK-1", "MUG-BLUE", "MUG-RED", "BOOK-2"]),
        ("name", ["MUG-BLUE", "KETTLE", "BOOK-1", "MUG-RED", "BOOK-2"]),
    ] {
        assert_eq!(skus(&shop, &[("sort", sort)]).await, sequence, "{sort}");
    }
}

#[tokio::test]
async fn a_parameter_that_is_none_is_refused_with_what_it_may_be() {
    let shop = Shop::open().await;
    let long = "a".repeat(201);
    for (parameters, code) in [
        (&[("q", long.as_str())][..], "invalid_query"),
        (&[("sort", "cheap")], "invalid_query"),
        (&[("facets", "colour")], "invalid_query"),
        (&[("min_price", "-1")], "invalid_query"),
        (&[("max_price", "1000000000001")], "invalid_query"),
        (&[("min_price", "1e3")], "invalid_query"),
        (&[("min_price", "2"), ("max_price", "1")], "invalid_query"),
        (&[("sku", "")], "invalid_query"),
        (&[("cursor", "forged")], "invalid_cursor"),
    ] {
        let answer = list(&shop, parameters).await;
        assert_eq!((answer.status, answer.code()), (400, code), "{parameters:?}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_cursor_of_one_sequence_is_none_of_another() {
    let shop = shelves().await;
    let cursor = list(&shop, &[("sort", "price"), ("limit", "1")]).await.body["next_cursor"].clone();
    let answer = list(&shop, &[("sort", "-price"), ("cursor", cursor.as_str().unwrap())]).await;
    assert_eq!((answer.status, answer.code()), (400, "invalid_cursor"));
}

/// While others come, go and become dearer, whatever stays as it is comes exactly once.
#[tokio::test]
async fn pages_hold_once_what_does_not_move_while_everything_around_it_does() {
    const SORTS: [&str; 5] = ["relevance", "newest", "price", "-price", "name"];
    let shop = Shop::open().await;
    let (still, moving) = (scale(200, 20), scale(60, 6));
    for number in 0..still {
        let name = ["mug", "Mug", "MUG"][number % 3];
        enter(&shop, &format!("STILL-{number}"), name, 100 + i64::try_from(number % 4).unwrap()).await;
    }
    for round in 0..scale(10, 2) {
        for sort in SORTS {
            let (mut seen, mut cursor) = (Vec::new(), Value::Null);
            loop {
                let mut parameters = vec![("q", "mug"), ("sort", sort), ("limit", "7")];
                let after = cursor.as_str().map(str::to_owned);
                parameters.extend(after.as_deref().map(|after| ("cursor", after)));
                let page = list(&shop, &parameters).await;
                seen.extend(skus_of(&page));
                cursor = page.body["next_cursor"].clone();
                if cursor.is_null() {
                    break;
                }
                let number = seen.len() % moving;
                let price = 90 + i64::try_from((seen.len() * 7 + round) % 20).unwrap();
                enter(&shop, &format!("MOVING-{number}"), ["a mug", "Zinc mug"][round % 2], price).await;
            }
            seen.retain(|sku| sku.starts_with("STILL"));
            assert_eq!(seen.len(), still, "{sort}");
            assert_eq!(BTreeSet::from_iter(&seen).len(), still, "{sort}");
        }
    }
}

async fn enter(shop: &Shop, sku: &str, name: &str, amount: i64) {
    let body = json!({ "sku": sku, "name": name, "price": euro(amount) });
    let entered = shop.staff.put("/api/v1/products", body).await;
    assert!([200, 201].contains(&entered.status), "{}", entered.body);
}

/// Whatever is typed is text: it finds something or nothing, and is never understood as anything else.
#[test]
fn whatever_is_typed_is_an_ordinary_question() {
    let runtime = Runtime::new().unwrap();
    let shop = runtime.block_on(shelves());
    let cases = u32::try_from(scale(2_000, 100)).unwrap();
    let hostile = prop_oneof![
        any::<String>(),
        "[ a-z%_*:&|!<>()'\"\\\\-]{0,40}",
        proptest::collection::vec("(mug|:\\*|&|\\||!|<->|'|\\\\|\\)|\\(|%|_|\u{0}|\u{202e}|e\u{301}|🫖)", 0..12)
            .prop_map(|pieces| pieces.concat()),
    ];
    proptest!(ProptestConfig::with_cases(cases), |(q in hostile)| {
        let answer = runtime.block_on(list(&shop, &[("q", &q), ("facets", "category")]));
        let expected = if q.chars().count() > 200 { 400 } else { 200 };
        prop_assert_eq!(answer.status, expected, "{:?}: {}", q, answer.body);
    });
}
