//! What the stores' pods run before their server, with programs of the tests in the server's place.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder that stands for the root of a pod.
struct Pod(PathBuf);

impl Drop for Pod {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

static PODS: AtomicU32 = AtomicU32::new(0);

impl Pod {
    fn new(programs: &[(&str, &str)]) -> Self {
        let number = PODS.fetch_add(1, Ordering::Relaxed);
        let pod = Self(std::env::temp_dir().join(format!("operator-scripts-{}-{number}", std::process::id())));
        for (name, body) in programs {
            pod.program(name, body);
        }
        pod
    }

    fn program(&self, name: &str, body: &str) {
        let path = self.write(&format!("bin/{name}"), &format!("#!/bin/sh\n{body}\n"));
        fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }

    fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_default()
    }

    fn run(&self, script: &str, environment: &[(&str, &str)]) -> Output {
        self.command(script, environment).output().unwrap()
    }

    fn command(&self, script: &str, environment: &[(&str, &str)]) -> Command {
        let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/objects/files");
        let texts = ["only-one.sh", script].map(|file| fs::read_to_string(files.join(file)).unwrap());
        let script = self.write(&format!("scripts/{script}"), &texts.concat());
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        let mut command = Command::new("sh");
        command.arg(script).env_clear().env("PATH", path).env("ROOT", &self.0).env("HOME", &self.0);
        command.envs(environment.iter().copied());
        command
    }

    /// As a server that still works on the volume.
    fn lock(&self, path: &str) -> fs::File {
        let lock = fs::File::create(self.write(path, "")).unwrap();
        lock.lock().unwrap();
        lock
    }
}

/// A broker that lives as long as its control program takes.
fn broker() -> Pod {
    Pod::new(&[
        ("rabbitmq-server", "mkdir -p $HOME/mnesia; until [ -e $HOME/stop ]; do sleep 0.01; done"),
        ("rabbitmqctl", "echo \"$@\" >>$HOME/told; [ \"$1\" != enable_feature_flag ] || touch $HOME/stop"),
    ])
}

#[test]
fn a_broker_enables_the_feature_flags_of_an_image_that_its_data_does_not_know() {
    let pod = broker();
    pod.write("stop", "");
    let start = |image: &str| assert!(pod.run("start-rabbitmq.sh", &[("IMAGE", image)]).status.success());
    start("rabbitmq:4.1");
    assert_eq!(pod.read("told"), "", "a new node has all of its flags");
    start("rabbitmq:4.1");
    assert_eq!(pod.read("told"), "");
    for (image, times) in [("rabbitmq:4.2", 1), ("rabbitmq:4.2", 1), ("rabbitmq:4.3", 2)] {
        let is_another = pod.read(".feature-flags-of") != image;
        if is_another {
            fs::remove_file(pod.path("stop")).unwrap();
        }
        start(image);
        assert_eq!(pod.read(".feature-flags-of"), image);
        let told = pod.read("told");
        assert_eq!(told.matches("enable_feature_flag all").count(), times, "{told}");
        assert!(told.starts_with("await_startup"), "{told}");
    }
}

#[test]
fn a_cookie_that_a_restored_volume_opened_to_its_group_is_closed() {
    let pod = broker();
    pod.write("stop", "");
    let cookie = pod.write(".erlang.cookie", "secret");
    fs::set_permissions(&cookie, Permissions::from_mode(0o660)).unwrap();
    assert!(pod.run("start-rabbitmq.sh", &[("IMAGE", "rabbitmq:4.1")]).status.success());
    assert_eq!(fs::metadata(cookie).unwrap().permissions().mode() & 0o777, 0o400);
}

/// Redis' own check, which finds a word in the file; it mends what is not beyond it.
const CHECK: &str = r#"
manifest=$2; [ "$1" = --fix ] || manifest=$1
log=$(dirname "$manifest")/appendonly.aof.1.incr.aof
[ "$1" != --fix ] || { read -r yes; [ "$yes" = y ] || exit 1; sed -i s/garbage// "$log"; }
! grep -q -e garbage -e beyond "$log""#;

fn redis(log: &str) -> Pod {
    let pod = Pod::new(&[("redis-check-aof", CHECK), ("redis-server", "echo \"$@\" >$ROOT/started")]);
    pod.write("data/appendonlydir/appendonly.aof.manifest", "file appendonly.aof.1.incr.aof seq 1 type i\n");
    pod.write("data/appendonlydir/appendonly.aof.1.incr.aof", log);
    pod
}

#[test]
fn a_damaged_log_is_cut_back_or_put_aside_and_redis_starts() {
    for (log, after, aside) in [("set", "set", ""), ("set garbage", "set ", ""), ("beyond repair", "", "beyond repair")]
    {
        let pod = redis(log);
        let output = pod.run("start-redis.sh", &[]);
        assert!(output.status.success(), "{output:?}");
        assert!(pod.read("started").ends_with("/etc/ecommerce/redis/redis.conf\n"));
        assert_eq!(pod.read("data/appendonlydir/appendonly.aof.1.incr.aof"), after);
        assert_eq!(pod.read("data/appendonlydir.damaged/appendonly.aof.1.incr.aof"), aside);
    }
}

#[test]
fn a_manifest_that_names_no_files_or_files_that_are_not_there_is_put_aside_with_its_log() {
    for manifest in ["", "garbage", "file appendonly.aof.7.incr.aof seq 7 type i\n"] {
        let pod = redis("set");
        pod.write("data/appendonlydir/appendonly.aof.manifest", manifest);
        assert!(pod.run("start-redis.sh", &[]).status.success());
        assert_ne!(pod.read("started"), "");
        assert_eq!(pod.read("data/appendonlydir.damaged/appendonly.aof.1.incr.aof"), "set", "{manifest}");
    }
}

/// PostgreSQL's programs, of a major version; what is told in single-user mode is kept.
fn postgres(major: &str) -> Pod {
    let server = format!(
        r#"case "$1" in --config_file=*) echo "$@" >$ROOT/started; flock -n $ROOT/data/lock touch $ROOT/unlocked || true ;; --version) echo "postgres (PostgreSQL) {major}.2 (Debian {major}.2-1)" ;; --single) cat >>$ROOT/told ;; esac"#
    );
    let initdb = format!("mkdir -p $ROOT/data/postgres.new && echo {major} >$ROOT/data/postgres.new/PG_VERSION");
    let pod = Pod::new(&[
        ("postgres", &server),
        ("initdb", &initdb),
        (
            "pg_controldata",
            "printf '%s\\n' 'Database system identifier:           7301' 'Latest checkpoint location:           0/1528A90' \"Latest checkpoint's REDO location:    0/1\"",
        ),
    ]);
    pod.write("credentials/superuser", r"it's a \ secret");
    pod.write("dev/termination-log", "");
    fs::create_dir_all(pod.path("data")).unwrap();
    pod
}

#[test]
fn an_empty_volume_becomes_a_server_that_says_which_it_is() {
    let pod = postgres("18");
    for _ in 0..2 {
        let output = pod.run("initialise-postgres.sh", &[]);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(pod.read("dev/termination-log"), "7301 18 0/1528A90");
        assert_eq!(pod.read("data/postgres/PG_VERSION"), "18\n");
    }
    assert_eq!(pod.read("told").trim(), r"ALTER ROLE postgres PASSWORD E'it\'s a \\ secret'", "at its second start");
}

#[test]
fn data_of_another_major_version_is_refused_with_both_in_the_sentence() {
    let pod = postgres("18");
    pod.write("data/postgres/PG_VERSION", "17\n");
    let output = pod.run("initialise-postgres.sh", &[]);
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("PostgreSQL 17 and the image is of PostgreSQL 18"), "{said}");
    assert_eq!(pod.read("told"), "");
}

#[test]
fn an_empty_volume_where_the_ledger_knows_a_server_is_refused() {
    let pod = postgres("17");
    pod.write("ledger/postgres-server", "7301");
    let output = pod.run("initialise-postgres.sh", &[]);
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("data is in the server 7301. Give back the volume"), "{said}");
    assert!(!pod.path("data/postgres").exists());
}

#[test]
fn a_data_directory_that_a_restored_volume_opened_to_its_group_is_closed() {
    let pod = postgres("17");
    pod.write("data/postgres/PG_VERSION", "17\n");
    fs::set_permissions(pod.path("data/postgres"), Permissions::from_mode(0o2770)).unwrap();
    assert!(pod.run("initialise-postgres.sh", &[]).status.success());
    assert_eq!(fs::metadata(pod.path("data/postgres")).unwrap().permissions().mode() & 0o7777, 0o700);
}

/// A pod that is deleted by force may still run when the next one begins.
#[test]
fn two_servers_never_work_on_one_volume() {
    for (script, lock, pod) in [
        ("start-postgres.sh", "data/lock", postgres("17")),
        ("start-redis.sh", "data/lock", redis("beyond repair")),
        ("start-rabbitmq.sh", "lock", broker()),
    ] {
        let held = pod.lock(lock);
        pod.program("sleep", "touch $ROOT/waits");
        let output = pod.run(script, &[("IMAGE", "rabbitmq:4.1")]);
        assert!(!output.status.success(), "{script}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("Another server still works on this volume"), "{said}");
        assert!(!pod.path("data/appendonlydir.damaged").exists() && !pod.path("mnesia").exists());
        assert_eq!(pod.read("started"), "");
        drop(held);
    }
}

#[test]
fn postgresql_serves_with_our_configuration_and_keeps_the_volume_to_itself() {
    let pod = postgres("17");
    let output = pod.run("start-postgres.sh", &[]);
    assert!(output.status.success(), "{output:?}");
    assert!(pod.read("started").ends_with("/etc/ecommerce/postgres/postgresql.conf\n"));
    assert!(!pod.path("unlocked").exists(), "the lock goes over exec");
}

#[test]
fn a_server_that_still_works_on_the_data_is_waited_for_and_what_a_dead_one_left_is_put_away() {
    let pod = postgres("17");
    pod.write("data/postgres/PG_VERSION", "17\n");
    pod.write("data/postgres/postmaster.pid", "1\n");
    pod.program("sleep", "touch $ROOT/waits");
    let held = pod.lock("data/lock");
    let mut first = pod.command("initialise-postgres.sh", &[]).spawn().unwrap();
    assert!(!first.wait().unwrap().success());
    assert!(pod.path("waits").exists() && pod.path("data/postgres/postmaster.pid").exists());
    drop(held);
    assert!(pod.run("initialise-postgres.sh", &[]).status.success());
    assert!(!pod.path("data/postgres/postmaster.pid").exists());
}
