//! What a container is told by its pod's template, with the Secrets and `ConfigMaps` that it names looked up.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::{ConfigMap, Container, EnvVar, KeyToPath, PodSpec, Secret, Volume};
use kube::ResourceExt as _;
use operator::credentials::wanted;
use operator::objects::Desired;

use crate::Failure;
use crate::stack::Stack;

type Files = BTreeMap<String, Vec<u8>>;

/// What Secrets and `ConfigMaps` hold, by name.
#[derive(Debug, Default)]
pub struct Sources {
    secrets: BTreeMap<String, Files>,
    maps: BTreeMap<String, Files>,
}

/// What is mounted at a path.
#[derive(Debug)]
pub enum Mounted {
    /// These files.
    Files(Files),
    /// The volume that stays.
    Data,
    /// An empty folder that goes with the pod.
    Scratch,
}

/// What a container is told.
#[derive(Debug)]
pub struct Told {
    /// The command, where it has one of its own.
    pub command: Vec<String>,
    /// What comes after it.
    pub arguments: Vec<String>,
    /// Its environment.
    pub environment: BTreeMap<String, String>,
    /// What is where.
    pub mounts: BTreeMap<PathBuf, Mounted>,
    /// The most memory that it gets.
    pub memory: Option<String>,
}

impl Sources {
    /// Those of a stack.
    pub fn of(stack: &Stack, objects: &Desired) -> Result<Self, Failure> {
        let mut sources = Self::default();
        for secret in wanted(&stack.names, &stack.spec) {
            let keys = secret.keys.iter().map(|(key, _)| key);
            let files =
                keys.map(|key| (key.clone(), stack.credentials.get(&secret.name, key).as_bytes().to_vec())).collect();
            sources.secrets.insert(secret.name.clone(), files);
        }
        let admin = sources.secrets.entry(stack.names.admin()).or_default();
        admin.insert("email".to_owned(), stack.admin()[0].as_bytes().to_vec());
        for manifest in &objects.applied {
            let object = serde_json::to_value(&manifest.object)?;
            match manifest.resource.kind.as_str() {
                "Secret" => {
                    let secret: Secret = serde_json::from_value(object)?;
                    let name = secret.name_any();
                    let texts = secret.string_data.into_iter().flatten().map(|(key, text)| (key, text.into_bytes()));
                    let bytes = secret.data.into_iter().flatten().map(|(key, bytes)| (key, bytes.0));
                    sources.secrets.insert(name, bytes.chain(texts).collect());
                }
                "ConfigMap" => {
                    let map: ConfigMap = serde_json::from_value(object)?;
                    let name = map.name_any();
                    let texts = map.data.into_iter().flatten().map(|(key, text)| (key, text.into_bytes()));
                    sources.maps.insert(name, texts.collect());
                }
                _ => {}
            }
        }
        Ok(sources)
    }

    /// What this container of this pod is told.
    pub fn tell(&self, pod: &PodSpec, container: &Container) -> Result<Told, Failure> {
        let variables = container.env.iter().flatten();
        let environment = variables.map(|variable| Ok((variable.name.clone(), self.value(variable)?)));
        let mut mounts = BTreeMap::new();
        for mount in container.volume_mounts.iter().flatten() {
            let volume = pod.volumes.iter().flatten().find(|volume| volume.name == mount.name);
            // What no volume of the pod is comes from a claim.
            let mounted = volume.map_or(Ok(Mounted::Data), |volume| self.mounted(volume))?;
            mounts.insert(PathBuf::from(&mount.mount_path), mounted);
        }
        let limits = container.resources.as_ref().and_then(|resources| resources.limits.as_ref());
        Ok(Told {
            command: container.command.clone().unwrap_or_default(),
            arguments: container.args.clone().unwrap_or_default(),
            environment: environment.collect::<Result<_, Failure>>()?,
            mounts,
            memory: limits.and_then(|limits| limits.get("memory")).map(|memory| memory.0.clone()),
        })
    }

    fn value(&self, variable: &EnvVar) -> Result<String, Failure> {
        let Some(from) = &variable.value_from else { return Ok(variable.value.clone().unwrap_or_default()) };
        let Some(secret) = &from.secret_key_ref else {
            return Err(format!("{} comes from where nothing is read here", variable.name).into());
        };
        let held = self.secrets.get(&secret.name).and_then(|files| files.get(&secret.key));
        let bytes = held.ok_or_else(|| format!("there is no {} in the Secret {}", secret.key, secret.name))?;
        Ok(String::from_utf8(bytes.clone())?)
    }

    fn mounted(&self, volume: &Volume) -> Result<Mounted, Failure> {
        if let Some(source) = &volume.secret {
            let name = source.secret_name.as_deref().unwrap_or_default();
            let held = self.secrets.get(name).ok_or_else(|| format!("there is no Secret {name}"))?;
            return Ok(Mounted::Files(chosen(held, source.items.as_deref())));
        }
        if let Some(source) = &volume.config_map {
            let nothing = Files::new();
            let held = self.maps.get(&source.name).or_else(|| source.optional.map(|_| &nothing));
            let held = held.ok_or_else(|| format!("there is no ConfigMap {}", source.name))?;
            return Ok(Mounted::Files(chosen(held, source.items.as_deref())));
        }
        Ok(Mounted::Scratch)
    }
}

fn chosen(held: &Files, items: Option<&[KeyToPath]>) -> Files {
    let Some(items) = items else { return held.clone() };
    items.iter().filter_map(|item| Some((item.path.clone(), held.get(&item.key)?.clone()))).collect()
}

/// Writes files into a folder that is made for them, for everybody to read.
pub fn write(folder: &Path, files: &Files) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (name, bytes) in files {
        std::fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}
