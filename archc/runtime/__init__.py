"""The home of torch: generated source as a module, ready to run, with its weights."""
