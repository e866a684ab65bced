mod cancel;
mod fulfil;
mod list;
mod list_filters;
mod place;
mod read;
