mod dead_letters;
mod deadline;
mod oversell;
mod reservation;
mod retention;
