//! A database that goes away or falls silent, and comes back.

use crate::http::ask;
use crate::load::insist;
use crate::program::Serving;
use crate::shop::Shop;
use std::sync::Arc;
use tempfile::TempDir;
use testbed::{Books, until};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What stands between a server and its database does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Passes,
    /// Connections are closed, and new ones too.
    IsCut,
    /// Connections stay open, new ones are taken, and nothing is ever answered.
    IsSilent,
}

/// Stands between a server and its database; answers the address to ask instead.
async fn stand_between(database: &str, line: watch::Receiver<Line>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = listener.local_addr().unwrap().to_string();
    let (_, rest) = database.split_once('@').unwrap();
    let there = rest.split('/').next().unwrap().to_owned();
    let address = database.replacen(&there, &own, 1);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(pass(socket, there.clone(), line.clone()));
        }
    });
    address
}

async fn pass(mut here: TcpStream, there: String, mut line: watch::Receiver<Line>) {
    let begun = *line.borrow_and_update();
    if begun == Line::IsCut {
        return;
    }
    let forward = async {
        if begun == Line::Passes
            && let Ok(mut there) = TcpStream::connect(there).await
        {
            // Whichever side ends it, both do.
            let _ = tokio::io::copy_bidirectional(&mut here, &mut there).await;
            return;
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = forward => return,
        _ = line.changed() => {}
    }
    if *line.borrow_and_update() == Line::IsSilent {
        let _ = line.changed().await;
    }
}

/// Asks every face at once; answers what each said.
async fn ask_all(shop: &Arc<Shop>) -> Vec<u16> {
    let mut asked = JoinSet::new();
    for face in 0..shop.reads.len() {
        let shop = shop.clone();
        asked.spawn(async move {
            let (target, headers) = &shop.reads[face];
            let headers: Vec<(&str, &str)> =
                headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let answer = ask(&shop.servers[0], "GET", target, &headers, "").await.unwrap();
            if answer.status == 503 {
                shop.check_refusal(target, &answer);
            }
            answer.status
        });
    }
    asked.join_all().await
}

async fn status(shop: &Shop, target: &str) -> u16 {
    ask(&shop.servers[0], "GET", target, &[], "").await.unwrap().status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_away_is_told_in_each_faces_words_and_work_goes_on_when_it_is_back() {
    let books = Books::empty().await;
    let folder = TempDir::new().unwrap();
    let (line, lines) = watch::channel(Line::Passes);
    let address = stand_between(books.address(), lines).await;
    let key = Shop::open(folder.path(), books.address(), "2");
    let mut server =
        Serving::start(folder.path(), &address, "alone", &["--request-seconds", "1", "--tick-seconds", "1"]);
    let addresses = [server.address.clone(), server.address.clone()];
    let start = "2026-01-01T00:00:00Z".to_owned();
    let shop = Arc::new(Shop::new(folder.path(), books.address(), key, addresses, start).await);
    let well = vec![200; shop.reads.len()];
    assert_eq!(ask_all(&shop).await, well);
    for (number, way) in [Line::IsCut, Line::IsSilent].into_iter().enumerate() {
        line.send_replace(way);
        assert_eq!(ask_all(&shop).await, vec![503; shop.reads.len()], "{way:?}");
        assert_eq!((status(&shop, "/readyz").await, status(&shop, "/healthz").await), (503, 200), "{way:?}");
        // A write that is begun meanwhile is repeated until it is done, and done once.
        let asks = shop.sign_up(0, number);
        let (writing, shop_of_writer) = (asks[0].clone(), shop.clone());
        let written = tokio::spawn(async move { insist(&shop_of_writer, &writing, 0).await });
        assert_eq!(ask_all(&shop).await, vec![503; shop.reads.len()], "{way:?}");
        line.send_replace(Line::Passes);
        until("every face answers again", async || ask_all(&shop).await == well).await;
        assert_eq!(written.await.unwrap().ask.name, asks[0].name);
        assert_eq!(status(&shop, "/readyz").await, 200, "{way:?}");
    }
    let names = books.texts("select external_id from customers order by 1").await;
    assert_eq!(names.len(), 3, "the reader and one for each time: {names:?}");
    assert!(server.runs());
}
