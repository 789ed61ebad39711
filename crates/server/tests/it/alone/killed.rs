//! A program that is killed with -9 in the middle of a billing run, again and again: the books agree with
//! themselves each time, and in the end hold what they hold when nobody disturbs.

use crate::fixtures::subscribers::{price, subscribed};
use billing::calendar::IntervalUnit;
use billing::id::Ids;
use billing::timestamp::Timestamp;
use engine::{At, Engine, NewBooks};
use gateway::Sandbox;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::Duration;
use testbed::Books;

const KILLS: usize = 50;
const CUSTOMERS: usize = 160;
const START: &str = "2024-01-01T00:00:00Z";
/// How far the books are billed; further on, if a run comes to its end before it is killed.
const UNTIL: &str = "2024-06-15T12:00:00Z";
const FURTHER_SECONDS: i64 = 31 * 86_400;
/// After how many questions to the gateway a kill comes, at most.
const QUESTIONS: u64 = 40;
/// And how long after that: longer than the longest commit takes.
const DELAY_MICROS: u64 = 30_000;
/// Whoever names a seed here gets the same kill points again, as near as the machine allows.
const SEED_VARIABLE: &str = "QUITTANCE_TEST_SEED";

/// Numbers that a seed repeats.
struct Dice(u64);

impl Dice {
    fn new() -> Dice {
        let named = std::env::var(SEED_VARIABLE).ok().map(|seed| seed.parse().unwrap());
        let seed = named.unwrap_or_else(|| RandomState::new().hash_one(0) >> 32);
        println!("killed at the points of {SEED_VARIABLE}={seed}");
        Dice(seed)
    }

    fn below(&mut self, limit: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}

/// Books with customers who pay, who fail to, and whose gateway is silent at first.
async fn fill(books: &Books) {
    let start = Timestamp::parse(START).unwrap();
    let engine = Engine::new(books.open().await, Arc::new(Sandbox::default()), Ids::seeded(1));
    let mut ctx = engine.ctx(start);
    let (_, environment, _) = engine.open_books(&mut ctx, NewBooks::test("Acme", start)).await.unwrap();
    let number = environment.number;
    let weekly = price(&engine, number, start, IntervalUnit::Week).await;
    let monthly = price(&engine, number, start, IntervalUnit::Month).await;
    for n in 0..CUSTOMERS {
        let price = if n % 4 == 0 { weekly } else { monthly };
        let customer = subscribed(&engine, number, start, &format!("c{n:03}"), price).await;
        let later = match n % 10 {
            1 => "tok_decline_once",
            2 => "tok_insufficient_funds",
            3 => "tok_time_out_before",
            4 => "tok_time_out_after",
            _ => continue,
        };
        engine.create_payment_method(At::new(start, number), customer, testbed::card(later)).await.unwrap();
    }
    engine.store().close().await.unwrap();
}

/// A billing run in a process of its own, which says on its standard error what it asks the gateway.
struct Run {
    child: Child,
    /// One word when so many questions were asked; its end is the end of the process.
    event: Receiver<()>,
    asked: JoinHandle<Asked>,
}

/// What the gateway was asked for: keys, each with the amounts it came with.
type Asked = BTreeMap<String, Vec<i64>>;

impl Run {
    fn start(books: &Books, until: Timestamp, after: u64) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quittance"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("QUITTANCE_")) {
            command.env_remove(name);
        }
        let place = if testbed::is_url(books.address()) { "--database" } else { "--db" };
        command.args([
            "bill",
            "--until",
            &until.to_string(),
            "--log",
            "engine=debug",
            place,
            books.address(),
        ]);
        command.args(["--secret-file", books.folder().join("secret").to_str().unwrap()]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let (told, event) = channel();
        let said = child.stderr.take().unwrap();
        let asked = std::thread::spawn(move || {
            let asked = listen(said, after, &|| {
                // Whoever waited for the end only has gone by now.
                let _ = told.send(());
            });
            drop(told);
            asked
        });
        Run { child, event, asked }
    }

    /// Kills it some time after it has asked so often; false if it ended before.
    fn kill(mut self, delay: Duration) -> (bool, Asked) {
        let is_running =
            self.event.recv().is_ok() && self.event.recv_timeout(delay) == Err(RecvTimeoutError::Timeout);
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        (is_running, self.asked.join().unwrap())
    }

    /// Lets it finish.
    fn finish(mut self) -> Asked {
        let asked = self.asked.join().unwrap();
        assert!(self.child.wait().unwrap().success());
        asked
    }
}

fn listen(said: ChildStderr, after: u64, tell: &dyn Fn()) -> Asked {
    let (mut asked, mut keys, mut count) = (Asked::new(), BTreeMap::new(), 0);
    if after == 0 {
        tell();
    }
    for line in BufReader::new(said).lines().map_while(Result::ok) {
        let Some((_, fields)) = line.split_once("asks the gateway payment=") else { continue };
        // The last line of a killed process may be cut off.
        let Some((named, minor)) = fields.split_once(" minor=") else { continue };
        let (payment, key) = named.split_once(" key=").unwrap();
        let known = keys.entry(payment.to_owned()).or_insert_with(|| key.to_owned());
        assert_eq!(known, key, "{payment} was asked for under two keys");
        asked.entry(payment.to_owned()).or_default().push(minor.parse().unwrap());
        count += 1;
        if count == after {
            tell();
        }
    }
    asked
}

async fn audit(books: &Books) {
    let engine = Engine::new(books.open().await, Arc::new(Sandbox::default()), Ids::seeded(1));
    let report = engine.audit(None, Box::new(|_| {})).await.unwrap();
    engine.store().close().await.unwrap();
    let told: Vec<_> = report.disagreements.iter().map(ToString::to_string).collect();
    assert!(report.agrees(), "{}", told.join("\n"));
}

async fn count(books: &Books, of: &str) -> u64 {
    let rows = books.texts(&format!("select cast(count(*) as text) from {of}")).await;
    rows[0][0].as_ref().unwrap().parse().unwrap()
}

/// What was billed and paid, whoever gave out the ids and whenever the gateway was asked.
const BILLED: [&str; 4] = [
    "select c.external_id, cast(p.period_start as text), cast(p.period_end as text), cast(i.total as text)
     from periods p join customers c on c.id = p.customer_id left join invoices i on i.id = p.invoice_id
     order by 1, 2",
    "select c.external_id, cast(i.period_start as text), cast(i.total as text), cast(i.settled as text),
       i.status
     from invoices i join customers c on c.id = i.customer_id order by 1, 2",
    "select c.external_id, cast(i.period_start as text), cast(p.attempt as text), cast(p.amount as text),
       p.status, p.failure_code
     from payments p join customers c on c.id = p.customer_id join invoices i on i.id = p.invoice_id
     order by 1, 2, 3",
    "select c.external_id, s.status, cast(s.period_start as text)
     from subscriptions s join customers c on c.id = s.customer_id order by 1",
];

async fn kill_again_and_again(books: Books, calm: Books) {
    fill(&books).await;
    let mut dice = Dice::new();
    let mut asked = Asked::new();
    let mut until = Timestamp::parse(UNTIL).unwrap();
    let (mut kills, mut going_on, mut in_doubt) = (0, 0, 0);
    let mut before = count(&books, "payments").await;
    while kills < KILLS {
        let run = Run::start(&books, until, dice.below(QUESTIONS));
        let (is_killed, keys) = run.kill(Duration::from_micros(dice.below(DELAY_MICROS)));
        keys.into_iter().for_each(|(key, amounts)| asked.entry(key).or_default().extend(amounts));
        audit(&books).await;
        if !is_killed {
            until = until.plus_seconds(FURTHER_SECONDS).unwrap();
            continue;
        }
        kills += 1;
        let now = count(&books, "payments").await;
        going_on += usize::from(now > before);
        in_doubt += usize::from(count(&books, "payments where status = 'processing'").await > 0);
        before = now;
    }
    let rest = Run::start(&books, until, u64::MAX).finish();
    let again: usize = asked.values().map(|amounts| amounts.len() - 1).sum();
    println!(
        "{kills} kills: new rows after {going_on}, payments under way at {in_doubt}, {again} questions asked \
         again, {} keys left for the end",
        rest.len()
    );
    assert!(going_on >= 5 && in_doubt > KILLS / 4 && again > KILLS, "too little was interrupted");
    rest.into_iter().for_each(|(key, amounts)| asked.entry(key).or_default().extend(amounts));
    audit(&books).await;
    check_questions(&books, &asked).await;
    fill(&calm).await;
    Run::start(&calm, until, u64::MAX).finish();
    for question in BILLED {
        let (disturbed, calm) = (books.texts(question).await, calm.texts(question).await);
        assert!(calm.len() >= CUSTOMERS);
        for (disturbed, calm) in disturbed.iter().zip(&calm) {
            assert_eq!(disturbed, calm, "{question}");
        }
        assert_eq!(disturbed.len(), calm.len(), "{question}");
    }
}

/// Every question to the gateway is one payment of the books, always of the same amount, and no invoice
/// was paid by two of them.
async fn check_questions(books: &Books, asked: &Asked) {
    let id = if testbed::is_url(books.address()) {
        "replace(cast(id as text), '-', '')"
    } else {
        "lower(hex(id))"
    };
    let payments = books.texts(&format!("select {id}, cast(amount as text), status from payments")).await;
    let payments: BTreeMap<String, (i64, String)> = payments
        .into_iter()
        .map(|row| match &row[..] {
            [Some(id), Some(amount), Some(status)] => (id.clone(), (amount.parse().unwrap(), status.clone())),
            _ => panic!("{row:?}"),
        })
        .collect();
    for (key, amounts) in asked {
        let (amount, status) =
            payments.get(key).unwrap_or_else(|| panic!("{key} is no payment of the books"));
        assert!(
            amounts.iter().all(|asked| asked == amount),
            "{key} of {amount} was asked for as {amounts:?}"
        );
        assert_ne!(status, "processing", "{key}");
    }
    let twice = "select cast(count(*) as text) from payments where status = 'succeeded' group by invoice_id
         having count(*) > 1";
    assert_eq!(books.texts(twice).await.len(), 0);
}

#[tokio::test]
async fn a_file_of_books_is_whole_whenever_its_program_is_killed() {
    kill_again_and_again(Books::sqlite(), Books::sqlite()).await;
}

#[tokio::test]
async fn a_database_is_whole_whenever_a_program_on_it_is_killed() {
    kill_again_and_again(Books::postgres().await, Books::postgres().await).await;
}
