//! The pool and migrations on a real PostgreSQL.

mod locks;
mod passwords;
mod pool;
