mod cancel;
mod fulfil;
mod history;
mod list;
mod list_filters;
mod place;
mod read;
mod update;
