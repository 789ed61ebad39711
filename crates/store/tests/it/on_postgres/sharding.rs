//! How customers are spread over shards is kept in the books.

use billing::sharding::{ShardKey, ShardPlacement};
use store::{Error, Store};
use testbed::Books;

#[tokio::test]
async fn how_customers_are_spread_is_known_to_whoever_opens_the_books() {
    let books = Books::empty().await;
    let store = books.open().await;
    assert_eq!(store.spreading(), ShardPlacement::NONE);
    for shards in [0, -8, 3, 2048] {
        assert!(
            matches!(store.spread(ShardPlacement::over(shards)).await, Err(Error::Misuse(_))),
            "{shards}"
        );
    }
    store.spread(ShardPlacement::by_organization(8)).await.unwrap();
    assert_eq!(store.spreading(), ShardPlacement::by_organization(8));
    let other = books.open().await;
    assert_eq!(other.spreading(), ShardPlacement::by_organization(8));
    other.spread(ShardPlacement::over(8)).await.unwrap();
    assert_eq!(books.open().await.spreading().by, ShardKey::Customer, "nobody had been spread");
    books
        .tamper(
            "insert into settings (name, value) values ('spread_by', 'weather') on conflict (name)
         do update set value = excluded.value",
        )
        .await;
    let refused = Store::connect(books.address(), store::Options::default()).await.err().unwrap();
    assert_eq!(
        refused,
        Error::Corrupt("customers are spread by weather, which means nothing here".to_owned())
    );
}
