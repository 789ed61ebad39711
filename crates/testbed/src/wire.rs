//! A wire to a database that can be cut where it matters: exactly at a commit; that falls silent, or is
//! taken down.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Weak};
use std::time::Duration;

/// How long a piece of an answer is, and how long the next one is after it, so that each is read by itself.
const PIECE: usize = 16;
const BETWEEN_PIECES: Duration = Duration::from_millis(1);

/// What happens to a commit on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// It never arrives: the wire is cut before it.
    Before,
    /// It arrives and is done; the wire is cut before the answer.
    Answer,
    /// The wire to who sent it is cut, and it arrives once it is let through.
    Late,
}

/// A wire to the database of an address. It passes everything on, until it is told otherwise.
#[derive(Debug)]
pub struct Wire {
    address: String,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// How many commits come before the one that something happens to.
    planned: Option<(u32, Cut)>,
    /// How many commits have come by.
    commits: u32,
    is_silent: bool,
    is_down: bool,
    is_in_pieces: bool,
    lines: Vec<Weak<Line>>,
    is_let_through: bool,
}

impl Wire {
    /// A wire to where an address leads.
    pub fn to(address: &str) -> Wire {
        let (rest, query) = address.split_once('?').unwrap_or((address, ""));
        let (place, name) = rest.rsplit_once('/').unwrap();
        let (user, server) = place.rsplit_once('@').unwrap();
        let (user, server) = (user.to_owned(), server.to_owned());
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let address = format!("{user}@127.0.0.1:{port}/{name}?{query}");
        let wire = Wire { address, shared: shared.clone() };
        // It ends with the process, as whoever listens in it does.
        std::thread::spawn(move || {
            for client in listener.incoming() {
                connect(client.unwrap(), &server, &shared);
            }
        });
        wire
    }

    /// The address of the database over this wire.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Plans what happens to the n-th commit from now on, counted from 0.
    pub fn cut(&self, n: u32, cut: Cut) {
        let mut state = self.shared.lock();
        state.planned = Some((n, cut));
        state.is_let_through = false;
    }

    /// Whether what was planned has happened.
    pub fn is_cut(&self) -> bool {
        self.shared.lock().planned.is_none()
    }

    /// Takes a plan back.
    pub fn leave_whole(&self) {
        self.shared.lock().planned = None;
    }

    /// How many connections were made.
    pub fn made(&self) -> usize {
        self.shared.lock().lines.len()
    }

    /// How many commits have come by.
    pub fn commits(&self) -> u32 {
        self.shared.lock().commits
    }

    /// Lets the commit through that came late.
    pub fn let_through(&self) {
        self.shared.lock().is_let_through = true;
        self.shared.changed.notify_all();
    }

    /// Passes nothing on, in either direction, or goes on with it. New connections are taken all the same.
    pub fn silence(&self, is_silent: bool) {
        self.shared.lock().is_silent = is_silent;
        self.shared.changed.notify_all();
    }

    /// From now on answers come in pieces of a few bytes, each by itself.
    pub fn answer_in_pieces(&self) {
        self.shared.lock().is_in_pieces = true;
    }

    /// Cuts all connections and every one that is tried, or takes them again.
    pub fn take_down(&self, is_down: bool) {
        let mut state = self.shared.lock();
        state.is_down = is_down;
        state.lines.drain(..).filter_map(|line| line.upgrade()).for_each(|line| line.cut());
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Waits while the wire is silent.
    fn wait_for_sound(&self) {
        drop(self.changed.wait_while(self.lock(), |state| state.is_silent).unwrap());
    }

    fn wait_to_be_let_through(&self) {
        drop(self.changed.wait_while(self.lock(), |state| !state.is_let_through).unwrap());
    }

    /// What happens to the commit that has just come.
    fn strike(&self) -> Option<Cut> {
        let mut state = self.lock();
        state.commits += 1;
        match &mut state.planned {
            Some((0, cut)) => {
                let cut = *cut;
                state.planned = None;
                Some(cut)
            }
            Some((left, _)) => {
                *left -= 1;
                None
            }
            None => None,
        }
    }
}

/// One connection over the wire.
#[derive(Debug)]
struct Line {
    client: TcpStream,
    server: TcpStream,
    shared: Arc<Shared>,
    /// Whether answers are thrown away from now on.
    is_deaf: Mutex<bool>,
}

fn connect(client: TcpStream, server: &str, shared: &Arc<Shared>) {
    let server = TcpStream::connect(server).unwrap();
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let line = Arc::new(Line { client, server, shared: shared.clone(), is_deaf: Mutex::new(false) });
    let mut state = shared.lock();
    if state.is_down {
        return line.cut();
    }
    state.lines.push(Arc::downgrade(&line));
    drop(state);
    let back = line.clone();
    std::thread::spawn(move || {
        // Either end may be gone at any time; then the other one goes too.
        if line.pass_questions().unwrap_or(true) {
            line.cut();
        }
    });
    std::thread::spawn(move || {
        let _ = back.pass_answers();
        back.cut();
    });
}

impl Line {
    fn cut(&self) {
        for end in [&self.client, &self.server] {
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    /// Passes on what the client says; false if the line ends with the next answer.
    fn pass_questions(&self) -> std::io::Result<bool> {
        let (mut waiting, mut part) = (Vec::new(), [0; 1 << 16]);
        let mut has_begun = false;
        loop {
            let length = (&self.client).read(&mut part)?;
            if length == 0 {
                return Ok(true);
            }
            waiting.extend_from_slice(&part[..length]);
            self.shared.wait_for_sound();
            while let Some(message) = next_message(&mut waiting, &mut has_begun) {
                let is_commit = message[0] == b'Q' && &message[5..] == b"commit\0";
                let cut = is_commit.then(|| self.shared.strike()).flatten();
                *self.is_deaf.lock().unwrap() = matches!(cut, Some(Cut::Answer | Cut::Late));
                match cut {
                    Some(Cut::Before) => return Ok(true),
                    Some(Cut::Late) => {
                        self.client.shutdown(Shutdown::Both)?;
                        self.shared.wait_to_be_let_through();
                    }
                    Some(Cut::Answer) | None => {}
                }
                (&self.server).write_all(&message)?;
                if cut.is_some() {
                    return Ok(false);
                }
            }
        }
    }

    fn pass_answers(&self) -> std::io::Result<()> {
        let (mut unheard, mut part) = (Vec::new(), [0; 1 << 16]);
        loop {
            let length = (&self.server).read(&mut part)?;
            if length == 0 {
                return Ok(());
            }
            self.shared.wait_for_sound();
            if *self.is_deaf.lock().unwrap() {
                unheard.extend_from_slice(&part[..length]);
                if unheard.windows(7).any(|bytes| bytes == b"COMMIT\0") {
                    return Ok(());
                }
            } else {
                let piece = if self.shared.lock().is_in_pieces { PIECE } else { length };
                for piece in part[..length].chunks(piece) {
                    (&self.client).write_all(piece)?;
                    if piece.len() < length {
                        std::thread::sleep(BETWEEN_PIECES);
                    }
                }
            }
        }
    }
}

/// Takes the next whole message of a client from what has come; the first one has no letter.
fn next_message(waiting: &mut Vec<u8>, has_begun: &mut bool) -> Option<Vec<u8>> {
    let letter = usize::from(*has_begun);
    let length = waiting.get(letter..letter + 4)?;
    let length = letter + u32::from_be_bytes(length.try_into().unwrap()) as usize;
    if waiting.len() < length {
        return None;
    }
    *has_begun = true;
    Some(waiting.drain(..length).collect())
}
