//! Three PostgreSQL servers under Patroni, three etcd that say which of them leads, and HAProxy in front:
//! all on ports of this machine, from Debian's packages.

mod settings;

use crate::keeper::{Keeper, as_nobody};
use crate::server::{Missing, Server};
use crate::{databases, programs, waits};
pub use settings::Timing;
use settings::{MEMBERS, Ports};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A cluster with a folder of its own, which waits for the disk as a real one does. It ends, and the
/// folder goes, when this is dropped or the process that started it ends, however that ends.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    programs: Programs,
    ports: Ports,
    /// Starts what it is told; everything ends with it.
    keeper: Keeper,
}

/// What a cluster consists of.
#[derive(Debug, Clone)]
struct Programs {
    /// The folder with those of PostgreSQL.
    postgres: PathBuf,
    patroni: PathBuf,
    etcd: PathBuf,
    haproxy: PathBuf,
}

/// The packages of Debian that have them.
const PACKAGES: &str = "postgresql patroni etcd-server haproxy";

impl Programs {
    fn find() -> Option<Programs> {
        Some(Programs {
            postgres: Server::binaries().ok()?,
            patroni: programs::find("patroni")?,
            etcd: programs::find("etcd")?,
            haproxy: programs::find("haproxy")?,
        })
    }
}

impl Cluster {
    /// What is not on this machine of that which a cluster consists of.
    pub fn missing() -> Vec<Missing> {
        let programs = [("patroni", "patroni"), ("etcd", "etcd-server"), ("haproxy", "haproxy")];
        let missing = programs.into_iter().filter(|(name, _)| programs::find(name).is_none());
        let missing = missing.map(|(_, package)| Missing(package));
        Server::binaries().err().into_iter().chain(missing).collect()
    }

    /// Starts a cluster and waits until it is whole.
    ///
    /// # Errors
    /// If a program is missing.
    pub async fn start(timing: Timing) -> Result<Cluster, Missing> {
        let programs = Programs::find().ok_or(Missing(PACKAGES))?;
        // A port that was free a moment ago may be taken by another: then others are tried.
        for _ in 0..3 {
            let mut cluster = Cluster::empty(programs.clone());
            cluster.begin(timing);
            if cluster.becomes_whole().await {
                return Ok(cluster);
            }
            cluster.show_logs();
        }
        panic!("the cluster does not start: its logs are above");
    }

    fn empty(programs: Programs) -> Cluster {
        let folder = tempfile::Builder::new().prefix("quittance-cluster-").tempdir().unwrap().keep();
        let mut keeper = as_nobody(Path::new("/bin/sh"), &folder);
        keeper.args(["-c", KEEPER, "keeper"]).arg(&folder).env("HOME", &folder);
        keeper.stderr(File::create(folder.join("keeper.log")).unwrap());
        let keeper = Keeper::spawn(&mut keeper);
        Cluster { folder, programs, ports: Ports::free(), keeper }
    }

    fn begin(&mut self, timing: Timing) {
        for n in 0..MEMBERS {
            let etcd = settings::etcd(&self.folder, &self.ports, n);
            self.run(&format!("etcd{n}"), &self.programs.etcd.clone(), &etcd);
            let settings = settings::patroni(&self.folder, &self.programs.postgres, &self.ports, timing, n);
            fs::write(self.folder.join(format!("patroni{n}.yml")), settings).unwrap();
        }
        fs::write(self.folder.join("haproxy.cfg"), settings::haproxy(&self.ports)).unwrap();
        let haproxy = ["-db".to_owned(), "-f".to_owned(), self.path("haproxy.cfg")];
        self.run("haproxy", &self.programs.haproxy.clone(), &haproxy);
        (0..MEMBERS).for_each(|n| self.revive(n));
    }

    /// Tells the keeper to run a program.
    fn run(&mut self, name: &str, program: &Path, arguments: &[String]) {
        let words = [name, program.to_str().unwrap()].into_iter();
        let words: Vec<&str> = words.chain(arguments.iter().map(String::as_str)).collect();
        self.keeper.tell(&words.join("\t"));
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }

    /// Starts the machine of a member, after it was killed.
    pub fn revive(&mut self, member: usize) {
        let settings = self.path(&format!("patroni{member}.yml"));
        self.run(&format!("patroni{member}"), &self.programs.patroni.clone(), &[settings]);
    }

    /// Its address with every member, of which the one is meant that takes writes.
    pub fn address(&self) -> String {
        let hosts: Vec<String> = self.ports.postgres.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        let hosts = hosts.join(",");
        format!("postgres://postgres@{hosts}/postgres?target_session_attrs=read-write&sslmode=disable")
    }

    /// The address of the HAProxy, which knows who takes writes.
    pub fn balanced(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable", self.ports.balancer)
    }

    /// The rows that a question is answered with by the member that takes writes; all columns are texts.
    pub async fn texts(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        databases::texts(&self.address(), sql).await
    }

    /// Which member takes writes, as Patroni knows.
    pub async fn primary(&self) -> Option<usize> {
        for n in 0..MEMBERS {
            if self.is(n, "primary").await {
                return Some(n);
            }
        }
        None
    }

    /// Waits until one member leads, the others follow, and one of them so closely that it may lead next.
    ///
    /// # Panics
    /// If that takes two minutes.
    pub async fn whole(&mut self) {
        if !self.becomes_whole().await {
            self.show_logs();
            panic!("the cluster does not become whole: its logs are above");
        }
    }

    async fn becomes_whole(&mut self) -> bool {
        waits::is_so(async || self.is_whole().await).await
    }

    async fn is_whole(&self) -> bool {
        let (mut followers, mut is_next) = (0, false);
        for n in 0..MEMBERS {
            if self.is(n, "replica").await {
                followers += 1;
                is_next |= self.is(n, "synchronous").await;
            }
        }
        followers == MEMBERS - 1 && is_next && self.primary().await.is_some() && self.balances().await
    }

    /// Whether the HAProxy leads somewhere.
    async fn balances(&self) -> bool {
        let address = self.balanced();
        let connected = tokio_postgres::connect(&address, tokio_postgres::NoTls);
        tokio::time::timeout(Duration::from_secs(2), connected).await.is_ok_and(|connected| connected.is_ok())
    }

    /// Whether Patroni says that a member is something.
    async fn is(&self, member: usize, what: &str) -> bool {
        let asked = self.ask(member, "GET", what, "");
        let asked = tokio::time::timeout(Duration::from_secs(2), asked).await;
        matches!(asked, Ok(Ok(answer)) if answer.get(9..12) == Some("200"))
    }

    /// What the Patroni of a member answers.
    async fn ask(&self, member: usize, method: &str, what: &str, body: &str) -> std::io::Result<String> {
        let mut socket = TcpStream::connect(("127.0.0.1", self.ports.rest[member])).await?;
        let length = body.len();
        let request = format!("{method} /{what} HTTP/1.0\r\ncontent-length: {length}\r\n\r\n{body}");
        socket.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await?;
        Ok(answer)
    }

    /// Gives the lead to another member, as before work on the machine of the one that has it.
    pub async fn switch_over(&self, leader: usize) {
        let body = format!("{{\"leader\": \"n{leader}\"}}");
        let answer = self.ask(leader, "POST", "switchover", &body).await.unwrap();
        assert!(answer.get(9..12) == Some("200"), "{answer}");
    }

    /// Whether a commit that no follower can take waits for one.
    pub async fn be_strict(&self, is_strict: bool) {
        let leader = self.primary().await.unwrap();
        let body = format!("{{\"synchronous_mode_strict\": {is_strict}}}");
        let answer = self.ask(leader, "PATCH", "config", &body).await.unwrap();
        assert!(answer.get(9..12) == Some("200"), "{answer}");
    }

    /// Kills the server of a member, and leaves the Patroni that watches it.
    pub fn kill_server(&self, member: usize) {
        self.kill(&format!("data{member}/postmaster.pid"));
    }

    /// Kills the Patroni of a member and its server, as if the machine had died.
    pub fn kill_machine(&self, member: usize) {
        self.kill(&format!("patroni{member}.pid"));
        self.kill_server(member);
    }

    /// Kills a process whose number is the first line of a file, if it is one of this cluster.
    fn kill(&self, file: &str) {
        let said = fs::read_to_string(self.folder.join(file)).unwrap();
        let number = said.lines().next().unwrap().trim();
        let line = fs::read_to_string(format!("/proc/{number}/cmdline")).unwrap();
        assert!(line.contains(self.folder.to_str().unwrap()), "{file} names another's process");
        let killed = Command::new("/bin/sh").args(["-c", "kill -9 \"$1\"", "kill", number]).status().unwrap();
        assert!(killed.success(), "{file}");
    }

    /// The last lines of every log, on the standard error.
    fn show_logs(&self) {
        let names = fs::read_dir(&self.folder).unwrap().map(|entry| entry.unwrap().path());
        for path in names.filter(|path| path.extension().is_some_and(|kind| kind == "log")) {
            let log = String::from_utf8_lossy(&fs::read(&path).unwrap_or_default()).into_owned();
            let skipped = log.lines().count().saturating_sub(20);
            eprintln!("== {}", path.display());
            log.lines().skip(skipped).for_each(|line| eprintln!("{line}"));
        }
    }
}

/// Runs what it is told until the standard input ends, one program a line: a name and then its words,
/// with tabs between them. Then it ends what is of its folder, and takes the folder away.
const KEEPER: &str = r#"
trap '' INT HUP
folder=$1
set -f
IFS='	'
while read -r line; do
  set -- $line
  name=$1; shift
  "$@" </dev/null >>"$folder/$name.log" 2>&1 &
  echo $! >"$folder/$name.pid"
done
unset IFS
set +f
is_ours() { [ -n "$1" ] && tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline" | grep -q -F "$folder"; }
for file in patroni*.pid; do
  number=$(head -n 1 "$file")
  is_ours "$number" && kill -KILL "$number"
done
left=200
while [ $left -gt 0 ]; do
  running=
  for file in data*/postmaster.pid; do
    number=$(head -n 1 "$file" 2>/dev/null)
    is_ours "$number" && running=yes && kill -QUIT "$number"
  done
  [ -z "$running" ] && break
  sleep 0.1
  left=$((left - 1))
done
for file in etcd*.pid haproxy.pid; do
  number=$(head -n 1 "$file")
  is_ours "$number" && kill -KILL "$number"
done
wait
cd /
rm -rf "$folder"
"#;
