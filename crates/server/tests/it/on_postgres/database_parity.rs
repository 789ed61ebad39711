//! The same demo in a file and in PostgreSQL: the same books, byte for byte through all five contracts.

use crate::fixtures::demo_server::DemoServer;
use testbed::Books;

#[tokio::test]
async fn the_same_seed_makes_the_same_books_on_either_database() {
    let file = DemoServer::over(Books::sqlite(), 4, 12, 3).await.answers().await;
    let server = DemoServer::over(Books::postgres().await, 4, 12, 3).await.answers().await;
    assert!(file.len() > 25 && file.iter().map(|(_, text)| text.len()).sum::<usize>() > 50_000);
    for ((target, here), (_, there)) in file.iter().zip(&server) {
        assert_eq!(here, there, "{target}");
    }
}
