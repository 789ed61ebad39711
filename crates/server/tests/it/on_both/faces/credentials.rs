//! Who is let in, and for how long.

use crate::fixtures::harness::TestApp;
use crate::fixtures::seeds;
use billing::changes::Change;
use billing::credential::{Bearer, KeyScope, Role};
use billing::id::{Id, StaffId};
use engine::At;
use server::auth::principal::PrincipalKind;
use server::auth::refused::Refused;

async fn refused(test: &TestApp, token: &str) -> Refused {
    test.app().authenticate(token).await.unwrap_err()
}

#[tokio::test]
async fn a_key_holds_until_it_is_revoked() {
    let test = TestApp::new().await;
    let books = test.books("Acme", None).await;
    let key = test.key(books.number, &[KeyScope::Periods]).await;
    let who = test.app().authenticate(&key).await.unwrap();
    assert_eq!(who.environment, books.number);
    assert!(who.has_scope(KeyScope::Periods) && !who.has_scope(KeyScope::Merchant));
    assert_eq!(test.restarted().await.app().authenticate(&key).await.unwrap(), who);

    test.engine.revoke_credential(At::new(test.now(), books.number), who.credential).await.unwrap();
    assert_eq!(refused(&test, &key).await, Refused::Revoked);
    assert!(test.engine.revoke_credential(At::new(test.now(), books.number), who.credential).await.is_err());
    assert_eq!(refused(&test, "qk_test_0000000000000000000000000000").await, Refused::Unknown);
    assert_eq!(refused(&test, &key[..key.len() - 1]).await, Refused::Unknown);
}

#[tokio::test]
async fn another_environment_cannot_revoke_a_key() {
    let test = TestApp::new().await;
    let (books, others) = (test.books("Acme", None).await, test.books("Other", None).await);
    let key = test.key(books.number, &[]).await;
    let id = test.app().authenticate(&key).await.unwrap().credential;
    assert!(test.engine.revoke_credential(At::new(test.now(), others.number), id).await.is_err());
    assert!(test.app().authenticate(&key).await.is_ok());
}

#[tokio::test]
async fn a_token_expires_by_the_real_clock() {
    let test = TestApp::new().await;
    let books = test.books("Acme", Some("2020-01-01")).await;
    let staff: StaffId = seeds::id(7);
    test.commit(vec![Change::insert(seeds::staff(books.number, staff, "viewer"))]).await;
    let (token, _) = test.token(books.number, Bearer::Staff(staff)).await;
    assert!(test.app().authenticate(&token).await.unwrap().may("payments.view"));
    test.set_now(test.now().plus_seconds(86_399).unwrap());
    assert!(test.app().authenticate(&token).await.is_ok());
    test.set_now(test.now().plus_seconds(1).unwrap());
    assert_eq!(refused(&test, &token).await, Refused::Expired);
    assert_eq!(refused(&test.restarted().await, &token).await, Refused::Expired);
}

#[tokio::test]
async fn what_a_role_permits_can_change() {
    let test = TestApp::new().await;
    let books = test.books("Acme", None).await;
    let token = test.staff_token(books.number, "viewer").await;
    assert!(!test.app().authenticate(&token).await.unwrap().may("payments.manage"));
    let permissions = vec!["payments.manage".to_owned()];
    let role = Role { environment: books.number, name: "viewer".into(), permissions };
    test.engine.put_roles(vec![role]).await.unwrap();
    let who = test.app().authenticate(&token).await.unwrap();
    assert!(who.may("payments.manage") && !who.may("payments.view"));
}

#[tokio::test]
async fn nobody_is_let_in_with_what_was_not_given_out() {
    let test = TestApp::new().await;
    let (books, others) = (test.books("Acme", None).await, test.books("Other", None).await);
    let customer = seeds::customer(books.number, seeds::id(1));
    test.commit(vec![Change::insert(customer.clone())]).await;
    let token = test.customer_token(books.number, customer.id).await;
    let who = test.app().authenticate(&token).await.unwrap();
    assert!(matches!(who.kind, PrincipalKind::CustomerUser { customer: id, .. } if id == customer.id));

    // A person who does not exist, or who exists in other books.
    let ghost = Bearer::CustomerUser(customer.id, seeds::id(99));
    assert_eq!(refused(&test, &test.token(books.number, ghost).await.0).await, Refused::Gone);
    let staff: StaffId = seeds::id(7);
    test.commit(vec![Change::insert(seeds::staff(books.number, staff, "viewer"))]).await;
    assert_eq!(refused(&test, &test.token(others.number, Bearer::Staff(staff)).await.0).await, Refused::Gone);

    // A signature of ours over a credential that was never kept.
    let id = seeds::id::<billing::id::CredentialId>(12_345);
    let end = test.now().plus_days(1).unwrap();
    let authenticator = &test.app().authenticator;
    let issued = authenticator.token(test.now(), id, books.number, Bearer::Staff(staff), "", end);
    assert_eq!(refused(&test, &issued.secret).await, Refused::Unknown);
    assert_eq!(refused(&test, "").await, Refused::Unknown);
    assert_eq!(refused(&test, "a.b.c").await, Refused::Unknown);
}

#[tokio::test]
async fn the_last_use_is_noted_once_a_minute() {
    let test = TestApp::new().await;
    let books = test.books("Acme", None).await;
    let key = test.key(books.number, &[]).await;
    let app = test.app();
    for _ in 0..3 {
        app.authenticate(&key).await.unwrap();
    }
    let used = app.authenticator.take_used();
    assert_eq!(used.iter().map(|(_, at)| *at).collect::<Vec<_>>(), [test.now()]);
    test.engine.note_credentials_used(used).await.unwrap();
    let kept = test.engine.credentials(books.number).await.unwrap();
    assert_eq!(kept[0].last_used_at, Some(test.now()));
    test.set_now(test.now().plus_seconds(59).unwrap());
    app.authenticate(&key).await.unwrap();
    assert!(app.authenticator.take_used().is_empty());
    test.set_now(test.now().plus_seconds(1).unwrap());
    app.authenticate(&key).await.unwrap();
    assert_eq!(app.authenticator.take_used().len(), 1);
    assert_ne!(kept[0].id.raw(), 0);
}
