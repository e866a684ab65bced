//! A store in a container of docker's, started as its pod starts it.

use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ecommerce_testing::within;
use k8s_openapi::api::core::v1::{Container, PodSpec};
use operator::names::Backend;
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::Failure;
use crate::pod::{Mounted, Sources, Told, write};

/// The user that every store runs as.
const USER: u32 = 999;
/// How long a store may take to listen.
const START: Duration = Duration::from_mins(1);

/// A store that runs.
#[derive(Debug)]
pub struct Store {
    /// Which.
    pub backend: Backend,
    /// Where it listens.
    pub address: SocketAddr,
    container: String,
    id: String,
}

impl Store {
    /// Starts one with an empty volume, in the place of one that is there.
    pub async fn start(
        backend: Backend,
        image: &str,
        pod: &PodSpec,
        sources: &Sources,
        folder: &Path,
    ) -> Result<Self, Failure> {
        let container = format!("ecommerce-loopback-{}", backend.as_str());
        let _ = docker(["rm", "--force", &container]).await;
        let folder = folder.join(backend.as_str());
        let _ = std::fs::remove_dir_all(&folder);
        for first in pod.init_containers.iter().flatten() {
            let mut arguments = vec!["run".to_owned(), "--rm".to_owned()];
            arguments.extend(told(image, pod, first, sources, &folder)?);
            docker(arguments).await?;
        }
        let [main] = &pod.containers[..] else { return Err("a store has one container".into()) };
        let mut arguments = vec!["run".to_owned(), "--detach".to_owned(), "--name".to_owned(), container.clone()];
        arguments.extend(told(image, pod, main, sources, &folder)?);
        let id = docker(arguments).await?;
        let address = docker(["inspect", "--format", "{{.NetworkSettings.IPAddress}}", &container]).await?;
        let address = SocketAddr::new(address.parse::<IpAddr>()?, backend.port());
        let store = Self { backend, address, container, id };
        store.listens().await;
        Ok(store)
    }

    /// Waits until it listens.
    pub async fn listens(&self) {
        let what = format!("{} listens", self.backend.as_str());
        within(START, &what, || async { TcpStream::connect(self.address).await.ok().map(drop) }).await;
    }

    /// Sends a signal to its first process: `KILL`, `STOP`, `CONT`.
    pub async fn signal(&self, signal: &str) -> Result<(), Failure> {
        docker(["kill", "--signal", signal, &self.container]).await.map(drop)
    }

    /// Starts it again on its volume, after it was killed.
    pub async fn start_again(&self) -> Result<(), Failure> {
        docker(["start", &self.container]).await?;
        self.listens().await;
        Ok(())
    }

    /// The time of processors that all its processes have taken, those that have ended too.
    pub fn cpu(&self) -> Result<Duration, Failure> {
        let first = format!("/sys/fs/cgroup/cpuacct/docker/{}/cpuacct.usage", self.id);
        if let Ok(nanoseconds) = std::fs::read_to_string(first) {
            return Ok(Duration::from_nanos(nanoseconds.trim().parse()?));
        }
        let places = ["system.slice/docker-{}.scope", "docker/{}"];
        let texts = places.map(|place| format!("/sys/fs/cgroup/{}/cpu.stat", place.replace("{}", &self.id)));
        let text = texts.iter().find_map(|path| std::fs::read_to_string(path).ok());
        let text = text.ok_or("the container's control group is not found")?;
        let line = text.lines().find_map(|line| line.strip_prefix("usage_usec "));
        Ok(Duration::from_micros(line.ok_or("no usage_usec in cpu.stat")?.parse()?))
    }

    /// Takes it away.
    pub async fn remove(&self) {
        let _ = docker(["rm", "--force", &self.container]).await;
    }
}

/// Takes away what an earlier run has left.
pub async fn remove_all() {
    for backend in Backend::ALL {
        let _ = docker(["rm", "--force", &format!("ecommerce-loopback-{}", backend.as_str())]).await;
    }
}

/// What docker is told of a container.
fn told(
    image: &str,
    pod: &PodSpec,
    container: &Container,
    sources: &Sources,
    folder: &Path,
) -> Result<Vec<String>, Failure> {
    let Told { command, arguments, environment, mounts, memory } = sources.tell(pod, container)?;
    let mut told = vec![format!("--user={USER}:{USER}"), "--read-only".to_owned()];
    told.extend(memory.map(|memory| format!("--memory={}", memory.to_lowercase().trim_end_matches('i'))));
    told.extend(environment.iter().map(|(name, value)| format!("--env={name}={value}")));
    for (number, (path, mounted)) in mounts.iter().enumerate() {
        let path = path.display();
        told.push(match mounted {
            Mounted::Scratch => format!("--tmpfs={path}:uid={USER},gid={USER},mode=1777,exec"),
            Mounted::Data => format!("--volume={}:{path}", data(folder)?.display()),
            Mounted::Files(files) => {
                let files_folder = folder.join(format!("{}-{number}", container.name));
                write(&files_folder, files)?;
                format!("--volume={}:{path}:ro", files_folder.display())
            }
        });
    }
    let last_words = folder.join("termination-log");
    std::fs::write(&last_words, "")?;
    std::fs::set_permissions(&last_words, std::fs::Permissions::from_mode(0o666))?;
    told.push(format!("--volume={}:/dev/termination-log", last_words.display()));
    let mut words = command.into_iter().chain(arguments);
    told.extend(words.next().map(|first| format!("--entrypoint={first}")));
    told.push(image.to_owned());
    told.extend(words);
    Ok(told)
}

fn data(folder: &Path) -> std::io::Result<PathBuf> {
    let data = folder.join("data");
    std::fs::create_dir_all(&data)?;
    chown(&data, Some(USER), Some(USER))?;
    Ok(data)
}

async fn docker(arguments: impl IntoIterator<Item = impl AsRef<std::ffi::OsStr>>) -> Result<String, Failure> {
    let output = Command::new("docker").args(arguments).output().await?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    Err(format!("docker: {}", String::from_utf8_lossy(&output.stderr).trim()).into())
}
