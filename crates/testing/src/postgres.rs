//! A PostgreSQL of a test's own, whose write-ahead log has a small disk to itself.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sqlx::{Connection as _, PgConnection};

use crate::authority::Certificate;
use crate::rabbitmq::free_ports;
use crate::{eventually, unique_name, variable, within};

/// How long a server may take to be made and to start, on a machine that does much else.
const START: Duration = Duration::from_mins(1);

/// Mounts the disk where nobody else sees it, and runs the server on it again and again, as a pod does.
const RUN: &str = r#"
set -e
mkdir "$folder/disk"
mount -t tmpfs -o size=24m,mode=0777 wal "$folder/disk"
$as "$programs/initdb" --pgdata "$folder/data" --waldir "$folder/disk/wal" --wal-segsize 1 \
  --username postgres --auth trust --encoding UTF8 --locale C.UTF-8
while :; do
  $as "$programs/postgres" -D "$folder/data" -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
    -c min_wal_size=2MB -c max_wal_size=8MB $also || true
  sleep 0.2
done"#;

/// A server that is started again when it ends; it ends for good when this is dropped.
#[derive(Debug)]
pub struct Postgres {
    /// Its address, for its superuser.
    pub url: String,
    process: Child,
    folder: PathBuf,
}

impl Postgres {
    /// A new one. Only root, or whoever may make a user namespace, can give it a disk.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start() -> Self {
        Self::start_with(None).await
    }

    /// The same, which speaks TLS itself with whoever asks for it, and shows this certificate.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn encrypted(certificate: &Certificate) -> Self {
        Self::start_with(Some(certificate)).await
    }

    async fn start_with(certificate: Option<&Certificate>) -> Self {
        let folder = std::env::temp_dir().join(unique_name());
        std::fs::create_dir(&folder).expect("make a directory");
        let also = certificate.map(|certificate| {
            let [certificate, key] = certificate.write_to(&folder);
            // It refuses a key that others may read.
            std::fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("hide the key");
            format!("-c ssl=on -c ssl_cert_file={} -c ssl_key_file={}", certificate.display(), key.display())
        });
        let is_root = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
        let (namespaces, run_as): (&[&str], _) = if is_root {
            let given = Command::new("chown").args(["-R", "postgres:"]).arg(&folder).status();
            assert!(given.is_ok_and(|status| status.success()), "the user postgres is there");
            (&["--mount"], "setpriv --reuid postgres --regid postgres --init-groups env -C /")
        } else {
            (&["--user", "--map-current-user", "--keep-caps", "--mount"], "")
        };
        let [port] = free_ports();
        let log = std::fs::File::create(folder.join("log")).expect("make its log");
        let process = Command::new("unshare")
            .args(namespaces)
            .args(["sh", "-c", RUN])
            .env("folder", &folder)
            .env("programs", programs())
            .env("port", port.to_string())
            .env("as", run_as)
            .env("also", also.unwrap_or_default())
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("run unshare");
        let postgres = Self { url: format!("postgres://postgres@127.0.0.1:{port}/postgres"), process, folder };
        within(START, "a PostgreSQL of the test's own starts", || postgres.connect()).await;
        postgres
    }

    async fn connect(&self) -> Option<PgConnection> {
        PgConnection::connect(&self.url).await.ok()
    }

    /// Fills the disk of the write-ahead log, and waits until the server has fallen over that.
    ///
    /// # Panics
    /// When it does not.
    pub async fn fill_disk(&self) {
        let full = std::fs::write(self.ballast(), vec![0; 64 << 20]);
        assert!(full.is_err(), "the disk is smaller");
        eventually("the server has fallen", || async {
            // What is written past the segments that there are.
            let write = "select pg_logical_emit_message(false, '', repeat('x', 1000000))";
            match self.connect().await {
                Some(mut connection) => drop(sqlx::query(write).execute(&mut connection).await),
                None => return Some(()),
            }
            None
        })
        .await;
        let log = std::fs::read_to_string(self.folder.join("log")).expect("read its log");
        assert!(log.contains("PANIC") && log.contains("No space left on device"), "{log}");
    }

    /// Makes room again.
    ///
    /// # Panics
    /// When it was not filled.
    pub fn empty_disk(&self) {
        std::fs::remove_file(self.ballast()).expect("remove the ballast");
    }

    /// As the process sees it that has mounted the disk.
    fn ballast(&self) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.process.id()));
        root.join(self.folder.strip_prefix("/").expect("an absolute path")).join("disk/ballast")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // The server's own processes end when it is gone.
        let group = format!("-{}", self.process.id());
        let _ = Command::new("kill").args(["-s", "KILL", "--", &group]).status();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Where the server's programs are; Debian keeps them in a folder for each version, none of it in PATH.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.map(|version| version.path().join("bin")).filter(|bin| bin.join("initdb").exists()).max();
    variable("TEST_POSTGRES_PROGRAMS", &newest.unwrap_or_else(|| "/usr/bin".into()).display().to_string()).into()
}
