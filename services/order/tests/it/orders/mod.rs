mod cancel;
mod fulfil;
mod list;
mod place;
mod read;
