mod adjustments;
mod read;
mod set;
