mod dead_letters;
mod oversell;
mod reservation;
