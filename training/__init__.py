"""The offline pipeline: collect, validate, train, publish."""
