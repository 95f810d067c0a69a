"""What the service and the pipeline both know: catalogue, interactions, model, store."""

__version__ = "0.1.0"
