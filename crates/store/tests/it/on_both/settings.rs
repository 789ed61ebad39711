//! What holds for all of the books is kept in them, in a file and in a database.

use billing::sharding::ShardPlacement;
use store::{Error, Store, settings};
use testbed::Books;

async fn one(store: &Store, name: &'static str) -> Option<String> {
    store.read(move |s| Box::pin(settings::one(s, name))).await.unwrap()
}

#[tokio::test]
async fn a_setting_is_kept_and_the_first_one_stands() {
    let books = Books::new().await;
    let store = books.open().await;
    assert_eq!(one(&store, "colour").await, None);
    assert_eq!(store.put_setting_once("colour", "red".to_owned()).await.unwrap(), "red");
    assert_eq!(store.put_setting_once("colour", "blue".to_owned()).await.unwrap(), "red");
    store.close().await.unwrap();
    let store = books.open().await;
    assert_eq!(one(&store, "colour").await.as_deref(), Some("red"));
    store.put_setting("colour", "green".to_owned()).await.unwrap();
    assert_eq!(one(&store, "colour").await.as_deref(), Some("green"));
    store.close().await.unwrap();
}

#[tokio::test]
async fn customers_of_a_file_are_not_spread() {
    let books = Books::sqlite();
    let store = books.open().await;
    store.spread(ShardPlacement::NONE).await.unwrap();
    for spread in [ShardPlacement::over(2), ShardPlacement::by_organization(1)] {
        let refused = store.spread(spread).await;
        assert_eq!(refused, Err(Error::Misuse("books in a file have one shard".to_owned())));
    }
}
