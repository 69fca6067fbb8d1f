"""The engine: `Trainer.run()` yields a snapshot at a time, and needs no file and no screen."""
