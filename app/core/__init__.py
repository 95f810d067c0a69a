"""What the service and the pipeline both know: catalogue, interactions, model, store."""
