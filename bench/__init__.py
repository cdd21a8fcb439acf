"""The harness: configuration, engine, run store, gate, tracking and the command line."""
