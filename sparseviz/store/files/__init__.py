"""What can be done with a run's HDF5 file before anything heavy is loaded: opening, checking, and the trial of it."""
