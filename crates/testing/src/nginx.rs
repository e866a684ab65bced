//! nginx in front of something, as an ingress is.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tokio::net::TcpStream;

use crate::{eventually, unique_name};

/// One that runs; ended when it is dropped.
#[derive(Debug)]
pub struct Nginx {
    process: Child,
    folder: PathBuf,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Nginx {
    /// One that hands on to `server` whatever it is asked, and adds the address of who asks to `X-Forwarded-For`.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn before(server: SocketAddr) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
        let folder = std::env::temp_dir().join(unique_name());
        std::fs::create_dir(&folder).expect("make a directory");
        let configuration = format!(
            "daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
             events {{ worker_connections 2048; }}
             http {{
               access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
               uwsgi_temp_path {folder}; scgi_temp_path {folder};
               server {{ listen {address}; location / {{
                 proxy_pass http://{server}; proxy_set_header Host shop.example;
                 proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }} }}
             }}",
            folder = folder.display()
        );
        let file = folder.join("nginx.conf");
        std::fs::write(&file, configuration).expect("write nginx's configuration");
        let process = Command::new("nginx").arg("-c").arg(&file).stderr(Stdio::null()).spawn();
        let process =
            process.unwrap_or_else(|error| panic!("no nginx for tests, `local/stores start` installs it: {error}"));
        let nginx = Self { process, folder, address };
        eventually("nginx listens", || async { TcpStream::connect(address).await.ok() }).await;
        nginx
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
