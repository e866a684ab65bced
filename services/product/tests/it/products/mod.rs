mod archive;
mod cache;
mod create;
mod list;
mod read;
mod stock;
mod update;
