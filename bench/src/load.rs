//! A load on loopback, from a process of its own, so that its processor time is not counted with the server's:
//! a few connections that stay open, each asking again as soon as it has its answer.

use crate::failure::Failure;
use crate::meter::Meter;
use crate::place::Place;
use crate::report::{Taken, median, p99};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What the process that asks prints when it has its connections, and is told to begin.
const READY: &str = "ready";

/// A request as it goes over the wire, and the status that it must be answered with.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    wire: String,
    status: u16,
}

impl Ask {
    /// A request with headers and, for a write, a JSON body.
    pub(crate) fn new(method: &str, target: &str, headers: &[(&str, &str)], body: &str, status: u16) -> Self {
        let mut wire = format!("{method} {target} HTTP/1.1\r\nhost: bench\r\n");
        for (name, value) in headers {
            wire.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            wire.push_str(&format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len()));
        }
        wire.push_str("\r\n");
        wire.push_str(body);
        Self { wire, status }
    }

    /// A read.
    pub(crate) fn get(target: &str, headers: &[(&str, &str)]) -> Self {
        Self::new("GET", target, headers, "", 200)
    }
}

/// When a load ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    /// After this time.
    Time(Duration),
    /// When each request has been made once.
    Once,
}

/// Asks a server of this process from `connections` at a time, going round the requests.
pub(crate) async fn load(
    place: &Place,
    address: SocketAddr,
    asks: &[Ask],
    connections: usize,
    until: Until,
) -> Result<Taken, Failure> {
    let asks: Vec<Value> = asks.iter().map(|ask| json!([ask.wire, ask.status])).collect();
    let milliseconds = match until {
        Until::Time(time) => Some(u64::try_from(time.as_millis())?),
        Until::Once => None,
    };
    let order = json!({
        "address": address.to_string(), "connections": connections, "milliseconds": milliseconds, "asks": asks,
    });
    let order = order.to_string();
    let postmaster = place.postmaster();
    tokio::task::spawn_blocking(move || asked(&order, postmaster)).await?
}

fn asked(order: &str, postmaster: Option<u32>) -> Result<Taken, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    let mut child = command.arg("--load").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut input = child.stdin.take().ok_or("no standard input")?;
    let mut output = BufReader::new(child.stdout.take().ok_or("no standard output")?);
    let mut line = String::new();
    let spoken: Result<(), std::io::Error> = (|| {
        writeln!(input, "{order}")?;
        output.read_line(&mut line).map(|_| ())
    })();
    // If it has failed, it says why on its standard error.
    let is_ready = spoken.is_ok() && line.trim() == READY;
    let meter = Meter::begin(postmaster);
    line.clear();
    if is_ready {
        writeln!(input, "{READY}")?;
        output.read_line(&mut line)?;
    }
    let answer: Value = serde_json::from_str(&line).unwrap_or_default();
    let number = |name: &str| answer[name].as_f64();
    let taken = number("rate").zip(number("count")).map(|(rate, count)| {
        let taken = Taken { rate, p50_ms: number("p50_ms"), p99_ms: number("p99_ms"), ..Taken::default() };
        meter.cost(taken, count as usize)
    });
    drop(input);
    child.wait()?;
    taken.ok_or_else(|| answer["error"].as_str().unwrap_or("the process that asks has failed").into())
}

/// The process that asks: reads its order, asks when it is told to, and says what came of it.
pub(crate) async fn obey() -> Result<(), Failure> {
    let mut input = BufReader::new(std::io::stdin());
    let mut line = String::new();
    input.read_line(&mut line)?;
    let order: Value = serde_json::from_str(&line)?;
    let address: SocketAddr = order["address"].as_str().ok_or("no address")?.parse()?;
    let connections = order["connections"].as_u64().ok_or("no connections")?;
    let time = order["milliseconds"].as_u64().map(Duration::from_millis);
    let mut asks = Vec::new();
    for ask in order["asks"].as_array().ok_or("no requests")? {
        let wire = ask[0].as_str().ok_or("no request")?.to_owned();
        asks.push(Ask { wire, status: u16::try_from(ask[1].as_u64().ok_or("no status")?)? });
    }
    let mut streams = Vec::new();
    for _ in 0..connections {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    println!("{READY}");
    line.clear();
    if input.read_line(&mut line)? == 0 {
        return Err("the bench ended".into());
    }
    let (asks, next, start) = (Arc::new(asks), Arc::new(AtomicUsize::new(0)), Instant::now());
    let mut tasks = Vec::with_capacity(streams.len());
    for stream in streams {
        let (asks, next) = (Arc::clone(&asks), Arc::clone(&next));
        tasks.push(tokio::spawn(async move { client(stream, &asks, &next, start, time).await }));
    }
    let mut taken = Vec::new();
    for task in tasks {
        match task.await? {
            Ok(times) => taken.extend(times),
            Err(error) => {
                println!("{}", json!({ "error": error.to_string() }));
                return Ok(());
            }
        }
    }
    let rate = taken.len() as f64 / start.elapsed().as_secs_f64();
    let (p50_ms, p99_ms) = (median(&taken) * 1e3, p99(&taken) * 1e3);
    println!("{}", json!({ "count": taken.len(), "rate": rate, "p50_ms": p50_ms, "p99_ms": p99_ms }));
    Ok(())
}

async fn client(
    mut stream: TcpStream,
    asks: &[Ask],
    next: &AtomicUsize,
    start: Instant,
    time: Option<Duration>,
) -> Result<Vec<f64>, Failure> {
    let mut buffer = Vec::with_capacity(64 << 10);
    let mut taken = Vec::with_capacity(4096);
    loop {
        let n = next.fetch_add(1, Ordering::Relaxed);
        let is_over = match time {
            Some(time) => start.elapsed() >= time,
            None => n >= asks.len(),
        };
        if is_over {
            return Ok(taken);
        }
        let ask = &asks[n % asks.len()];
        let asked = Instant::now();
        stream.write_all(ask.wire.as_bytes()).await?;
        let status = answer(&mut stream, &mut buffer).await?;
        taken.push(asked.elapsed().as_secs_f64());
        if status != ask.status {
            return Err(other_answer(ask, &buffer));
        }
    }
}

fn other_answer(ask: &Ask, buffer: &[u8]) -> Failure {
    let (target, text) = (ask.wire.lines().next().unwrap_or_default(), String::from_utf8_lossy(buffer));
    format!("{target}: {} wanted, answered: {text}", ask.status).into()
}

/// Reads one answer into the buffer, and says its status.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<u16, Failure> {
    buffer.clear();
    let mut whole = None;
    loop {
        if let Some((status, length)) = whole
            && buffer.len() >= length
        {
            return Ok(status);
        }
        if stream.read_buf(buffer).await? == 0 {
            return Err("the server closed the connection".into());
        }
        if whole.is_none() {
            whole = head(buffer)?;
        }
    }
}

/// The status, and the length of head and body together; none while the head is not whole.
fn head(buffer: &[u8]) -> Result<Option<(u16, usize)>, Failure> {
    let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(&buffer[..end])?;
    let status = text.get(9..12).ok_or("no status line")?.parse()?;
    let mut length = 0;
    for line in text.lines().skip(1) {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse()?;
        }
    }
    Ok(Some((status, end + 4 + length)))
}

/// The body of one answer.
pub(crate) async fn fetch(address: SocketAddr, ask: &Ask) -> Result<Vec<u8>, Failure> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(ask.wire.as_bytes()).await?;
    let mut buffer = Vec::new();
    let status = answer(&mut stream, &mut buffer).await?;
    let end = buffer.windows(4).position(|four| four == b"\r\n\r\n").ok_or("no head")?;
    if status != ask.status {
        return Err(other_answer(ask, &buffer));
    }
    Ok(buffer.split_off(end + 4))
}
