//! Every error class, provoked for real.
