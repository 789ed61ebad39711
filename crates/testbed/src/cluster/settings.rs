//! What the programs of a cluster are told.

use std::net::TcpListener;
use std::path::Path;

/// How many members a cluster has.
pub(super) const MEMBERS: usize = 3;

/// How soon a cluster does without a member that is silent, in seconds. Patroni wants `ttl` to be at
/// least `loop_wait` and twice `retry_timeout`, and advises 30, 10 and 10.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// How long the lead of a member holds without being renewed.
    pub ttl: u32,
    /// How often each member looks.
    pub loop_wait: u32,
    /// How long etcd or PostgreSQL may be silent until the lead is given up.
    pub retry_timeout: u32,
}

#[derive(Debug)]
pub(super) struct Ports {
    pub(super) postgres: [u16; MEMBERS],
    pub(super) rest: [u16; MEMBERS],
    pub(super) balancer: u16,
    etcd: [u16; MEMBERS],
    peers: [u16; MEMBERS],
}

impl Ports {
    /// Ports that are free at the moment.
    pub(super) fn free() -> Ports {
        // All are held until the last is known, so that none is named twice.
        let held: Vec<TcpListener> =
            (0..4 * MEMBERS + 1).map(|_| TcpListener::bind(("127.0.0.1", 0)).unwrap()).collect();
        let mut ports = held.iter().map(|listener| listener.local_addr().unwrap().port());
        let mut next = || ports.next().unwrap();
        let mut some = || [next(), next(), next()];
        let (postgres, rest, etcd, peers) = (some(), some(), some(), some());
        Ports { postgres, rest, balancer: next(), etcd, peers }
    }
}

pub(super) fn etcd(folder: &Path, ports: &Ports, n: usize) -> Vec<String> {
    let client = format!("http://127.0.0.1:{}", ports.etcd[n]);
    let peer = format!("http://127.0.0.1:{}", ports.peers[n]);
    let all = ports.peers.iter().enumerate().map(|(n, port)| format!("e{n}=http://127.0.0.1:{port}"));
    let all: Vec<String> = all.collect();
    [
        ("name", format!("e{n}")),
        ("data-dir", folder.join(format!("etcd{n}")).to_str().unwrap().to_owned()),
        ("listen-client-urls", client.clone()),
        ("advertise-client-urls", client),
        ("listen-peer-urls", peer.clone()),
        ("initial-advertise-peer-urls", peer),
        ("initial-cluster", all.join(",")),
        ("initial-cluster-state", "new".to_owned()),
        ("heartbeat-interval", "100".to_owned()),
        ("election-timeout", "1000".to_owned()),
    ]
    .map(|(name, value)| format!("--{name}={value}"))
    .to_vec()
}

/// A commit is on the disks of two members before it is told; a server that died is not waited for.
pub(super) fn patroni(folder: &Path, binaries: &Path, ports: &Ports, timing: Timing, n: usize) -> String {
    let Timing { ttl, loop_wait, retry_timeout } = timing;
    let (rest, postgres) = (ports.rest[n], ports.postgres[n]);
    let etcd: Vec<String> = ports.etcd.iter().map(|port| format!("127.0.0.1:{port}")).collect();
    let (etcd, folder, binaries) = (etcd.join(","), folder.display(), binaries.display());
    format!(
        r#"scope: books
namespace: /quittance/
name: n{n}
restapi: {{listen: "127.0.0.1:{rest}", connect_address: "127.0.0.1:{rest}"}}
etcd3: {{hosts: "{etcd}"}}
bootstrap:
  dcs:
    ttl: {ttl}
    loop_wait: {loop_wait}
    retry_timeout: {retry_timeout}
    maximum_lag_on_failover: 1048576
    synchronous_mode: true
    primary_start_timeout: 0
    postgresql:
      use_pg_rewind: true
      use_slots: true
      parameters:
        max_connections: 100
        max_wal_senders: 10
        max_replication_slots: 10
        wal_log_hints: "on"
        wal_keep_size: 256MB
        shared_buffers: 64MB
        fsync: "on"
        synchronous_commit: "on"
  initdb: [{{encoding: UTF8}}, {{locale: C.UTF-8}}, data-checksums]
postgresql:
  listen: "127.0.0.1:{postgres}"
  connect_address: "127.0.0.1:{postgres}"
  data_dir: "{folder}/data{n}"
  bin_dir: "{binaries}"
  pgpass: "{folder}/pgpass{n}"
  authentication:
    superuser: {{username: postgres, password: su}}
    replication: {{username: replicator, password: rp}}
    rewind: {{username: rewinder, password: rw}}
  basebackup: [{{checkpoint: fast}}]
  pg_hba:
  - local all all trust
  - host all all 127.0.0.1/32 trust
  - host replication all 127.0.0.1/32 trust
  parameters: {{unix_socket_directories: "{folder}"}}
watchdog: {{mode: "off"}}
"#
    )
}

pub(super) fn haproxy(ports: &Ports) -> String {
    let mut text = format!(
        "global
  maxconn 500
defaults
  mode tcp
  timeout connect 1s
  timeout client 30m
  timeout server 30m
listen primary
  bind 127.0.0.1:{}
  option httpchk OPTIONS /primary
  http-check expect status 200
  default-server inter 500ms fastinter 200ms fall 2 rise 1 on-marked-down shutdown-sessions
",
        ports.balancer
    );
    for (n, (postgres, rest)) in ports.postgres.iter().zip(&ports.rest).enumerate() {
        text.push_str(&format!("  server n{n} 127.0.0.1:{postgres} check port {rest}\n"));
    }
    text
}
